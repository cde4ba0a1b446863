// What the tables of policies share: a time line, small configurations, and a desk at which an engine is
// driven.
#pragma once

#include "policies/engine.hpp"

#include <doctest/doctest.h>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fairway::policies::test {

/// The moment a story begins; far from zero, because zero means "never".
inline constexpr Instant dawn{1h};
inline const WallTime dawn_wall{std::chrono::milliseconds{1'760'000'000'000}};

inline Now at(Duration since_dawn) {
    return {dawn + since_dawn, dawn_wall + std::chrono::duration_cast<std::chrono::milliseconds>(since_dawn)};
}

// ---- what a look saw

Observation seen(Outcome outcome, Reason reason, Instant ended, Duration took = 10ms);
inline Observation passed(Instant at) { return seen(Outcome::pass, Reason::ok, at); }
inline Observation refused(Instant at) { return seen(Outcome::fail, Reason::refused, at); }
inline Observation silent(Instant at) { return seen(Outcome::fail, Reason::timeout_connect, at, 2s); }
inline Observation unknown(Instant at) { return seen(Outcome::unknown, Reason::no_route, at); }

inline Facts primary(std::uint64_t epoch, std::optional<std::uint64_t> position = {}) {
    return {.role = Role::primary, .epoch = epoch, .system = "sys", .position = position};
}
inline Facts standby(std::uint64_t epoch, std::optional<std::uint64_t> position = {}) {
    return {.role = Role::standby, .epoch = epoch, .system = "sys", .position = position};
}

// ---- configurations: check 0 is "web" (http), check 1 is "db" (postgres)

inline constexpr CheckIndex web = 0, db = 1;

Expression on(CheckIndex c, bool required = true);
Expression combine(Expression::Op op, std::vector<Expression> operands, unsigned count = 0);

inline IpAddress ip(const std::string& text) { return IpAddress::parse(text).value(); }
std::string site_name(std::size_t i);

Model world(std::size_t sites);

/// A service with an endpoint in every datacenter (10.1.0.1, 10.2.0.1 ...) and "web" as its application
/// check. Add services in the order of their names.
Service& serve(Model& m, const std::string& name, Policy policy);

ActivePassive in_order(std::size_t sites);

/// A service whose traffic follows its database's primary.
Service& follow_service(Model& m, const std::string& name = "shop");

void add_hooks(Service& s, std::initializer_list<Hook::Step> steps);

// ---- an engine at a desk

/// Drives an engine beat by beat: in each beat of 2 s every member is looked at once. What a check sees in a
/// datacenter is set by `now_sees` and stays until set again; `nothing` is not looked at.
class Desk {
  public:
    enum class Sight { nothing, pass, refuse, silence, unknown };

    explicit Desk(Model m, Restored restored = {}, Duration begin = {});
    Desk(Desk&&);
    ~Desk();

    void now_sees(const std::string& datacenter, Sight sight);
    void now_sees(const std::string& datacenter, const std::string& check, Sight sight, Facts facts = {});
    void everywhere(Sight sight);

    /// `n` beats of 2 s each; what is due by time alone happens in between.
    void beats(int n);
    /// Every member is looked at now.
    void look_at_all();
    void observe(const Observation& o) { take(engine.observe(std::span(&o, 1), now)); }
    /// Time passes without a single look.
    void pass_time(Duration d);

    CommandResult command(decltype(Command::what) what);
    void hook_ends(bool ok, const std::string& detail = "exit status 0");
    void reload(Model m);

    /// What the service's name answers: "east", "east 1, west 1", "SERVFAIL", "NODATA".
    std::string answer(ServiceIndex s = 0) const;
    std::size_t said(Change c) const;
    const Transition& last(Change c) const;
    void forget();
    bool alarmed(const std::string& id) const;
    MemberId member(const std::string& check, const std::string& datacenter) const;
    /// What the state store would give back now.
    Restored stored() const;

    ModelPtr model;
    Now now;
    Engine engine;
    std::vector<Transition> transitions;
    std::vector<HookRequest> hooks;
    std::vector<MemberId> looks;
    std::vector<ServiceRecord> services;
    std::vector<MemberRecord> members;

  private:
    Observation as_observed(Sight sight) const;
    void advance(Instant to) { now = at(to - dawn); }
    void take(Effects e);

    std::map<std::pair<std::string, std::string>, std::pair<Sight, Facts>> sights_;
    std::map<std::string, ServiceRecord> kept_services_;
    std::map<std::string, MemberRecord> kept_members_;
};

using Sight = Desk::Sight;

} // namespace fairway::policies::test
