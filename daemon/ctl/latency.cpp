// latency: what is known of the way to clients' networks, and measurements to learn from.
#include "daemon/ctl/command.hpp"

#include <cmath>
#include <fstream>
#include <iostream>
#include <sstream>

namespace fairway::ctl {

namespace {

constexpr std::size_t at_a_time = 500; // what the daemon takes in one body

/// A line of CSV as the API has it: prefix,datacenter,milliseconds. nullopt: it is none.
std::optional<std::string> measurement(const std::string& line) {
    std::istringstream fields(line);
    std::string prefix, datacenter, ms, more;
    if (!std::getline(fields, prefix, ',') || !std::getline(fields, datacenter, ',') || !(fields >> ms) ||
        (fields >> more))
        return std::nullopt;
    char* end = nullptr;
    const double rtt = std::strtod(ms.c_str(), &end);
    if (*end != 0 || !std::isfinite(rtt)) return std::nullopt;
    std::string object = daemon::json_object({{"prefix", prefix}, {"datacenter", datacenter}});
    object.pop_back();
    return object + ",\"rtt_ms\":" + ms + "}";
}

/// Every measurement of the file, or a complaint that names the line.
std::optional<std::vector<std::string>> read(Context& c, std::istream& in, const std::string& name) {
    std::vector<std::string> all;
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        if (line.empty() || line[0] == '#') continue;
        auto one = measurement(line);
        if (!one) {
            c.terminal.error(name + ":" + std::to_string(number) +
                             ": expected prefix,datacenter,milliseconds, as in 192.0.2.0/24,east,12.5");
            return std::nullopt;
        }
        all.push_back(std::move(*one));
    }
    if (!all.empty()) return all;
    c.terminal.error(name + " has no measurements");
    return std::nullopt;
}

int add(Context& c, const std::string& file) {
    std::ifstream opened;
    if (file != "-") opened.open(file);
    if (file != "-" && !opened) {
        c.terminal.error("cannot read " + file);
        return bad_input;
    }
    const auto all = read(c, file == "-" ? std::cin : opened, file == "-" ? "standard input" : file);
    if (!all) return bad_input;
    for (std::size_t i = 0; i < all->size(); i += at_a_time) {
        std::string body;
        for (std::size_t k = i; k < std::min(all->size(), i + at_a_time); ++k)
            body += (body.empty() ? "{\"measurements\":[" : ",") + (*all)[k];
        const Answer answer = c.client.post("/v1/latency", body + "]}");
        const bool last = i + at_a_time >= all->size();
        if (!answer.ok() || last) return show_result(c, answer);
    }
    return ok;
}

std::string ms(const daemon::JsonValue& site, const char* key) {
    const auto value = site.number(key);
    return value ? std::to_string(std::lround(*value)) + " ms" : "-";
}

void show(Context& c, const std::vector<daemon::JsonValue>& networks) {
    if (networks.empty()) return c.terminal.line("nothing has been measured of it");
    std::vector<std::vector<Cell>> rows{{"NETWORK", "DATACENTER", "USED", "MEAN", "WEIGHT", "LAST"}};
    for (const auto& n : networks)
        for (const auto& s : n.at("sites").items())
            rows.push_back({n.text("network"), s.text("datacenter"), ms(s, "used_ms"), ms(s, "mean_ms"),
                            std::to_string(std::lround(s.number("weight").value_or(0))), s.text("at")});
    c.terminal.table(rows);
}

int run(Context& c) {
    if (!c.text("add").empty()) return add(c, c.text("add"));
    const std::string client = c.text("client");
    const Answer answer =
        c.client.get("/v1/latency" + (client.empty() ? "" : "?client=" + Client::escape(client)));
    if (!answer.ok()) return complain(c, answer);
    c.json ? c.terminal.document(answer.body.pretty()) : show(c, answer.body.at("networks").items());
    return ok;
}

} // namespace

Command latency() {
    using enum Argument::Kind;
    return {
        "latency",
        "What was measured of the way to clients, and measurements to learn from",
        {{option, "client", "only the network that holds this address"},
         {option, "add", "a CSV file to learn from: prefix,datacenter,milliseconds; - is standard input"}},
        run};
}

} // namespace fairway::ctl
