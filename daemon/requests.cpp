#include "daemon/requests.hpp"

#include "config/load/node.hpp"
#include "config/title.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace fairway::daemon {

using namespace policies;

namespace {

/// Reads fields and remembers the first thing wrong; at the end no field may be left unread.
class Fields {
  public:
    explicit Fields(const JsonValue& body) : body_(body) {}

    std::string text(const char* key) {
        const JsonValue v = take(key);
        if (!v.is_null() && !v.is_text()) wrong(std::string(key) + " must be a text");
        return v.is_text() ? v.text() : "";
    }
    std::string required(const char* key) {
        std::string value = text(key);
        if (value.empty()) wrong(std::string(key) + " is needed");
        return value;
    }
    bool flag(const char* key) {
        const JsonValue v = take(key);
        if (!v.is_null() && !v.is_flag()) wrong(std::string(key) + " must be true or false");
        return body_.flag(key);
    }
    Duration duration(const char* key, Duration otherwise) {
        const std::string value = text(key);
        if (value.empty()) return otherwise;
        const auto d = parse_duration(value);
        if (!d || *d <= 0s) wrong(std::string(key) + " must be a time such as 30m or 24h, not " + value);
        return d.value_or(otherwise);
    }
    /// Of a service, as the model writes it: lower case, no final dot.
    std::string name(const char* key, bool needed) {
        const std::string value = needed ? required(key) : text(key);
        const auto parsed = Title::parse(value);
        if (!value.empty() && !parsed) wrong(value + " is not a domain name");
        return value.empty() || !parsed ? value : parsed->to_string();
    }
    Scope scope() { return {name("service", false), text("datacenter"), text("tag")}; }
    Scope narrow_scope() {
        Scope s = scope();
        if (s == Scope{}) wrong("name a datacenter, a service, both, or a tag");
        return s;
    }

    std::string problem() {
        for (const auto& key : body_.keys())
            if (!known_.contains(key)) wrong("unknown field " + key);
        return problem_;
    }

  private:
    JsonValue take(const char* key) {
        known_.insert(key);
        return body_.at(key);
    }
    void wrong(std::string what) {
        if (problem_.empty()) problem_ = std::move(what);
    }
    const JsonValue& body_;
    std::set<std::string, std::less<>> known_;
    std::string problem_;
};

/// What a command names and the configuration does not know; empty if it knows all.
struct NameCheck {
    const Model& model;

    std::string service(const std::string& said) const {
        if (said.empty() || model.known_title(said)) return {};
        std::vector<std::string> known;
        for (const auto& s : model.services) known.push_back(s.name.to_string());
        return "there is no service " + nearest_of(said, known);
    }
    std::string datacenter(const std::string& said) const {
        if (said.empty() || model.find_datacenter(said)) return {};
        std::vector<std::string> known;
        for (const auto& d : model.datacenters) known.push_back(d.name);
        return "there is no datacenter " + nearest_of(said, known);
    }
    std::string tag(const std::string& said) const {
        std::vector<std::string> known;
        for (const auto& s : model.services) known.insert(known.end(), s.tags.begin(), s.tags.end());
        if (said.empty() || std::ranges::find(known, said) != known.end()) return {};
        return "no service is tagged " + nearest_of(said, known);
    }
    std::string scope(const Scope& s) const {
        const std::string wrong = tag(s.tag);
        return wrong.empty() ? both(s.service, s.datacenter) : wrong;
    }
    static std::string nearest_of(const std::string& said, const std::vector<std::string>& known) {
        return load::with_nearest(said, std::vector<std::string_view>(known.begin(), known.end()));
    }
    std::string both(const std::string& s, const std::string& d) const {
        const std::string wrong = service(s);
        return wrong.empty() ? datacenter(d) : wrong;
    }

    std::string operator()(const SetOverride& c) const { return scope(c.scope); }
    std::string operator()(const EndOverride& c) const { return scope(c.scope); }
    std::string operator()(const Failover& c) const { return both(c.service, c.to); }
    std::string operator()(const Failback& c) const { return service(c.service); }
    std::string operator()(const Move& c) const { return both(c.service, c.to); }
    std::string operator()(const Abort& c) const { return service(c.service); }
    std::string operator()(const Approve&) const { return {}; } // a switch that has ended was known
};

using What = decltype(Command::what);

template<Override::Kind kind> What set(Fields& f) {
    const Scope scope = kind == Override::Kind::freeze ? f.scope() : f.narrow_scope();
    return SetOverride{scope, f.required("reason"), f.duration("for", 24h), f.flag("force"), kind};
}
template<Override::Kind kind> What end(Fields& f) {
    return EndOverride{kind == Override::Kind::freeze ? f.scope() : f.narrow_scope(), kind};
}
What unforce(Fields& f) { return EndOverride{f.narrow_scope(), Override::Kind::force_up, f.flag("force")}; }
What lose(Fields& f) {
    const std::string reason = f.text("reason");
    return SetOverride{.scope = {.datacenter = f.required("datacenter")},
                       .reason = reason.empty() ? "drill" : reason,
                       .lasts = f.duration("for", 10min),
                       .kind = Override::Kind::drill,
                       .with_hooks = f.flag("with_hooks")};
}
What end_lose(Fields&) { return EndOverride{.kind = Override::Kind::drill}; }
What failover(Fields& f) {
    return Failover{f.name("service", true), f.required("to"), f.flag("accept_claim")};
}
What failback(Fields& f) { return Failback{f.name("service", true)}; }
What approve(Fields& f) { return Approve{f.required("id"), f.flag("dry_run")}; }
What move(Fields& f) { return Move{f.name("service", true), f.required("to"), f.flag("dry_run")}; }
What give_up(Fields& f) { return Abort{f.name("service", true), f.flag("force")}; }

struct Reader {
    std::string_view name;
    What (*read)(Fields&);
};
using enum Override::Kind;
constexpr auto readers = std::to_array<Reader>({{"drain", set<drain>},
                                                {"undrain", end<drain>},
                                                {"maintenance", set<maintenance>},
                                                {"end-maintenance", end<maintenance>},
                                                {"force-up", set<force_up>},
                                                {"force-down", set<force_down>},
                                                {"unforce", unforce},
                                                {"freeze", set<freeze>},
                                                {"unfreeze", end<freeze>},
                                                {"failover", failover},
                                                {"failback", failback},
                                                {"approve", approve},
                                                {"switch", move},
                                                {"abort", give_up},
                                                {"drill", lose},
                                                {"abort-drill", end_lose}});

}

std::string unknown_name(const Command& command, const Model& model) {
    return std::visit(NameCheck{model}, command.what);
}

std::optional<std::variant<Command, BadRequest>> read_command(std::string_view name, const JsonValue& body,
                                                              std::string operator_name) {
    const auto reader = std::ranges::find(readers, name, &Reader::name);
    if (reader == readers.end()) return std::nullopt;
    Fields fields(body);
    Command command{reader->read(fields), std::move(operator_name), fields.flag("while_frozen")};
    if (auto problem = fields.problem(); !problem.empty()) return BadRequest{std::move(problem)};
    return command;
}

} // namespace fairway::daemon
