// HTTP over real sockets: the pages, the control API, who is believed to ask, and the limits.
#include "daemon/control_api.hpp"
#include "daemon/ctl/client.hpp"
#include "daemon/pages.hpp"
#include "daemon/sockets.hpp"
#include "probes/uv_loop.hpp"
#include "tests/unit/daemon/a_report.hpp"
#include "tests/unit/daemon/scratch.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <fstream>
#include <future>

using namespace fairway;
using namespace fairway::daemon;
using namespace fairway::policies;
using ctl::Client;

namespace {

Now now() { return {Instant(std::chrono::steady_clock::now().time_since_epoch()), WallTime{}}; }

/// A control thread with nothing behind it but what the test says.
struct Control {
    probes::UvLoop loop;
    Desk desk{loop};
    NewestReport reports{desk,
                         [] {
                             Report r = a_report();
                             r.at.mono = now().mono;
                             return r;
                         },
                         now};
    std::thread thread{[this] { loop.run(); }};
    ~Control() {
        loop.stop();
        thread.join();
    }
};

struct Api {
    Control control;
    Scratch scratch;
    std::string path = (scratch.path / "control.sock").string();
    std::vector<Command> commands;        // only touched in the control thread and after an answer
    std::optional<std::string> disk = ""; ///< what it says; unset: the daemon ends before
    ControlApi api{control.desk, control.reports, office()};
    HttpServer server{listen_unix(path),
                      [this](const HttpRequest& r) { return api.answer(r, peer_user(r.connection)); }};
    Client client{{.socket = path}};

    ControlOffice office() {
        return {
            .command = [this](const Command& c, const Asker&) -> std::variant<Commanded, BadRequest> {
                commands.push_back(c);
                if (std::holds_alternative<Approve>(c.what)) return BadRequest{"unknown"};
                std::promise<std::string> stored;
                if (disk) stored.set_value(*disk);
                return Commanded{{commands.size() == 1, "message", {"detail"}}, stored.get_future().share()};
            },
            .explain =
                [](const Name& n, std::uint16_t type, std::optional<IpAddress> from) {
                    Explained e;
                    e.decision = {.name = n.to_string(), .client = from ? from->to_string() : ""};
                    e.wire = {.rcode = "NOERROR", .answer = {"TYPE" + std::to_string(type)}};
                    return e;
                },
            .reload =
                [](const Asker& asker, bool) {
                    return CommandResult{false, asker.who, {"a.yaml:1:2: error: x"}};
                },
            .about = {"1.2.3", "/etc/fairway.yaml", {}, 42}};
    }
};

/// A connection from `from` that says `text`.
Fd connected(const char* from, const SocketAddress& to, const std::string& text) {
    Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in here{}, there{};
    here.sin_family = there.sin_family = AF_INET;
    inet_pton(AF_INET, from, &here.sin_addr);
    inet_pton(AF_INET, "127.0.0.1", &there.sin_addr);
    there.sin_port = htons(to.port);
    REQUIRE(bind(fd.get(), reinterpret_cast<sockaddr*>(&here), sizeof here) == 0);
    REQUIRE(connect(fd.get(), reinterpret_cast<sockaddr*>(&there), sizeof there) == 0);
    send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    return fd;
}

/// The first line of what comes; empty if it is closed without a word.
std::string first_line(const Fd& fd) {
    std::array<char, 512> buffer{};
    const ssize_t n = recv(fd.get(), buffer.data(), buffer.size(), 0);
    const std::string text(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    return text.substr(0, text.find('\r'));
}

std::string me() { return getpwuid(getuid())->pw_name; }

}

TEST_CASE("the control API over a real Unix socket: what is read") {
    Api a;
    CHECK(a.client.get("/v1/version").body.text("version") == "1.2.3");
    const auto status = a.client.get("/v1/status");
    CHECK(status.ok());
    CHECK(status.body.at("services").items().size() == 2);
    const auto explained = a.client.get("/v1/explain?name=Shop.test.&client=2001:db8::1");
    CHECK(explained.body.text("name") == "shop.test");
    CHECK(explained.body.text("client") == "2001:db8::1");
    CHECK(explained.body.at("wire").at("answer").items().at(0).text() == "TYPE1");
    const auto typed = a.client.get("/v1/explain?name=shop.test&client=192.0.2.1&type=https");
    CHECK(typed.body.at("wire").at("answer").items().at(0).text() == "TYPE65");
    CHECK(a.client.get("/v1/explain?name=shop.test&client=192.0.2.1&type=NONE").status == 400);
    CHECK(a.client.get("/v1/explain?name=shop.test&client=nobody").status == 400);
    CHECK(a.client.get("/v1/explain").status == 400);
    CHECK(a.client.get("/v2/status").status == 404);
    CHECK(a.client.get("/v1/").status == 404);
}

TEST_CASE("commands carry the name of the user at the other end") {
    Api a;
    const auto accepted = a.client.post("/v1/drain", R"({"datacenter":"east","reason":"works"})");
    CHECK(accepted.status == 200);
    CHECK(accepted.body.flag("accepted"));
    REQUIRE(a.commands.size() == 1);
    CHECK(a.commands[0].operator_name == me());
    const auto refused = a.client.post("/v1/failback", R"({"service":"shop.test"})");
    CHECK(refused.status == 409);
    CHECK(refused.body.text("message") == "message");
    CHECK(refused.body.at("details").items().at(0).text() == "detail");
    CHECK(a.client.post("/v1/reload", "{}").body.text("message") == me());
}

TEST_CASE("H5: who commands is told what is not on disk") {
    const auto told = [](std::optional<std::string> disk) {
        Api a;
        a.disk = disk;
        const auto answer = a.client.post("/v1/drain", R"({"datacenter":"east","reason":"works"})");
        CHECK(answer.status == 200);
        CHECK(answer.body.flag("accepted"));
        return answer.body.text("not_stored");
    };
    CHECK(told("") == "");
    CHECK(told("disk full") == "disk full");
    CHECK(told({}) == "the daemon ended before the disk answered");
}

TEST_CASE("bad requests are answered, not obeyed") {
    Api a;
    CHECK(a.client.post("/v1/drain", "{").status == 400);
    CHECK(a.client.post("/v1/drain", "[]").status == 400);
    CHECK(a.client.post("/v1/drain", R"({"service":"a","reason":"x","bogus":1})").body.text("error") ==
          "unknown field bogus");
    CHECK(a.client.post("/v1/destroy", "{}").status == 404);
    CHECK(a.client.post("/v1/drain", std::string(HttpLimits{}.body + 1, ' ')).status == 413);
    CHECK(a.commands.empty());
    CHECK(a.client.post("/v1/approve", R"({"id":"x"})").status == 404);
    CHECK(a.client.get("/v1/version").ok());
}

TEST_CASE("a control thread that is closed or busy is not waited for for ever") {
    Api a;
    CHECK(a.client.get("/v1/status").ok());
    a.control.desk.close();
    CHECK(a.client.post("/v1/failback", R"({"service":"a"})").status == 503);
}

TEST_CASE("what the control thread did not begin in time is not done behind the asker's back") {
    Control c;
    std::promise<void> busy, go_on;
    c.loop.post([&] {
        busy.set_value();
        go_on.get_future().wait();
    });
    busy.get_future().wait();
    bool late = false;
    CHECK_FALSE(c.desk.ask([&] { return late = true; }, 1ms));
    go_on.set_value();
    CHECK(c.desk.ask([] { return 7; }, 10s) == 7); // behind it in the same queue
    CHECK_FALSE(late);
}

TEST_CASE("the socket is for its group, and a stale one is replaced") {
    Scratch scratch;
    const std::string path = (scratch.path / "s").string();
    {
        Fd first = listen_unix(path);
        struct stat info {};
        REQUIRE(stat(path.c_str(), &info) == 0);
        CHECK((info.st_mode & 0777) == 0660);
        CHECK_THROWS_WITH_AS(listen_unix(path), doctest::Contains("another process answers"),
                             std::runtime_error);
    }
    CHECK(listen_unix(path)); // nobody answers on what the first has left
    std::filesystem::remove(path);
    std::ofstream(path) << "precious";
    CHECK_THROWS_WITH_AS(listen_unix(path), doctest::Contains("another kind"), std::runtime_error);
    CHECK(std::filesystem::file_size(path) == 8);
    CHECK_THROWS_AS(listen_unix(std::string(200, 'x')), std::runtime_error);
}

TEST_CASE("the socket's last directory is made, for all to pass; more than that is not") {
    Scratch scratch;
    const mode_t before = umask(0077);
    CHECK(listen_unix((scratch.path / "run" / "s").string()));
    umask(before);
    CHECK((std::filesystem::status(scratch.path / "run").permissions() & std::filesystem::perms::mask) ==
          std::filesystem::perms{0755});
    CHECK_THROWS_WITH_AS(listen_unix((scratch.path / "no" / "no" / "s").string()),
                         doctest::Contains("cannot make"), std::runtime_error);
}

TEST_CASE("a port in use is one precise message") {
    Fd first = listen_tcp(SocketAddress::parse("127.0.0.1:0").value());
    const auto address = bound_address(first);
    CHECK(address.port != 0);
    CHECK_THROWS_WITH(listen_tcp(address), (address.to_string() + ": Address already in use").c_str());
}

TEST_CASE("half-open connections of one client do not shut the pages for others") {
    Fd listening = listen_tcp(SocketAddress::parse("127.0.0.1:0").value());
    const auto address = bound_address(listening);
    HttpServer server(std::move(listening), [](const HttpRequest&) { return HttpResponse{}; });
    std::vector<Fd> half_open;
    for (unsigned i = 0; i < HttpLimits{}.per_address; ++i)
        half_open.push_back(connected("127.0.0.1", address, "GET /he"));
    const std::string request = "GET / HTTP/1.0\r\n\r\n";
    CHECK(first_line(connected("127.0.0.1", address, request)) == "");
    CHECK(first_line(connected("127.0.0.2", address, request)) == "HTTP/1.1 200 OK");
}

TEST_CASE("the pages: alive, ready, status and metrics; nothing else, and nothing but reading") {
    Control control;
    Metrics metrics;
    Scratch scratch;
    History history(scratch.path / "journal.db", [] { return WallTime{}; });
    Pages pages(control.desk, control.reports, metrics, history,
                {[] { return Vitals{}; }, [](const Title&, std::optional<IpAddress>) { return std::nullopt; },
                 "ns1"});
    const auto get = [&](const char* path) { return pages.answer({.method = "GET", .path = path}); };
    CHECK(get("/healthz").status == 200);
    CHECK(get("/readyz").status == 200);
    CHECK(get("/status").body.starts_with("{\"at\":"));
    CHECK(get("/metrics").body.find("fairway_generation 7") != std::string::npos);
    CHECK(get("/v1/drain").status == 404);
    CHECK(pages.answer({.method = "POST", .path = "/status"}).status == 405);
}

TEST_CASE("H5: not ready while a service is undecided") {
    probes::UvLoop loop;
    Desk desk(loop);
    NewestReport reports(
        desk,
        [] {
            Report r;
            r.at = now();
            r.services = {{.name = "a.test", .state = "serving"}, {.name = "b.test", .state = "undecided"}};
            return r;
        },
        now);
    std::thread thread([&] { loop.run(); });
    Metrics metrics;
    History history("/nowhere", [] { return WallTime{}; });
    const auto ready = Pages(desk, reports, metrics, history, {[] { return Vitals{}; }, {}, "ns1"})
                           .answer({.method = "GET", .path = "/readyz"});
    CHECK(ready.status == 503);
    CHECK(ready.body == "b.test: undecided\n");
    loop.stop();
    thread.join();
}

TEST_CASE("nobody at the socket is said, with what to do") {
    Client nobody({.socket = "/nowhere/control.sock"});
    const auto a = nobody.get("/v1/version");
    CHECK_FALSE(a.reached);
    CHECK_FALSE(a.text.empty());
}

TEST_CASE("a daemon that hangs is not waited for in silence") {
    Scratch scratch;
    const std::string path = (scratch.path / "s").string();
    Fd hung = listen_unix(path); // the kernel connects, nobody answers
    const auto a = Client({.socket = path}).get("/v1/status", 1s);
    CHECK_FALSE(a.reached);
    CHECK(a.text.find("imeout") != std::string::npos);
    CHECK(Client::usual <= 10s);
}

TEST_CASE("N8: a report is handed out again, with its age, when control does not answer") {
    Control control;
    REQUIRE(control.reports.latest().report);
    control.desk.close();
    const auto later = control.reports.latest();
    REQUIRE(later.report);
    CHECK(later.report->generation == 7);
    CHECK(later.age >= Duration::zero());
}
