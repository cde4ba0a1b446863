// L13: whose claim to be primary is followed. Every combination of three sites against the law read aloud.
#include "policies/follow.hpp"
#include "tests/unit/policies/builders.hpp"

#include <algorithm>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

constexpr std::uint64_t followed_epoch = 5;
const Followed followed_east{0, followed_epoch, "sys"};

/// When a site's claim was seen: `early` and `late` are not at once, `both` spans them.
enum class When { early, late, both };

SiteClaim fresh(EndpointIndex e, std::optional<std::uint64_t> epoch, std::string system, bool confirmed,
                When when) {
    SiteClaim c{.endpoint = e,
                .fresh = true,
                .confirmed = confirmed,
                .answers = true,
                .epoch = epoch,
                .system = std::move(system)};
    c.first_seen = when == When::late ? dawn + 5s : dawn;
    c.latest_begun = when == When::early ? dawn : dawn + 5s;
    return c;
}
SiteClaim not_fresh(EndpointIndex e, bool gone) { return {.endpoint = e, .gone = gone}; }

std::vector<SiteClaim> every_claim(EndpointIndex e) {
    std::vector<SiteClaim> list{not_fresh(e, false), not_fresh(e, true)};
    for (std::optional<std::uint64_t> epoch :
         {std::optional<std::uint64_t>{}, std::optional{followed_epoch - 1}, std::optional{followed_epoch},
          std::optional{followed_epoch + 1}})
        for (const char* system : {"sys", "other"})
            for (bool confirmed : {false, true})
                for (When when : {When::early, When::late, When::both})
                    list.push_back(fresh(e, epoch, system, confirmed, when));
    return list;
}

/// L13, sentence by sentence.
struct Law {
    const std::optional<Followed>& followed;
    std::span<const SiteClaim> claims;

    bool may_follow(const SiteClaim& c) const {
        if (!followed) return true;
        bool below = c.epoch && followed->epoch && *c.epoch < *followed->epoch; // without an epoch: equal
        bool another = !c.system.empty() && !followed->system.empty() && c.system != followed->system;
        return !below && !another;
    }
    std::vector<EndpointIndex> fresh_claims(bool followable) const {
        std::vector<EndpointIndex> list;
        for (const SiteClaim& c : claims)
            if (c.fresh && may_follow(c) == followable) list.push_back(c.endpoint);
        return list;
    }
    /// "each seen by a probe begun after the other was first seen"
    bool both_primary(EndpointIndex a, EndpointIndex b) const {
        return claims[a].latest_begun >= claims[b].first_seen &&
               claims[b].latest_begun >= claims[a].first_seen;
    }
    std::vector<EndpointIndex> primaries() const {
        std::vector<EndpointIndex> list;
        auto fresh = fresh_claims(true);
        for (EndpointIndex a : fresh)
            if (std::ranges::any_of(fresh, [&](EndpointIndex b) { return a != b && both_primary(a, b); }))
                list.push_back(a);
        return list;
    }
    /// "once the followed claim is gone (confirmed)"; a claim below its own epoch is not that claim any more
    bool followed_claim_is_gone() const {
        if (!followed) return true;
        const SiteClaim& c = claims[followed->endpoint];
        return c.gone || (c.fresh && c.confirmed && !may_follow(c));
    }
    std::optional<EndpointIndex> answer() const {
        auto stay = followed ? std::optional(followed->endpoint) : std::nullopt;
        auto fresh = fresh_claims(true);
        if (fresh.size() != 1 || fresh[0] == stay) return stay;
        return followed_claim_is_gone() && claims[fresh[0]].confirmed ? std::optional(fresh[0]) : stay;
    }
};

} // namespace

TEST_CASE("L13: three sites in every state: followed is what the law says, and nothing else is") {
    auto east = every_claim(0), west = every_claim(1), eu = every_claim(2);
    std::size_t wrong = 0, moves = 0;
    for (const std::optional<Followed>& before : {std::optional<Followed>{}, std::optional{followed_east}})
        for (auto& a : east)
            for (auto& b : west)
                for (auto& c : eu) {
                    const SiteClaim claims[] = {a, b, c};
                    FollowDecision d = follow(before, claims);
                    Law law{before, claims};
                    auto site = d.followed ? std::optional(d.followed->endpoint) : std::nullopt;
                    auto was = before ? std::optional(before->endpoint) : std::nullopt;
                    bool right = site == law.answer() && d.moved == (site != was) &&
                                 d.claimed == !law.fresh_claims(true).empty() &&
                                 d.primaries == law.primaries() && d.refused == law.fresh_claims(false);
                    // Two fresh followable claims never move anything, and both are looked at until it is
                    // clear.
                    if (law.fresh_claims(true).size() >= 2)
                        right &= !d.moved && (!d.primaries.empty() || d.look == law.fresh_claims(true));
                    // Never below the followed epoch, never another system, and nothing without a new claim.
                    if (before && d.followed)
                        right &= d.followed->epoch >= before->epoch && d.followed->system == before->system;
                    if (d.moved) right &= claims[*site].fresh && claims[*site].confirmed;
                    wrong += !right;
                    moves += d.moved;
                }
    CHECK(wrong == 0);
    CHECK(moves > 1000);
}

TEST_CASE("a claim without an epoch or a system counts as equal, and takes neither from what was followed") {
    const SiteClaim claims[] = {not_fresh(0, true), fresh(1, {}, "", true, When::both)};
    FollowDecision d = follow(followed_east, claims);
    REQUIRE(d.moved);
    CHECK(d.followed->endpoint == 1);
    CHECK(d.followed->epoch == followed_epoch);
    CHECK(d.followed->system == "sys");
}

TEST_CASE("the followed site's own epoch may rise without a move") {
    const SiteClaim claims[] = {fresh(0, followed_epoch + 3, "sys", true, When::both), not_fresh(1, true)};
    FollowDecision d = follow(followed_east, claims);
    CHECK_FALSE(d.moved);
    CHECK(d.followed->epoch == followed_epoch + 3);
}

namespace {

/// One site with some database members, each told what it has seen.
struct Site {
    explicit Site(std::size_t targets) {
        Service& s = follow_service(model);
        for (std::size_t i = 0; i < targets; ++i)
            s.endpoints[0].targets[db].push_back({"pg" + std::to_string(i), {}});
        binding = bind(model);
        for (const ProbeSpec& spec : binding.probes) members.push_back({.spec = spec});
    }
    MemberState& pg(std::size_t i) { return members[binding.services[0][0].stateful[0].members[i]]; }
    void says(std::size_t i, Observation o, Facts f = {}) {
        o.facts = std::move(f);
        auto& m = pg(i);
        auto step = m.health.observe(o, *m.spec.check, false, {});
        if (step.judge) m.health.works.condemn(o.ended);
    }
    SiteClaim claim(Instant now) { return claim_of(0, binding.services[0][0], members, now); }
    Model model = world(1);
    Binding binding;
    std::vector<MemberState> members;
};

} // namespace

TEST_CASE("L13: a claim is fresh for 2 intervals and a timeout, confirmed by a re-test, and then too old") {
    Site site(1);
    CHECK_FALSE(site.claim(dawn).fresh);
    CHECK_FALSE(site.claim(dawn).gone); // nobody has looked yet: that confirms nothing
    site.says(0, passed(dawn), primary(3));
    CHECK(site.claim(dawn).fresh);
    CHECK_FALSE(site.claim(dawn).confirmed);
    site.says(0, passed(dawn + 250ms), primary(3));
    SiteClaim c = site.claim(dawn + 250ms);
    CHECK(c.confirmed);
    CHECK(c.epoch == 3);
    CHECK(c.first_seen == dawn);
    CHECK(c.stale_at == dawn + 250ms + 6s);
    CHECK(site.claim(dawn + 250ms + 6s).fresh);
    CHECK_FALSE(site.claim(dawn + 250ms + 6s + 1ns).fresh);
    CHECK(site.claim(dawn + 250ms + 6s + 1ns).gone);
}

TEST_CASE(
    "L13: a later answer that says otherwise, or DOWN, ends freshness at once; gone is confirmed by fall") {
    Site site(1);
    site.says(0, passed(dawn), primary(3));
    site.says(0, passed(dawn + 250ms), primary(3));
    Instant when = dawn + 2s;
    SUBCASE("a standby now") {
        site.says(0, passed(when), standby(3));
        CHECK_FALSE(site.claim(when).fresh);
        CHECK_FALSE(site.claim(when).gone);
        site.says(0, passed(when), standby(3));
        site.says(0, passed(when), standby(3));
        CHECK(site.claim(when).gone);
        CHECK_FALSE(site.claim(when).roleless); // it still reports one
        CHECK(site.claim(when).answers);
    }
    SUBCASE("refused") {
        for (int i = 0; i < 3; ++i) {
            CHECK_FALSE(site.claim(when).gone);
            site.says(0, refused(when));
            CHECK_FALSE(site.claim(when).fresh);
        }
        CHECK(site.claim(when).gone);
        CHECK(site.claim(when).roleless);
    }
    SUBCASE("silent: it stays fresh until it is down") {
        site.says(0, silent(when));
        site.says(0, silent(when));
        CHECK(site.claim(when).fresh);
        CHECK_FALSE(site.claim(when).roleless);
        site.says(0, silent(when));
        CHECK_FALSE(site.claim(when).fresh);
        CHECK(site.claim(when).gone);
        CHECK(site.claim(when).roleless);
    }
}

TEST_CASE(
    "L6, L15: several targets of one site: it holds the role if any has it, and is silent only if all are") {
    Site site(3);
    for (Duration d : {0ms, 250ms, 500ms}) {
        site.says(0, passed(dawn + d), standby(4));
        site.says(1, passed(dawn + d), primary(4));
        site.says(2, passed(dawn + d), standby(4));
    }
    CHECK(site.claim(dawn + 500ms).confirmed);
    for (int i = 0; i < 3; ++i) site.says(1, refused(dawn + 2s));
    CHECK(site.claim(dawn + 2s).gone);
    CHECK_FALSE(site.claim(dawn + 2s).roleless); // two standbys still answer
    for (std::size_t pg : {0u, 2u})
        for (int i = 0; i < 3; ++i) site.says(pg, refused(dawn + 3s));
    CHECK(site.claim(dawn + 3s).roleless);
}

TEST_CASE("of two claims within one site the newer epoch speaks for it") {
    for (bool newer_first : {true, false}) {
        Site site(2);
        site.says(newer_first ? 0 : 1, passed(dawn), primary(9));
        site.says(newer_first ? 1 : 0, passed(dawn), primary(8));
        CHECK(site.claim(dawn).epoch == 9);
    }
}
