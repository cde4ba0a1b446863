// rules and groups: windows by the clocks of a place, and what cannot move together.
#include "config/load/time_zone.hpp"
#include "tests/unit/config/fixture.hpp"

#include <doctest/doctest.h>

#include <cstdio>

using namespace fairway;
using namespace fairway::load;
using namespace std::chrono;

namespace {

/// "2026-10-25 00:30"
WallTime utc(const char* text) {
    int y = 0, mo = 0, d = 0, h = 0, mi = 0;
    REQUIRE(std::sscanf(text, "%d-%d-%d %d:%d", &y, &mo, &d, &h, &mi) == 5);
    return sys_days(year(y) / mo / d) + hours(h) + minutes(mi);
}

Rules rules_of(const std::string& when) {
    Files files;
    Diagnostics problems;
    const auto m = load::load(files.write("f.yaml", base + "rules: {hold_windows: [{when: \"" + when +
                                                        "\", also_failover: true}]}\n"),
                              problems);
    REQUIRE_MESSAGE(m, problems.to_string());
    REQUIRE(m->rules.hold_windows.size() == 1);
    return m->rules;
}

} // namespace

TEST_CASE("hold windows keep to the clocks of their place, through summer time") {
    struct Row {
        const char *when, *inside, *from, *until; ///< UTC
    };
    const Row rows[] = {
        {"Fri 18:00-Mon 06:00 Europe/Berlin", "2026-11-21 12:00", "2026-11-20 17:00", "2026-11-23 05:00"},
        {"Fri 18:00-Mon 06:00 Europe/Berlin", "2026-07-05 12:00", "2026-07-03 16:00", "2026-07-06 04:00"},
        // the clocks change within it
        {"Fri 18:00-Mon 06:00 Europe/Berlin", "2027-03-28 00:30", "2027-03-26 17:00", "2027-03-29 04:00"},
        {"Fri 18:00-Mon 06:00 Europe/Berlin", "2026-10-25 23:00", "2026-10-23 16:00", "2026-10-26 05:00"},
        // 02:30 that is not on that day: it begins with the jump to 03:00
        {"Sun 02:30-Sun 04:00 Europe/Berlin", "2027-03-28 01:30", "2027-03-28 01:00", "2027-03-28 02:00"},
        // 02:30 that comes twice: from the first, until the last
        {"Sun 02:30-Sun 04:00 Europe/Berlin", "2026-10-25 01:15", "2026-10-25 00:30", "2026-10-25 03:00"},
        {"Sun 01:00-Sun 02:30 Europe/Berlin", "2026-10-25 01:15", "2026-10-24 23:00", "2026-10-25 01:30"},
        {"Mon 09:00-Mon 17:00 America/New_York", "2026-11-02 15:00", "2026-11-02 14:00", "2026-11-02 22:00"},
        {"Mon 09:00-Mon 17:00 Pacific/Auckland", "2026-11-01 22:00", "2026-11-01 20:00", "2026-11-02 04:00"},
        {"Mon 09:00-Mon 17:00 Asia/Kolkata", "2026-11-02 05:00", "2026-11-02 03:30", "2026-11-02 11:30"},
        {"Wed 00:00-Wed 23:59", "2026-11-18 12:00", "2026-11-18 00:00", "2026-11-18 23:59"},
        // beyond what the file lists: by its rule
        {"Fri 18:00-Sat 06:00 Europe/Berlin", "2050-07-01 20:00", "2050-07-01 16:00", "2050-07-02 04:00"},
        {"Fri 18:00-Sat 06:00 Europe/Berlin", "2050-12-02 20:00", "2050-12-02 17:00", "2050-12-03 05:00"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.when);
        CAPTURE(row.inside);
        const Rules rules = rules_of(row.when);
        const HoldWindow& w = rules.hold_windows.front();
        const WallTime from = utc(row.from), until = utc(row.until);
        const auto around = w.around(utc(row.inside));
        REQUIRE(around);
        CHECK(to_string(around->first) == to_string(from));
        CHECK(to_string(around->second) == to_string(until));
        CHECK_FALSE(w.around(from - 1ms));
        CHECK(w.around(from));
        CHECK(w.around(until - 1ms));
        CHECK_FALSE(w.around(until));
        CHECK(w.next_change(from - 1ms) == from);
        CHECK(w.next_change(from) == until);
        CHECK(w.next_change(until) > until);
    }
}

TEST_CASE("a year of minutes: a window holds at each minute that the clocks of the place say so") {
    const Rules rules = rules_of("Sat 22:15-Sun 05:45 Europe/Berlin");
    const HoldWindow& w = rules.hold_windows.front();
    for (WallTime t = utc("2026-01-01 00:00"); t < utc("2027-01-01 00:00"); t += minutes(5)) {
        const auto local = t.time_since_epoch() + w.zone->offset(t);
        const auto day = floor<days>(sys_time<milliseconds>(local));
        const auto clock = local - day.time_since_epoch();
        const bool expected = (weekday(day) == Saturday && clock >= hours(22) + minutes(15)) ||
                              (weekday(day) == Sunday && clock < hours(5) + minutes(45));
        REQUIRE_MESSAGE(w.around(t).has_value() == expected, to_string(t));
    }
}

TEST_CASE("a file that is no time zone is refused, whatever it holds") {
    Files files;
    std::string why;
    const std::string good = [] {
        std::ifstream in(zone_files / "Europe/Berlin", std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(in), {});
    }();
    REQUIRE(good.size() > 100);
    const auto directory = std::filesystem::path(files.write("Whole", good)).parent_path();
    CHECK(read_time_zone("Whole", why, directory));
    for (std::size_t cut : {std::size_t{0}, std::size_t{3}, std::size_t{43}, std::size_t{44},
                            std::size_t{200}, good.size() / 2, good.size() - 30, good.size() - 1}) {
        files.write("Cut", good.substr(0, cut));
        CHECK_FALSE(read_time_zone("Cut", why, directory));
    }
    for (std::size_t i = 0; i < good.size(); ++i) { // whatever a byte becomes, nothing is read beyond the end
        std::string changed = good;
        changed[i] = static_cast<char>(~changed[i]);
        files.write("Changed", changed);
        read_time_zone("Changed", why, directory);
    }
    for (const char* name : {"../etc/passwd", "/etc/passwd", "", "Europe", "Europe/Nowhere"})
        CHECK_FALSE(read_time_zone(name, why));
}

TEST_CASE("an active/passive group moves as carefully as the most careful of its services") {
    Files files;
    Diagnostics problems;
    const auto m = load::load(
        files.write(
            "f.yaml",
            base +
                "services:\n"
                "  a.gtm.example.com: {policy: active_passive, application: web, failback: auto, endpoints: "
                "{east: {addresses: [192.0.2.1]}, west: {addresses: [198.51.100.1]}}}\n"
                "  b.gtm.example.com: {policy: active_passive, application: web, failback: manual, failover: "
                "approval, endpoints: {east: {addresses: [192.0.2.2]}, west: {addresses: [198.51.100.2]}}}\n"
                "groups: {both: {services: [b.gtm.example.com, a.gtm.example.com]}}\n"),
        problems);
    REQUIRE_MESSAGE(m, problems.to_string());
    REQUIRE(m->groups.size() == 1);
    CHECK(m->groups[0].ordered);
    CHECK(m->groups[0].names == std::vector<std::string>{"b.gtm.example.com", "a.gtm.example.com"});
    for (const Service& s : m->services) {
        CHECK(s.group == 0);
        CHECK(s.failover == Service::Failover::approval);
        CHECK(s.failback == Service::Failback::manual);
    }
}
