#include "daemon/latency_office.hpp"

#include "config/counted.hpp"
#include "daemon/control_api.hpp"
#include "daemon/serialize.hpp"
#include "policies/selection.hpp"

#include <algorithm>

namespace fairway::daemon {

using namespace policies;

namespace {

HttpResponse error(int status, std::string_view text) { return {status, error_json(text)}; }
HttpResponse busy() { return error(503, "the daemon did not answer in time; try again"); }

std::optional<Prefix> network(const std::string& text) {
    if (const auto address = IpAddress::parse(text))
        return Prefix{*address, static_cast<std::uint8_t>(address->bits())};
    return Prefix::parse(text);
}

bool asks_how_far(const Policy& policy) {
    const auto* geo = std::get_if<Geo>(&policy);
    return std::holds_alternative<Latency>(policy) ||
           (geo && std::ranges::any_of(geo->branches, [](auto& b) { return asks_how_far(b.policy); }));
}

/// Why these cannot be taken under this configuration, as an answer; or nothing.
std::optional<HttpResponse> refusal(const Model& model, const std::vector<Measurement>& told) {
    if (std::ranges::none_of(model.services, [](auto& s) { return asks_how_far(s.policy); }))
        return error(409, "no service of this configuration has policy latency: nothing would ask");
    for (const Measurement& m : told)
        if (!model.find_datacenter(m.datacenter))
            return error(404, m.datacenter + " is no datacenter of this configuration");
    return std::nullopt;
}

} // namespace

std::variant<std::vector<Measurement>, std::string> read_measurements(const JsonValue& body) {
    const auto items = body.at("measurements").items();
    if (items.empty()) return "measurements must be a list of {prefix, datacenter, rtt_ms}";
    if (items.size() > most_measurements)
        return "at most " + std::to_string(most_measurements) + " measurements at a time";
    std::vector<Measurement> all;
    for (const JsonValue& item : items) {
        const std::string nth = "measurement " + std::to_string(all.size() + 1) + ": ";
        const auto prefix = network(item.text("prefix"));
        if (!prefix) return nth + "prefix must be a network such as 192.0.2.0/24, or an address";
        const auto rtt = item.number("rtt_ms");
        if (!rtt || !(*rtt > 0) || *rtt > most_rtt_ms)
            return nth + "rtt_ms must be above 0 and at most 60000";
        if (item.text("datacenter").empty()) return nth + "datacenter is missing";
        all.push_back({*prefix, item.text("datacenter"), *rtt});
    }
    return all;
}

HttpResponse LatencyOffice::answer(const HttpRequest& request) {
    if (request.method == "POST") return take(request.body);
    const auto client = request.query.find("client");
    return tell(client == request.query.end() ? std::string() : client->second);
}

HttpResponse LatencyOffice::take(const std::string& body) {
    const auto json = JsonValue::parse(body);
    if (!json || !json->is_object()) return error(400, "the body must be a JSON object");
    auto read = read_measurements(*json);
    if (const auto* why = std::get_if<std::string>(&read)) return error(400, *why);
    const auto done = desk_.ask(
        [this, told = std::get<std::vector<Measurement>>(std::move(read))] {
            auto no = refusal(model_(), told);
            if (!no) learner_.add(told);
            return no.value_or(
                HttpResponse{200, to_json(CommandResult{true,
                                                        counted(told.size(), "measurement") +
                                                            " taken; answers follow within some seconds",
                                                        {}})});
        },
        ControlApi::patience);
    return done.value_or(busy());
}

HttpResponse LatencyOffice::tell(const std::string& client) {
    const auto address = IpAddress::parse(client);
    if (!address && !client.empty()) return error(400, "client must be an address, such as 192.0.2.1");
    auto known = desk_.ask([this] { return learner_.all(); }, ControlApi::patience);
    if (!known) return busy();
    if (address) std::erase_if(*known, [&](const LearnedRecord& r) { return !r.network.contains(*address); });
    return {200, to_json(*known)};
}

} // namespace fairway::daemon
