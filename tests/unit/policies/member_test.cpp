// H1, L2: rise, fall, hold-down, and what silence may and may not do.
#include "policies/member.hpp"
#include "tests/unit/policies/builders.hpp"

#include <random>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

/// The same promise written another way: nothing is counted, the whole history is read again at each result.
class ReadAgain {
  public:
    Readiness verdict = Readiness::undecided;

    void take(bool pass, Instant end, const CheckTiming& t) {
        history_.push_back({pass, end});
        std::size_t first = history_.size() - 1;
        while (first > 0 && history_[first - 1].first == pass) --first;
        std::size_t length = history_.size() - first;
        Duration unbroken = end - history_[first].second;
        if (!pass && length >= t.fall) verdict = Readiness::unready;
        if (pass && verdict == Readiness::undecided) verdict = Readiness::ready;
        if (pass && length >= t.rise && unbroken >= t.hold_down) verdict = Readiness::ready;
    }

  private:
    std::vector<std::pair<bool, Instant>> history_;
};

Check quick(unsigned fall = 3, unsigned rise = 5, Duration hold_down = 30s) {
    return {
        .name = "web", .kind = TcpCheck{}, .timing = {.hold_down = hold_down, .fall = fall, .rise = rise}};
}

/// Takes results until the member is down.
void take_down(MemberHealth& m, const Check& t, Instant& when) {
    for (unsigned i = 0; i < t.timing.fall; ++i) m.observe(refused(when += 250ms), t, false, {});
    REQUIRE(m.ready() == Readiness::unready);
}

} // namespace

TEST_CASE("H1: any sequence of results leads where reading the whole history again leads") {
    constexpr unsigned seed = 1;
    std::mt19937 random(seed);
    auto draw = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    for (int sequence = 0; sequence < 100'000; ++sequence) {
        Check t = quick(1 + draw(4), 1 + draw(5), draw(4) * 3s);
        unsigned bias = 1 + draw(9);
        MemberHealth m;
        ReadAgain reference;
        Instant when = dawn;
        for (int i = 0; i < 12; ++i) {
            when += std::chrono::milliseconds(250 + draw(3000));
            bool pass = draw(10) < bias;
            if (draw(12) == 0) m.observe(unknown(when), t, false, {});
            else {
                m.observe(pass ? passed(when) : refused(when), t, false, {});
                reference.take(pass, when, t.timing);
            }
            if (m.works.verdict != reference.verdict) {
                FAIL("seed " << seed << ", sequence " << sequence << ", result " << i);
            }
        }
    }
}

TEST_CASE("whoever depends on a member decides anew whenever anything but its freshness is otherwise") {
    std::mt19937 random(1);
    auto draw = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    Check t = quick(2, 3, 5s);
    t.requirements.max_lag = 5s;
    MemberHealth m;
    Instant when = dawn;
    unsigned changes = 0;
    for (int i = 0; i < 100'000; ++i) {
        when += 1s;
        Observation seen = passed(when);
        if (draw(4) == 0) seen = refused(when);
        else if (draw(4) == 0) seen = silent(when);
        else if (draw(6) == 0) seen = unknown(when);
        else if (draw(6) == 0) seen.outcome = Outcome::degraded;
        if (draw(6) == 0) seen.facts.weight = 0.25 * draw(4);
        const bool doubt = draw(3) == 0;
        const MemberHealth before = m;
        const auto step = m.observe(seen, t, doubt, {.meet = draw(6) > 0, .keep_up = draw(6) > 0});

        const bool row = (m.works.fails > 0) != (before.works.fails > 0);
        const bool ranked = m.whole.verdict != before.whole.verdict || m.weight != before.weight;
        const bool moved = m.works.verdict != before.works.verdict ||
                           m.meets.verdict != before.meets.verdict ||
                           m.keeps_up.verdict != before.keeps_up.verdict;
        const bool held = m.held != before.held;
        REQUIRE(step.row == row);
        REQUIRE(step.ranked == ranked);
        REQUIRE(step.held == (held && m.held));
        REQUIRE((step.moved(Moved::up) || step.moved(Moved::down)) == moved);
        const bool changed = row || ranked || moved || held || m.last.outcome != before.last.outcome;
        if (changed) REQUIRE(step.changed);
        changes += changed;
    }
    CHECK(changes > 10'000);
    CHECK(changes < 90'000);
}

TEST_CASE("alternating results never move a member at fall >= 2") {
    for (unsigned fall = 2; fall <= 4; ++fall)
        for (bool up : {true, false}) {
            MemberHealth m;
            Check t = quick(fall, 2, 0s);
            Instant when = dawn;
            if (up) m.observe(passed(when), t, false, {});
            else take_down(m, t, when);
            Readiness before = m.ready();
            for (int i = 0; i < 1000; ++i)
                m.observe(i % 2 == up ? passed(when += 2s) : refused(when += 2s), t, false, {});
            CHECK(m.ready() == before);
        }
}

TEST_CASE("H4: unknown moves no counter, neither up nor down nor half way") {
    MemberHealth m;
    Check t = quick();
    Instant when = dawn;
    for (int i = 0; i < 10; ++i) m.observe(unknown(when += 2s), t, false, {});
    CHECK(m.ready() == Readiness::undecided);

    m.observe(passed(when += 2s), t, false, {});
    m.observe(refused(when += 2s), t, false, {});
    m.observe(refused(when += 2s), t, false, {});
    for (int i = 0; i < 10; ++i) m.observe(unknown(when += 2s), t, false, {});
    CHECK(m.works.fails == 2);
    CHECK(m.ready() == Readiness::ready);
    m.observe(refused(when += 2s), t, false, {});
    CHECK(m.ready() == Readiness::unready);
}

TEST_CASE("L20: an undecided member is up after its first pass, whatever failed before") {
    for (int failed = 0; failed < 3; ++failed) {
        MemberHealth m;
        Instant when = dawn;
        for (int i = 0; i < failed; ++i) m.observe(refused(when += 250ms), quick(), false, {});
        REQUIRE(m.ready() == Readiness::undecided);
        auto step = m.observe(passed(when += 250ms), quick(), false, {});
        CHECK(step.works == Moved::up);
        CHECK(m.ready() == Readiness::ready);
    }
}

TEST_CASE(
    "L2: up again after the later of rise and hold-down, both from the first pass of the unbroken run") {
    struct Row {
        Duration every, hold_down;
        unsigned rise;
        int up_at_pass;
    };
    for (const Row& r : {Row{2s, 30s, 5, 16}, Row{2s, 8s, 5, 5}, Row{2s, 0s, 5, 5}, Row{10s, 30s, 5, 5},
                         Row{10s, 30s, 2, 4}, Row{250ms, 1s, 2, 5}, Row{2s, 0s, 1, 1}}) {
        Check t = quick(3, r.rise, r.hold_down);
        MemberHealth m;
        Instant when = dawn;
        take_down(m, t, when);
        // A run that breaks counts for nothing.
        for (int i = 1; i < r.up_at_pass; ++i) m.observe(passed(when += r.every), t, false, {});
        m.observe(refused(when += r.every), t, false, {});
        for (int i = 1; i <= r.up_at_pass; ++i) {
            CHECK(m.ready() == Readiness::unready);
            m.observe(passed(when += r.every), t, false, {});
        }
        CHECK(m.ready() == Readiness::ready);
        CHECK(m.works.since == when);
    }
}

TEST_CASE("L4: silence brings a member to the brink and no further; evidence takes it over") {
    MemberHealth m;
    Instant when = dawn;
    m.observe(passed(when), quick(), false, {});
    CHECK_FALSE(m.observe(silent(when += 2s), quick(), false, {}).judge);
    CHECK_FALSE(m.observe(silent(when += 2s), quick(), false, {}).judge);
    for (int i = 0; i < 5; ++i) { // asked each time, until somebody has judged
        auto step = m.observe(silent(when += 2s), quick(), false, {});
        CHECK(step.judge);
        CHECK(step.works == Moved::no);
    }
    CHECK(m.ready() == Readiness::ready);

    SUBCASE("the judge condemns it") {
        CHECK(m.works.condemn(when) == Moved::down);
        CHECK(m.works.condemn(when) == Moved::no);
        CHECK(m.ready() == Readiness::unready);
    }
    SUBCASE("a refusal needs no judge") {
        CHECK(m.observe(refused(when += 250ms), quick(), false, {}).works == Moved::down);
    }
    SUBCASE("a pass ends it") {
        m.observe(passed(when += 250ms), quick(), false, {});
        CHECK_FALSE(m.silent_since);
        CHECK(m.works.fails == 0);
    }
}

TEST_CASE("L4: under self-doubt silence is held and evidence is not") {
    MemberHealth m;
    Instant when = dawn;
    m.observe(passed(when), quick(), false, {});
    for (int i = 0; i < 100; ++i) m.observe(silent(when += 2s), quick(), true, {});
    CHECK(m.held);
    CHECK(m.works.fails == 0);
    CHECK(m.ready() == Readiness::ready);
    for (int i = 0; i < 3; ++i) m.observe(refused(when += 250ms), quick(), true, {});
    CHECK_FALSE(m.held);
    CHECK(m.ready() == Readiness::unready);
}

TEST_CASE("silence began with the first silent probe of the failing row") {
    MemberHealth m;
    Instant when = dawn;
    m.observe(passed(when), quick(), false, {});
    m.observe(refused(when += 2s), quick(), false, {});
    auto first_refused = when - 10ms;
    m.observe(silent(when += 3s), quick(), false, {});
    CHECK(m.first_failed == first_refused);
    CHECK(m.silent_since == when - 2s);
}

TEST_CASE("L1: a requirement lost is confirmed by fall and regained like any health") {
    MemberHealth m;
    Instant when = dawn;
    Check t = quick(3, 2, 4s);
    m.observe(passed(when), t, false, {});
    m.observe(passed(when += 2s), t, false, {.meet = false});
    m.observe(passed(when += 2s), t, false, {.meet = false});
    CHECK(m.ready() == Readiness::ready);
    CHECK(m.observe(passed(when += 2s), t, false, {.meet = false}).meets == Moved::down);
    CHECK(m.ready() == Readiness::unready);
    CHECK(m.works.verdict == Readiness::ready); // it works all the same
    m.observe(passed(when += 2s), t, false, {});
    m.observe(passed(when += 2s), t, false, {});
    CHECK(m.ready() == Readiness::unready);
    CHECK(m.observe(passed(when += 2s), t, false, {}).meets == Moved::up);
    CHECK(m.ready() == Readiness::ready);
}

TEST_CASE("L1: a primary role gained needs one re-test, neither rise nor hold-down") {
    MemberHealth m;
    Instant when = dawn;
    Check t = quick();
    t.requirements.role = Role::primary;
    auto says = [&](Facts f, bool meet) {
        Observation o = passed(when += 250ms);
        o.facts = std::move(f);
        return m.observe(o, t, false, {.meet = meet});
    };
    for (int i = 0; i < 3; ++i) says(standby(1), false);
    REQUIRE(m.ready() == Readiness::unready);
    CHECK(says(primary(2), true).meets == Moved::no);
    CHECK(says(primary(2), true).meets == Moved::up);
    CHECK(m.ready() == Readiness::ready);
    // Losing it again is confirmed by fall.
    says(standby(2), false);
    says(standby(2), false);
    CHECK(m.ready() == Readiness::ready);
    says(standby(2), false);
    CHECK(m.ready() == Readiness::unready);
}

TEST_CASE("L1: lag is counted apart from role and quorum") {
    MemberHealth m;
    Instant when = dawn;
    for (int i = 0; i < 3; ++i) m.observe(passed(when += 2s), quick(), false, {.keep_up = false});
    CHECK(m.works.verdict == Readiness::ready);
    CHECK(m.meets.verdict == Readiness::ready);
    CHECK(m.keeps_up.verdict == Readiness::unready);
    CHECK(m.ready() == Readiness::unready);
}

TEST_CASE("degraded works") {
    MemberHealth m;
    m.observe(seen(Outcome::degraded, Reason::ok, dawn), quick(), false, {});
    CHECK(m.ready() == Readiness::ready);
}

TEST_CASE(
    "L13: what a member says of its role is counted in answers, L15: its roleless results with silence") {
    MemberHealth m;
    Instant when = dawn;
    auto says = [&](std::optional<Role> role) {
        Observation o = passed(when += 2s);
        if (role) o.facts = role == Role::primary ? primary(3) : standby(4);
        m.observe(o, quick(), false, {});
    };
    says(Role::primary);
    Instant first = when;
    says(Role::primary);
    CHECK(m.claim.primary_looks == 2);
    CHECK(m.claim.primary_first == first);
    CHECK(m.claim.epoch == 3);

    m.observe(silent(when += 2s), quick(), false, {});
    CHECK(m.claim.role == Role::primary); // silence says nothing
    CHECK(m.claim.primary_looks == 2);
    CHECK(m.claim.roleless == 1);
    m.observe(refused(when += 2s), quick(), false, {});
    CHECK_FALSE(m.claim.role.has_value());
    CHECK(m.claim.roleless == 2);
    CHECK(m.claim.otherwise == 1);
    says(Role::standby);
    CHECK(m.claim.otherwise == 2);
    CHECK(m.claim.roleless == 0);
    CHECK(m.claim.epoch == 4);
    says(Role::primary);
    CHECK(m.claim.otherwise == 0);
    CHECK(m.claim.primary_first == when);
}

TEST_CASE("the last three failures are kept for evidence, newest last") {
    MemberHealth m;
    Instant when = dawn;
    for (Reason r : {Reason::refused, Reason::reset, Reason::closed, Reason::wrong_status})
        m.observe(seen(Outcome::fail, r, when += 1s), quick(9), false, {});
    CHECK(m.recent_failures[0] == "reset");
    CHECK(m.recent_failures[1] == "closed");
    CHECK(m.recent_failures[2] == "wrong_status");
}

TEST_CASE("whoever depends on a member is told of each result that moves it, and not of those that change "
          "nothing") {
    MemberHealth m;
    Instant when = dawn;
    Check t = quick(3, 2, 4s);
    auto changed = [&](Observation o) { return m.observe(o, t, false, {}).changed; };
    CHECK(changed(passed(when += 2s))); // up
    for (int i = 0; i < 20; ++i) changed(passed(when += 2s));
    CHECK_FALSE(changed(passed(when += 2s)));
    for (int i = 0; i < 3; ++i) CHECK(changed(refused(when += 2s))); // on its way down, and down
    take_down(m, t, when);
    for (int i = 0; i < 20; ++i) changed(refused(when += 2s));
    CHECK_FALSE(changed(refused(when += 2s)));
    for (int i = 0; i < 3; ++i) CHECK(changed(passed(when += 2s)));
    CHECK(m.ready() == Readiness::ready);
    CHECK_FALSE(changed(passed(when += 2s)));
}
