#include "policies/readiness.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

struct Count {
    std::size_t ready = 0, unready = 0, all = 0;
    void add(Readiness r) {
        ++all;
        ready += r == Readiness::ready;
        unready += r == Readiness::unready;
    }
    void forget_undecided() {
        if (ready > 0) all = ready + unready;
    }
    /// At least `wanted` of them ready.
    Readiness at_least(std::size_t wanted) const {
        if (ready >= wanted) return Readiness::ready;
        return all - unready < wanted ? Readiness::unready : Readiness::undecided;
    }
};

Readiness negated(Readiness r) {
    if (r == Readiness::undecided) return r;
    return r == Readiness::ready ? Readiness::unready : Readiness::ready;
}

/// Several targets of one check (L6): any of them, unless `require` says otherwise.
Readiness combine(const Count& c, Requirements::Of of) {
    switch (of) {
    case Requirements::Of::all: return c.at_least(c.all);
    case Requirements::Of::majority: return c.at_least(c.all / 2 + 1);
    case Requirements::Of::reported:
    case Requirements::Of::any: break;
    }
    return c.at_least(1);
}

Readiness verdict_of(const MemberState& m, Measure measure) {
    const MemberHealth& h = m.health;
    if (measure == Measure::lenient && h.works.verdict == Readiness::ready) return h.meets.verdict;
    if (measure == Measure::whole && h.works.verdict == Readiness::ready &&
        h.whole.verdict == Readiness::unready)
        return Readiness::unready;
    if (measure == Measure::passing && h.works.passes > 0) return Readiness::ready;
    unsigned rise = m.spec.check->timing.rise;
    auto up = [&](const Run& run) { return run.verdict == Readiness::ready || run.passes >= rise; };
    bool risen = up(h.works) && up(h.meets) && up(h.keeps_up);
    return measure == Measure::risen && risen ? Readiness::ready : h.ready();
}

Readiness check_verdict(const BoundCheck& b, std::span<const MemberState> members, Measure measure) {
    Count c;
    for (MemberSlot slot : b.members) c.add(verdict_of(members[slot], measure));
    auto of =
        b.members.empty() ? Requirements::Of::any : members[b.members.front()].spec.check->requirements.of;
    return combine(c, of);
}

/// The verdict of a tier as far as address `i` is concerned.
Readiness tier(const Expression& e, const std::vector<BoundCheck>& bound,
               std::span<const MemberState> members, std::size_t i, Measure measure) {
    return evaluate(e, [&](CheckIndex check) {
        for (const BoundCheck& b : bound)
            if (b.check == check && !b.members.empty())
                return b.per_address ? verdict_of(members[b.members[i]], measure)
                                     : check_verdict(b, members, measure);
        return Readiness::ready; // nothing is looked at: unchecked on purpose
    });
}

/// A target at address `i` asks for no traffic.
bool drained(const BoundEndpoint& bound, std::span<const MemberState> members, std::size_t i) {
    return std::ranges::any_of(bound.application, [&](const BoundCheck& b) {
        return b.per_address && i < b.members.size() && members[b.members[i]].health.weight == 0.0;
    });
}

/// A drained address is not answered while another of its family can be.
void withdraw_drained(Assessment& a, const Endpoint& e, const BoundEndpoint& bound,
                      std::span<const MemberState> members) {
    for (const Family family : {Family::v4, Family::v6}) {
        std::vector<std::size_t> leaving;
        bool others = false;
        for (std::size_t i = 0; i < e.addresses.size(); ++i) {
            if (e.addresses[i].family != family || !a.healthy[i]) continue;
            if (drained(bound, members, i)) leaving.push_back(i);
            else others = true;
        }
        for (std::size_t i : leaving)
            if (others) a.healthy[i] = false;
    }
}

void judge_addresses(Assessment& a, const Service& s, const Endpoint& e, const BoundEndpoint& bound,
                     std::span<const MemberState> members, Measure measure) {
    if (e.checked() == 0 && !e.alias) { // nothing of what is answered: its checks have targets of their own
        a.application = tier(*s.application, bound.application, members, 0, measure);
        return;
    }
    Count v4, v6;
    for (std::size_t i = 0; i < e.checked(); ++i) { // the others are answered as long as these are
        Readiness r = tier(*s.application, bound.application, members, i, measure);
        (e.addresses[i].family == Family::v4 ? v4 : v6).add(r);
        a.healthy[i] = r == Readiness::ready;
    }
    if (e.alias) { // what its name has come by takes nothing out before it has a verdict
        v4.forget_undecided();
        v6.forget_undecided();
    }
    // IPv4 decides where there is any; an endpoint that lost only IPv6 stays (L11).
    const Readiness by_v4 = v4.at_least(s.min_healthy.of(v4.all)),
                    by_v6 = v6.at_least(s.min_healthy.of(v6.all));
    a.application = v4.all > 0 ? by_v4 : by_v6;
    a.lost_v6 = v4.all > 0 && by_v4 == Readiness::ready && v6.all > 0 && by_v6 == Readiness::unready;
    a.lost_v4 = v4.all > 0 && by_v4 == Readiness::unready && v6.all > 0 && by_v6 == Readiness::ready;
    for (std::size_t i = 0; a.lost_v6 && i < e.addresses.size(); ++i) // NODATA is what is answered of it
        if (e.addresses[i].family == Family::v6) a.healthy[i] = false;
    withdraw_drained(a, e, bound, members);
}

} // namespace

Readiness evaluate(const Expression& e, const std::function<Readiness(CheckIndex)>& verdict) {
    if (!e.required) return Readiness::ready;
    if (e.op == Expression::Op::check) return verdict(e.check);
    Count c;
    for (const Expression& o : e.operands)
        if (o.required) c.add(evaluate(o, verdict));
    if (c.all == 0 && e.op != Expression::Op::negate) return Readiness::ready; // nothing in it decides
    switch (e.op) {
    case Expression::Op::all: return c.at_least(c.all);
    case Expression::Op::any: return c.at_least(std::min<std::size_t>(1, c.all));
    case Expression::Op::at_least: return c.at_least(std::min<std::size_t>(e.count, c.all));
    case Expression::Op::negate:
        return c.all == 0 ? Readiness::ready : negated(evaluate(e.operands.front(), verdict));
    case Expression::Op::check: break;
    }
    return Readiness::undecided;
}

Assessment assess(const Service& s, const Endpoint& e, const BoundEndpoint& bound,
                  std::span<const MemberState> members, Measure measure) {
    Assessment a{.healthy = std::vector<bool>(e.addresses.size(), true)};
    if (e.alias && e.addresses.empty()) { // its name has not been resolved yet
        a.application = Readiness::undecided;
        return a;
    }
    if (s.application && !bound.application.empty()) {
        bool facts = measure == Measure::lenient; // are the stateful tier's
        judge_addresses(a, s, e, bound, members, facts ? Measure::verdict : measure);
    }
    if (s.stateful && !bound.stateful.empty())
        a.stateful = tier(*s.stateful, bound.stateful, members, 0, measure);
    return a;
}

bool is_degraded(const Service& s, const Endpoint& e, const BoundEndpoint& bound,
                 std::span<const MemberState> members) {
    const auto lessened = [&](const BoundCheck& b) {
        return std::ranges::any_of(
            b.members, [&](MemberSlot m) { return members[m].health.whole.verdict == Readiness::unready; });
    };
    if (std::ranges::none_of(bound.application, lessened) && std::ranges::none_of(bound.stateful, lessened))
        return false;
    const Assessment a = assess(s, e, bound, members, Measure::whole);
    return a.application == Readiness::unready || a.stateful == Readiness::unready;
}

double share_of(const BoundEndpoint& bound, std::span<const MemberState> members) {
    double least = 1;
    for (auto* tier : {&bound.application, &bound.stateful})
        for (const BoundCheck& b : *tier) {
            double sum = 0;
            for (MemberSlot m : b.members) sum += members[m].health.weight.value_or(1);
            if (!b.members.empty()) least = std::min(least, sum / static_cast<double>(b.members.size()));
        }
    return least;
}

const MemberState* culprit(const BoundEndpoint& bound, std::span<const MemberState> members) {
    const MemberState* worst = nullptr;
    for (auto* tier : {&bound.application, &bound.stateful})
        for (const BoundCheck& b : *tier)
            for (MemberSlot slot : b.members) {
                const MemberState& m = members[slot];
                if (m.health.ready() == Readiness::ready) continue;
                if (!worst ||
                    (worst->health.ready() == Readiness::undecided && m.health.ready() == Readiness::unready))
                    worst = &m;
            }
    return worst;
}

} // namespace fairway::policies
