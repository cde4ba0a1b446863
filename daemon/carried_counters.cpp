#include "daemon/carried_counters.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace fairway::daemon {

namespace {

constexpr std::string_view type_mark = "# TYPE ";

/// The page family by family: each with its text, its head (all lines that begin with #) included.
template<class F> void each_family(std::string_view page, F f) {
    while (!page.empty()) {
        std::size_t end = page.find("\n# HELP ");
        end = end == std::string_view::npos ? page.size() : end + 1;
        f(page.substr(0, end));
        page.remove_prefix(end);
    }
}

template<class F> void each_line(std::string_view text, F f) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        f(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

/// "# TYPE fairway_x counter": the name and the type.
std::pair<std::string_view, std::string_view> type_of(std::string_view family) {
    const std::size_t at = family.find(type_mark);
    if (at == std::string_view::npos) return {};
    std::string_view line = family.substr(at + type_mark.size());
    line = line.substr(0, line.find('\n'));
    const std::size_t space = line.find(' ');
    return space == std::string_view::npos ? std::pair<std::string_view, std::string_view>{}
                                           : std::pair{line.substr(0, space), line.substr(space + 1)};
}

bool only_grows(std::string_view type) { return type == "counter" || type == "histogram"; }

std::string number(double value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), end.ptr};
}

}

std::string CarriedCounters::of(std::string_view page) {
    std::string found;
    each_family(page, [&](std::string_view family) {
        if (only_grows(type_of(family).second)) found += family;
    });
    return found;
}

CarriedCounters::Families CarriedCounters::read(std::string_view page) {
    Families all;
    each_family(page, [&](std::string_view text) {
        const auto [name, type] = type_of(text);
        if (!only_grows(type)) return;
        Family& family = all[std::string(name)];
        family.type = type;
        each_line(text, [&](std::string_view line) {
            if (line.starts_with('#')) return void(family.head.append(line) += '\n');
            const std::size_t space = line.rfind(' ');
            double value = 0;
            if (space == std::string_view::npos) return;
            std::from_chars(line.data() + space + 1, line.data() + line.size(), value);
            family.series[std::string(line.substr(0, space))] = value;
        });
    });
    return all;
}

/// A histogram is carried whole or not at all: buckets that do not fit would not add up.
void CarriedCounters::add(Families& to, const Families& carried) {
    const auto key = [](const auto& series) { return series.first; };
    for (const auto& [name, before] : carried) {
        const auto [family, fresh] = to.try_emplace(name, before);
        if (fresh || family->second.type != before.type) continue;
        auto& series = family->second.series;
        if (before.type == "histogram" && !std::ranges::equal(series, before.series, {}, key, key)) continue;
        for (const auto& [labels, value] : before.series) series[labels] += value;
    }
}

void CarriedCounters::expect() {
    const std::lock_guard hold(mutex_);
    expected_ = true;
}

void CarriedCounters::carry(std::string_view page) {
    auto families = std::make_shared<const Families>(read(page));
    {
        const std::lock_guard hold(mutex_);
        carried_ = std::move(families);
        expected_ = false;
    }
    came_.notify_all();
}

void CarriedCounters::no_more() {
    {
        const std::lock_guard hold(mutex_);
        expected_ = false;
    }
    came_.notify_all();
}

std::string CarriedCounters::without(std::string_view page) {
    std::string text;
    each_family(page, [&](std::string_view family) {
        if (!only_grows(type_of(family).second)) text += family;
    });
    return text;
}

std::string CarriedCounters::sum(const std::string& page, const Families& carried) {
    std::string text = without(page);
    Families ours = read(page);
    add(ours, carried);
    for (const auto& [name, family] : ours) {
        text += family.head;
        for (const auto& [labels, value] : family.series) text += labels + " " + number(value) + "\n";
    }
    return text;
}

std::string CarriedCounters::over(std::string page) const {
    std::shared_ptr<const Families> carried;
    std::shared_ptr<const std::string> last;
    {
        std::unique_lock hold(mutex_);
        came_.wait_for(hold, patience, [&] { return !expected_; });
        carried = carried_;
        last = last_;
    }
    if (last) return without(page) + *last;
    return carried ? sum(page, *carried) : page;
}

std::string CarriedCounters::close(const std::function<std::string()>& page) {
    std::shared_ptr<const Families> carried;
    {
        const std::lock_guard hold(mutex_);
        expected_ = true; // a page that was made before and has not come through yet is not shown as it is
        carried = carried_;
    }
    auto text = std::make_shared<const std::string>(of(carried ? sum(page(), *carried) : page()));
    {
        const std::lock_guard hold(mutex_);
        expected_ = false;
        if (!last_) last_ = text;
    }
    came_.notify_all();
    return *text;
}

} // namespace fairway::daemon
