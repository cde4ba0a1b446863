#include "config/load/draft.hpp"

#include <algorithm>

namespace fairway::load {
namespace {

constexpr std::string_view base = "services.*.endpoints.*";

const Key& key(std::string_view below) { return *find_key(std::string(base) + std::string(below)); }

/// An address, or {address: ...} with what is said of it.
bool read_address(const Node& n, IpAddress& out, bool& unchecked, Binding& b) {
    if (!n.is_mapping()) return read_value(n, key(".addresses.[]"), out, b.problems);
    const Mapping m(n, std::string_view(key(".addresses.[]").path), b.problems);
    if (!m.has("address")) b.problems.error(m.place(), "`address` is missing");
    m.read("unchecked", unchecked);
    return m.read("address", out);
}

void read_addresses(const Node& list, Endpoint& e, Binding& b) {
    const bool one = list.is_scalar();
    if (!one && !list.is_sequence()) return wrong(list, key(".addresses"), b.problems);
    for (const Node& item : one ? std::span(&list, 1) : std::span(list.items)) {
        IpAddress a;
        bool unchecked = false;
        if (!read_address(item, a, unchecked, b)) continue;
        const auto is = [&](const std::vector<IpAddress>& in) {
            return std::find(in.begin(), in.end(), a) != in.end();
        };
        if (is(e.addresses) || is(e.unchecked_addresses))
            b.problems.error(item.place(), "addresses: " + a.to_string() + " is given twice");
        (unchecked ? e.unchecked_addresses : e.addresses).push_back(a);
    }
    // Behind those that have a check: the members of a check go by the address' number.
    e.addresses.insert(e.addresses.end(), e.unchecked_addresses.begin(), e.unchecked_addresses.end());
}

/// A host name as RFC 1123 has it; four numbers in a row are a mistyped address.
bool host_name(std::string_view text) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return text.find_first_of(letters) != text.npos &&
           text.find_first_not_of("0123456789-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
               text.npos &&
           text.front() != '-' && Name::parse(text);
}

/// HOST, HOST:PORT, ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT.
std::optional<Target> parse_target(std::string_view text) {
    if (auto a = IpAddress::parse(text)) return Target{*a, std::nullopt};
    if (auto s = SocketAddress::parse(text))
        return s->port ? std::optional(Target{s->ip, s->port}) : std::nullopt;
    const std::size_t colon = text.find(':');
    Target t{std::string(text.substr(0, colon)), std::nullopt};
    if (colon != text.npos) {
        const auto port = SocketAddress::parse("0.0.0.0" + std::string(text.substr(colon)));
        if (!port || port->port == 0) return std::nullopt;
        t.port = port->port;
    }
    if (text.empty() || !host_name(std::get<std::string>(t.host))) return std::nullopt;
    return t;
}

class TargetReader {
  public:
    TargetReader(Endpoint& endpoint, Draft& draft, Binding& binding) : e_(endpoint), d_(draft), b_(binding) {}

    void read(const Mapping& endpoint) {
        if (const Node* n = endpoint.get("targets"))
            named(Mapping(*n, "services.*.endpoints.*.targets", b_.problems));
        if (const Node* n = endpoint.get("stateful")) stateful(*n, endpoint.place_of("stateful"));
    }

  private:
    /// Lists first, so that `same_as` finds what it means whatever the order.
    void named(const Mapping& targets) {
        for (const auto& e : targets.entries())
            if (const auto check = used(e.name, e.place); check && !e.value->is_mapping())
                list(*e.value, *check);
        for (const auto& e : targets.entries())
            if (auto it = d_.used.find(e.name); it != d_.used.end() && e.value->is_mapping())
                same_as(*e.value, it->second, targets);
    }

    std::optional<CheckIndex> used(std::string_view name, const Place& place) {
        if (auto it = d_.used.find(name); it != d_.used.end()) return it->second;
        if (d_.checks_usable)
            b_.problems.error(place,
                              "targets: this service has no check " + with_nearest(name, names_of(d_.used)));
        return std::nullopt;
    }

    void list(const Node& n, CheckIndex check) {
        const bool one = n.is_scalar();
        if ((!one && !n.is_sequence()) || (!one && n.items.empty()))
            return wrong(n, key(".targets.*"), b_.problems, "a list of HOST[:PORT]");
        for (const Node& item : one ? std::span(&n, 1) : std::span(n.items)) {
            const auto target = item.is_scalar() ? parse_target(item.text) : std::nullopt;
            if (!target) wrong(item, key(".targets.*"), b_.problems, "HOST or HOST:PORT");
            else add(*target, check, item.place());
        }
    }

    void add(const Target& t, CheckIndex check, const Place& place) {
        const Check& c = *b_.model.checks[check];
        if (!t.port && !c.port && !default_port(c.kind) && d_.checks_usable)
            b_.problems.error(place, "this target has no port, and neither has the check `" + c.name + "`");
        e_.targets[check].push_back(t);
    }

    void same_as(const Node& n, CheckIndex check, const Mapping& targets) {
        const Mapping m(n, "services.*.endpoints.*.targets.*", b_.problems);
        std::string other;
        std::optional<std::uint16_t> port;
        m.read("port", port);
        if (!m.read("same_as", other)) {
            if (!m.has("same_as")) b_.problems.error(m.place(), "`same_as` is missing");
            return;
        }
        const auto source = d_.used.find(other);
        if (source == d_.used.end() || !e_.targets.contains(source->second)) {
            std::vector<std::string_view> lists;
            for (const auto& e : targets.entries())
                if (!e.value->is_mapping()) lists.push_back(e.name);
            return b_.problems.error(m.get("same_as")->place(),
                                     "same_as: there is no list of targets " + with_nearest(other, lists));
        }
        for (Target t : std::vector<Target>(e_.targets[source->second])) {
            t.port = port;
            add(t, check, m.place());
        }
    }

    void stateful(const Node& n, const Place& place) {
        if (!d_.service.stateful) {
            if (d_.notes.usable)
                b_.problems.error(place, "`stateful` targets, but this service has no `stateful` check");
            return;
        }
        std::set<CheckIndex> checks;
        each_check(*d_.service.stateful, [&](CheckIndex c, bool) { checks.insert(c); });
        for (CheckIndex c : checks) {
            if (e_.targets.contains(c))
                b_.problems.error(place, "`stateful` and `targets` both say what `" +
                                             b_.model.checks[c]->name + "` looks at");
            else list(n, c);
        }
    }

    Endpoint& e_;
    Draft& d_;
    Binding& b_;
};

/// Every address that could be answered is looked at by a check, or said not to be (H7).
void check_coverage(const Endpoint& e, const Place& place, const Draft& d, Binding& b) {
    if (d.service.unchecked || e.unchecked || !d.notes.usable || !d.checks_usable) return;
    if (e.addresses.size() == e.unchecked_addresses.size() && !e.alias) return;
    bool looked_at = false, decides = false;
    const auto visit = [&](CheckIndex c, bool required) {
        if (e.targets.contains(c)) return;
        looked_at = true;
        decides = decides || required;
    };
    if (d.service.application) each_check(*d.service.application, visit);
    if (d.service.stateful) each_check(*d.service.stateful, visit);
    const std::string subject =
        e.alias ? "the addresses of " + e.alias->to_string()
                : e.addresses.front().to_string() +
                      (e.addresses.size() - e.unchecked_addresses.size() > 1 ? " and others" : "");
    if (!looked_at)
        b.problems.error(place, "no check looks at " + subject + "; name one, or say `unchecked: true`");
    else if (!decides)
        b.problems.warning(place,
                           "the checks of " + subject + " only watch (`required: false`) and never decide");
}

/// `cname` or `alias`: a name in place of addresses.
void read_name(const Mapping& m, std::string_view word, std::optional<Name>& out, Draft& d, Binding& b) {
    const Node* n = m.get(word);
    if (!n) return;
    if (n->is_scalar()) out = b.name_in_zone(n->text, d.service.name);
    if (!out || out->is_root()) return wrong(*n, key("." + std::string(word)), b.problems);
    if (*out == d.service.name)
        b.problems.error(n->place(), std::string(word) + ": " + out->to_string() + " is this service itself");
    for (const std::string_view other : {"addresses", "cname"})
        if (other != word && m.has(other))
            b.problems.error(n->place(), "`" + std::string(word) + "` beside `" + std::string(other) +
                                             "`: one of them is what is answered");
}

/// What is answered as a name has no address to look at: checks need targets of their own.
void check_cname(const Endpoint& e, const Place& place, const Draft& d, Binding& b) {
    if (!e.cname || d.service.unchecked || e.unchecked || !d.notes.usable || !d.checks_usable) return;
    bool any = false, aimless = false;
    const auto visit = [&](CheckIndex c, bool) {
        any = true;
        aimless = aimless || !e.targets.contains(c);
    };
    if (d.service.application) each_check(*d.service.application, visit);
    if (d.service.stateful) each_check(*d.service.stateful, visit);
    if (!any || aimless)
        b.problems.error(place,
                         "no check can look at " + e.cname->to_string() +
                             ", which is answered as it is: give its `targets`, or say `unchecked: true`");
}

void read_endpoint(const Mapping::Entry& entry, Draft& d, Binding& b) {
    Endpoint e;
    const auto datacenter = b.datacenter(entry.name, entry.place);
    const Mapping m(*entry.value, base, b.problems);
    if (const Node* n = m.get("addresses")) read_addresses(*n, e, b);
    read_name(m, "cname", e.cname, d, b);
    read_name(m, "alias", e.alias, d, b);
    m.read("weight", e.weight);
    m.read("capacity", e.capacity);
    m.read("unchecked", e.unchecked);
    TargetReader(e, d, b).read(m);
    if (!datacenter || !entry.value->is_mapping()) d.notes.usable = false;
    if (!m.has("addresses") && !m.has("cname") && !m.has("alias") && entry.value->is_mapping())
        b.problems.error(entry.place, "an endpoint without `addresses`, `alias` or `cname`");
    else if (const Node* n = m.get("addresses"); n && n->is_sequence() && n->items.empty())
        b.problems.error(n->place(), "addresses: expected at least one address");
    check_coverage(e, entry.place, d, b);
    check_cname(e, entry.place, d, b);
    if (!datacenter) return;
    e.datacenter = *datacenter;
    d.service.endpoints.push_back(std::move(e));
    d.notes.endpoints.push_back(entry.place);
}

/// A check that looks at answered addresses needs a port for them.
void check_ports(const Place& place, const Draft& d, Binding& b) {
    for (const auto& [name, index] : d.used) {
        const Check& c = *b.model.checks[index];
        if (c.port || default_port(c.kind) || !d.checks_usable) continue;
        const auto& all = d.service.endpoints;
        if (std::any_of(all.begin(), all.end(),
                        [&](const Endpoint& e) { return !e.unchecked && !e.targets.contains(index); }))
            b.problems.error(place,
                             "the check `" + name + "` has no `port`, and its kind has none of its own");
    }
}

} // namespace

void read_endpoints(const Mapping& service, Draft& d, Binding& b) {
    const Node* n = service.get("endpoints");
    if (!n) return;
    const Mapping m(*n, "services.*.endpoints", b.problems);
    for (const auto& entry : m.entries()) read_endpoint(entry, d, b);
    if (n->is_mapping() && n->members.empty())
        b.problems.error(n->place(), "endpoints: expected at least one");
    check_ports(service.place(), d, b);
}

} // namespace fairway::load
