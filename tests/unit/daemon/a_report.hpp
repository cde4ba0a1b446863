// A report with one of everything.
#pragma once

#include "policies/report.hpp"

namespace fairway::policies {

inline Report a_report() {
    const Instant t(1h);
    Report r;
    r.at = {t + 1min, WallTime(std::chrono::milliseconds(1'760'000'000'000))};
    r.generation = 7;
    r.alarms = {{"no_primary", Severity::critical, "shop.test", "", "no primary", t}};
    ServiceReport shop{.name = "shop.test",
                       .policy = "active_passive",
                       .state = "held: no primary",
                       .active = "east",
                       .preferred = "west",
                       .reason = "no primary",
                       .since = t,
                       .ttl = 10};
    shop.endpoints = {{.datacenter = "east",
                       .application = Readiness::ready,
                       .stateful = Readiness::ready,
                       .fit = true,
                       .in_plan = true,
                       .share = 1,
                       .role = Role::primary,
                       .epoch = 3,
                       .lag = 120ms,
                       .addresses = {IpAddress::parse("10.1.0.1").value()},
                       .reason = "fit",
                       .since = t},
                      {.datacenter = "west", .since = t}};
    shop.running =
        Switch{.id = "shop/3/west", .from = "east", .to = "west", .reason = "gone", .failure = "\xff bytes"};
    shop.followed = ClaimRecord{"east", "sys", 3};
    r.services = {shop, {.name = "www.test", .policy = "weighted", .state = "all down: last_good"}};
    Observation seen{
        .member = 1, .outcome = Outcome::pass, .reason = Reason::ok, .begun = t, .ended = t + 3ms};
    r.members = {
        {1,
         "web",
         "http",
         "10.1.0.1:80",
         "east",
         {"shop.test"},
         Readiness::ready,
         Readiness::ready,
         false,
         seen,
         {},
         5,
         0,
         t},
        {2, "web", "http", "10.2.0.1:80", "west", {}, {}, {}, false, {}, {}, 0, 0, t},
        {3, "web", "http", "10.3.0.1:80", "eu", {}, Readiness::ready, Readiness::ready, true, seen, {}, 0, 9, t}};
    r.overrides = {{"o1", Override::Kind::drain, {"", "eu"}, "works", "ann", r.at.wall, r.at.wall + 24h}};
    return r;
}

} // namespace fairway::policies
