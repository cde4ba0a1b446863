// fairwayd: the command line and the order of the start. Everything that can be refused is refused before it
// serves.
#include "config/load/node.hpp"
#include "daemon/daemon.hpp"
#include "daemon/memory.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <vector>

namespace {

using namespace fairway;
using namespace fairway::daemon;

enum Exit { stopped = 0, cannot_start = 1, bad_input = 2 };

constexpr const char* usage = R"(fairwayd: a global load balancer that answers by DNS.

  fairwayd --config FILE            serve, in the foreground
  fairwayd --config FILE --check    only read the configuration
  fairwayd --version

SIGHUP reads the configuration again, SIGUSR2 starts the program anew and hands over to it, SIGTERM and SIGINT stop.
Exit codes: 0 stopped, or the configuration is good; 1 cannot start; 2 bad arguments or configuration.
)";

struct Options {
    std::string config;
    bool check = false, version = false, help = false;
    std::string wrong; ///< what cannot be understood; empty if all can
};

std::string unknown(std::string_view argument) {
    static constexpr std::array<std::string_view, 4> known{"--config", "--check", "--version", "--help"};
    return "there is no option " + load::with_nearest(argument.substr(0, argument.find('=')), known);
}

Options read_options(const std::vector<std::string_view>& arguments) {
    constexpr std::string_view config = "--config";
    Options o;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const auto a = arguments[i];
        if (a == config && i + 1 < arguments.size()) o.config = arguments[++i];
        else if (a.starts_with("--config=")) o.config = a.substr(config.size() + 1);
        else if (a == "--check") o.check = true;
        else if (a == "--version") o.version = true;
        else if (a == "--help" || a == "-h") o.help = true;
        else if (o.wrong.empty()) o.wrong = a == config ? "--config needs a file" : unknown(a);
    }
    if (o.wrong.empty() && o.config.empty() && !o.version && !o.help) o.wrong = "--config FILE is needed";
    return o;
}

int refuse(const std::string& why) {
    std::cerr << "fairwayd: " << why << "\n\n" << usage;
    return bad_input;
}

/// Probes and DNS over TCP hold many descriptors: the hard limit is taken. After the helper was forked, so
/// that hooks start with the usual one.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

JournalBounds bounds(const StateSettings& settings) {
    return {settings.journal_keep, std::int64_t{settings.journal_megabytes} << 20};
}

int serve(Loaded loaded, Helper helper, const Program& program) {
    raise_descriptor_limit();
    const StateSettings& settings = loaded.model->state;
    OpenedState state = open_state(settings.directory, clock_now().wall, bounds(settings));
    Inherited given = from_service_manager(loaded.model->control.socket);
    Daemon(std::move(loaded), std::move(helper), std::move(state), std::move(given), program).run();
    return stopped;
}

/// As serve(), in the place of the process that started us.
int take_over(Loaded loaded, Helper helper, const Program& program, std::shared_ptr<Takeover> from) {
    raise_descriptor_limit();
    const StateSettings& settings = loaded.model->state;
    from->accept(*loaded.model);
    OpenedState state =
        open_shared_state(settings.directory, clock_now().wall, bounds(settings), from->take_lock());
    from->wait_for_turn();
    read_again(state);
    Inherited given = from_process(std::move(from), loaded.model->control.socket);
    Daemon(std::move(loaded), std::move(helper), std::move(state), std::move(given), program).run();
    return stopped;
}

Loaded load_and_tell(const Options& o) {
    Diagnostics problems;
    Loaded loaded = load_all(o.config, problems);
    std::cerr << problems.to_string();
    return loaded;
}

int start(const Options& o, const Program& program) {
    if (o.check) return load_and_tell(o).model ? stopped : bad_input;
    const std::shared_ptr<Takeover> takeover = Takeover::from_environment();
    Helper helper = start_helper(); // before any thread, and before there is a model for it to keep a copy of
    if (!takeover) {
        Loaded loaded = load_and_tell(o);
        return loaded.model ? serve(std::move(loaded), std::move(helper), program) : bad_input;
    }
    try {
        takeover->meet();
        Loaded loaded = load_and_tell(o);
        if (!loaded.model) throw std::runtime_error("the configuration is refused; the log has its errors");
        return take_over(std::move(loaded), std::move(helper), program, takeover);
    } catch (const std::exception& e) {
        takeover->failed(e.what());
        throw;
    }
}

}

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN); // a limit of file sizes is an error of the store's like a full disk
    give_back_large_blocks();
    const Options o = read_options({argv + 1, argv + argc});
    if (!o.wrong.empty()) return refuse(o.wrong);
    if (o.version) return std::puts("fairwayd " FAIRWAY_VERSION), stopped;
    if (o.help) return std::fputs(usage, stdout), stopped;
    try {
        return start(o, Program::of(argc, argv));
    } catch (const std::exception& e) {
        std::cerr << "fairwayd: " << e.what() << '\n';
        return cannot_start;
    }
}
