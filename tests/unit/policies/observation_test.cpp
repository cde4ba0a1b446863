// The words of the closed lists, and the rhythm of looking again (L1, L2).
#include "tests/unit/policies/builders.hpp"

#include <set>

using namespace fairway;
using namespace fairway::policies::test;

namespace {

template<class E> std::set<std::string> words_up_to(E last) {
    std::set<std::string> words;
    for (unsigned i = 0; i <= static_cast<unsigned>(last); ++i)
        words.insert(std::string(to_string(static_cast<E>(i))));
    CHECK(words.size() == static_cast<unsigned>(last) + 1); // no two alike
    CHECK_FALSE(words.contains(""));
    return words;
}

Check check_with(Requirements want = {}) {
    return {.name = "db", .kind = PostgresCheck{}, .requirements = want};
}
Observation facts(Facts f) {
    Observation o = passed(dawn);
    o.facts = std::move(f);
    return o;
}

/// How many looks in a row come soon after such a result, before the interval is kept again.
int quick_looks(Cadence cadence, const Observation& o, const Check& check, int most = 20) {
    int n = 0;
    while (n < most && next_look(cadence, o, check)) ++n;
    return n;
}

} // namespace

TEST_CASE("every word of every closed list is its own") {
    auto reasons = words_up_to(Reason::internal);
    CHECK(reasons.contains("timeout_first_byte"));
    for (const std::string& w : reasons) // a metric label
        CHECK(w.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos);
    CHECK(words_up_to(Outcome::unknown) == std::set<std::string>{"degraded", "fail", "pass", "unknown"});
    using namespace fairway::policies;
    words_up_to(Severity::critical);
    words_up_to(Readiness::unready);
    words_up_to(SwitchCause::requested_failback);
    words_up_to(SwitchStep::obsolete);
    auto changes = words_up_to(Change::configuration_refused);
    CHECK(changes.contains("two-primaries"));
    CHECK(changes.contains("switch-obsolete"));
}

TEST_CASE(
    "rule 1: time-outs and unreachability are silence, everything else has spoken or is our own fault") {
    std::set<Reason> silences{Reason::timeout_connect, Reason::timeout_tls, Reason::timeout_first_byte,
                              Reason::timeout_body, Reason::unreachable};
    for (unsigned i = 0; i <= static_cast<unsigned>(Reason::internal); ++i) {
        auto r = static_cast<Reason>(i);
        CHECK(is_silence(r) == silences.contains(r));
        CHECK(seen(Outcome::fail, r, dawn).answered() == !silences.contains(r));
        CHECK_FALSE(seen(Outcome::unknown, r, dawn).answered());
    }
}

TEST_CASE("facts are told in words, and only those that were said") {
    CHECK(Facts{}.to_string().empty());
    Facts f = primary(3, 77);
    f.quorum = true;
    f.lag = 120ms;
    CHECK(f.to_string() == "role=primary quorum=yes epoch=3 position=77 lag=120ms system=sys");
}

TEST_CASE("L2: a failing result below fall is looked at again after the re-test, then the interval is kept") {
    for (unsigned fall : {1u, 2u, 3u, 5u}) {
        Check check = check_with();
        check.timing.fall = fall;
        check.timing.retest = 170ms;
        CHECK(quick_looks({}, refused(dawn), check) == static_cast<int>(fall) - 1);
        CHECK(quick_looks({}, silent(dawn), check) == static_cast<int>(fall) - 1);
        Cadence c;
        if (fall > 1) CHECK(next_look(c, refused(dawn), check) == Duration{170ms});
        next_look(c, passed(dawn), check); // the opposite result begins anew
        CHECK(quick_looks(c, refused(dawn), check) == static_cast<int>(fall) - 1);
    }
}

TEST_CASE("a pass keeps the interval, and so does a fault of our own, which changes no rhythm") {
    Check check = check_with();
    CHECK(quick_looks({}, passed(dawn), check) == 0);
    Cadence c;
    next_look(c, refused(dawn), check);
    CHECK_FALSE(next_look(c, unknown(dawn), check));
    CHECK(c.fails == 1);
}

TEST_CASE("L1: a primary role gained is looked at once more, one lost as often as a failure") {
    Check check = check_with();
    Cadence c;
    CHECK(quick_looks(c, facts(primary(1)), check) == 1);
    next_look(c, facts(primary(1)), check);
    next_look(c, facts(primary(1)), check);
    CHECK(quick_looks(c, facts(standby(1)), check) == 2);
    CHECK(quick_looks(c, facts({}), check) == 2);
    Cadence gone_silent;
    for (int i = 0; i < 5; ++i) next_look(gone_silent, facts(primary(1)), check);
    CHECK(quick_looks(gone_silent, silent(dawn), check) == 2); // not for ever
    Cadence always_standby;
    CHECK(quick_looks(always_standby, facts(standby(1)), check) == 0);
}

TEST_CASE("L1: a requirement lost is looked at like a failure") {
    struct Row {
        Requirements want;
        Facts facts;
        bool lost;
    };
    const Row rows[] = {
        {{}, standby(1), false},
        {{.role = Role::standby}, standby(1), false},
        {{.role = Role::primary}, standby(1), true},
        {{}, {.quorum = false}, true},
        {{}, {.quorum = true}, false},
        {{.quorum = false}, {.quorum = false}, false},
        {{.max_lag = 10s}, {.lag = 10s}, false},
        {{.max_lag = 10s}, {.lag = 10s + 1ns}, true},
        {{.max_lag = 10s}, {}, false},
    };
    for (const Row& r : rows) CHECK(quick_looks({}, facts(r.facts), check_with(r.want)) == (r.lost ? 2 : 0));
}
