#include "daemon/zone_office.hpp"

#include "daemon/control_api.hpp"
#include "daemon/dns_text.hpp"
#include "dns/random.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <random>

namespace fairway::daemon {

namespace {

using nlohmann::json;

constexpr std::size_t usual = 200, most = 1000; // names a page

const char* word(dns::ListedName::Kind kind) {
    switch (kind) {
        using enum dns::ListedName::Kind;
    case records: return "records";
    case service: return "service";
    case delegated: return "delegated";
    case hidden: return "hidden";
    case empty: return "empty";
    }
    return "";
}

HttpResponse error(int status, std::string_view text) { return {status, error_json(text)}; }

std::string argument(const HttpRequest& request, const char* key) {
    const auto it = request.query.find(key);
    return it == request.query.end() ? std::string() : it->second;
}

/// nullopt: no number a page can have.
std::optional<std::size_t> page_size(const std::string& text) {
    if (text.empty()) return usual;
    std::size_t limit = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (wrong != std::errc{} || end != text.data() + text.size() || limit < 1 || limit > most)
        return std::nullopt;
    return limit;
}

json records_of(const dns::ListedName& listed) {
    json records = json::array();
    for (const auto& message : listed.messages)
        if (const auto text = dns_text(message))
            for (const auto& record : text->answer) records.push_back(record);
    return records;
}

HttpResponse zones(const dns::NameOrder& order) {
    json names = json::array();
    for (const Name& zone : order.zones()) names.push_back(zone.to_string());
    return {200, json{{"zones", names}}.dump()};
}

} // namespace

HttpResponse ZoneOffice::answer(const HttpRequest& request) {
    const auto client = IpAddress::parse(argument(request, "client"));
    if (!client && !argument(request, "client").empty())
        return error(400, "client must be an address, such as 192.0.2.1");
    const auto limit = page_size(argument(request, "limit"));
    if (!limit) return error(400, "limit must be a number from 1 to " + std::to_string(most));
    const std::string name = argument(request, "name"), behind = argument(request, "after");
    const auto top = Name::parse(name.empty() ? "." : name),
               after = Name::parse(behind.empty() ? "." : behind);
    if (!top || !after) return error(400, "name and after must be domain names");

    const auto served = desk_.ask(served_, ControlApi::patience);
    if (!served) return error(503, "the daemon did not answer in time; try again");
    const auto order = order_of(**served);
    if (name.empty()) return zones(*order);
    if (std::ranges::none_of(order->zones(), [&](auto& zone) { return top->is_under(zone); }))
        return error(404, top->to_string() + " is in none of our zones");

    dns::Random random{std::random_device{}()};
    const auto listing = dns::list_names(**served, *order, *top, behind.empty() ? std::nullopt : after,
                                         *limit, client.value_or(IpAddress{}), random);
    json names = json::array();
    for (const auto& listed : listing.names)
        names.push_back({{"name", listed.name.to_string()},
                         {"kind", word(listed.kind)},
                         {"records", records_of(listed)}});
    json page = {{"name", top->to_string()}, {"names", names}, {"next", nullptr}};
    if (listing.more) page["next"] = listing.names.back().name.to_string();
    return {200, page.dump(-1, ' ', false, json::error_handler_t::replace)};
}

std::shared_ptr<const dns::NameOrder> ZoneOffice::order_of(const dns::Snapshot& served) {
    const std::lock_guard lock(mutex_);
    if (!order_ || ordered_.lock() != served.fixed) {
        order_ = std::make_shared<dns::NameOrder>(*served.fixed);
        ordered_ = served.fixed;
    }
    return order_;
}

} // namespace fairway::daemon
