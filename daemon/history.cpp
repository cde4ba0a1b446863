#include "daemon/history.hpp"

#include "config/load/node.hpp"
#include "config/title.hpp"
#include "daemon/json_parts.hpp"
#include "daemon/serialize.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace fairway::daemon {

using parts::Json;

namespace {

/// Reads the parameters one by one and remembers the first thing wrong; none may be left unread.
class Parameters {
  public:
    explicit Parameters(const std::map<std::string, std::string>& given) : left_(given) {}

    std::string text(const char* key) {
        const auto node = left_.extract(key);
        return node ? node.mapped() : "";
    }
    std::string name(const char* key) {
        const std::string value = text(key);
        const auto parsed = Title::parse(value);
        if (!value.empty() && !parsed) wrong(value + " is not a domain name");
        return value.empty() || !parsed ? "" : parsed->to_string();
    }
    std::optional<WallTime> moment(const char* key, WallTime now) {
        const std::string value = text(key);
        const auto at = parse_moment(value, now);
        if (!value.empty() && !at)
            wrong(std::string(key) + " must be a time such as 2026-11-20T07:00:00Z, or so long ago: 2h");
        return at;
    }
    std::int64_t number(const char* key, std::int64_t least, std::int64_t most, std::int64_t otherwise) {
        const std::string value = text(key);
        if (value.empty()) return otherwise;
        std::int64_t n = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), n);
        if (error == std::errc{} && end == value.data() + value.size() && n >= least && n <= most) return n;
        wrong(std::string(key) + " must be a number from " + std::to_string(least) + " to " +
              std::to_string(most));
        return otherwise;
    }
    std::string problem() {
        if (!left_.empty()) wrong("unknown parameter " + left_.begin()->first);
        return problem_;
    }

  private:
    void wrong(std::string what) {
        if (problem_.empty()) problem_ = std::move(what);
    }
    std::map<std::string, std::string> left_;
    std::string problem_;
};

/// Every word that an entry may be of: kinds, changes, commands, steps of a runbook. Empty where `said` is
/// one, else the nearest.
std::string unknown_kind(const std::string& said) {
    using namespace policies;
    std::vector<std::string> known{"failover", "failback", "approve",  "switch",
                                   "abort",    "upgrade",  "end force"};
    for (auto k : {JournalEntry::Kind::transition, JournalEntry::Kind::command, JournalEntry::Kind::hook,
                   JournalEntry::Kind::reload})
        known.emplace_back(word(k));
    for (int c = 0; c <= static_cast<int>(Change::configuration_refused); ++c)
        known.emplace_back(to_string(static_cast<Change>(c)));
    for (int k = 0; k <= static_cast<int>(Override::Kind::drill); ++k) {
        const std::string name(to_string(static_cast<Override::Kind>(k)));
        known.insert(known.end(), {name, "end " + name});
    }
    for (int s = 0; s <= static_cast<int>(Hook::Step::failback); ++s)
        known.emplace_back(step_name(static_cast<Hook::Step>(s)));
    if (said.empty() || std::ranges::find(known, said) != known.end()) return {};
    return "there is no kind " +
           load::with_nearest(said, std::vector<std::string_view>(known.begin(), known.end()));
}

JournalQuery read_query(Parameters& p, WallTime now) {
    JournalQuery q{.since = p.moment("since", now),
                   .until = p.moment("until", now),
                   .service = p.name("service"),
                   .datacenter = p.text("datacenter"),
                   .kind = {},
                   .what = p.text("kind"),
                   .before = p.number("before", 1, INT64_MAX, 0),
                   .limit = p.number("limit", 1, History::most, 100)};
    q.kind = journal_kind(q.what);
    if (q.kind) q.what.clear();
    return q;
}

Json parsed(const std::string& text) {
    Json j = Json::parse(text, nullptr, false);
    return j.is_discarded() ? Json(nullptr) : j;
}

Json json(const JournalLine& l) {
    const JournalEntry& e = l.entry;
    Json j = {{"number", l.number},   {"at", to_string(e.at)},      {"kind", word(e.kind)}, {"what", e.what},
              {"service", e.service}, {"datacenter", e.datacenter}, {"operator", e.who},    {"from", e.from}};
    if (e.transition) j["transition"] = e.transition;
    j["answered"] = l.answered ? Json(to_string(*l.answered)) : Json(nullptr);
    j["record"] = parsed(e.record);
    if (!e.result.empty()) j["result"] = parsed(e.result);
    return j;
}

}

std::string to_json(const JournalLine& line) { return parts::dump(json(line)); }

std::optional<WallTime> parse_moment(std::string_view text, WallTime now) {
    if (const auto ago = parse_duration(text))
        return now - std::chrono::duration_cast<WallTime::duration>(*ago);
    std::string stamp(text);
    if (stamp.ends_with('Z')) stamp.pop_back();
    if (stamp.size() > 10 && stamp[10] == ' ') stamp[10] = 'T';
    std::tm t{};
    t.tm_mday = 1;
    for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
        t = {};
        const char* end = strptime(stamp.c_str(), format, &t);
        if (!end) continue;
        int ms = 0;
        const std::string rest(end); // ".042"
        if (!rest.empty()) {
            const bool fraction = rest.size() == 4 && rest[0] == '.';
            const auto [last, error] = std::from_chars(rest.data() + fraction, rest.data() + rest.size(), ms);
            if (!fraction || error != std::errc{} || last != rest.data() + rest.size()) continue;
        }
        return WallTime(std::chrono::seconds(timegm(&t)) + std::chrono::milliseconds(ms));
    }
    return std::nullopt;
}

HttpResponse History::answer(const HttpRequest& request) {
    Parameters parameters(request.query);
    JournalQuery query = read_query(parameters, clock_());
    if (auto why = parameters.problem(); !why.empty()) return {400, error_json(why)};
    if (auto why = unknown_kind(query.what); !why.empty()) return {400, error_json(why)};
    const auto limit = static_cast<std::size_t>(query.limit++); // one more tells whether there is a next page
    try {
        auto lines = reader_.read(query);
        const bool more = lines.size() > limit;
        if (more) lines.pop_back();
        Json entries = Json::array();
        for (const auto& l : lines) entries.push_back(json(l));
        return {200, parts::dump({{"entries", std::move(entries)},
                                  {"next", more ? Json(lines.back().number) : Json(nullptr)}})};
    } catch (const std::runtime_error& e) {
        return {503, error_json(std::string("the journal cannot be read: ") + e.what())};
    }
}

} // namespace fairway::daemon
