// L4, H6: when a node doubts itself, as a table of worlds.
#include "policies/doubt.hpp"
#include "tests/unit/policies/builders.hpp"

#include <algorithm>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

constexpr Instant since = dawn;
constexpr DatacenterIndex east = 0, west = 1, eu = 2;

/// Witnesses of one place, by what their latest result was: 's' silent, 'a' answered, '.' none since.
struct Place {
    std::optional<DatacenterIndex> datacenter; ///< unset: references
    std::string results;
};

std::vector<Witness> witnesses(const std::vector<Place>& places) {
    std::vector<Witness> list;
    for (const Place& p : places)
        for (char c : p.results)
            list.push_back({.index = static_cast<std::uint32_t>(list.size()),
                            .datacenter = p.datacenter.value_or(0),
                            .reference = !p.datacenter,
                            .begun = c == '.' ? since - 1ns : since,
                            .silent = c == 's'});
    return list;
}

constexpr std::nullopt_t references = std::nullopt;
std::string many(char c, std::size_t n) { return std::string(n, c); }

} // namespace

TEST_CASE("H6: a node doubts itself in these worlds and in no others") {
    struct Row {
        const char* world;
        std::vector<Place> places;
        std::optional<DatacenterIndex> home;
        bool doubt;
    };
    const Row rows[] = {
        {"1,000 targets of three datacenters silent at once, outside",
         {{east, many('s', 334)}, {west, many('s', 333)}, {eu, many('s', 333)}},
         {},
         true},
        {"the same from inside east", {{east, many('a', 10)}, {west, "sss"}, {eu, "sss"}}, east, true},
        {"one dead of two, plus one flaky target in the other", {{east, "ssss"}, {west, "saaa"}}, {}, false},
        {"one dead of two, seen from inside the living one", {{east, "aaaa"}, {west, "ssss"}}, east, false},
        {"two dead of three, node outside", {{east, "ssss"}, {west, "ssss"}, {eu, "aaaa"}}, {}, false},
        {"two dead of three, node inside the third, no references",
         {{east, "aaaa"}, {west, "ssss"}, {eu, "ssss"}},
         east,
         true},
        {"two dead of three, node inside the third, a reference answers",
         {{east, "aaaa"}, {west, "ssss"}, {eu, "ssss"}, {references, "sa"}},
         east,
         false},
        {"two of two dark, no references", {{east, "ss"}, {west, "ss"}}, {}, true},
        {"one foreign datacenter and no references: act", {{east, "a"}, {west, "sss"}}, east, false},
        {"one foreign datacenter, dark, and references silent",
         {{west, "ss"}, {references, "ss"}},
         east,
         true},
        {"references silent while a foreign datacenter answers: an alarm, no doubt",
         {{east, "aaa"}, {west, "sss"}, {references, "ss"}},
         {},
         false},
        {"one reference that answers is enough",
         {{east, "sss"}, {west, "sss"}, {references, "ssa"}},
         {},
         false},
        {"the home datacenter is not foreign: its answers speak for nobody",
         {{east, many('a', 50)}, {west, "ss"}, {eu, "ss"}},
         east,
         true},
        {"half silent is not dark", {{east, "sa"}, {west, "ss"}}, {}, false},
        {"more than half is", {{east, "ssa"}, {west, "ss"}}, {}, true},
        {"a refusal is an answer", {{east, "a"}, {west, "ss"}}, {}, false},
        {"nobody is asked and nothing counts", {}, {}, false},
        {"only the home datacenter", {{east, "sss"}}, east, false},
    };
    for (const Row& r : rows) {
        CAPTURE(r.world);
        World w = judge(witnesses(r.places), r.home, since, false);
        CHECK(w.look.empty());
        CHECK(w.doubt == r.doubt);
    }
}

TEST_CASE("results begun before the member's first silent one say nothing: up to three a datacenter are "
          "looked at") {
    auto list = witnesses({{east, "....."}, {west, "s."}, {eu, ".."}});
    World w = judge(list, {}, since, false);
    CHECK(w.look == std::vector<std::uint32_t>{0, 1, 2, 7, 8}); // west has spoken
    SUBCASE("after a timeout a datacenter not heard from is dark") {
        World settled = judge(list, {}, since, true);
        CHECK(settled.look.empty());
        CHECK(settled.dark == 3);
        CHECK(settled.doubt);
    }
}

TEST_CASE("the home datacenter is not looked at for it, references are") {
    World w = judge(witnesses({{east, "..."}, {west, "ss"}, {references, ".."}}), east, since, false);
    CHECK(w.look == std::vector<std::uint32_t>{5, 6});
    CHECK_FALSE(w.doubt); // not before they were asked
    CHECK(judge(witnesses({{east, "..."}, {west, "ss"}, {references, ".."}}), east, since, true).doubt);
}

TEST_CASE("old results do not tip a datacenter that has been heard") {
    World w = judge(witnesses({{east, "a....."}, {west, "ss"}}), {}, since, false);
    CHECK(w.dark == 1);
    CHECK(w.counting == 2);
    CHECK_FALSE(w.doubt);
}

TEST_CASE("references silent is told apart from doubt") {
    CHECK(judge(witnesses({{east, "a"}, {references, "ss"}}), {}, since, false).references_silent);
    CHECK_FALSE(judge(witnesses({{east, "a"}, {references, "sa"}}), {}, since, false).references_silent);
    CHECK_FALSE(judge(witnesses({{east, "a"}}), {}, since, false).references_silent); // there are none
}

TEST_CASE("any world: doubt means that every foreign datacenter is dark and nothing speaks for this node") {
    // Three datacenters and references, up to two witnesses each, every combination of results.
    const std::string results[] = {"", "s", "a", "ss", "sa", "aa"};
    auto dark = [](const std::string& r) {
        return static_cast<std::size_t>(std::ranges::count(r, 's')) * 2 > r.size();
    };
    for (auto& e : results)
        for (auto& w : results)
            for (auto& u : results)
                for (auto& refs : results)
                    for (std::optional<DatacenterIndex> home :
                         {std::optional<DatacenterIndex>{}, std::optional{east}}) {
                        std::vector<Place> places{{west, w}, {eu, u}, {references, refs}};
                        places.push_back({east, e});
                        std::size_t counting = 0, silent_ones = 0;
                        for (auto& p : places)
                            if (p.datacenter && p.datacenter != home && !p.results.empty()) {
                                ++counting;
                                silent_ones += dark(p.results);
                            }
                        bool all_dark = counting == silent_ones;
                        bool refs_silent = !refs.empty() && refs.find('a') == std::string::npos;
                        bool expected = all_dark && (refs.empty() ? silent_ones >= 2 : refs_silent);
                        bool got = judge(witnesses(places), home, since, false).doubt;
                        if (got != expected) {
                            FAIL(e << "/" << w << "/" << u << "/" << refs << " home " << home.has_value());
                        }
                    }
}
