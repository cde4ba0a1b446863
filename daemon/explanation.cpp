#include "daemon/explanation.hpp"

#include <nlohmann/json.hpp>

namespace fairway::daemon {

std::string to_json(const policies::Explanation& e) {
    using Json = nlohmann::ordered_json;
    Json lines = Json::array(), answer = Json::array();
    for (const auto& l : e.lines)
        lines.push_back(
            {{"stage", l.stage}, {"subject", l.subject}, {"verdict", l.verdict}, {"reason", l.reason}});
    for (const auto& o : e.answer) {
        Json addresses = Json::array();
        for (const auto& a : o.addresses) addresses.push_back(a.to_string());
        answer.push_back({{"datacenter", o.datacenter},
                          {"addresses", std::move(addresses)},
                          {"cname", o.cname ? o.cname->to_string() : ""},
                          {"probability", o.probability}});
    }
    const Json all = {{"name", e.name},
                      {"client", e.client},
                      {"ttl", e.ttl},
                      {"lines", std::move(lines)},
                      {"answer", std::move(answer)}};
    return all.dump(-1, ' ', false, Json::error_handler_t::replace); // what probes said may be any bytes
}

} // namespace fairway::daemon
