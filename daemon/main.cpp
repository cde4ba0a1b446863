// fairwayd: the command line and the order of the start. Everything that can be refused is refused before it
// serves.
#include "daemon/daemon.hpp"

#include <getopt.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

namespace {

using namespace fairway;
using namespace fairway::daemon;

enum Exit { stopped = 0, cannot_start = 1, bad_input = 2 };

constexpr const char* usage = R"(fairwayd: a global load balancer that answers by DNS.

  fairwayd --config FILE            serve, in the foreground
  fairwayd --config FILE --check    only read the configuration
  fairwayd --version

SIGHUP reads the configuration again, SIGTERM and SIGINT stop.
Exit codes: 0 stopped, or the configuration is good; 1 cannot start; 2 bad arguments or configuration.
)";

struct Options {
    std::string config;
    bool check = false, version = false, help = false, bad = false;
};

Options read_options(int argc, char** argv) {
    static const option known[] = {{"config", required_argument, nullptr, 'c'},
                                   {"check", no_argument, nullptr, 'k'},
                                   {"version", no_argument, nullptr, 'v'},
                                   {"help", no_argument, nullptr, 'h'},
                                   {nullptr, 0, nullptr, 0}};
    Options o;
    for (int c; (c = getopt_long(argc, argv, "c:h", known, nullptr)) != -1;) {
        if (c == 'c') o.config = optarg;
        o.check |= c == 'k';
        o.version |= c == 'v';
        o.help |= c == 'h';
        o.bad |= c == '?';
    }
    o.bad |= optind < argc || (o.config.empty() && !o.version && !o.help);
    return o;
}

int serve(Loaded loaded) {
    Helper helper = start_helper(); // before any thread
    OpenedState state = open_state(loaded.model->state.directory, clock_now().wall);
    Daemon(std::move(loaded), std::move(helper), std::move(state)).run();
    return stopped;
}

int start(const Options& o) {
    Diagnostics problems;
    Loaded loaded = load_all(o.config, problems);
    std::cerr << problems.to_string();
    if (!loaded.model) return bad_input;
    if (o.check) return stopped;
    return serve(std::move(loaded));
}

}

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const Options o = read_options(argc, argv);
    if (o.version) return std::puts("fairwayd " FAIRWAY_VERSION), stopped;
    if (o.help || o.bad) return std::fputs(usage, o.help ? stdout : stderr), o.help ? stopped : bad_input;
    try {
        return start(o);
    } catch (const std::exception& e) {
        std::cerr << "fairwayd: " << e.what() << '\n';
        return cannot_start;
    }
}
