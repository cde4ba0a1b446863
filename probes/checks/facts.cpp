#include "probes/checks/facts.hpp"

#include <algorithm>
#include <charconv>

namespace fairway::probes {

bool read_flag(const std::string& text, std::optional<bool>& out) {
    out = text == "true";
    return text == "true" || text == "false";
}

bool read_count(const std::string& text, std::optional<std::uint64_t>& out) {
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    out = n;
    return error == std::errc() && end == text.data() + text.size();
}

bool read_lag(const std::string& text, double unit, std::optional<Duration>& out) {
    const auto number = parse_number(text);
    const double seconds = number.value_or(0) * unit;
    out = number ? std::chrono::duration_cast<Duration>(
                       std::chrono::duration<double>(std::clamp(seconds, -1.0, 1e9)))
                 : parse_duration(text);
    return out && *out >= Duration::zero() && seconds < 1e9;
}

bool read_weight(const std::string& text, std::optional<double>& out) {
    const bool percent = text.ends_with('%');
    out = parse_number(std::string_view(text).substr(0, text.size() - percent));
    if (out && percent) *out /= 100;
    return out && *out >= 0 && *out <= 1;
}

namespace {

void take_role(const FactRule& rule, const std::string& word, std::optional<Role>& role) {
    const auto among = [&](const std::vector<std::string>& words) {
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    if (among(rule.primary)) role = Role::primary;
    else if (among(rule.standby)) role = Role::standby;
}

bool take_flag(const FactRule& rule, const std::string& text, std::optional<bool>& flag) {
    if (!rule.is) return read_flag(text, flag);
    flag = rule.is->holds(text);
    return true;
}

bool take(const FactRule& rule, const std::string& text, Facts& f) {
    using Fact = FactRule::Fact;
    switch (rule.fact) {
    case Fact::role: return take_role(rule, text, f.role), true;
    case Fact::quorum: return take_flag(rule, text, f.quorum);
    case Fact::read_only: return take_flag(rule, text, f.read_only);
    case Fact::epoch: return read_count(text, f.epoch);
    case Fact::position: return read_count(text, f.position);
    case Fact::lag: return read_lag(text, rule.unit, f.lag);
    case Fact::weight: return read_weight(text, f.weight);
    case Fact::load: return (f.load = parse_number(text)).has_value();
    case Fact::system: return f.system = text, true;
    }
    return false;
}

} // namespace

std::string find_facts(const std::vector<FactRule>& rules, const Json& json, Facts& facts) {
    for (const FactRule& rule : rules) {
        const auto text = json.at(rule.at);
        if (text && *text != "null" && !take(rule, *text, facts)) return rule.at;
    }
    return {};
}

namespace {

bool read_role(const std::string& text, std::optional<Role>& out) {
    out = text == "primary" ? Role::primary : Role::standby;
    return text == "primary" || text == "standby";
}

bool read_outcome(const std::string& text, Outcome& out) {
    for (const Outcome o : {Outcome::pass, Outcome::degraded, Outcome::fail, Outcome::unknown}) {
        if (text != to_string(o)) continue;
        out = o;
        return true;
    }
    return false;
}

} // namespace

std::string read_report(const Json& json, Finding& found) {
    Facts& f = found.facts;
    const auto bad = [&](const char* key, const auto& read) {
        const auto text = json.at(std::string("/") + key);
        return text && !read(*text);
    };
    if (bad("outcome", [&](auto& t) { return read_outcome(t, found.outcome); })) return "outcome";
    if (bad("role", [&](auto& t) { return read_role(t, f.role); })) return "role";
    if (bad("quorum", [&](auto& t) { return read_flag(t, f.quorum); })) return "quorum";
    if (bad("read_only", [&](auto& t) { return read_flag(t, f.read_only); })) return "read_only";
    if (bad("epoch", [&](auto& t) { return read_count(t, f.epoch); })) return "epoch";
    if (bad("position", [&](auto& t) { return read_count(t, f.position); })) return "position";
    if (bad("lag", [&](auto& t) { return read_lag(t, 1, f.lag); })) return "lag";
    if (bad("weight", [&](auto& t) { return read_weight(t, f.weight); })) return "weight";
    if (bad("load", [&](auto& t) { return (f.load = parse_number(t)).has_value(); })) return "load";
    f.system = json.at("/system").value_or("");
    if (const auto detail = json.at("/detail")) found.detail = printable(*detail);
    if (found.outcome == Outcome::fail) found.reason = Reason::reported_down;
    if (found.outcome == Outcome::unknown) found.reason = Reason::no_data;
    return {};
}

} // namespace fairway::probes
