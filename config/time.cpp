#include "config/time.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>

namespace fairway {
namespace {

struct Unit {
    std::string_view text;
    Duration length;
};

// Longest first: to_string() takes the first that divides exactly. Microseconds and nanoseconds are there so
// that every duration has a text that reads back.
constexpr std::array<Unit, 7> units{
    {{"d", 24h}, {"h", 1h}, {"m", 1min}, {"s", 1s}, {"ms", 1ms}, {"us", 1us}, {"ns", 1ns}}};

const Unit* find_unit(std::string_view text) {
    for (const Unit& u : units)
        if (u.text == text) return &u;
    return nullptr;
}

std::string number_and(std::int64_t n, std::string_view unit) { return std::to_string(n).append(unit); }

/// "4m10s": a whole number of `big` and, if any, of `small`; what is below is of no interest beside it.
std::string pair(Duration d, const Unit& big, const Unit& small) {
    std::string out = number_and(d / big.length, big.text);
    if (auto rest = (d % big.length) / small.length) out += number_and(rest, small.text);
    return out;
}

/// "2.8s" below ten of a unit, "42s" above.
std::string tenths(Duration d, const Unit& u) {
    auto t = d / (u.length / 10);
    if (t >= 100 || t % 10 == 0) return number_and(t / 10, u.text);
    return std::to_string(t / 10) + '.' + number_and(t % 10, u.text);
}

} // namespace

std::optional<Duration> parse_duration(std::string_view text) {
    std::int64_t n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || n < 0 || text.front() == '-') return std::nullopt;
    const Unit* u = find_unit(text.substr(static_cast<std::size_t>(end - text.data())));
    if (!u || n > std::numeric_limits<std::int64_t>::max() / u->length.count()) return std::nullopt;
    return n * u->length;
}

std::string to_string(Duration d) {
    if (d == Duration::zero()) return "0s";
    for (const Unit& u : units)
        if (d % u.length == Duration::zero()) return number_and(d / u.length, u.text);
    return {}; // unreachable: every count divides by one nanosecond
}

std::string brief(Duration d) {
    if (d < Duration::zero()) return "-" + brief(-d);
    if (d == Duration::zero()) return "0s";
    const auto& [day, hour, minute, second, milli, micro, nano] = units;
    if (d >= day.length) return pair(d, day, hour);
    if (d >= hour.length) return pair(d, hour, minute);
    if (d >= minute.length) return pair(d, minute, second);
    for (const Unit* u : {&second, &milli, &micro})
        if (d >= u->length) return tenths(d, *u);
    return number_and(d.count(), nano.text);
}

std::string to_string(WallTime t) {
    using namespace std::chrono;
    const auto day = floor<days>(t);
    const year_month_day date{day};
    const hh_mm_ss<milliseconds> clock{t - day};
    char out[40];
    int n =
        std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", int{date.year()},
                      unsigned{date.month()}, unsigned{date.day()}, static_cast<int>(clock.hours().count()),
                      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
                      static_cast<int>(clock.subseconds().count()));
    return {out, static_cast<std::size_t>(n)};
}

} // namespace fairway
