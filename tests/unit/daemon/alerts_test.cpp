// Alarms to Alertmanager, transitions to webhooks: what is said, how often, and what happens when nobody
// listens.
#include "daemon/alarm_ledger.hpp"
#include "daemon/alerts.hpp"
#include "daemon/daemon.hpp"
#include "daemon/http_server.hpp"
#include "daemon/json_value.hpp"
#include "daemon/sockets.hpp"
#include "probes/uv_loop.hpp"

#include <doctest/doctest.h>

#include <condition_variable>

using namespace fairway;
using namespace fairway::daemon;
using namespace fairway::policies;

namespace {

using Messages = std::vector<JsonValue>;

Alarm an_alarm(std::string id, std::string service = "shop.test") {
    return {std::move(id), Severity::critical, std::move(service), "", "its words", Instant(1h)};
}
const Now noon{Instant(2h), WallTime(std::chrono::hours(500'000))};

JsonValue parsed(const std::string& text) { return JsonValue::parse(text).value(); }

/// Somebody who is told, and says what the test wants.
struct Listener {
    std::mutex mutex;
    std::condition_variable heard;
    std::vector<HttpRequest> requests, taken;
    int status = 200;
    Fd listening = listen_tcp(SocketAddress::parse("127.0.0.1:0").value());
    std::string host = bound_address(listening).to_string();
    HttpServer server{std::move(listening), [this](const HttpRequest& r) {
                          const std::lock_guard hold(mutex);
                          requests.push_back(r);
                          if (status < 300) taken.push_back(r);
                          heard.notify_all();
                          return HttpResponse{status, "{}"};
                      }};

    void say(int s) {
        const std::lock_guard hold(mutex);
        status = s;
    }
    /// Waits until transition `id` was taken.
    std::vector<HttpRequest> until_taken(const std::string& id) {
        std::unique_lock hold(mutex);
        CHECK(heard.wait_for(hold, 20s, [&] {
            return !taken.empty() && taken.back().body.find("{\"id\":" + id + "}") != std::string::npos;
        }));
        return taken;
    }
    /// Waits until `n` requests have come.
    std::vector<HttpRequest> after(std::size_t n) {
        std::unique_lock hold(mutex);
        CHECK(heard.wait_for(hold, 20s, [&] { return requests.size() >= n; }));
        return requests;
    }
};

/// A control thread with some alarms, and the alerts that tell of them.
struct World {
    probes::UvLoop loop;
    Desk desk{loop};
    std::vector<Alarm> alarms; // the control thread's
    NewestReport reports{desk,
                         [this] {
                             Report r;
                             r.at = clock_now();
                             r.alarms = alarms;
                             return r;
                         },
                         clock_now};
    Log log;
    Alerts alerts{reports, log};
    std::thread thread{[this] { loop.run(); }};
    ~World() {
        desk.close();
        loop.stop();
        thread.join();
    }

    void raise(std::vector<Alarm> now) {
        desk.ask([&] { return alarms = std::move(now), reports.changed(), true; }, 5s);
    }
    void happen(std::uint64_t id) {
        alerts.happened(id, std::make_shared<const std::string>("{\"id\":" + std::to_string(id) + "}"));
    }
    NotificationCounts counts() const { return alerts.counts().at(0); }
};

/// The numbers of the transitions in all messages that were taken.
std::vector<std::string> told(const std::vector<HttpRequest>& requests) {
    std::vector<std::string> ids;
    for (const auto& r : requests)
        for (const auto& t : parsed(r.body).at("transitions").items()) ids.push_back(t.text("id"));
    return ids;
}

}

TEST_CASE("an alarm is told with its labels, again while it lasts, and once more when it has ended") {
    AlarmLedger ledger("ns1");
    const std::vector<Alarm> alarms{an_alarm("no_primary")};
    CHECK(ledger.update(alarms, noon));
    CHECK_FALSE(ledger.update(alarms, noon));
    const auto first = parsed(ledger.messages(noon.wall, 4min).at(0)).items().at(0);
    CHECK(first.at("labels").text("alertname") == "FairwayNoPrimary");
    CHECK(first.at("labels").text("severity") == "critical");
    CHECK(first.at("labels").text("service") == "shop.test");
    CHECK(first.at("labels").text("instance") == "ns1");
    CHECK(first.at("labels").at("datacenter").is_null());
    CHECK(first.at("annotations").text("summary") == "its words");
    CHECK(first.text("startsAt") == to_string(noon.wall - 1h));
    CHECK(first.text("endsAt") == to_string(noon.wall + 4min));
    ledger.heard();
    const Now later{noon.mono + 1min, noon.wall + 1min};
    CHECK(parsed(ledger.messages(later.wall, 4min).at(0)).items().at(0).text("endsAt") ==
          to_string(noon.wall + 5min));
    CHECK(ledger.update({}, later));
    for (int unheard = 0; unheard < 3; ++unheard)
        CHECK(parsed(ledger.messages(later.wall + 1h, 4min).at(0)).items().at(0).text("endsAt") ==
              to_string(later.wall));
    ledger.heard();
    CHECK(ledger.empty());
}

TEST_CASE("an alarm that becomes graver ends as what it was; one that returns begins anew") {
    AlarmLedger ledger("ns1");
    Alarm a = an_alarm("no_primary");
    a.severity = Severity::warning;
    ledger.update(std::span(&a, 1), noon);
    a.severity = Severity::critical;
    ledger.update(std::span(&a, 1), noon);
    CHECK(parsed(ledger.messages(noon.wall + 1s, 4min).at(0)).items().size() == 2);
    ledger.heard();
    CHECK(parsed(ledger.messages(noon.wall + 1s, 4min).at(0)).items().size() == 1);
    ledger.update({}, noon);
    a.since = Instant(90min);
    CHECK(ledger.update(std::span(&a, 1), noon));
    CHECK(parsed(ledger.messages(noon.wall, 4min).at(0)).items().at(0).text("startsAt") ==
          to_string(noon.wall - 30min));
}

TEST_CASE("many alarms are several messages, and ended ones that nobody hears of are bounded") {
    AlarmLedger ledger("ns1");
    std::vector<Alarm> many;
    for (int i = 0; i < 600; ++i) many.push_back(an_alarm("endpoint_unfit", std::to_string(i) + ".test"));
    ledger.update(many, noon);
    CHECK(ledger.messages(noon.wall, 4min).size() == 3);
    for (int round = 0; round < 20; ++round) {
        for (auto& a : many) a.service += "x";
        ledger.update(many, noon);
    }
    std::size_t all = 0;
    for (const auto& m : ledger.messages(noon.wall, 4min)) all += parsed(m).items().size();
    CHECK(all == AlarmLedger::most_ended + many.size());
}

TEST_CASE("O4: Alertmanager is told when an alarm begins and when it ends") {
    Listener am;
    World w;
    w.alerts.configure({.alertmanagers = {{"http://" + am.host + "/prefix/", "", ""}}}, "ns1");
    w.raise({an_alarm("all_down")});
    w.happen(1);
    const auto begun = am.after(1);
    CHECK(begun[0].path == "/prefix/api/v2/alerts");
    CHECK(begun[0].method == "POST");
    w.raise({});
    w.happen(2);
    const auto ended = am.after(2);
    const auto alert = parsed(ended[1].body).items().at(0);
    CHECK(alert.at("labels").text("alertname") == "FairwayAllDown");
    CHECK(alert.text("endsAt") <= to_string(clock_now().wall));
}

TEST_CASE("O4: a webhook is told of each transition once and in order, through failures too") {
    Listener hook;
    hook.say(500);
    World w;
    w.alerts.configure({.webhooks = {{"http://" + hook.host + "/secret", "", ""}}}, "ns1");
    w.happen(1);
    hook.after(1);
    for (std::uint64_t id = 2; id <= 250; ++id) w.happen(id);
    hook.say(204);
    const auto taken = hook.until_taken("250");
    const auto refused = hook.after(1).front();
    CHECK(taken[0].body == refused.body);
    CHECK(refused.headers.at("idempotency-key") == "\"ns1-1-1\"");
    CHECK(taken[0].headers.at("idempotency-key") == refused.headers.at("idempotency-key"));
    const auto ids = told(taken);
    REQUIRE(ids.size() == 250);
    for (std::size_t i = 0; i < ids.size(); ++i) CHECK(ids[i] == std::to_string(i + 1));
    CHECK(taken.size() < 10); // many go together
    CHECK(w.counts().failed >= 1);
    CHECK(w.counts().dropped == 0);
    CHECK(w.counts().host == hook.host); // and nothing of its path
}

TEST_CASE("nobody listens: whoever tells does not wait, what waits is bounded, and the end is soon") {
    Fd deaf = listen_tcp(SocketAddress::parse("127.0.0.1:0").value()); // the kernel connects, nobody answers
    const std::string url = "http://" + bound_address(deaf).to_string();
    const auto begin = std::chrono::steady_clock::now();
    {
        World w;
        w.alerts.configure({.alertmanagers = {{url, "", ""}}, .webhooks = {{url, "", ""}}}, "ns1");
        w.raise({an_alarm("all_down")});
        const auto told = std::chrono::steady_clock::now();
        for (std::uint64_t id = 1; id <= 30'000; ++id) w.happen(id);
        CHECK(std::chrono::steady_clock::now() - told < 2s);
        const auto again = std::chrono::steady_clock::now();
        w.alerts.configure({}, "ns1"); // a reload waits for nobody
        CHECK(std::chrono::steady_clock::now() - again < 500ms);
    }
    CHECK(std::chrono::steady_clock::now() - begin < 15s);
}
