// explain: why a client gets the answer it gets, stage by stage; asked of the daemon, or of a configuration
// alone.
#include "config/load/load.hpp"
#include "daemon/ctl/command.hpp"
#include "daemon/explanation.hpp"
#include "daemon/what_if_words.hpp"

#include <chrono>
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
    if (wire.text("rcode").empty()) return; // a configuration answers nobody
    c.terminal.line(e.text("type") + " asked now: " + wire.text("rcode") +
                        (wire.flag("authoritative") ? ", authoritative" : ""),
                    wire.text("rcode") == "NOERROR" ? Colour::none : Colour::bad);
    for (const char* section : {"answer", "authority", "additional"})
        for (const auto& record : wire.at(section).items())
            c.terminal.line("  " + record.text(), Colour::dim);
}

/// The service that is meant, or the half of it that answers such questions.
std::optional<ServiceIndex> service_of(const Context& c, const Model& model) {
    const auto name = Name::parse(c.text("name"));
    if (!name) return std::nullopt;
    constexpr std::uint16_t a = 1, aaaa = 28; // RFC 1035 section 3.2.2, RFC 3596 section 2.1
    return model.find_answering(*name, c.text("type") == "AAAA" ? aaaa : a);
}

/// Everything in the file works but for what --down says.
int offline(Context& c) {
    Diagnostics problems;
    const ModelPtr model = load::load(c.text("config"), problems);
    const auto complains = [&](const std::string& what) { return c.terminal.error(what), bad_input; };
    if (!model || problems.errors() > 0) {
        for (const auto& p : problems.all()) c.terminal.note(p.to_string());
        return bad_input;
    }
    const auto client = IpAddress::parse(c.text("client"));
    if (!client && !c.text("client").empty())
        return complains("client must be an address, such as 192.0.2.1");
    const auto index = service_of(c, *model);
    if (!index) return complains(c.text("config") + " has no service " + c.text("name"));
    const auto down = daemon::read_down(c.text("down"), *model);
    if (const auto* wrong = std::get_if<std::string>(&down)) return complains(*wrong);
    using namespace std::chrono;
    const Now now{Instant(1h), floor<milliseconds>(system_clock::now())};
    const auto engine = policies::assumed_well(model, std::get<0>(down), now);
    const Now then{now.mono + 1min, now.wall + 1min}; // it has looked around for a minute
    const auto told = daemon::JsonValue::parse(daemon::to_json(engine.explain(*index, client, then)));
    c.json ? c.terminal.document(told->pretty()) : show(c, *told);
    return ok;
}

int run(Context& c) {
    if (!c.text("config").empty()) return offline(c);
    if (!c.text("down").empty())
        return c.terminal.error("--down is of a configuration: --config FILE"), bad_input;
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
             {option, "type", "the type that is asked for (default A)"},
             {option, "config", "a configuration file instead of the daemon: all in it is assumed to work"},
             {list, "down", "with --config: DATACENTER/SERVICE that is down; again for another"}},
            run};
}

} // namespace fairway::ctl
