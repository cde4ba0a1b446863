// fairwayctl: the operator's hand on fairwayd. The command line, and nothing else.
#include "config/load/node.hpp"
#include "daemon/ctl/command.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <list>

namespace {

using namespace fairway::ctl;

constexpr const char* codes = R"(Exit codes:
  0  done
  1  refused by the daemon (a reload of a bad file, too), a switch that moved nothing, a delegation with errors
  2  bad arguments, a command about a name that is not configured, or a file that check-config finds bad
  3  the daemon cannot be reached, or does not answer
  4  still waiting: a switch needs approval or takes longer than 15 minutes)";

std::string from_environment(const char* name, const char* otherwise = "") {
    const char* given = std::getenv(name);
    return given ? given : otherwise;
}

/// What is said with one command; CLI11 writes into it.
struct Said {
    std::map<std::string, std::string> texts;
    std::map<std::string, bool> flags;
    std::map<std::string, std::vector<std::string>> lists;
};

void add_argument(CLI::App& app, const Argument& a, Said& said) {
    using enum Argument::Kind;
    if (a.kind == flag) {
        app.add_flag("--" + a.name, said.flags[a.name], a.help);
        return;
    }
    if (a.kind == list) {
        app.add_option("--" + a.name, said.lists[a.name], a.help)
            ->required(a.required)
            ->allow_extra_args(false);
        return;
    }
    auto* added = app.add_option((a.kind == positional ? "" : "--") + a.name, said.texts[a.name], a.help);
    added->required(a.required);
}

std::vector<std::string> options_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* o : app.get_options()) names.push_back(o->get_name());
    for (const CLI::App* sub : app.get_subcommands())
        for (const auto& name : options_of(*sub)) names.push_back(name);
    return names;
}

std::string unknown(const std::string& kind, const std::string& word, const std::vector<std::string>& known) {
    return "there is no " + kind + " " +
           fairway::load::with_nearest(word, std::vector<std::string_view>(known.begin(), known.end()));
}

/// CLI11 says that something is missing where something unknown was given, and nothing of what was meant.
std::string problem(const CLI::App& app, const CLI::Error& e) {
    const auto unread = app.remaining(true);
    if (unread.empty()) return e.what();
    if (unread.front().starts_with('-')) return unknown("option", unread.front(), options_of(app));
    if (!app.get_subcommands().empty()) return e.what();
    std::vector<std::string> names;
    for (const auto& command : commands()) names.push_back(command.name);
    return unknown("command", unread.front(), names);
}

std::string complaint(const CLI::App* app, const CLI::Error& e) {
    return "fairwayctl: " + printable(problem(*app, e)) + "\nRun with --help for more information.\n";
}

int run(const Command& command, const Said& said, const Way& way, bool json) {
    Client client(way);
    Terminal terminal;
    Context context{said.texts, json, client, terminal};
    for (const auto& [name, all] : said.lists)
        for (const auto& one : all) context.said[name] += (context.said[name].empty() ? "" : ",") + one;
    for (const auto& [name, set] : said.flags) context.said[name] = set ? "true" : "";
    return command.run(context);
}

}

int main(int argc, char** argv) {
    CLI::App app("Talks to fairwayd, the global load balancer that answers by DNS.", "fairwayctl");
    Way way{.socket = from_environment("FAIRWAY_SOCKET", "/run/fairway/control.sock"),
            .url = from_environment("FAIRWAY_URL"),
            .token_file = from_environment("FAIRWAY_TOKEN_FILE"),
            .ca_file = from_environment("FAIRWAY_CA_FILE")};
    bool json = false;
    app.add_option("--socket", way.socket, "the daemon's control socket ($FAIRWAY_SOCKET)")
        ->capture_default_str();
    app.add_option("--url", way.url,
                   "its remote control, https://HOST:PORT, in place of the socket ($FAIRWAY_URL)");
    app.add_option("--token-file", way.token_file,
                   "remote control: the first line is our token ($FAIRWAY_TOKEN_FILE)");
    app.add_option("--ca-file", way.ca_file, "remote control: who vouches for it, PEM ($FAIRWAY_CA_FILE)");
    app.add_flag("--json", json, "print what the daemon answers, for programs");
    app.set_version_flag("--version", "fairwayctl " FAIRWAY_VERSION, "print the version of this program");
    app.footer(codes);
    app.failure_message(complaint);
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
    return run(*command, *words, way, json);
}
