// Idempotency keys: done once, answered the same, for whoever asked.
#include "daemon/idempotency.hpp"

#include <doctest/doctest.h>

#include <future>

using namespace fairway::daemon;

namespace {

using namespace std::chrono_literals;

struct Door {
    std::chrono::steady_clock::time_point now{1h};
    Idempotency keys{[this] { return now; }};
    int done = 0, status = 200;

    HttpResponse ask(const std::string& key, const std::string& body = "{}", const std::string& who = "ann",
                     const std::string& path = "/v1/drain") {
        HttpRequest r{.method = "POST", .path = path, .body = body};
        if (key != "-") r.headers["idempotency-key"] = key;
        return keys.once(r, {who, "here"}, [&] { return HttpResponse{status, std::to_string(++done)}; });
    }
};

}

TEST_CASE("the same key and the same request are done once and answered the same") {
    Door d;
    CHECK(d.ask("k").body == "1");
    CHECK(d.ask("k").body == "1");
    CHECK(d.ask("-").body == "2"); // without a key each is done
    CHECK(d.ask("-").body == "3");
    d.status = 409;
    CHECK(d.ask("refused").status == 409);
    d.status = 200;
    CHECK(d.ask("refused").status == 409); // a refusal is an answer, too
    CHECK(d.done == 4);
}

TEST_CASE("a key for something else is 422; another's key is another key") {
    Door d;
    d.ask("k", "{\"a\":1}");
    CHECK(d.ask("k", "{\"a\":2}").status == 422);
    CHECK(d.ask("k", "{\"a\":1}", "ann", "/v1/freeze").status == 422);
    CHECK(d.ask("k", "{\"a\":2}", "bob").body == "2");
    CHECK(d.ask("").status == 400);
    CHECK(d.ask(std::string(Idempotency::longest_key + 1, 'k')).status == 400);
    CHECK(d.done == 2);
}

TEST_CASE("what was not done may be asked for again; what is being done is not begun twice") {
    Door d;
    d.status = 503;
    CHECK(d.ask("k").status == 503);
    d.status = 200;
    CHECK(d.ask("k").body == "2");
    std::promise<void> begun, go_on;
    auto first = std::async(std::launch::async, [&] {
        return d.keys.once({.method = "POST", .path = "/v1/x", .headers = {{"idempotency-key", "slow"}}},
                           {"ann", ""}, [&] {
                               begun.set_value();
                               go_on.get_future().wait();
                               return HttpResponse{200, "slow"};
                           });
    });
    begun.get_future().wait();
    CHECK(d.ask("slow", "", "ann", "/v1/x").status == 409);
    go_on.set_value();
    CHECK(first.get().body == "slow");
    CHECK(d.ask("slow", "", "ann", "/v1/x").body == "slow");
}

TEST_CASE("keys are forgotten after a day, and the oldest beyond a thousand") {
    Door d;
    d.ask("old");
    d.now += 25h;
    CHECK(d.ask("old").body == "2");
    for (std::size_t i = 0; i < Idempotency::most; ++i) d.ask("k" + std::to_string(i));
    const int before = d.done;
    d.ask("k" + std::to_string(Idempotency::most - 1));
    CHECK(d.done == before);
    d.ask("old");
    CHECK(d.done == before + 1);
}
