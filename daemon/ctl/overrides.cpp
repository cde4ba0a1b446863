// drain, maintenance, force, freeze and their ends: an operator's word over health, for a time (L19).
#include "daemon/ctl/command.hpp"

namespace fairway::ctl {

namespace {

using enum Argument::Kind;
using Arguments = std::vector<Argument>;

int set(Context& c, const std::string& what) {
    return show_result(
        c, c.client.post("/v1/" + what, daemon::json_object({{"service", c.text("service")},
                                                             {"datacenter", c.text("datacenter")},
                                                             {"tag", c.text("tag")},
                                                             {"reason", c.text("reason")},
                                                             {"for", c.text("for")},
                                                             {"force", c.flag("force")},
                                                             {"while_frozen", c.flag("while-frozen")}})));
}

int unforce(Context& c) {
    return show_result(
        c, c.client.post("/v1/unforce", daemon::json_object({{"service", c.text("service")},
                                                             {"datacenter", c.text("datacenter")},
                                                             {"tag", c.text("tag")},
                                                             {"force", c.flag("force")},
                                                             {"while_frozen", c.flag("while-frozen")}})));
}

int end(Context& c, const std::string& what) {
    return show_result(
        c, c.client.post("/v1/" + what, daemon::json_object({{"service", c.text("service")},
                                                             {"datacenter", c.text("datacenter")},
                                                             {"tag", c.text("tag")},
                                                             {"while_frozen", c.flag("while-frozen")}})));
}

const Argument while_frozen{flag, "while-frozen",
                            "act under a freeze: what it is about is decided anew, then held"};

Arguments scope() {
    return {{option, "datacenter", "the datacenter"},
            {option, "service", "only this service"},
            {option, "tag", "only the services with this tag"}};
}

Arguments scope_and(const Arguments& more) {
    Arguments all = scope();
    all.insert(all.end(), more.begin(), more.end());
    all.push_back(while_frozen);
    return all;
}

Arguments said_of_one() {
    return scope_and({{option, "reason", "why, for status and journal", true},
                      {option, "for", "how long: 30m, 24h (default 24h)"},
                      {flag, "force", "even if a service loses its last usable site"}});
}

int force_or_not(Context& c) {
    const std::string how = c.text("how");
    if (how == "up" || how == "down") {
        if (!c.text("reason").empty()) return set(c, "force-" + how);
        c.terminal.error("--reason is needed: why, for status and journal");
        return bad_input;
    }
    if (how == "off") return unforce(c);
    c.terminal.error("force what? up, down, or off; not " + how);
    return bad_input;
}

}

Command drain() {
    return {"drain", "Take traffic away; checks go on. Ends by undrain or by itself", said_of_one(),
            [](Context& c) { return set(c, "drain"); }};
}

Command undrain() {
    return {"undrain", "End a drain; name what was drained", scope_and({}),
            [](Context& c) { return end(c, "undrain"); }};
}

Command maintenance() {
    Arguments arguments = scope_and({{option, "reason", "why, for status and journal"},
                                     {option, "for", "how long: 30m, 24h (default 24h)"},
                                     {flag, "force", "even if a service loses its last usable site"},
                                     {flag, "end", "end it; name what was put under maintenance"}});
    return {"maintenance",
            "Take traffic away while work is done: stronger than a drain, weaker than force down",
            std::move(arguments),
            [](Context& c) { return c.flag("end") ? end(c, "end-maintenance") : set(c, "maintenance"); }};
}

Command force() {
    Arguments arguments = scope_and({{option, "reason", "why, for status and journal"},
                                     {option, "for", "how long: 30m, 24h (default 24h)"},
                                     {flag, "force", "even if a service loses its last usable site"}});
    arguments.insert(arguments.begin(), {positional, "how", "up, down, or off", true});
    return {"force", "Count as healthy, or as down, whatever the checks say", std::move(arguments),
            force_or_not};
}

Command freeze() {
    return {"freeze",
            "Keep the published answers as they are: nothing moves by itself",
            {{option, "service", "only this service"},
             {option, "reason", "why, for status and journal", true},
             {option, "for", "how long: 30m, 24h (default 24h)"}},
            [](Context& c) { return set(c, "freeze"); }};
}

Command unfreeze() {
    return {"unfreeze",
            "End a freeze; name the service if one was named",
            {{option, "service", "the service that was frozen"}},
            [](Context& c) { return end(c, "unfreeze"); }};
}

} // namespace fairway::ctl
