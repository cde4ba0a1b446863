// Snapshots: what changes by a verdict, and how it reaches the workers.
#include "dns/handover.hpp"
#include "tests/unit/dns/oracle.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <random>
#include <set>
#include <thread>

using namespace fairway;
using namespace fairway::dns;
using namespace fairway::dns::testing;

namespace {

const std::vector<std::string> records{"@ 3600 SOA ns1 host 1 3600 600 86400 60",
                                       "@ 3600 NS ns1",
                                       "ns1 A 192.0.2.53",
                                       "www CNAME s0",
                                       "*.w A 192.0.2.1",
                                       "sub NS ns.sub",
                                       "ns.sub A 192.0.2.2",
                                       "old DNAME w"};

Model model_with(std::size_t services, std::size_t classes) {
    Model m;
    m.zones = {zone_of("example.com", records)};
    m.services.resize(services);
    for (std::size_t i = 0; i < services; ++i)
        m.services[i].name = *Name::parse("s" + std::to_string(i) + ".example.com");
    m.clients.classes.resize(classes);
    for (std::size_t c = 1; c < classes; ++c)
        m.clients.networks.push_back(
            {{{Family::v4, {10, static_cast<std::uint8_t>(c)}}, 16}, static_cast<ClientClassIndex>(c)});
    return m;
}

AnswerPlan random_plan(std::mt19937_64& rng, std::size_t classes) {
    AnswerPlan plan;
    plan.kind = static_cast<AnswerPlan::Kind>(rng() % 4);
    plan.ttl = static_cast<std::uint32_t>(rng() % 60);
    for (std::size_t c = rng() % 5; c; --c) {
        Choice choice;
        choice.weight = static_cast<std::uint32_t>(rng() % 4);
        for (std::size_t a = rng() % 4; a; --a) {
            IpAddress ip{rng() % 2 ? Family::v4 : Family::v6, {}};
            for (std::size_t i = 0; i < ip.size(); ++i) ip.bytes[i] = static_cast<std::uint8_t>(rng());
            choice.addresses.push_back(ip);
        }
        plan.choices.push_back(choice);
    }
    if (!plan.choices.empty())
        for (std::size_t c = 0; c < classes; ++c)
            plan.by_client.push_back(static_cast<std::uint16_t>(rng() % plan.choices.size()));
    return plan;
}

std::vector<AnswerPlan> random_plans(std::mt19937_64& rng, const Model& m) {
    std::vector<AnswerPlan> plans(m.services.size());
    for (auto& p : plans) p = random_plan(rng, m.clients.classes.size());
    return plans;
}

bool same_answers(const Snapshot& a, const Snapshot& b) {
    for (std::size_t i = 0; i < a.services.size(); ++i)
        if (!(*a.services[i] == *b.services[i])) return false;
    return a.services.size() == b.services.size();
}

} // namespace

TEST_CASE("changing plans one after the other gives what compiling the last ones gives") {
    std::mt19937_64 rng(3);
    const Model m = model_with(20, 5);
    auto plans = random_plans(rng, m);
    auto snapshot = compile(m, plans, 1);
    for (std::uint64_t generation = 2; generation < 300; ++generation) {
        std::set<ServiceIndex> changed;
        while (changed.size() < 1 + generation % 3)
            changed.insert(static_cast<ServiceIndex>(rng() % plans.size()));
        for (const auto s : changed) plans[s] = random_plan(rng, 5);
        const std::vector<ServiceIndex> list(changed.begin(), changed.end());
        const auto next = with_plans(*snapshot, list, plans, generation);
        const auto fresh = compile(m, plans, generation);
        REQUIRE(next->generation == generation);
        REQUIRE(next->fixed == snapshot->fixed);
        REQUIRE(same_answers(*next, *fresh));
        for (ServiceIndex s = 0; s < plans.size(); ++s)
            if (!changed.contains(s)) REQUIRE(next->services[s] == snapshot->services[s]);
        snapshot = next;
    }
}

TEST_CASE("services whose clients are spread alike share one table, as long as they do") {
    std::mt19937_64 rng(6);
    const Model m = model_with(100, 50);
    std::vector<AnswerPlan> plans(100);
    for (std::size_t s = 0; s < plans.size(); ++s) {
        plans[s].kind = AnswerPlan::Kind::by_client;
        for (std::uint8_t c = 0; c < 3; ++c)
            plans[s].choices.push_back(
                {c, {IpAddress{Family::v4, {192, 0, static_cast<std::uint8_t>(s), c}}}, 1});
        for (std::uint16_t c = 0; c < 50; ++c) plans[s].by_client.push_back(c % 3);
    }
    auto snapshot = compile(m, plans, 1);
    CHECK(snapshot->tables->known() == 1);
    for (std::uint64_t generation = 2; generation < 1000; ++generation) { // one differs, each time otherwise
        const std::vector<ServiceIndex> one{static_cast<ServiceIndex>(generation % 100)};
        auto changed = plans;
        for (auto& c : changed[one[0]].by_client) c = static_cast<std::uint16_t>(rng() % 3);
        const auto next = with_plans(*snapshot, one, changed, generation);
        REQUIRE(same_answers(*next, *compile(m, changed, generation)));
        REQUIRE(next->services[one[0]]->by_class(7) == changed[one[0]].by_client[7]);
        REQUIRE(snapshot->tables->known() < 130); // what nobody uses is forgotten
    }
}

TEST_CASE("a published generation never goes back") {
    const Model m = model_with(1, 1);
    const auto first = compile(m, std::vector<AnswerPlan>(1), 1);
    Handover handover;
    REQUIRE(handover.publish(first));
    std::mt19937_64 rng(5);
    std::uint64_t highest = 1;
    for (int i = 0; i < 100'000; ++i) {
        auto next = std::make_shared<Snapshot>(*first);
        next->generation = highest - std::min<std::uint64_t>(highest, 3) + rng() % 6;
        const bool newer = next->generation > highest;
        if (newer) highest = next->generation;
        REQUIRE(handover.publish(next) == newer);
        REQUIRE(handover.generation() == highest);
    }
}

TEST_CASE("workers see generations in order while publishers race") {
    const Model m = model_with(3, 1);
    const auto first = compile(m, std::vector<AnswerPlan>(3), 1);
    Handover handover;
    handover.publish(first);
    std::atomic<std::uint64_t> next{2};
    std::atomic<bool> done{false};
    std::atomic<int> back{0};
    std::vector<std::thread> threads;
    for (int w = 0; w < 2; ++w)
        threads.emplace_back([&] {
            SnapshotPtr mine;
            for (std::uint64_t last = 0; !done;) {
                handover.refresh(mine);
                if (mine->generation < last) ++back;
                last = mine->generation;
            }
        });
    std::vector<std::thread> publishers;
    for (int p = 0; p < 2; ++p)
        publishers.emplace_back([&] {
            for (int i = 0; i < 20'000; ++i) {
                auto snapshot = std::make_shared<Snapshot>(*first);
                snapshot->generation = next++;
                handover.publish(snapshot);
            }
        });
    for (auto& t : publishers) t.join();
    done = true;
    for (auto& t : threads) t.join();
    CHECK(back == 0);
    CHECK(handover.generation() == 40'001);
}

TEST_CASE("a replaced snapshot lives as long as a worker holds it, and is freed by the publisher") {
    const Model m = model_with(1, 1);
    auto old = compile(m, std::vector<AnswerPlan>(1), 1);
    const std::weak_ptr<const Snapshot> watched = old;
    Handover handover;
    SnapshotPtr worker;
    handover.publish(std::move(old));
    handover.refresh(worker);
    handover.publish(compile(m, std::vector<AnswerPlan>(1), 2));
    CHECK_FALSE(watched.expired());
    handover.refresh(worker);
    CHECK(worker->generation == 2);
    CHECK_FALSE(watched.expired()); // not on the worker's time
    handover.reap();
    CHECK(watched.expired());
}
