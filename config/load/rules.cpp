// rules: what binds the automation of every service.
#include "config/load/binding.hpp"
#include "config/load/time_zone.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace fairway::load {
namespace {

using std::chrono::minutes;

/// "Fri 18:00", of a week that begins on Monday.
std::optional<minutes> time_of_week(std::string_view text) {
    constexpr std::array<std::string_view, 7> days{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    if (text.size() != 9 || text[3] != ' ' || text[6] != ':') return std::nullopt;
    const auto day = std::ranges::find(days, text.substr(0, 3));
    const auto two = [&](std::size_t at, int most) {
        int value = -1;
        const char* const end = text.data() + at + 2;
        const auto [stop, error] = std::from_chars(text.data() + at, end, value);
        return error == std::errc{} && stop == end && value >= 0 && value <= most ? value : -1;
    };
    const int hour = two(4, 23), minute = two(7, 59);
    if (day == days.end() || hour < 0 || minute < 0) return std::nullopt;
    return minutes((day - days.begin()) * 24 * 60 + hour * 60 + minute);
}

/// "Fri 18:00-Mon 06:00 Europe/Berlin"; without a zone it is UTC.
bool read_when(const Node& n, HoldWindow& window, Binding& b) {
    const Key& key = *find_key("rules.hold_windows.[].when");
    constexpr std::size_t length = 9; // of one time
    const std::string_view text = n.is_scalar() ? std::string_view(n.text) : "";
    const auto begin = time_of_week(text.substr(0, length));
    const auto rest = text.size() > length && text[length] == '-' ? text.substr(length + 1) : "";
    const auto end = time_of_week(rest.substr(0, length));
    const auto zone = rest.size() > length ? rest.substr(length) : "";
    if (!begin || !end || (!zone.empty() && zone[0] != ' '))
        return wrong(n, key, b.problems, "a time of the week such as \"Fri 18:00-Mon 06:00 Europe/Berlin\""),
               false;
    if (*begin == *end)
        return b.problems.error(n.place(),
                                "when: a window that ends where it begins; `freeze` holds for good"),
               false;
    window.when = n.text;
    window.begin = *begin;
    window.end = *end;
    if (zone.empty()) return true;
    std::string why;
    window.zone = read_time_zone(std::string(zone.substr(1)), why);
    if (!window.zone) b.problems.error(n.place(), "when: " + why);
    return window.zone != nullptr;
}

void read_window(const Node& n, Binding& b) {
    HoldWindow window;
    const Mapping m(n, "rules.hold_windows.[]", b.problems);
    const Node* when = m.get("when");
    m.read("also_failover", window.also_failover);
    if (when && read_when(*when, window, b)) b.model.rules.hold_windows.push_back(std::move(window));
}

} // namespace

void read_rules(const Mapping& file, Binding& b) {
    const Node* n = file.get("rules");
    if (!n) return;
    const Mapping m(*n, "rules", b.problems);
    m.read("min_datacenters", b.model.rules.min_datacenters);
    const std::size_t all = b.model.datacenters.size();
    if (b.model.rules.min_datacenters > all && all > 0)
        b.problems.warning(m.place_of("min_datacenters"),
                           "min_datacenters: " + std::to_string(b.model.rules.min_datacenters) +
                               " are never left of " + std::to_string(all) +
                               ": nothing but the first site to fail goes out");
    m.read("switch_at_most_every", b.model.rules.switch_at_most_every);
    const Node* list = m.get("hold_windows");
    if (!list) return;
    if (!list->is_sequence()) return wrong(*list, *find_key("rules.hold_windows"), b.problems);
    for (const Node& item : list->items) read_window(item, b);
}

} // namespace fairway::load
