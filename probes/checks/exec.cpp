// exec: a program of the operator's says how the target is, by its exit status; 0 is well. JSON on its
// standard output becomes facts.
//
// Its environment is FAIRWAY_ADDRESS, FAIRWAY_PORT (if there is one), FAIRWAY_DATACENTER, FAIRWAY_CHECK, PATH
// and LANG=C, and nothing else. Output that begins with { is one JSON mapping; any other is for people.
#include "config/comparison.hpp"
#include "probes/checks/check.hpp"
#include "probes/checks/facts.hpp"
#include "probes/checks/tools.hpp"
#include "probes/glue/json.hpp"
#include "probes/glue/program.hpp"

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

std::string first_line(const std::string& output) { return output.substr(0, output.find('\n')); }

Finding judge_output(const std::string& output) {
    if (!output.starts_with('{')) return pass(output.empty() ? "exit status 0" : first_line(output));
    const std::optional<Json> json = Json::parse(output);
    if (!json) return because(Reason::bad_response, "its output is no JSON: " + first_line(output));
    Finding found = pass("exit status 0");
    const std::string bad = read_report(*json, found);
    if (!bad.empty())
        return because(Reason::bad_response, "its output has a `" + bad + "` that means nothing");
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
