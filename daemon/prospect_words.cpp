#include "daemon/prospect_words.hpp"

#include <nlohmann/json.hpp>

namespace fairway::daemon {

namespace {

using Json = nlohmann::ordered_json;

const char* word(KeyChange::Kind kind) {
    switch (kind) {
    case KeyChange::Kind::added: return "added";
    case KeyChange::Kind::removed: return "removed";
    case KeyChange::Kind::changed: return "changed";
    }
    return "";
}

Json maybe(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }
Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json lines(const policies::AnswerChanges& c) {
    Json all = Json::array();
    for (const auto& l : c.lines)
        all.push_back({{"service", l.service},
                       {"clients", or_null(l.clients)},
                       {"before", or_null(l.before)},
                       {"after", or_null(l.after)},
                       {"preferred_before", or_null(l.preferred_before)},
                       {"preferred_after", or_null(l.preferred_after)},
                       {"ttl_before", l.ttl_before},
                       {"ttl_after", l.ttl_after},
                       {"why", l.why}});
    return all;
}

std::string text(const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace); }

} // namespace

std::string to_json(const Prospect& p, const policies::AnswerChanges& c) {
    Json keys = Json::array(), names = Json::array();
    for (const KeyChange& k : p.keys)
        keys.push_back({{"change", word(k.kind)},
                        {"key", k.key},
                        {"before", maybe(k.before)},
                        {"after", maybe(k.after)}});
    for (const NameChange& n : p.names) names.push_back({{"change", word(n.kind)}, {"name", n.name}});
    return text({{"loads", true},
                 {"problems", p.problems},
                 {"restart", or_null(p.restart)},
                 {"loses", or_null(p.loses)},
                 {"keys", keys},
                 {"services", lines(c)},
                 {"services_same", c.same},
                 {"names", names},
                 {"assumed", c.assumed}});
}

std::string refused_json(const Prospect& p, const std::string& file) {
    Json problems = Json::array();
    std::size_t elsewhere = 0;
    for (const std::string& problem : p.problems)
        if (problem.starts_with(file + ":")) problems.push_back(problem);
        else ++elsewhere;
    if (elsewhere > 0) problems.push_back("problems in other files: " + std::to_string(elsewhere));
    return text({{"loads", false}, {"problems", problems}});
}

} // namespace fairway::daemon
