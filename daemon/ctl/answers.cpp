// What all commands do with the daemon's answers.
#include "daemon/ctl/command.hpp"

namespace fairway::ctl {

int complain(Context& c, const Answer& answer) {
    if (answer.misdirected) {
        c.terminal.error(answer.text);
        return bad_input;
    }
    if (!answer.reached) {
        c.terminal.error("cannot reach fairwayd on " + c.client.place() + ": " + answer.text);
        c.terminal.error(c.client.remote()
                             ? "is it running, is control.listen there, is --url right?"
                             : "is it running, are you in its group, is --socket right? (systemctl status "
                               "fairwayd)");
        return unreachable;
    }
    const std::string why = answer.body.text("error");
    c.terminal.error(why.empty() ? "unexpected answer, HTTP " + std::to_string(answer.status) : why);
    return answer.status == 400 || answer.status == 404 ? bad_input
           : answer.status == 503                       ? unreachable
                                                        : refused;
}

int show_result(Context& c, const Answer& answer) {
    const bool is_result = answer.reached && !answer.body.at("accepted").is_null();
    if (!is_result) return complain(c, answer);
    const bool accepted = answer.body.flag("accepted");
    if (c.json) {
        c.terminal.document(answer.body.pretty());
        return accepted ? ok : refused;
    }
    accepted ? c.terminal.line(answer.body.text("message")) : c.terminal.error(answer.body.text("message"));
    for (const auto& d : answer.body.at("details").items())
        accepted ? c.terminal.line("  " + d.text()) : c.terminal.note("  " + d.text());
    if (const std::string why = answer.body.text("not_stored"); !why.empty())
        c.terminal.error("it holds, but is not on disk, and a restart may forget it: " + why);
    return accepted ? ok : refused;
}

bool read_report(Context& c, daemon::JsonValue& report, int& exit) {
    const Answer answer = c.client.get("/v1/status");
    if (!answer.ok()) exit = complain(c, answer);
    report = answer.body;
    return answer.ok();
}

} // namespace fairway::ctl
