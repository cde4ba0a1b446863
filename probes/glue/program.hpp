// A program of the operator's, run to its end: no shell, a clean environment, bounded output.
#pragma once

#include "policies/observation.hpp"
#include "probes/async/group.hpp"
#include "probes/async/loop.hpp"
#include "probes/async/task.hpp"

#include <string>
#include <vector>

namespace fairway::probes {

struct Program {
    std::vector<std::string> command;     ///< without a slash in it, its first word is looked for in our PATH
    std::vector<std::string> environment; ///< "NAME=value": all it gets
    std::size_t output_limit = 0;         ///< bytes
};

struct ProgramEnd {
    int error = 0;      ///< errno: it could not be started
    int status = 0;     ///< as exit(3)
    int signal = 0;     ///< that ended it; 0: none
    bool cut = false;   ///< it wrote more than the limit, and was ended
    std::string output; ///< standard output; the standard error is not read
};

/// Runs as a process group of its own, with all signals as they are by default, and only the three standard
/// descriptors. Destroying the task ends the whole group (SIGKILL); `reaping` then waits for it.
Task<ProgramEnd> run_program(Loop& loop, TaskGroup& reaping, Program program, Reason& silence);

} // namespace fairway::probes
