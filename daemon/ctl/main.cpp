// fairwayctl: the operator's hand on fairwayd. The command line, and nothing else.
#include "daemon/ctl/command.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <list>

namespace {

using namespace fairway::ctl;

constexpr const char* codes = R"(Exit codes:
  0  done
  1  refused by the daemon, or a switch that did not move the service
  2  bad arguments, or a bad configuration
  3  the daemon cannot be reached, or does not answer
  4  still waiting: a switch needs approval or takes longer than 15 minutes)";

const char* default_socket() {
    const char* given = std::getenv("FAIRWAY_SOCKET");
    return given ? given : "/run/fairway/control.sock";
}

/// What is said with one command; CLI11 writes into it.
struct Said {
    std::map<std::string, std::string> texts;
    std::map<std::string, bool> flags;
};

void add_argument(CLI::App& app, const Argument& a, Said& said) {
    using enum Argument::Kind;
    if (a.kind == flag) {
        app.add_flag("--" + a.name, said.flags[a.name], a.help);
        return;
    }
    auto* added = app.add_option((a.kind == positional ? "" : "--") + a.name, said.texts[a.name], a.help);
    added->required(a.required);
}

int run(const Command& command, const Said& said, const std::string& socket, bool json) {
    Client client(socket);
    Terminal terminal;
    Context context{said.texts, json, client, terminal};
    for (const auto& [name, set] : said.flags) context.said[name] = set ? "true" : "";
    return command.run(context);
}

}

int main(int argc, char** argv) {
    CLI::App app("Talks to fairwayd, the global load balancer that answers by DNS.", "fairwayctl");
    std::string socket = default_socket();
    bool json = false;
    app.add_option("--socket", socket, "the daemon's control socket ($FAIRWAY_SOCKET)")
        ->capture_default_str();
    app.add_flag("--json", json, "print what the daemon answers, for programs");
    app.footer(codes);
    app.require_subcommand(1);
    app.fallthrough();
    std::list<Said> said; // stable addresses
    std::map<CLI::App*, std::pair<const Command*, const Said*>> known;
    for (const auto& command : commands()) {
        CLI::App* sub = app.add_subcommand(command.name, command.help);
        Said& words = said.emplace_back();
        for (const auto& a : command.arguments) add_argument(*sub, a, words);
        known[sub] = {&command, &words};
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        const int code = app.exit(e);
        return code == 0 ? ok : bad_input;
    }
    const auto& [command, words] = known.at(app.get_subcommands().front());
    return run(*command, *words, socket, json);
}
