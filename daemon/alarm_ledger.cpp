#include "daemon/alarm_ledger.hpp"

#include "daemon/json_parts.hpp"

#include <algorithm>
#include <cctype>

namespace fairway::daemon {

using parts::Json;
using policies::Alarm;

namespace {

/// "no_primary" is FairwayNoPrimary, the name that our rules for Prometheus give it.
std::string alert_name(std::string_view id) {
    std::string name = "Fairway";
    bool upper = true;
    for (char c : id) {
        if (c != '_' && c != '-')
            name += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        upper = c == '_' || c == '-';
    }
    return name;
}

}

bool AlarmLedger::update(std::span<const Alarm> alarms, Now now) {
    bool news = false;
    std::map<Key, const Alarm*> there;
    for (const Alarm& a : alarms) there[{a.id, a.severity, a.service, a.datacenter}] = &a;
    for (const auto& [key, alarm] : there) {
        auto [entry, fresh] = entries_.try_emplace(key);
        if (fresh || entry->second.ended) {
            entry->second = {alarm->text, alarm->severity, now.wall_at(alarm->since), {}};
            news = true;
        }
        entry->second.text = alarm->text;
    }
    for (auto& [key, entry] : entries_)
        if (!entry.ended && !there.contains(key)) {
            entry.ended = now.wall;
            news = true;
        }
    forget_oldest();
    return news;
}

void AlarmLedger::forget_oldest() {
    const auto ended = [](const auto& e) { return e.second.ended.has_value(); };
    for (auto n = static_cast<std::size_t>(std::ranges::count_if(entries_, ended)); n > most_ended; --n)
        entries_.erase(std::ranges::min_element(
            entries_, {}, [](const auto& e) { return e.second.ended.value_or(WallTime::max()); }));
}

std::vector<std::string> AlarmLedger::messages(WallTime now, Duration expires) const {
    std::vector<std::string> bodies;
    Json list = Json::array();
    const auto finish = [&] {
        if (!list.empty()) bodies.push_back(parts::dump(list));
        list = Json::array();
    };
    for (const auto& [key, e] : entries_) {
        const auto& [id, severity, service, datacenter] = key;
        Json labels = {
            {"alertname", alert_name(id)}, {"severity", policies::to_string(severity)}, {"instance", node_}};
        if (!service.empty()) labels["service"] = service;
        if (!datacenter.empty()) labels["datacenter"] = datacenter;
        const WallTime ends = e.ended.value_or(now + std::chrono::duration_cast<WallTime::duration>(expires));
        list.push_back({{"labels", std::move(labels)},
                        {"annotations", {{"summary", e.text}}},
                        {"startsAt", to_string(e.starts)},
                        {"endsAt", to_string(ends)}});
        if (list.size() == batch) finish();
    }
    finish();
    return bodies;
}

void AlarmLedger::heard() {
    std::erase_if(entries_, [](const auto& e) { return e.second.ended.has_value(); });
}

} // namespace fairway::daemon
