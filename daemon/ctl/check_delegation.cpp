// check-delegation: is a zone delegated to its name servers as they say themselves?
#include "config/address.hpp"
#include "config/counted.hpp"
#include "daemon/ctl/command.hpp"
#include "daemon/ctl/delegation.hpp"
#include "daemon/ctl/dns_client.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace fairway::ctl {

namespace {

struct Question {
    std::string zone;
    std::vector<std::string> parents; ///< addresses
    std::uint16_t port = 53;
};

std::set<std::string> names(const std::vector<DnsRecord>& records, const std::string& owner) {
    std::set<std::string> all;
    for (const auto& r : records)
        if (r.type == "NS" && r.owner == owner) all.insert(canonical(r.data));
    return all;
}

std::uint32_t ttl_of(const std::vector<DnsRecord>& records, const std::string& type) {
    for (const auto& r : records)
        if (r.type == type) return r.ttl;
    return 0;
}

void add_addresses(std::map<std::string, Addresses>& to, const std::vector<DnsRecord>& records) {
    for (const auto& r : records)
        if (r.type == "A" || r.type == "AAAA") to[r.owner].insert(r.data);
}

/// The addresses of the servers of the zone above, by this machine's resolvers.
std::vector<std::string> find_parents(const std::string& zone) {
    std::vector<std::string> addresses;
    for (std::string above = parent_of(zone);; above = parent_of(above)) {
        for (const auto& server : look_up(above, "NS"))
            for (const char* family : {"A", "AAAA"})
                for (auto& address : look_up(server, family)) addresses.push_back(std::move(address));
        if (!addresses.empty() || above == ".") return addresses;
    }
}

/// The first parent that answers speaks for all.
std::optional<Delegation> ask_parent(const Question& q) {
    for (const auto& parent : q.parents) {
        const auto ns = ask(parent, q.port, q.zone, "NS");
        if (!ns) continue;
        const auto& where = names(ns->authority, q.zone).empty() ? ns->answer : ns->authority;
        Delegation d{.zone = q.zone, .servers = names(where, q.zone), .ttl = ttl_of(where, "NS")};
        add_addresses(d.glue, ns->additional);
        std::erase_if(d.glue, [&](auto& g) { return !d.servers.contains(g.first); });
        const auto ds = ask(parent, q.port, q.zone, "DS");
        d.signs = ds && std::ranges::any_of(ds->answer, [](auto& r) { return r.type == "DS"; });
        return d;
    }
    return std::nullopt;
}

/// The third field of a SOA.
std::optional<std::uint32_t> serial(const std::string& data) {
    std::istringstream fields(data);
    std::string primary, mailbox;
    std::uint32_t number = 0;
    return fields >> primary >> mailbox >> number ? std::optional(number) : std::nullopt;
}

ServerView ask_server(const Question& q, const Delegation& parent, const std::string& name,
                      const std::string& address) {
    ServerView v{.server = name, .address = address};
    const auto soa = ask(address, q.port, q.zone, "SOA");
    if (!soa) return v;
    v.udp = true;
    v.rcode = soa->rcode;
    v.authoritative = soa->authoritative && !soa->answer.empty();
    v.edns = soa->edns;
    v.recursive = soa->recursion;
    for (const auto& r : soa->answer)
        if (r.type == "SOA") v.serial = serial(r.data);
    v.tcp = ask(address, q.port, q.zone, "SOA", true).has_value();
    if (const auto ns = ask(address, q.port, q.zone, "NS")) {
        v.servers = names(ns->answer, q.zone);
        v.ttl = ttl_of(ns->answer, "NS");
    }
    for (const auto& [server, glue] : parent.glue)
        for (const char* family : {"A", "AAAA"})
            if (const auto own = ask(address, q.port, server, family); own && own->authoritative)
                add_addresses(v.own, own->answer);
    return v;
}

std::vector<ServerView> ask_servers(Context& c, const Question& q, const Delegation& parent) {
    std::vector<ServerView> views;
    for (const auto& server : parent.servers) {
        const auto glue = parent.glue.find(server);
        Addresses addresses = glue == parent.glue.end() ? Addresses{} : glue->second;
        for (const char* family : {"A", "AAAA"})
            if (addresses.empty())
                for (auto& a : look_up(server, family)) addresses.insert(std::move(a));
        for (const auto& address : addresses) {
            if (!c.json) c.terminal.note("asking " + server + " " + address);
            views.push_back(ask_server(q, parent, server, address));
        }
    }
    return views;
}

void show(Context& c, const Delegation& parent, std::size_t asked, const std::vector<Fault>& found) {
    if (found.empty())
        return c.terminal.line(
            parent.zone + " is delegated in order: " + counted(parent.servers.size(), "name server") +
                " at " + counted(asked, "address", "es"),
            Colour::good);
    std::vector<std::vector<Cell>> rows{{"", "WHERE", "WHAT"}};
    for (const auto& f : found)
        rows.push_back({{f.bad ? "error" : "warning", f.bad ? Colour::bad : Colour::warn}, f.where, f.what});
    c.terminal.table(rows);
}

void show_json(Context& c, const Delegation& parent, const std::vector<Fault>& found) {
    std::string list;
    for (const auto& f : found)
        list += (list.empty() ? "" : ",") +
                daemon::json_object({{"severity", std::string(f.bad ? "error" : "warning")},
                                     {"where", f.where},
                                     {"what", f.what}});
    std::string document = daemon::json_object({{"zone", parent.zone}});
    document.pop_back();
    c.terminal.document(document + ",\"faults\":[" + list + "]}");
}

int run(Context& c) {
    Question q{.zone = canonical(c.text("zone"))};
    if (q.zone.empty() || q.zone == ".") {
        c.terminal.error(c.text("zone") + " is no zone's name");
        return bad_input;
    }
    if (const std::string port = c.text("port"); !port.empty()) {
        const auto read = std::from_chars(port.data(), port.data() + port.size(), q.port);
        if (read.ec != std::errc{} || read.ptr != port.data() + port.size()) {
            c.terminal.error(port + " is no port, 1 to 65535");
            return bad_input;
        }
    }
    if (const std::string parent = c.text("parent"); !parent.empty() && !IpAddress::parse(parent)) {
        c.terminal.error(parent + " is no address of a name server");
        return bad_input;
    }
    q.parents = c.text("parent").empty() ? find_parents(q.zone) : std::vector{c.text("parent")};
    const auto parent = ask_parent(q);
    if (!parent) {
        c.terminal.error("no name server of the zone above " + q.zone +
                         " answers; name one with --parent ADDRESS");
        return unreachable;
    }
    const auto views = ask_servers(c, q, *parent);
    const auto found = faults(*parent, views);
    c.json ? show_json(c, *parent, found) : show(c, *parent, views.size(), found);
    return std::ranges::any_of(found, &Fault::bad) ? refused : ok;
}

} // namespace

Command check_delegation() {
    using enum Argument::Kind;
    return {"check-delegation",
            "Is a zone delegated as its name servers say? Asks the zone above and each of them",
            {{positional, "zone", "the zone's name", true},
             {option, "parent", "the address of a name server of the zone above (default: as resolved)"},
             {option, "port", "of all servers (default 53)"}},
            run};
}

} // namespace fairway::ctl
