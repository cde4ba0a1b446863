// A command of fairwayctl: what may be said with it, and what it does. One small file and one line in
// commands.cpp each.
#pragma once

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/terminal.hpp"

#include <map>
#include <string>
#include <vector>

namespace fairway::ctl {

/// What fairwayctl ends with; `fairwayctl --help` says the same.
enum Exit : int { ok = 0, refused = 1, bad_input = 2, unreachable = 3, waiting = 4 };

struct Argument {
    enum class Kind { positional, option, flag, list };
    Kind kind; ///< a list may be said several times; its text has commas between
    std::string name; ///< without dashes
    std::string help;
    bool required = false;
};

/// Everything a command needs: what was said, whom to ask, where to print.
struct Context {
    std::map<std::string, std::string> said; ///< flags are "true"
    bool json = false;
    Client& client;
    Terminal& terminal;

    std::string text(const std::string& name) const;
    bool flag(const std::string& name) const { return text(name) == "true"; }
};

struct Command {
    std::string name;
    std::string help;
    std::vector<Argument> arguments;
    int (*run)(Context&);
};

/// All of them, in the order of --help.
const std::vector<Command>& commands();

/// Prints what went wrong with an answer that is none, with what to do next; the exit code to end with.
int complain(Context& c, const Answer& answer);

/// Prints the result of a command that was posted: accepted or refused, with its details.
int show_result(Context& c, const Answer& answer);

/// Reads the daemon's report. False: it has complained, and `exit` is what to end with.
bool read_report(Context& c, daemon::JsonValue& report, int& exit);

/// Follows the service's switch until it ends, waits for a person, or a quarter of an hour has passed. `to`
/// is empty where the daemon chooses.
int follow_switch(Context& c, const std::string& service, const std::string& to);

} // namespace fairway::ctl
