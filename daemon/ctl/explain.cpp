// explain: why a client gets the answer it gets, stage by stage.
#include "daemon/ctl/command.hpp"

#include <cmath>

namespace fairway::ctl {

namespace {

Colour colour(const std::string& verdict) {
    if (verdict == "chosen") return Colour::good;
    return verdict == "dropped" ? Colour::warn : Colour::none;
}

std::string joined(const std::vector<daemon::JsonValue>& parts) {
    std::string all;
    for (const auto& p : parts) all += (all.empty() ? "" : " ") + p.text();
    return all;
}

void show(Context& c, const daemon::JsonValue& e) {
    std::vector<std::vector<Cell>> rows{{"STAGE", "DATACENTER", "VERDICT", "WHY"}};
    for (const auto& l : e.at("lines").items())
        rows.push_back({l.text("stage"),
                        l.text("subject"),
                        {l.text("verdict"), colour(l.text("verdict"))},
                        l.text("reason")});
    c.terminal.table(rows);
    c.terminal.line("");
    for (const auto& o : e.at("answer").items())
        c.terminal.line(
            std::to_string(std::lround(100 * o.number("probability").value_or(0))) + " %  " +
            o.text("datacenter") + "  " +
            (o.text("cname").empty() ? joined(o.at("addresses").items()) : "CNAME " + o.text("cname")) +
            "  (TTL " + e.text("ttl") + " s)");
    const auto wire = e.at("wire");
    c.terminal.line(e.text("type") + " asked now: " + wire.text("rcode") +
                        (wire.flag("authoritative") ? ", authoritative" : ""),
                    wire.text("rcode") == "NOERROR" ? Colour::none : Colour::bad);
    for (const char* section : {"answer", "authority", "additional"})
        for (const auto& record : wire.at(section).items())
            c.terminal.line("  " + record.text(), Colour::dim);
}

int run(Context& c) {
    const Answer answer = c.client.get("/v1/explain?name=" + Client::escape(c.text("name")) +
                                       "&type=" + Client::escape(c.text("type")) +
                                       "&client=" + Client::escape(c.text("client")));
    if (!answer.ok()) return complain(c, answer);
    c.json ? c.terminal.document(answer.body.pretty()) : show(c, answer.body);
    return ok;
}

}

Command explain() {
    using enum Argument::Kind;
    return {"explain",
            "Why a client gets the answer it gets",
            {{positional, "name", "a service's name, or any other", true},
             {option, "client", "the client's address", true},
             {option, "type", "the type that is asked for (default A)"}},
            run};
}

} // namespace fairway::ctl
