// The state store on a real disk: what is written is restored, what is damaged is set aside.
#include "daemon/serialize.hpp"
#include "daemon/storage.hpp"
#include "tests/unit/daemon/scratch.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <future>

using namespace fairway;
using namespace fairway::daemon;
using namespace fairway::policies;
namespace fs = std::filesystem;

namespace {

WallTime wall(std::int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }
const WallTime today = wall(1'760'000'000'123);

Switch a_switch() {
    return {.id = "shop/3/west",
            .cause = SwitchCause::application_down,
            .step = SwitchStep::promote,
            .from = "east",
            .to = "west",
            .reason = "the primary is gone",
            .operator_name = "ann",
            .started = today,
            .step_since = today + 5s,
            .resume = SwitchStep::fence,
            .fence_begun = true,
            .approved = true,
            .blind = true,
            .data_judged = true,
            .by_window = true,
            .by_primary = true,
            .failure = "exit status 1: \xff \"quoted\"\n"};
}

StateWrite a_write() {
    StateWrite w;
    w.services = {
        {.service = "shop.test",
         .active = "east",
         .followed = ClaimRecord{"east", "sys", 7},
         .no_primary_since = today - 30s,
         .last_good = {"east", "west"},
         .returns = {{"west", today - 5min, true}},
         .outs = {{"west", today - 20s}, {"east", today - 20s}},
         .frozen = policies::PlanRecord{AnswerPlan::Kind::by_client,
                                        10,
                                        {{"east", {*IpAddress::parse("192.0.2.1")}, 7, "lb.example.net."}},
                                        {0, 0}},
         .running = a_switch(),
         .rejoin = Rejoin{"shop/2/east", "west", "east", today - 2h, "exit status 1"},
         .diverging_since = today - 3min,
         .fault = FaultRecord{"west", today - 2h, 1500ms}},
        {.service = "www.test"}};
    w.members = {{.key = "http 10.0.0.1:80",
                  .up = true,
                  .since = today,
                  .passes = 5,
                  .run_since = today - 1h,
                  .requirements_hold = true,
                  .keeps_up = false},
                 {.key = "tcp 10.0.0.2:53", .since = today, .fails = 3, .run_since = today}};
    w.overrides = {{"o1",
                    Override::Kind::force_up,
                    {"shop.test", "east", "payments"},
                    "maintenance",
                    "ann",
                    today,
                    today + 24h}};
    w.aliases = {{"shop.test", "west", "lb.example.net", {*IpAddress::parse("192.0.2.1")}}};
    w.generation = 1234;
    w.alive = today;
    return w;
}

/// A storage whose answers come in its own thread: enough for these tests.
struct Disk {
    Scratch scratch;
    fs::path directory() const { return scratch.path / "state"; }
    std::promise<std::string> journal_failed, journal_well;
    std::unique_ptr<Storage> open() {
        return std::make_unique<Storage>(
            open_state(directory(), today), [](auto f) { f(); }, [] { return today; },
            [this](const std::string& e) { (e.empty() ? journal_well : journal_failed).set_value(e); });
    }
    static std::string write(Storage& s, StateWrite w) {
        std::promise<std::string> done;
        s.write(std::move(w), [&](const std::string& error) { done.set_value(error); });
        return done.get_future().get();
    }
    Restored restored() const { return open_state_once().restored; }
    OpenedState open_state_once() const {
        auto o = open_state(directory(), today);
        close(o.lock);
        return o;
    }
    void damage(const fs::path& file, std::size_t from, std::size_t bytes) const {
        std::fstream f(directory() / file, std::ios::in | std::ios::out | std::ios::binary);
        f.seekp(static_cast<std::streamoff>(from));
        f << std::string(bytes, 'x');
    }
};

}

TEST_CASE("what is stored is not for the world, whatever the umask; hooks keep theirs") {
    const mode_t before = umask(0);
    Disk d;
    const auto storage = d.open();
    CHECK(Disk::write(*storage, a_write()) == "");
    CHECK(umask(before) == 0);
    CHECK((fs::status(d.directory()).permissions() & fs::perms::others_all) == fs::perms::none);
    int files = 0;
    for (const auto& file : fs::directory_iterator(d.directory())) {
        CAPTURE(file.path());
        CHECK((fs::status(file).permissions() & (fs::perms::others_all | fs::perms::group_write)) ==
              fs::perms::none);
        ++files;
    }
    CHECK(files >= 5); // the lock, two databases, and what SQLite keeps beside them
}

TEST_CASE("what is written is restored, every field of it") {
    Disk d;
    CHECK(Disk::write(*d.open(), a_write()) == "");
    const Restored r = d.restored();
    REQUIRE(r.services.size() == 2);
    const auto& shop = r.services[0];
    CHECK(shop.service == "shop.test");
    CHECK(shop.active == "east");
    REQUIRE(shop.followed);
    CHECK(shop.followed->datacenter == "east");
    CHECK(shop.followed->system == "sys");
    CHECK(shop.followed->epoch == 7);
    CHECK(shop.last_good == std::vector<std::string>{"east", "west"});
    REQUIRE(shop.running);
    CHECK(shop.running->id == "shop/3/west");
    CHECK(shop.running->cause == SwitchCause::application_down);
    CHECK(shop.running->step == SwitchStep::promote);
    CHECK(shop.running->resume == SwitchStep::fence);
    CHECK(shop.running->started == today);
    CHECK(shop.running->step_since == today + 5s);
    CHECK(shop.running->fence_begun);
    CHECK(shop.running->approved);
    REQUIRE(shop.frozen);
    CHECK(shop.frozen->kind == AnswerPlan::Kind::by_client);
    CHECK(shop.frozen->ttl == 10);
    CHECK(shop.frozen->by_client == std::vector<std::uint16_t>{0, 0});
    REQUIRE(shop.frozen->choices.size() == 1);
    CHECK(shop.frozen->choices[0].datacenter == "east");
    CHECK(shop.frozen->choices[0].weight == 7);
    CHECK(shop.frozen->choices[0].cname == "lb.example.net.");
    CHECK(shop.frozen->choices[0].addresses[0].to_string() == "192.0.2.1");
    REQUIRE(shop.returns.size() == 1);
    CHECK(shop.returns[0].datacenter == "west");
    CHECK(shop.returns[0].at == today - 5min);
    CHECK(shop.returns[0].suppressed);
    REQUIRE(shop.outs.size() == 2);
    CHECK(shop.outs[0].datacenter == "west");
    CHECK(shop.outs[0].since == today - 20s);
    CHECK(shop.outs[1].datacenter == "east");
    CHECK(shop.running->blind);
    CHECK(shop.running->data_judged);
    CHECK(shop.running->by_window);
    CHECK(shop.running->by_primary);
    REQUIRE(shop.rejoin);
    CHECK(shop.rejoin->switch_id == "shop/2/east");
    CHECK(shop.rejoin->datacenter == "west");
    CHECK(shop.rejoin->to == "east");
    CHECK(shop.rejoin->since == today - 2h);
    CHECK(shop.rejoin->failure == "exit status 1");
    CHECK(shop.diverging_since == today - 3min);
    REQUIRE(shop.fault);
    CHECK(shop.fault->datacenter == "west");
    CHECK(shop.fault->at == today - 2h);
    CHECK(shop.fault->lag == 1500ms);
    CHECK(shop.no_primary_since == today - 30s);
    CHECK(shop.running->operator_name == "ann");
    CHECK(shop.running->failure.starts_with("exit status 1: "));
    CHECK_FALSE(r.services[1].active);
    CHECK_FALSE(r.services[1].running);
    CHECK_FALSE(r.services[1].no_primary_since);
    REQUIRE(r.members.size() == 2);
    CHECK(r.members[0].up);
    CHECK(r.members[0].passes == 5);
    CHECK(r.members[0].run_since == today - 1h);
    CHECK(r.members[0].requirements_hold == true);
    CHECK(r.members[0].keeps_up == false);
    CHECK(r.members[1].fails == 3);
    CHECK_FALSE(r.members[1].requirements_hold);
    REQUIRE(r.overrides.size() == 1);
    CHECK(r.overrides[0].kind == Override::Kind::force_up);
    CHECK(r.overrides[0].scope == policies::Scope{"shop.test", "east", "payments"});
    CHECK(r.overrides[0].expires == today + 24h);
    CHECK(r.overrides[0].operator_name == "ann");
    REQUIRE(r.aliases.size() == 1);
    CHECK(r.aliases[0].service == "shop.test");
    CHECK(r.aliases[0].datacenter == "west");
    CHECK(r.aliases[0].name == "lb.example.net");
    CHECK(r.aliases[0].addresses == std::vector{*IpAddress::parse("192.0.2.1")});
    CHECK(r.generation == 1234);
    CHECK(r.alive == today);
}

TEST_CASE("a record is replaced by name, overrides as a whole") {
    Disk d;
    auto storage = d.open();
    Disk::write(*storage, a_write());
    StateWrite next;
    next.services = {{.service = "shop.test", .active = "west"}};
    next.overrides.emplace();
    Disk::write(*storage, next);
    storage.reset();
    const Restored r = d.restored();
    CHECK(r.services.size() == 2);
    CHECK(r.services[0].active == "west");
    CHECK(r.overrides.empty());
    CHECK(r.generation == 1234);
}

TEST_CASE("a first start restores nothing") {
    Disk d;
    const Restored r = d.restored();
    CHECK(r.services.empty());
    CHECK_FALSE(r.alive);
    CHECK(r.generation == 0);
}

TEST_CASE("a truncated or corrupt state database is set aside under a name of its own, and said so") {
    Disk d;
    Disk::write(*d.open(), a_write());
    SUBCASE("nothing is left of it") { fs::resize_file(d.directory() / "state.db", 0); }
    SUBCASE("half of its header") { fs::resize_file(d.directory() / "state.db", 60); }
    SUBCASE("its last page is gone") {
        fs::resize_file(d.directory() / "state.db", fs::file_size(d.directory() / "state.db") - 4096);
    }
    SUBCASE("no database at all") { d.damage("state.db", 0, 200); }
    SUBCASE("a table is garbage") { d.damage("state.db", 4096, 4096); }
    const auto opened = d.open_state_once();
    REQUIRE(opened.set_aside.size() == 1);
    CHECK(opened.set_aside[0].find("state.db.corrupt-20251009T") != std::string::npos);
    CHECK(opened.restored.services.empty());
    CHECK(opened.restored.generation == 0);
    CHECK(fs::exists(d.directory() / "state.db.corrupt-20251009T085320Z"));
}

TEST_CASE("what was set aside is never overwritten") {
    Disk d;
    for (int i = 0; i < 3; ++i) {
        Disk::write(*d.open(), a_write());
        fs::resize_file(d.directory() / "state.db", 60);
        CHECK(d.open_state_once().set_aside.size() == 1);
    }
    CHECK(fs::exists(d.directory() / "state.db.corrupt-20251009T085320Z"));
    CHECK(fs::exists(d.directory() / "state.db.corrupt-20251009T085320Z-2"));
    CHECK(fs::exists(d.directory() / "state.db.corrupt-20251009T085320Z-3"));
}

TEST_CASE("a record that does not read is damage too") {
    Disk d;
    Disk::write(*d.open(), a_write());
    Database(d.directory() / "state.db", "FULL").run("UPDATE services SET record='{\"service\":1}'");
    const auto opened = d.open_state_once();
    CHECK(opened.set_aside.size() == 1);
}

TEST_CASE("of health that was written when lag and role were one word, lag has what both had") {
    Disk d;
    Disk::write(*d.open(), a_write());
    Database(d.directory() / "state.db", "FULL")
        .run("UPDATE members SET record=json_remove(record, '$.keeps_up')");
    const Restored r = d.restored();
    REQUIRE(r.members.size() == 2);
    CHECK(r.members[0].requirements_hold == true);
    CHECK(r.members[0].keeps_up == true);
}

TEST_CASE("a directory that cannot be had is a clear error") {
    Scratch scratch;
    std::ofstream(scratch.path / "file") << "no directory";
    CHECK_THROWS_WITH_AS(open_state(scratch.path / "file", today), doctest::Contains("Not a directory"),
                         std::runtime_error);
    CHECK_THROWS_WITH_AS(open_state("/proc/fairway", today), doctest::Contains("/proc/fairway"),
                         std::runtime_error);
}

TEST_CASE("one daemon a directory") {
    Disk d;
    auto storage = d.open();
    CHECK_THROWS_WITH_AS(open_state(d.directory(), today), doctest::Contains("in use by another fairwayd"),
                         std::runtime_error);
}

TEST_CASE("a failing disk is an answer, and a well one is used again") {
    Disk d;
    auto storage = d.open();
    Database other(d.directory() / "state.db", "NORMAL");
    other.run("ALTER TABLE services RENAME TO gone");
    CHECK(Disk::write(*storage, a_write()).find("services") != std::string::npos);
    other.run("ALTER TABLE gone RENAME TO services");
    CHECK(Disk::write(*storage, a_write()) == "");
}

TEST_CASE("a journal that cannot be written says so once, and once more when it can") {
    Disk d;
    auto storage = d.open();
    Database other(d.directory() / "journal.db", "NORMAL");
    const auto line = [&](std::uint64_t id) {
        storage->append({.transition = id, .at = today, .what = "served", .record = "{}"});
    };
    const auto said = [](std::promise<std::string>& p) {
        auto f = p.get_future();
        REQUIRE(f.wait_for(10s) == std::future_status::ready);
        return f.get();
    };
    other.run("ALTER TABLE entries RENAME TO gone");
    line(1);
    CHECK(said(d.journal_failed).find("entries") != std::string::npos);
    line(2); // says nothing new: a second set_value would throw
    other.run("ALTER TABLE gone RENAME TO entries");
    line(3);
    CHECK(said(d.journal_well) == "");
}

TEST_CASE("a journal that had nothing to write is not said to write again") {
    Disk d;
    auto storage = d.open();
    Database other(d.directory() / "journal.db", "NORMAL");
    other.run("CREATE TRIGGER full BEFORE INSERT ON entries BEGIN SELECT raise(FAIL, 'full'); END");
    const JournalEntry line{.transition = 1, .at = today, .what = "served", .record = "{}"};
    storage->append(line);
    CHECK(d.journal_failed.get_future().get().find("full") != std::string::npos);
    auto well = d.journal_well.get_future();
    storage->answered({1, today}); // of a line that is lost
    REQUIRE(storage->pause(10s));
    CHECK(well.wait_for(0s) == std::future_status::timeout);
    storage->resume();
    other.run("DROP TRIGGER full");
    storage->append(line);
    CHECK(well.get() == "");
}
