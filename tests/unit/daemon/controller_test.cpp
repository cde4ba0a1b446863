// The controller with simulated seams: what is published when, whatever the store does.
#include "daemon/controller.hpp"
#include "tests/unit/policies/builders.hpp"
#include "tests/unit/probes/virtual_loop.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <random>

using namespace fairway;
using namespace fairway::daemon;
using policies::Change;
namespace make = fairway::policies::test;

namespace {

struct QuietProber : probes::Prober {
    std::vector<probes::Assignment> assigned;
    std::vector<MemberId> looked_at;
    std::vector<std::string> names;
    void assign(std::vector<probes::Assignment> members) override { assigned = std::move(members); }
    void look(std::span<const MemberId> members) override {
        looked_at.insert(looked_at.end(), members.begin(), members.end());
    }
    void resolve(std::vector<std::string> all) override { names = std::move(all); }
};

/// A store that answers when the test says so.
struct HeldStore : StateStore {
    struct Pending {
        StateWrite write;
        Done done;
    };
    std::deque<Pending> pending;
    std::uint64_t durable_generation = 0;
    std::map<std::string, policies::ServiceRecord> services;
    std::vector<policies::Override> overrides;

    void write(StateWrite w, Done done) override { pending.push_back({std::move(w), std::move(done)}); }
    void answer(const std::string& error = "") {
        REQUIRE_FALSE(pending.empty());
        auto p = std::move(pending.front());
        pending.pop_front();
        if (error.empty()) keep(p.write);
        p.done(error);
    }
    void answer_all() {
        while (!pending.empty()) answer();
    }
    void keep(const StateWrite& w) {
        if (w.generation) durable_generation = *w.generation;
        for (const auto& r : w.services) services[r.service] = r;
        if (w.overrides) overrides = *w.overrides;
    }
};

struct NoHooks : HookRunner {
    void run(const Hook&, const Service&, const policies::HookRequest&, Done) override {
        FAIL("no hooks here");
    }
};

/// Two services without checks in two datacenters, and everything around a controller.
struct Bench {
    VirtualLoop loop;
    QuietProber prober;
    HeldStore store;
    NoHooks hooks;
    struct Published {
        std::vector<ServiceIndex> changed;
        std::uint64_t generation;
        Duration at;
    };
    std::vector<Published> published;
    std::map<ServiceIndex, AnswerPlan> served;
    std::vector<Happening> happened, answered;
    std::unique_ptr<Controller> controller;

    static ModelPtr model(const std::string& first = "shop") {
        Model m = make::world(2);
        for (const std::string& name : {first, std::string("www")})
            make::serve(m, name, Weighted{}).unchecked = true;
        std::ranges::sort(m.services, {}, &Service::name); // as the loader does: services are found by it
        return std::make_shared<const Model>(std::move(m));
    }

    explicit Bench(policies::Restored restored = {}) {
        Outlets outlets{.publish = [this](auto changed, const auto& e, auto n) { publish(changed, e, n); },
                        .happened = [this](const Happening& h) { happened.push_back(h); },
                        .answered = [this](const Happening& h) { answered.push_back(h); },
                        .last_id = 41};
        loop.advance(1h);
        controller =
            std::make_unique<Controller>(loop, prober, store, hooks, std::move(outlets), model(), restored);
        controller->start();
        loop.advance(100ms);
        store.answer_all();
    }

    void publish(std::span<const ServiceIndex> changed, const policies::Engine& engine,
                 std::uint64_t generation) {
        if (!published.empty()) REQUIRE(generation > published.back().generation);
        for (ServiceIndex s : changed) served[s] = engine.plan(s);
        published.push_back({{changed.begin(), changed.end()}, generation, loop.elapsed()});
    }
    bool drain(const std::string& datacenter) {
        policies::Command c{policies::SetOverride{{"", datacenter}, "test"}, "tester"};
        return controller->command(c).accepted;
    }
    bool undrain(const std::string& datacenter) {
        return controller->command({policies::EndOverride{{"", datacenter}}, "tester"}).accepted;
    }
    std::size_t said(Change change) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            happened, [&](const Happening& h) { return h.transition.change == change; }));
    }
    bool is_current() const {
        return std::ranges::all_of(
            served, [&](const auto& s) { return s.second == controller->engine().plan(s.first); });
    }
};

}

TEST_CASE("the start publishes every service's plan") {
    Bench b;
    CHECK(b.served.size() == 2);
    CHECK(b.is_current());
    CHECK(b.controller->report().generation == b.controller->generation());
}

TEST_CASE("whoever holds still decides nothing, refuses commands, and catches up when it goes on") {
    Bench b;
    CHECK(b.controller->hold_still() == "");
    const auto published = b.published.size();
    CHECK_FALSE(b.drain("east"));
    b.loop.advance(3 * Controller::heartbeat);
    CHECK(b.store.pending.empty());
    CHECK(b.published.size() == published);
    CHECK(b.said(Change::store_failed) == 0);
    b.controller->go_on();
    CHECK(b.drain("east"));
    CHECK(b.published.size() == published + 1);
}

TEST_CASE("H5: an operator hears of what she commanded when it is on disk, or why it is not") {
    Bench b;
    std::vector<std::string> heard;
    const auto command = [&](auto what) {
        return b.controller->command({what, "tester"}, [&](const std::string& e) { heard.push_back(e); });
    };
    REQUIRE(command(policies::SetOverride{{"", "east"}, "test"}).accepted);
    CHECK(heard.empty());
    b.store.answer();
    CHECK(heard == std::vector<std::string>{""});
    REQUIRE(command(policies::EndOverride{{"", "east"}}).accepted); // its plan waits for the disk as well
    CHECK(heard.size() == 1);
    b.store.answer("disk full");
    CHECK(heard == std::vector<std::string>{"", "disk full"});
    CHECK_FALSE(command(policies::EndOverride{{"", "east"}}).accepted); // nothing to store
    CHECK(heard == std::vector<std::string>{"", "disk full", ""});
}

TEST_CASE("nobody takes over what is not on disk") {
    Bench b;
    REQUIRE(b.drain("east"));
    b.store.answer("disk full");
    CHECK(b.controller->hold_still().find("disk full") != std::string::npos);
    CHECK(b.drain("west") == false); // the last usable site; but it is answered, so it decides
    b.loop.advance(Controller::heartbeat);
    b.store.answer_all();
    CHECK(b.controller->hold_still() == "");
}

TEST_CASE("a withdrawal never waits for the store") {
    Bench b;
    const auto before = b.published.size();
    REQUIRE(b.drain("east"));
    CHECK(b.store.pending.size() == 1);
    CHECK(b.published.size() == before + 1);
    CHECK(b.is_current());
}

TEST_CASE("what is durable is written before it is answered") {
    Bench b;
    REQUIRE(b.drain("east"));
    b.store.answer_all();
    const auto before = b.published.size();
    REQUIRE(b.undrain("east"));
    CHECK(b.published.size() == before);
    CHECK_FALSE(b.is_current());
    b.store.answer();
    CHECK(b.published.size() == before + 1);
    CHECK(b.is_current());
    CHECK(b.store.overrides.empty());
}

TEST_CASE("a store that says nothing for 500 ms is an alarm and no longer waited for") {
    Bench b;
    REQUIRE(b.drain("east"));
    b.store.answer_all();
    const auto before = b.published.size();
    REQUIRE(b.undrain("east"));
    b.loop.advance(499ms);
    CHECK(b.published.size() == before);
    CHECK(b.said(Change::store_failed) == 0);
    b.loop.advance(1ms);
    CHECK(b.published.size() == before + 1);
    CHECK(b.said(Change::store_failed) == 1);
    CHECK(b.controller->report().alarms.back().id == "store");
    b.store.answer_all();
    CHECK(b.said(Change::store_recovered) == 1);
    CHECK(b.published.size() == before + 1);
}

TEST_CASE("while the store is known to fail nothing waits for it") {
    Bench b;
    REQUIRE(b.drain("east"));
    b.store.answer("disk full");
    CHECK(b.said(Change::store_failed) == 1);
    const auto before = b.published.size();
    REQUIRE(b.undrain("east"));
    CHECK(b.published.size() == before + 1);
}

TEST_CASE("what a failing store did not take is written again, as it is by then") {
    Bench b;
    REQUIRE(b.drain("east"));
    b.store.answer("disk full");
    CHECK(b.store.overrides.empty());
    b.loop.advance(Controller::heartbeat);
    b.store.answer_all();
    REQUIRE(b.store.overrides.size() == 1);
    CHECK(b.store.overrides[0].scope.datacenter == "east");
    CHECK(b.said(Change::store_recovered) == 1);
}

TEST_CASE("the store hears of us every 5 s, and one that is silent for so long is an alarm") {
    Bench b;
    b.loop.advance(Controller::heartbeat);
    REQUIRE(b.store.pending.size() == 1);
    CHECK(b.store.pending[0].write.alive.has_value());
    b.loop.advance(Controller::heartbeat);
    CHECK(b.store.pending.size() == 1); // no queue is built before a dead disk
    CHECK(b.said(Change::store_failed) == 1);
}

TEST_CASE("a withdrawal goes at once though an earlier plan of the service waits") {
    Bench b;
    REQUIRE(b.drain("east"));
    b.store.answer_all();
    REQUIRE(b.undrain("east")); // waits
    CHECK_FALSE(b.is_current());
    REQUIRE(b.drain("west")); // a withdrawal: at once
    CHECK(b.is_current());
    b.store.answer_all();
    CHECK(b.is_current());
}

TEST_CASE("another service's publication does not let go of what waits for the store") {
    Bench b;
    const auto command = [&](auto what) { return b.controller->command({what, "tester"}).accepted; };
    REQUIRE(command(policies::SetOverride{{"shop.test", "east"}, "test"}));
    b.store.answer_all();
    REQUIRE(command(policies::EndOverride{{"shop.test", "east"}})); // waits
    REQUIRE(command(policies::SetOverride{{"www.test", "east"}, "test"}));
    const auto& changed = b.published.back().changed;
    REQUIRE(changed.size() == 1);
    CHECK(b.controller->engine().model().services[changed[0]].name.to_string() == "www.test");
    CHECK_FALSE(b.is_current());
    b.store.answer_all();
    CHECK(b.is_current());
}

TEST_CASE("happenings are numbered on from the journal and reported again once their answer is out") {
    Bench b;
    for (std::size_t i = 0; i < b.happened.size(); ++i) CHECK(b.happened[i].id == 42 + i);
    const auto before = b.answered.size();
    REQUIRE(b.drain("east"));
    REQUIRE(b.answered.size() > before);
    CHECK(b.answered.back().published == b.loop.now().mono);
    CHECK_FALSE(b.happened.back().published);
}

TEST_CASE("a reload hands over every service of the new model, also to what still waits") {
    Bench b;
    REQUIRE(b.drain("east"));
    b.store.answer_all();
    REQUIRE(b.undrain("east")); // waits, numbered by the old model
    b.controller->reload(Bench::model("api"));
    b.loop.advance(1s);
    CHECK(b.published.back().changed == std::vector<ServiceIndex>{0, 1});
    CHECK(b.is_current());
    CHECK(b.controller->engine().model().services[0].name.to_string() == "api.test");
}

TEST_CASE("an answer of the store after the end finds nobody") {
    Bench b;
    REQUIRE(b.drain("east"));
    b.controller.reset();
    b.store.answer_all();
}

TEST_CASE(
    "P7: over 100,000 interleavings the generation never goes back and no older plan covers a newer one") {
    const unsigned seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    policies::Restored restored;
    restored.generation = 5000;
    Bench b(restored);
    const auto roll = [&](unsigned n) { return random() % n; };
    const std::string sites[] = {"east", "west"};
    for (int step = 0; step < 100'000; ++step) {
        const auto& site = sites[roll(2)];
        switch (roll(6)) {
        case 0: b.drain(site); break;
        case 1: b.undrain(site); break;
        case 2:
        case 3:
            if (!b.store.pending.empty()) b.store.answer(roll(50) ? "" : "disk full");
            break;
        case 4: b.loop.advance(std::chrono::milliseconds(roll(50))); break;
        default:
            if (roll(100) == 0) b.controller->reload(Bench::model(roll(2) ? "shop" : "api"));
        }
        if (b.store.pending.size() > 100) b.store.answer_all();
        // A crash now would start above everything that was ever answered.
        REQUIRE(b.store.durable_generation > b.published.back().generation);
    }
    b.loop.advance(1s);
    CHECK(b.is_current());
    CHECK(b.published.front().generation > 5000);
    CHECK(b.published.size() > 1'000);
    CHECK(b.controller->generation() == b.published.back().generation);
}
