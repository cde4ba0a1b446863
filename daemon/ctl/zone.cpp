// zone: what is served, as a zone file would say it.
#include "daemon/ctl/command.hpp"

namespace fairway::ctl {

namespace {

using daemon::JsonValue;

int zones(Context& c) {
    const Answer answer = c.client.get("/v1/zone");
    if (!answer.ok()) return complain(c, answer);
    if (c.json) return c.terminal.document(answer.body.pretty()), ok;
    for (const auto& zone : answer.body.at("zones").items()) c.terminal.line(zone.text());
    return ok;
}

/// Why a name has what it has, as a zone file's comment; the ordinary ones have none.
std::string comment(const JsonValue& name) {
    const std::string kind = name.text("kind");
    if (kind == "service") return "decided";
    if (kind == "delegated") return "delegated";
    if (kind == "hidden") return "below a delegation: glue, sent along with referrals";
    return "";
}

void show(Context& c, const JsonValue& name) {
    const auto records = name.at("records").items();
    const std::string why = comment(name);
    if (records.empty())
        c.terminal.line("; " + name.text("name") +
                            (why.empty() ? ": no records, but names below it" : ": no answer"),
                        Colour::dim);
    else if (!why.empty()) c.terminal.line("; " + name.text("name") + ": " + why, Colour::dim);
    for (const auto& record : records) c.terminal.line(record.text());
}

int run(Context& c) {
    if (c.text("name").empty()) return zones(c);
    const std::string query = "/v1/zone?limit=1000&name=" + Client::escape(c.text("name")) +
                              "&client=" + Client::escape(c.text("client"));
    std::string after, all;
    do {
        const Answer answer = c.client.get(query + after);
        if (!answer.ok()) return complain(c, answer);
        for (const auto& name : answer.body.at("names").items())
            if (c.json) all += (all.empty() ? "" : ",\n") + name.pretty();
            else show(c, name);
        const std::string next = answer.body.text("next");
        after = next.empty() ? "" : "&after=" + Client::escape(next);
    } while (!after.empty());
    if (c.json) c.terminal.document("{\"names\": [" + all + "]}");
    return ok;
}

} // namespace

Command zone() {
    using enum Argument::Kind;
    return {"zone",
            "What is served, in the order and the words of a zone file",
            {{positional, "name",
              "a zone, or any name in one: what is below it is shown too; without it, the zones"},
             {option, "client", "whom services' answers are shown for"}},
            run};
}

} // namespace fairway::ctl
