// exec: a program of the operator's says how the target is, by its exit status; 0 is well. JSON on its
// standard output becomes facts.
//
// Its environment is FAIRWAY_ADDRESS, FAIRWAY_PORT (if there is one), FAIRWAY_DATACENTER, FAIRWAY_CHECK, PATH
// and LANG=C, and nothing else. Output that begins with { is one JSON mapping; any other is for people.
#include "config/comparison.hpp"
#include "probes/checks/check.hpp"
#include "probes/checks/tools.hpp"
#include "probes/glue/json.hpp"
#include "probes/glue/program.hpp"

#include <charconv>
#include <cstring>

namespace fairway::probes {

namespace {

constexpr std::size_t output_limit = 65536; // bytes, as the body of http

Program program_of(const ExecCheck& check, const Look& at) {
    Program p;
    p.command = check.command;
    p.output_limit = output_limit;
    p.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C",
                     "FAIRWAY_ADDRESS=" + at.address.ip.to_string(),
                     "FAIRWAY_DATACENTER=" + at.spec.datacenter, "FAIRWAY_CHECK=" + at.spec.check->name};
    if (at.address.port != 0) p.environment.push_back("FAIRWAY_PORT=" + std::to_string(at.address.port));
    return p;
}

/// The readers of the keys there are; false: not a value of that key.
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

/// "1.5s" or seconds as a number.
bool read_lag(const std::string& text, std::optional<Duration>& out) {
    const auto number = parse_number(text);
    out = number ? std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*number))
                 : parse_duration(text);
    return out && *out >= Duration::zero() && (!number || *number < 1e9);
}

/// "75%" or a share from 0 to 1.
bool read_weight(const std::string& text, std::optional<double>& out) {
    const bool percent = text.ends_with('%');
    out = parse_number(std::string_view(text).substr(0, text.size() - percent));
    if (out && percent) *out /= 100;
    return out && *out >= 0 && *out <= 1;
}

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

/// The first key whose value cannot be used; empty: none.
std::string read_facts(const Json& json, Finding& found) {
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
    if (bad("lag", [&](auto& t) { return read_lag(t, f.lag); })) return "lag";
    if (bad("weight", [&](auto& t) { return read_weight(t, f.weight); })) return "weight";
    if (bad("load", [&](auto& t) { return (f.load = parse_number(t)).has_value(); })) return "load";
    f.system = json.at("/system").value_or("");
    found.detail = printable(json.at("/detail").value_or("exit status 0"));
    return {};
}

std::string first_line(const std::string& output) { return output.substr(0, output.find('\n')); }

Finding judge_output(const std::string& output) {
    if (!output.starts_with('{')) return pass(output.empty() ? "exit status 0" : first_line(output));
    const std::optional<Json> json = Json::parse(output);
    if (!json) return because(Reason::bad_response, "its output is no JSON: " + first_line(output));
    Finding found = pass();
    const std::string bad = read_facts(*json, found);
    if (!bad.empty())
        return because(Reason::bad_response, "its output has a `" + bad + "` that means nothing");
    if (found.outcome == Outcome::fail) found.reason = Reason::reported_down;
    if (found.outcome == Outcome::unknown) found.reason = Reason::no_data;
    return found;
}

Finding judge(const ProgramEnd& end) {
    if (end.error == EAGAIN || end.error == ENOMEM || end.error == EMFILE || end.error == ENFILE)
        return because(Reason::local_limit, std::strerror(end.error));
    if (end.error != 0)
        return because(Reason::internal, std::string("cannot be run: ") + std::strerror(end.error));
    if (end.cut) return because(Reason::oversize_body, "more than 64 KiB of output");
    const std::string said =
        end.output.empty() || end.output.starts_with('{') ? "" : ": " + first_line(end.output);
    if (end.signal != 0)
        return because(Reason::reported_down, "ended by signal " + std::to_string(end.signal) + said);
    if (end.status != 0)
        return because(Reason::reported_down, "exit status " + std::to_string(end.status) + said);
    return judge_output(end.output);
}

} // namespace

Task<Finding> look(const ExecCheck& check, Look at) {
    at.silence = Reason::local_limit; // while it waits its turn
    const Slots::Held held = co_await at.tools.programs.take();
    Task<ProgramEnd> running = run_program(at.loop(), at.tools.closing, program_of(check, at), at.silence);
    const ProgramEnd end = co_await running;
    co_return judge(end);
}

} // namespace fairway::probes
