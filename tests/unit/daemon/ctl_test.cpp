// What fairwayctl makes of the daemon's answers: the end of a switch, and what may reach a terminal.
#include "daemon/ctl/command.hpp"
#include "daemon/http_server.hpp"
#include "daemon/sockets.hpp"
#include "tests/unit/daemon/scratch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <sstream>

using namespace fairway;
using namespace fairway::ctl;
using daemon::HttpRequest;
using daemon::HttpResponse;

namespace {

std::string report(const std::string& active, const std::string& running = "null") {
    return R"({"services":[{"name":"a.test","active":"x"},{"name":"shop.test","preferred":"east","active":")" +
           active + R"(","reason":"why","switch":)" + running + "}]}";
}

std::string step(const std::string& word, const std::string& to, const std::string& failure = "") {
    return R"({"id":"shop/1","from":"east","step":")" + word + R"(","to":")" + to + R"(","failure":")" +
           failure + "\"}";
}

/// What goes to a stream while it lives.
struct Captured {
    std::ostream& stream;
    std::ostringstream text;
    std::streambuf* before = stream.rdbuf(text.rdbuf());
    explicit Captured(std::ostream& s) : stream(s) {}
    Captured(const Captured&) = delete;
    ~Captured() { stream.rdbuf(before); }
};

/// A daemon that says one status after the other, and the last for ever.
struct Followed {
    int exit = -1;
    std::string out, err;

    Followed(const std::vector<std::string>& reports, const std::string& to) {
        daemon::Scratch scratch;
        const std::string path = (scratch.path / "s").string();
        std::atomic<std::size_t> looks = 0;
        daemon::HttpServer server(daemon::listen_unix(path), [&](const HttpRequest& r) {
            CHECK(r.path == "/v1/status");
            return HttpResponse{200, reports[std::min(looks++, reports.size() - 1)]};
        });
        Client client({.socket = path});
        Terminal terminal;
        Context context{{}, false, client, terminal};
        Captured said(std::cout), complained(std::cerr);
        exit = follow_switch(context, "Shop.TEST.", to);
        out = said.text.str(), err = complained.text.str();
    }
};

}

TEST_CASE("a failover is told step by step and ends where it was to go") {
    const Followed f({report("east", step("fence", "west")), report("east", step("fence", "west")),
                      report("east", step("promote", "west")), report("west")},
                     "west");
    CHECK(f.exit == ok);
    CHECK(f.out == "shop.test is answered by west\n");
    CHECK(f.err == "east -> west: fence\neast -> west: promote\n");
}

TEST_CASE("a failover that moved nothing is a failure, whoever ended it") {
    const Followed f({report("east", step("promote", "west")), report("east")}, "west");
    CHECK(f.exit == refused);
    CHECK(f.err.find("the switch to west has ended without moving it: why") != std::string::npos);
}

TEST_CASE("a failback goes where its switch says; one that became void is no success") {
    const std::vector<std::string> away{report("west", step("failback", "east"))};
    CHECK(Followed({away[0], report("east")}, "").exit == ok);
    const Followed stayed({away[0], report("west")}, "");
    CHECK(stayed.exit == refused);
    CHECK(stayed.err.find("the switch to east has ended without moving it") != std::string::npos);
}

TEST_CASE("a failback that was over before the first look is judged by where the service is preferred") {
    CHECK(Followed({report("east")}, "").exit == ok);
    CHECK(Followed({report("west")}, "").exit == refused);
}

TEST_CASE("a switch that waits for a person is waiting, with what failed and what to type") {
    const Followed f({report("east", step("awaiting approval", "west", "fence: exit status 1"))}, "west");
    CHECK(f.exit == waiting);
    CHECK(f.err == "fairwayctl: the switch waits for approval: fence: exit status 1\n"
                   "fairwayctl: to go on: fairwayctl approve shop/1\n");
}

TEST_CASE("nothing that others said commands the terminal or forges a line") {
    CHECK(printable("plain, and UTF-8: Z\xc3\xbcrich") == "plain, and UTF-8: Z\xc3\xbcrich");
    CHECK(printable("x\033[31mred\nALARM\t\x7f\r") == "x?[31mred?ALARM???");
    CHECK(printable("\xc2\x9b"
                    "31m\xc2\xa7") == "?31m\xc2\xa7");
    Captured out(std::cout), err(std::cerr);
    Terminal t;
    t.line("a\033b");
    t.table({{"HEAD", "B"}, {"\033]0;x\007", "c"}});
    t.error("a\nb");
    CHECK(out.text.str() == "a?b\nHEAD    B\n?]0;x?  c\n");
    CHECK(err.text.str() == "fairwayctl: a?b\n");
}
