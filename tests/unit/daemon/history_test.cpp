// The journal on a real disk: what is kept of it, and what can be asked of it while it is written.
#include "daemon/history.hpp"
#include "daemon/journal_db.hpp"
#include "daemon/json_value.hpp"
#include "tests/unit/daemon/scratch.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace fairway;
using namespace fairway::daemon;

namespace {

using Kind = JournalEntry::Kind;

const WallTime today = *parse_moment("2026-11-20T07:00:00Z", {});

struct Book {
    Scratch scratch;
    std::filesystem::path file = scratch.path / "journal.db";
    JournalDb db;
    History history{file, [] { return today; }};

    explicit Book(JournalBounds bounds = {}) : db(file, bounds) {}

    void add(const JournalEntry& e, WallTime now = today) { db.append(std::span(&e, 1), {}, now); }
    void transition(std::uint64_t id, WallTime at, std::string what, std::string service,
                    std::string datacenter, std::string evidence = "connection refused") {
        add({.transition = id,
             .at = at,
             .what = std::move(what),
             .service = std::move(service),
             .datacenter = std::move(datacenter),
             .record = R"({"evidence":[")" + evidence + R"("]})"});
    }
    HttpResponse ask(std::map<std::string, std::string> query) {
        return history.answer({.method = "GET", .path = "/v1/history", .query = std::move(query)});
    }
    JsonValue answer(std::map<std::string, std::string> query = {}) {
        const auto r = ask(std::move(query));
        INFO(r.body);
        REQUIRE(r.status == 200);
        return JsonValue::parse(r.body).value();
    }
    /// What of each entry, newest first.
    std::vector<std::string> found(std::map<std::string, std::string> query = {}) {
        std::vector<std::string> all;
        for (const auto& e : answer(std::move(query)).at("entries").items()) all.push_back(e.text("what"));
        return all;
    }
};

using Words = std::vector<std::string>;

/// One of each kind, an hour apart.
struct Day : Book {
    Day() {
        transition(7, today - 4h, "member-down", "", "east");
        transition(8, today - 3h, "failover", "shop.test", "west");
        add({.kind = Kind::hook,
             .at = today - 2h,
             .what = "promote",
             .service = "shop.test",
             .datacenter = "west",
             .record = R"({"id":"shop/3/west"})",
             .result = R"({"ok":false,"detail":"exit status 1"})"});
        add({.kind = Kind::command,
             .at = today - 1h,
             .what = "drain",
             .datacenter = "east",
             .who = "ann",
             .from = "192.0.2.1",
             .record = R"({"command":"drain"})",
             .result = R"({"accepted":true})"});
        add({.kind = Kind::reload,
             .at = today,
             .what = "reload",
             .from = "SIGHUP",
             .result = R"({"accepted":false,"details":["fairway.yaml:3:1: error"]})"});
    }
};

}

TEST_CASE("O4: transitions, commands, hooks and reloads are in the history with their evidence") {
    Day d;
    const JournalAnswer out{8, today - 3h + 3ms};
    d.db.append({}, std::span(&out, 1), today);
    const auto entries = d.answer().at("entries").items();
    REQUIRE(entries.size() == 5);
    CHECK(entries[0].text("from") == "SIGHUP");
    CHECK(entries[0].at("result").at("details").items().at(0).text() == "fairway.yaml:3:1: error");
    CHECK(entries[1].text("kind") == "command");
    CHECK(entries[1].text("operator") == "ann");
    CHECK(entries[1].text("from") == "192.0.2.1");
    CHECK(entries[2].at("result").text("detail") == "exit status 1");
    CHECK(entries[3].text("transition") == "8");
    CHECK(entries[3].text("answered") == "2026-11-20T04:00:00.003Z");
    CHECK(entries[4].at("record").at("evidence").items().at(0).text() == "connection refused");
    CHECK(entries[4].at("answered").is_null());
    CHECK(d.db.last_id() == 8);
}

TEST_CASE("O4: the history is filtered by time, service, datacenter, kind and message") {
    Day d;
    CHECK(d.found() == Words{"reload", "drain", "promote", "failover", "member-down"});
    CHECK(d.found({{"since", "90m"}}) == Words{"reload", "drain"});
    CHECK(d.found({{"since", "2026-11-20T03:30:00Z"}, {"until", "2h"}}) == Words{"failover"});
    CHECK(d.found({{"service", "Shop.test."}}) == Words{"promote", "failover"});
    CHECK(d.found({{"datacenter", "east"}}) == Words{"drain", "member-down"});
    CHECK(d.found({{"kind", "transition"}}) == Words{"failover", "member-down"});
    CHECK(d.found({{"kind", "hook"}}) == Words{"promote"});
    CHECK(d.found({{"kind", "drain"}, {"datacenter", "east"}}) == Words{"drain"});
    CHECK(d.found({{"kind", "end force"}}).empty()); // one that there is, and that nobody said
    for (const char* kind : {"nothing", "wrong", "member-dwon"}) CHECK(d.ask({{"kind", kind}}).status == 400);
    CHECK(d.ask({{"kind", "member-dwon"}}).body.find("member-down") != std::string::npos);
}

TEST_CASE("the history comes in pages that miss nothing while more is written") {
    Day d;
    Words all;
    std::string before;
    for (int page = 0; page < 3; ++page) {
        std::map<std::string, std::string> query{{"limit", "2"}};
        if (!before.empty()) query["before"] = before;
        const auto answer = d.answer(query);
        for (const auto& e : answer.at("entries").items()) all.push_back(e.text("what"));
        before = answer.text("next");
        d.transition(100 + static_cast<unsigned>(page), today, "served", "shop.test", "");
    }
    CHECK(all == Words{"reload", "drain", "promote", "failover", "member-down"});
    CHECK(before.empty()); // the last page says that it is
}

TEST_CASE("what the history cannot be asked is said") {
    Day d;
    for (const auto& [key, value] : std::map<std::string, std::string>{{"since", "yesterday"},
                                                                       {"limit", "1001"},
                                                                       {"until", "2026-11-20T07:00:00.5"},
                                                                       {"before", "-1"},
                                                                       {"service", "a..b"},
                                                                       {"bogus", "1"}}) {
        CAPTURE(key);
        const auto r = d.ask({{key, value}});
        CHECK(r.status == 400);
        CHECK(r.body.find(key == "service" ? "a..b" : key) != std::string::npos);
    }
    CHECK(History("/nowhere/journal.db", [] { return today; }).answer({.method = "GET"}).status == 503);
}

TEST_CASE("moments are times in UTC or so long ago") {
    const auto at = [](std::string_view text) {
        const auto t = parse_moment(text, today);
        return t ? to_string(*t) : "";
    };
    CHECK(at("2h") == "2026-11-20T05:00:00.000Z");
    CHECK(at("2026-11-20T07:00:13.042Z") == "2026-11-20T07:00:13.042Z");
    CHECK(at("2026-11-20 07:00") == "2026-11-20T07:00:00.000Z");
    CHECK(at("2026-11-20") == "2026-11-20T00:00:00.000Z");
    CHECK(at("2026-11-20T07:00:13+01:00") == "");
    CHECK(at("12") == "");
    CHECK(at("") == "");
}

TEST_CASE("the journal forgets what is too old, but not how its transitions were numbered") {
    Book b({.age = 24h});
    for (unsigned i = 1; i <= 3; ++i) b.transition(i, today + i * 12h, "served", "shop.test", "");
    b.add({.kind = Kind::reload, .at = today + 37h, .what = "reload"},
          today + 37h); // of 12h, nothing is kept
    CHECK(b.found() == Words{"reload", "served", "served"});
    b.add({.kind = Kind::reload, .at = today + 900h, .what = "reload"}, today + 900h);
    CHECK(b.found() == Words{"reload", "served"});
    CHECK(b.db.last_id() == 3);
}

TEST_CASE("the journal stops growing, and it is the oldest that goes") {
    Book b({.bytes = 1 << 20});
    const std::string evidence(1000, 'e');
    std::vector<JournalEntry> entries(500);
    for (std::uint64_t id = 0; id < 5000;) {
        for (auto& e : entries)
            e = {.transition = ++id, .at = today, .what = "served", .record = "{\"e\":\"" + evidence + "\"}"};
        b.db.append(entries, {}, today);
    }
    CHECK(std::filesystem::file_size(b.file) < 3 << 20); // a batch beyond, before it is trimmed
    const auto newest = b.answer({{"limit", "1000"}}).at("entries").items();
    CHECK(newest.front().text("transition") == "5000");
    CHECK(newest.size() >= 100);
    CHECK(newest.size() < 1000);
}

TEST_CASE("a reader keeps no writer waiting, and a search that finds nothing ends in time") {
    Book b;
    std::vector<JournalEntry> entries(20000, {.at = today, .what = "served", .record = "{}"});
    for (std::size_t i = 0; i < entries.size(); ++i) entries[i].transition = i + 1;
    b.db.append(entries, {}, today);
    std::jthread reader([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) b.ask({{"datacenter", "nowhere"}});
    });
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t id = 30000; id < 30100; ++id) b.transition(id, today, "served", "shop.test", "");
    CHECK(std::chrono::steady_clock::now() - begin < 10s); // a hundred commits
    reader.request_stop();
    reader.join();
    CHECK(b.found({{"limit", "1"}, {"service", "shop.test"}}).size() == 1);

    Database db = Database::read_only(b.file);
    db.give_up_after(std::chrono::milliseconds(0));
    Statement endless(db,
                      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n");
    CHECK_THROWS_WITH_AS(endless.step(), doctest::Contains("interrupted"), SqliteError);
    CHECK_THROWS_AS(db.run("DELETE FROM entries"), SqliteError);
}
