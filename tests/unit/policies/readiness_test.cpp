// Kleene logic over checks, and what an endpoint's members come to (L6, L11).
#include "policies/readiness.hpp"
#include "tests/unit/policies/builders.hpp"

#include <algorithm>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

using Op = Expression::Op;
constexpr Readiness all_values[] = {Readiness::undecided, Readiness::ready, Readiness::unready};

/// Every assignment of three values to `n` checks.
template<class F> void each_state(std::size_t n, F f) {
    std::vector<Readiness> values(n);
    std::size_t total = 1;
    for (std::size_t i = 0; i < n; ++i) total *= 3;
    for (std::size_t k = 0; k < total; ++k) {
        std::size_t rest = k;
        for (Readiness& v : values) {
            v = all_values[rest % 3];
            rest /= 3;
        }
        f(values);
    }
}

/// What is true of every completion of the undecided ones is decided, all else is undecided.
Readiness by_completion(const std::vector<Readiness>& values,
                        const std::function<bool(const std::vector<bool>&)>& f) {
    bool can_hold = false, can_fail = false;
    for (unsigned bits = 0; bits < (1u << values.size()); ++bits) {
        std::vector<bool> complete;
        bool possible = true;
        for (std::size_t i = 0; i < values.size(); ++i) {
            bool value = bits >> i & 1;
            possible &= values[i] == Readiness::undecided || value == (values[i] == Readiness::ready);
            complete.push_back(value);
        }
        if (possible) (f(complete) ? can_hold : can_fail) = true;
    }
    if (can_hold && can_fail) return Readiness::undecided;
    return can_hold ? Readiness::ready : Readiness::unready;
}

std::vector<Expression> checks(std::size_t n) {
    std::vector<Expression> list;
    for (std::size_t i = 0; i < n; ++i) list.push_back(on(static_cast<CheckIndex>(i)));
    return list;
}

Readiness value(const Expression& e, const std::vector<Readiness>& values) {
    return evaluate(e, [&](CheckIndex c) { return values[c]; });
}

/// An endpoint whose members' verdicts are set by hand.
struct Bench {
    explicit Bench(std::vector<std::string> addresses, Requirements::Of of = Requirements::Of::reported) {
        Check check = *model.checks[db];
        check.requirements.of = of;
        model.checks[db] = std::make_shared<Check>(check);
        Service& s = serve(model, "www", Weighted{});
        s.endpoints[0].addresses.clear();
        for (auto& a : addresses) s.endpoints[0].addresses.push_back(ip(a));
    }
    void bind_members() {
        binding = bind(model);
        for (const ProbeSpec& spec : binding.probes) members.push_back({.spec = spec});
    }
    void set(MemberSlot slot, Readiness r) {
        MemberHealth& h = members[slot].health;
        h.works.verdict = r;
        h.meets.verdict = h.keeps_up.verdict = Readiness::ready;
    }
    Assessment judged(Measure m = Measure::verdict) const {
        const Service& s = model.services[0];
        return assess(s, s.endpoints[0], binding.services[0][0], members, m);
    }
    Model model = world(1);
    Binding binding;
    std::vector<MemberState> members;
};

} // namespace

TEST_CASE("all, any, at least and not are Kleene's: only what every completion says is said") {
    for (std::size_t n = 1; n <= 4; ++n)
        each_state(n, [&](const std::vector<Readiness>& v) {
            auto count = [](const std::vector<bool>& b) { return std::ranges::count(b, true); };
            auto size = static_cast<std::ptrdiff_t>(n);
            CHECK(value(combine(Op::all, checks(n)), v) ==
                  by_completion(v, [&](auto& b) { return count(b) == size; }));
            CHECK(value(combine(Op::any, checks(n)), v) ==
                  by_completion(v, [&](auto& b) { return count(b) >= 1; }));
            for (unsigned k = 1; k <= n; ++k) {
                CHECK(value(combine(Op::at_least, checks(n), k), v) ==
                      by_completion(v, [&](auto& b) { return count(b) >= static_cast<std::ptrdiff_t>(k); }));
                CHECK(value(combine(Op::negate, {combine(Op::at_least, checks(n), k)}), v) ==
                      by_completion(v, [&](auto& b) { return count(b) < static_cast<std::ptrdiff_t>(k); }));
            }
        });
}

TEST_CASE("expressions nest") {
    each_state(4, [&](const std::vector<Readiness>& v) {
        auto e = combine(Op::any, {combine(Op::all, {on(0), on(1)}),
                                   combine(Op::negate, {combine(Op::any, {on(2), on(3)})})});
        CHECK(value(e, v) == by_completion(v, [](auto& b) { return (b[0] && b[1]) || !(b[2] || b[3]); }));
    });
}

TEST_CASE("required: false is looked at and shown, and decides nothing wherever it stands") {
    for (Readiness watched : all_values) {
        std::vector<Readiness> v{Readiness::ready, Readiness::unready, watched};
        auto watch = on(2, false);
        CHECK(value(watch, v) == Readiness::ready);
        CHECK(value(combine(Op::all, {on(0), watch}), v) == Readiness::ready);
        CHECK(value(combine(Op::any, {on(1), watch}), v) == Readiness::unready);
        CHECK(value(combine(Op::any, {watch}), v) == Readiness::ready);
        CHECK(value(combine(Op::all, {watch}), v) == Readiness::ready);
        CHECK(value(combine(Op::at_least, {on(0), on(1), watch}, 2), v) == Readiness::unready);
        CHECK(value(combine(Op::at_least, {watch}, 1), v) == Readiness::ready);
        CHECK(value(combine(Op::negate, {watch}), v) == Readiness::ready);
    }
}

TEST_CASE("L6: several targets of a check: any has it, unless require says majority or all") {
    using Of = Requirements::Of;
    for (Of of : {Of::reported, Of::any, Of::majority, Of::all})
        for (std::size_t n = 1; n <= 4; ++n) {
            Bench b({"10.1.0.1"}, of);
            b.model.services[0].application.reset();
            b.model.services[0].stateful = on(db);
            for (std::size_t i = 0; i < n; ++i)
                b.model.services[0].endpoints[0].targets[db].push_back({"pg" + std::to_string(i), {}});
            b.bind_members();
            REQUIRE(b.members.size() == n);
            std::size_t wanted = of == Of::all ? n : (of == Of::majority ? n / 2 + 1 : 1);
            each_state(n, [&](const std::vector<Readiness>& v) {
                for (MemberSlot i = 0; i < n; ++i) b.set(i, v[i]);
                CHECK(b.judged().stateful == by_completion(v, [&](auto& c) {
                          return static_cast<std::size_t>(std::ranges::count(c, true)) >= wanted;
                      }));
                CHECK(b.judged().application == Readiness::ready);
            });
        }
}

TEST_CASE("L6: a failing address is withdrawn alone; the endpoint stays while one of them answers") {
    Bench b({"10.1.0.1", "10.1.0.2", "10.1.0.3"});
    b.bind_members();
    each_state(3, [&](const std::vector<Readiness>& v) {
        for (MemberSlot i = 0; i < 3; ++i) b.set(i, v[i]);
        Assessment a = b.judged();
        for (std::size_t i = 0; i < 3; ++i) CHECK(a.healthy[i] == (v[i] == Readiness::ready));
        CHECK(a.application == by_completion(v, [](auto& c) { return c[0] || c[1] || c[2]; }));
    });
}

TEST_CASE("L11: IPv4 decides where there is any; one that lost IPv6 stays") {
    Bench b({"10.1.0.1", "2001:db8::1"});
    b.bind_members();
    each_state(2, [&](const std::vector<Readiness>& v) {
        b.set(0, v[0]);
        b.set(1, v[1]);
        Assessment a = b.judged();
        CHECK(a.application == v[0]);
        CHECK(a.lost_v4 == (v[0] == Readiness::unready && v[1] == Readiness::ready));
        CHECK(a.lost_v6 == (v[0] == Readiness::ready && v[1] == Readiness::unready));
    });
}

TEST_CASE(
    "H7: an address that is unchecked on purpose has no say, and is answered as long as the others are") {
    Bench b({"10.1.0.1", "10.1.0.2"});
    b.model.services[0].endpoints[0].unchecked_addresses = {ip("10.1.0.2")};
    b.bind_members();
    REQUIRE(b.members.size() == 1);
    each_state(1, [&](const std::vector<Readiness>& v) {
        b.set(0, v[0]);
        CHECK(b.judged().application == v[0]);
        CHECK(b.judged().healthy == std::vector<bool>{v[0] == Readiness::ready, true});
    });
    Bench all({"10.1.0.1"});
    all.model.services[0].endpoints[0].unchecked_addresses = {ip("10.1.0.1")};
    all.bind_members();
    CHECK(all.members.empty());
    CHECK(all.judged().application == Readiness::ready);
}

TEST_CASE("an endpoint of IPv6 alone is judged by it") {
    Bench b({"2001:db8::1"});
    b.bind_members();
    b.set(0, Readiness::unready);
    CHECK(b.judged().application == Readiness::unready);
    CHECK_FALSE(b.judged().lost_v4);
    b.set(0, Readiness::ready);
    CHECK(b.judged().application == Readiness::ready);
}

TEST_CASE("a target that judges the whole endpoint takes all of its addresses out") {
    Bench b({"10.1.0.1", "10.1.0.2"});
    b.model.services[0].endpoints[0].targets[web] = {{"app.internal", {}}};
    b.bind_members();
    b.set(0, Readiness::unready);
    CHECK(b.judged().application == Readiness::unready);
    CHECK(b.judged().healthy == std::vector<bool>{false, false});
    b.set(0, Readiness::ready);
    CHECK(b.judged().healthy == std::vector<bool>{true, true});
}

TEST_CASE(
    "L1: with an eventually consistent store lag does not take a serving endpoint out, role and quorum do") {
    Bench b({"10.1.0.1"});
    b.model.services[0].application.reset();
    b.model.services[0].stateful = on(db);
    b.bind_members();
    b.set(0, Readiness::ready);
    b.members[0].health.keeps_up.verdict = Readiness::unready;
    CHECK(b.judged(Measure::lenient).stateful == Readiness::ready);
    CHECK(b.judged(Measure::verdict).stateful == Readiness::unready);
    b.members[0].health.meets.verdict = Readiness::unready;
    CHECK(b.judged(Measure::lenient).stateful == Readiness::unready);
    b.set(0, Readiness::unready);
    CHECK(b.judged(Measure::lenient).stateful == Readiness::unready);
}

TEST_CASE("unchecked endpoints are ready") {
    Bench b({"10.1.0.1"});
    b.model.services[0].unchecked = true;
    b.bind_members();
    CHECK(b.judged().application == Readiness::ready);
    CHECK(b.judged().stateful == Readiness::ready);
    CHECK(b.judged().healthy == std::vector<bool>{true});
}

TEST_CASE("the culprit is a member that is unready, else one that is undecided, else none") {
    Bench b({"10.1.0.1", "10.1.0.2"});
    b.bind_members();
    const BoundEndpoint& e = b.binding.services[0][0];
    b.set(0, Readiness::ready);
    b.set(1, Readiness::ready);
    CHECK(culprit(e, b.members) == nullptr);
    b.set(0, Readiness::undecided);
    CHECK(culprit(e, b.members) == &b.members[0]);
    b.set(1, Readiness::unready);
    CHECK(culprit(e, b.members) == &b.members[1]);
}

TEST_CASE("L6: an endpoint that is answered as a name is judged by the targets of its checks") {
    Bench b({});
    b.model.services[0].endpoints[0].cname = Name::parse("lb.example.net");
    b.model.services[0].endpoints[0].targets[web] = {{.host = std::string("lb.example.net"), .port = 443}};
    b.bind_members();
    REQUIRE(b.members.size() == 1);
    for (Readiness r : {Readiness::undecided, Readiness::ready, Readiness::unready}) {
        b.set(0, r);
        CHECK(b.judged().application == r);
        CHECK_FALSE(b.judged().lost_v4);
    }
}

TEST_CASE("L11: min_healthy counts the addresses of each family by itself") {
    Bench b({"10.1.0.1", "10.1.0.2", "10.1.0.3", "2001:db8::1", "2001:db8::2"});
    b.model.services[0].min_healthy.share = 0.5; // 2 of 3, 1 of 2
    b.bind_members();
    each_state(5, [&](const std::vector<Readiness>& v) {
        for (MemberSlot i = 0; i < 5; ++i) b.set(i, v[i]);
        Assessment a = b.judged();
        auto by_v4 = by_completion(v, [](auto& c) { return c[0] + c[1] + c[2] >= 2; });
        auto by_v6 = by_completion(v, [](auto& c) { return c[3] || c[4]; });
        CHECK(a.application == by_v4);
        CHECK(a.lost_v4 == (by_v4 == Readiness::unready && by_v6 == Readiness::ready));
        CHECK(a.lost_v6 == (by_v4 == Readiness::ready && by_v6 == Readiness::unready));
        for (std::size_t i = 0; i < 5; ++i)
            CHECK(a.healthy[i] == (v[i] == Readiness::ready && !(i >= 3 && a.lost_v6)));
    });
}
