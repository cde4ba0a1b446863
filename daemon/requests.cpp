#include "daemon/requests.hpp"

#include "config/name.hpp"

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
    /// As the model writes it: lower case, no final dot.
    std::string name(const char* key, bool needed) {
        const std::string value = needed ? required(key) : text(key);
        const auto parsed = Name::parse(value);
        if (!value.empty() && !parsed) wrong(value + " is not a domain name");
        return value.empty() || !parsed ? value : parsed->to_string();
    }
    Scope scope() { return {name("service", false), text("datacenter")}; }

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

using What = decltype(Command::what);

What drain(Fields& f) {
    return Drain{f.scope(), f.required("reason"), f.duration("for", 24h), f.flag("force")};
}
What undrain(Fields& f) { return Undrain{f.scope()}; }
What failover(Fields& f) {
    return Failover{f.name("service", true), f.required("to"), f.flag("accept_claim")};
}
What failback(Fields& f) { return Failback{f.name("service", true)}; }
What approve(Fields& f) { return Approve{f.required("id")}; }

struct Reader {
    std::string_view name;
    What (*read)(Fields&);
};
constexpr std::array<Reader, 5> readers{{{"drain", drain},
                                         {"undrain", undrain},
                                         {"failover", failover},
                                         {"failback", failback},
                                         {"approve", approve}}};

}

std::optional<std::variant<Command, BadRequest>> read_command(std::string_view name, const JsonValue& body,
                                                              std::string operator_name) {
    const auto reader = std::ranges::find(readers, name, &Reader::name);
    if (reader == readers.end()) return std::nullopt;
    Fields fields(body);
    Command command{reader->read(fields), std::move(operator_name)};
    if (auto problem = fields.problem(); !problem.empty()) return BadRequest{std::move(problem)};
    return command;
}

} // namespace fairway::daemon
