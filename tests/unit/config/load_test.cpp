// What a right configuration becomes: defaults, short forms, templates, includes, warnings.
#include "config/load/schema.hpp"
#include "tests/unit/config/fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

using namespace fairway;
using namespace fairway::load;

namespace {

/// The model's only service, or a failed test that says why there is none.
const Service& only(const Loaded& loaded) {
    INFO(loaded.told());
    REQUIRE(loaded.model);
    REQUIRE(loaded.model->services.size() == 1);
    return loaded.model->services.front();
}

bool told(const Loaded& loaded, const std::string& what) {
    return loaded.told().find(what) != std::string::npos;
}

} // namespace

TEST_CASE("the quick start loads without a word") {
    Diagnostics problems;
    const auto m = fairway::load::load(TEST_EXAMPLES "/quickstart.yaml", problems);
    INFO(problems.to_string());
    REQUIRE(m);
    REQUIRE(m->services.size() == 2);
    const Service& shop = m->services[*m->find_service(*Name::parse("shop.gtm.example.com"))];
    CHECK(shop.follows_primary());
    CHECK(shop.failover == Service::Failover::automatic);
    CHECK(shop.on_all_down.mode == OnAllDown::Mode::last_good);
    CHECK(shop.hooks.at(Hook::Step::fence).exec.front() ==
          std::filesystem::path(TEST_EXAMPLES "/demo/fence.sh").lexically_normal().string());
    CHECK(shop.hooks.at(Hook::Step::promote).timeout == 30s);
    const Service& www = m->services[*m->find_service(*Name::parse("www.gtm.example.com"))];
    REQUIRE(www.endpoints.size() == 2);
    CHECK(std::holds_alternative<Weighted>(www.policy));
    CHECK(www.endpoints[0].weight == 70);
    CHECK(www.on_all_down.mode == OnAllDown::Mode::as_if_all_up);
    CHECK(www.failover == Service::Failover::automatic);
    CHECK(m->checks.size() == 2);
    CHECK(m->checks[1]->requirements.max_lag == 10s);
    CHECK(m->http.listen == std::vector{*SocketAddress::parse("127.0.0.1:9553")});
}

TEST_CASE("the rest of the contract is known: it is refused as not supported yet, and as nothing else") {
    for (const char* file : {"tour.yaml", "contract.yaml"}) {
        Diagnostics problems;
        CHECK_FALSE(fairway::load::load(std::string(TEST_DATA "/") + file, problems));
        CHECK(problems.errors() > 0); // falls as they come to be supported
        for (const Diagnostic& d : problems.all()) {
            if (d.severity == Diagnostic::Severity::warning) continue;
            CAPTURE(d.to_string());
            const bool later = d.message.ends_with("is not supported yet");
            const bool missing = d.message.ends_with("cannot be read: No such file or directory");
            CHECK((later || missing));
            CHECK(d.place.line > 0);
            CHECK(d.place.column > 0);
        }
    }
}

TEST_CASE("alerts: a URL, or one with a token and whom to believe") {
    const Loaded two(service("    policy: weighted\n    application: web\n" + two_sites) +
                     "alerts:\n  alertmanager: http://127.0.0.1:9093\n  webhooks: [\"https://a.example/x\", "
                     "{url: \"http://127.0.0.1:1/\", token: /dev/null}]\n");
    INFO(two.told());
    REQUIRE(two.model);
    const AlertSettings& a = two.model->alerts;
    CHECK(a.alertmanagers == std::vector<AlertTarget>{{"http://127.0.0.1:9093", "", ""}});
    REQUIRE(a.webhooks.size() == 2);
    CHECK(a.webhooks[1].token_file == "/dev/null");
    CHECK(a.repeat == 60s);
    for (const auto& [bad, why] : std::map<std::string, std::string>{
             {"{webhooks: [\"ftp://a.example/\"]}", "http://HOST"},
             {"{webhooks: [\"http://me:secret@a.example/\"]}", "without a user"},
             {"{webhooks: [{url: \"http://a.example/\", token: /dev/null}]}", "must begin with https"},
             {"{webhooks: [{token: /dev/null}]}", "url"},
             {"{alertmanager: [\"https://a/\", {url: \"https://a/\", tokn: x}]}", "token"},
             {"{repeat: 1s}", "repeat"}}) {
        CAPTURE(bad);
        const Loaded l(service("    policy: weighted\n    application: web\n" + two_sites) +
                       "alerts: " + bad + "\n");
        CHECK_FALSE(l.model);
        CHECK(l.told().find(why) != std::string::npos);
    }
}

TEST_CASE("what is not said has the default of the law") {
    const Loaded loaded(service("    policy: active_passive\n    application: web\n" + two_sites));
    const Service& s = only(loaded);
    CHECK(s.failover == Service::Failover::automatic);
    CHECK(s.failback == Service::Failback::delayed);
    CHECK(s.failback_after == 300s);
    CHECK(s.on_all_down.mode == OnAllDown::Mode::as_if_all_up);
    CHECK(s.ttl.min == 10s);
    CHECK(s.ttl.max == 10s);
    CHECK(std::get<ActivePassive>(s.policy).order == std::vector<EndpointIndex>{0, 1});
    CHECK(loaded.model->dns.listen.size() == 2);
    CHECK(loaded.model->control.socket == "/run/fairway/control.sock");

    const Loaded stateful(
        service("    policy: active_passive\n    application: web\n    stateful: db\n" + two_sites));
    CHECK(only(stateful).failover == Service::Failover::approval);
    CHECK(only(stateful).failback == Service::Failback::manual);
    CHECK(only(stateful).on_all_down.mode == OnAllDown::Mode::last_good);
}

TEST_CASE("a scalar stands for the first field of a mapping") {
    const std::pair<std::string, std::string> pairs[] = {
        {"    failback: manual\n", "    failback: {mode: manual}\n"},
        {"    failover: approval\n", "    failover: {mode: approval}\n"},
        {"    ttl: 7s\n", "    ttl: {min: 7s, max: 7s}\n"}};
    for (const auto& [brief, full] : pairs) {
        CAPTURE(brief);
        const Loaded a(service("    policy: active_passive\n    application: web\n" + brief + two_sites));
        const Loaded b(
            service("    policy: {type: active_passive}\n    application: web\n" + full + two_sites));
        CHECK(only(a).failback == only(b).failback);
        CHECK(only(a).failover == only(b).failover);
        CHECK(only(a).ttl.max == only(b).ttl.max);
    }
    const Loaded margin(
        service("    policy: {type: latency, margin: 20ms}\n    application: web\n" + two_sites));
    CHECK(std::get<Latency>(only(margin).policy).margin_absolute == 20ms);
    CHECK(std::get<Latency>(only(margin).policy).margin_relative == 0);
    const Loaded usual(service("    policy: latency\n    application: web\n" + two_sites));
    CHECK(std::get<Latency>(only(usual).policy).margin_relative == doctest::Approx(0.15));
}

TEST_CASE("the defaults of the description are those of the code") {
    const Loaded loaded("checks: {web: {type: http}}\n");
    REQUIRE(loaded.model);
    const CheckTiming t = loaded.model->checks[0]->timing;
    for (std::string path : {"checks.*", "defaults.check"}) {
        const auto said = [&](const char* key) { return find_key(path + "." + key)->fallback; };
        CHECK(said("interval") == to_string(t.interval));
        CHECK(said("timeout") == to_string(t.timeout));
        CHECK(said("retest") == to_string(t.retest));
        CHECK(said("hold_down") == to_string(t.hold_down));
        CHECK(said("fall") == std::to_string(t.fall));
        CHECK(said("rise") == std::to_string(t.rise));
    }
    CHECK(find_key("brake.max_share")->fallback == "50%");
    CHECK(loaded.model->brake.max_share == 0.5);
    CHECK(find_key("brake.within")->fallback == "60s");
    CHECK(loaded.model->brake.within == 60s);
    CHECK(find_key("state.directory")->fallback == loaded.model->state.directory);
}

TEST_CASE("every key is listed once, with its parent, its type and a line for people") {
    std::set<std::string_view> seen{""};
    std::size_t later = 0;
    for (const Key& k : keys()) {
        CAPTURE(std::string(k.path));
        CHECK(seen.insert(k.path).second);
        CHECK_FALSE(k.doc.empty());
        CHECK((!k.words.empty() || k.type != Type::word));
        const bool anywhere = k.path.starts_with("services.*.hooks.*"); // stands for each step
        CHECK((anywhere || seen.contains(k.parent())));
        later += !k.supported;
    }
    CHECK(keys().size() > 180);
    CHECK(later > 0); // `cluster`, for one
}

TEST_CASE("defaults.check and defaults.ttl hold for whatever does not say otherwise") {
    const Loaded loaded(service("    policy: weighted\n    application: web\n" + two_sites) +
                        "defaults: {ttl: {min: 5s, max: 30s}, check: {interval: 1s, fall: 2}}\n");
    CHECK(only(loaded).ttl.min == 5s);
    CHECK(loaded.model->checks[0]->timing.interval == 1s);
    CHECK(loaded.model->checks[0]->timing.fall == 2);
    CHECK(loaded.model->checks[0]->timing.rise == 5);
}

TEST_CASE("weights stand at the policy or at the endpoints; what the policy leaves out gets nothing") {
    const Loaded loaded(
        service("    policy: {type: weighted, weights: {west: 30}}\n    application: web\n" + two_sites));
    CHECK(only(loaded).endpoints[0].weight == 0);
    CHECK(only(loaded).endpoints[1].weight == 30);
    CHECK(std::holds_alternative<RoundRobin>(
        only(Loaded(service("    policy: round_robin\n    application: web\n" + two_sites))).policy));
}

TEST_CASE("min_healthy is a number of addresses, or a share of them, at least one and at most all") {
    struct Row {
        const char* said;
        std::size_t of_1, of_3, of_10;
    };
    for (const Row& r : {Row{"1", 1, 1, 1}, Row{"2", 1, 2, 2}, Row{"50%", 1, 2, 5}, Row{"0%", 1, 1, 1},
                         Row{"100%", 1, 3, 10}, Row{"34%", 1, 2, 4}}) {
        CAPTURE(r.said);
        const Loaded loaded(service("    policy: weighted\n    application: web\n    min_healthy: " +
                                    std::string(r.said) + "\n" + two_sites));
        const MinHealthy& m = only(loaded).min_healthy;
        CHECK(m.of(1) == r.of_1);
        CHECK(m.of(3) == r.of_3);
        CHECK(m.of(10) == r.of_10);
    }
}

TEST_CASE("a check has all it was given") {
    const Loaded loaded(R"(checks:
  web: {type: https, port: 8443, method: HEAD, path: /h, headers: {X-A: b}, status: ["200", 300-399], body: '"ok"',
        watch: true, body_window: 100, host: a.example, sni: b.example, tls: {mode: verify-ca, ca: ca.pem, cert: c.pem, key: c.key}}
  db: {type: postgres, user: u, dbname: d, password_file: pw, tls: require, role: standby, max_lag: 3s, quorum: false,
       require: majority}
)",
                        {{"ca.pem", ""}, {"c.pem", ""}, {"c.key", ""}, {"pw", "x"}});
    INFO(loaded.told());
    REQUIRE(loaded.model);
    const HttpCheck& web = std::get<HttpCheck>(loaded.model->checks[0]->kind);
    CHECK(loaded.model->checks[0]->watch);
    CHECK_FALSE(loaded.model->checks[1]->watch);
    CHECK(web.tls);
    CHECK(web.method == "HEAD");
    CHECK(web.headers == std::vector<std::pair<std::string, std::string>>{{"X-A", "b"}});
    CHECK(web.status == std::vector<std::pair<int, int>>{{200, 200}, {300, 399}});
    CHECK(web.body == "\"ok\"");
    CHECK(web.body_window == 100);
    CHECK(web.host == "a.example");
    CHECK(web.sni == "b.example");
    CHECK(web.tls_settings.verify == TlsSettings::Verify::ca);
    CHECK(web.tls_settings.key_file == loaded.files.path("c.key"));
    CHECK(loaded.model->checks[0]->port == 8443);
    const Check& db = *loaded.model->checks[1];
    CHECK(std::get<PostgresCheck>(db.kind).tls == PostgresCheck::Tls::require);
    CHECK(std::get<PostgresCheck>(db.kind).password_file == loaded.files.path("pw"));
    CHECK(db.requirements == Requirements{Role::standby, 3s, false, Requirements::Of::majority});
}

TEST_CASE("the other kinds have all they were given, and defaults for the rest") {
    const Loaded loaded(R"(checks:
  web: {type: https, http_version: 2, reuse: true, redirects: 2, body_regex: "^ok", json: {/status: green, /n/0: ">= 3"},
        tls: {expiry_warning: 30d}, source: [192.0.2.1, "2001:db8::1"], addresses: all}
  smtp: {type: tcp, port: 25, expect: "220 "}
  tls: {type: tls, sni: a.example, tls: verify-ca, send: "x\n", expect: y}
  ns: {type: dns, query: www.example.com, record: MX, data: "10 mail.example.com."}
  none: {type: dns, query: x.example.com, rcode: NXDOMAIN}
  orders: {type: grpc, port: 50051, service: shop.v1.Orders}
  orders_tls: {type: grpc, port: 50051, tls: {mode: verify-full}, host: orders.example}
  ping: {type: icmp}
  agent: {type: agent, port: 9777, send: "web\n"}
  own: {type: exec, command: [./check.sh, --deep], role: primary, max_lag: 3s}
  path: {type: exec, command: true-or-so}
  prom: {type: prometheus, url: "http://p:9090", query: "up", value: "== 1"}
)",
                        {{"check.sh", ""}});
    INFO(loaded.told());
    REQUIRE(loaded.model);
    const auto check = [&](const char* name) -> const Check& {
        return **std::find_if(loaded.model->checks.begin(), loaded.model->checks.end(),
                              [&](const CheckPtr& c) { return c->name == name; });
    };
    const auto& web = std::get<HttpCheck>(check("web").kind);
    CHECK((web.http2 && web.reuse && web.redirects == 2));
    CHECK(web.body_regex == "^ok");
    REQUIRE(web.json.size() == 2);
    CHECK(web.json[1].second == Comparison{Comparison::Op::at_least, "3"});
    CHECK(web.tls_settings.expiry_warning == 30 * 24h);
    CHECK(check("web").source.size() == 2);
    CHECK(check("web").all_addresses);
    CHECK(std::get<TcpCheck>(check("smtp").kind) == TcpCheck{{"", "220 "}});
    CHECK(std::get<TlsCheck>(check("tls").kind).exchange == Exchange{"x\n", "y"});
    CHECK(std::get<TlsCheck>(check("tls").kind).tls_settings.verify == TlsSettings::Verify::ca);
    CHECK(std::get<DnsCheck>(check("ns").kind) ==
          DnsCheck{"www.example.com", "MX", "NOERROR", {"10 mail.example.com."}});
    CHECK(std::get<DnsCheck>(check("none").kind).rcode == "NXDOMAIN");
    CHECK(std::get<GrpcCheck>(check("orders").kind).service == "shop.v1.Orders");
    CHECK_FALSE(std::get<GrpcCheck>(check("orders").kind).tls);
    CHECK(std::get<GrpcCheck>(check("orders_tls").kind).tls);
    CHECK(std::get<AgentCheck>(check("agent").kind).send == "web\n");
    CHECK(std::get<ExecCheck>(check("own").kind).command ==
          std::vector<std::string>{loaded.files.path("check.sh"), "--deep"});
    CHECK(check("own").requirements.role == Role::primary);
    CHECK(std::get<ExecCheck>(check("path").kind).command.front() == "true-or-so");
    CHECK(std::get<PrometheusCheck>(check("prom").kind).value == Comparison{Comparison::Op::equal, "1"});
}

TEST_CASE("every recipe that ships can be included, and says what it reads, why, and what it cannot know") {
    std::size_t recipes = 0;
    for (const auto& file : std::filesystem::directory_iterator(TEST_EXAMPLES "/../recipes")) {
        if (file.path().extension() != ".yaml") continue;
        ++recipes;
        CAPTURE(file.path().string());
        const Loaded loaded("include: [\"" + std::filesystem::absolute(file.path()).string() + "\"]\n");
        INFO(loaded.told());
        REQUIRE(loaded.model);
        CHECK_FALSE(loaded.model->checks.empty());
        std::ifstream in(file.path());
        const std::string text(std::istreambuf_iterator<char>(in), {});
        for (const char* word : {"Reads ", "# Why", "# Cannot know: "}) CHECK(text.find(word) != text.npos);
    }
    CHECK(recipes >= 8);
}

TEST_CASE("a service's own key replaces the template's whole") {
    const Loaded loaded(base + R"(templates:
  web3: {policy: {type: latency, margin: 20ms}, application: web, ttl: {min: 5s, max: 30s}}
services:
  shop.gtm.example.com:
    use: web3
    ttl: 7s
    endpoints: {east: {addresses: [192.0.2.1]}}
)");
    CHECK(std::get<Latency>(only(loaded).policy).margin_absolute == 20ms);
    CHECK(only(loaded).ttl.min == 7s);
    CHECK(only(loaded).ttl.max == 7s);
}

TEST_CASE("what a template says wrongly is reported once") {
    std::string text = base + "templates: {t: {policy: latency, application: wbe}}\nservices:\n";
    for (char c : {'a', 'b', 'c'})
        text += std::string("  ") + c +
                ".gtm.example.com: {use: t, endpoints: {east: {addresses: [192.0.2.1]}}}\n";
    CHECK(Loaded(text).problems.errors() == 1);
}

TEST_CASE("expressions nest, and checks written in place are checks") {
    const Loaded loaded(service(R"(    policy: weighted
    application: {all: [web, {any: [{name: tls, type: tcp, port: 443}, {not: db}]}, {check: db, required: false}]}
    stateful: {at_least: 1, of: [db, db]}
)" + two_sites));
    const Expression& e = *only(loaded).application;
    using Op = Expression::Op;
    REQUIRE(e.op == Op::all);
    REQUIRE(e.operands.size() == 3);
    CHECK(e.operands[1].op == Op::any);
    CHECK(loaded.model->checks[e.operands[1].operands[0].check]->name == "tls");
    CHECK(e.operands[1].operands[1].op == Op::negate);
    CHECK_FALSE(e.operands[2].required);
    CHECK(only(loaded).stateful->count == 1);
}

TEST_CASE("one check written in place by two services is one") {
    const std::string body =
        "    policy: weighted\n    application: {name: tls, type: tcp, port: 443}\n" + two_sites;
    const Loaded loaded(service(body) + "  www.gtm.example.com:\n" + body);
    INFO(loaded.told());
    REQUIRE(loaded.model);
    CHECK(loaded.model->checks.size() == 4);
}

TEST_CASE("targets are hosts, ports are optional, same_as takes the hosts") {
    const Loaded loaded(service(R"(    policy: weighted
    application: web
    stateful: {all: [db, {name: raft, type: tcp, port: 1}]}
    endpoints:
      east: {addresses: [192.0.2.1], targets: {raft: {same_as: db, port: 8222}, db: ["10.1.0.5:2379", pg.east, "2001:db8::5"]}}
      west: {addresses: [198.51.100.1], stateful: ["[2001:db8::7]:5433"]}
)"));
    const auto& east = only(loaded).endpoints[0].targets;
    REQUIRE(east.size() == 2);
    const auto& db = east.at(1);
    CHECK(std::get<IpAddress>(db[0].host) == *IpAddress::parse("10.1.0.5"));
    CHECK(db[0].port == 2379);
    CHECK(std::get<std::string>(db[1].host) == "pg.east");
    CHECK_FALSE(db[1].port);
    CHECK(std::get<IpAddress>(db[2].host) == *IpAddress::parse("2001:db8::5"));
    const auto& raft = east.at(3);
    REQUIRE(raft.size() == 3);
    CHECK(raft[1].port == 8222);
    CHECK(std::get<std::string>(raft[1].host) == "pg.east");
    CHECK(only(loaded).endpoints[1].targets.size() == 2);
}

TEST_CASE("included files are merged, and their paths are relative to themselves") {
    const Loaded loaded("include: [\"d/*.yaml\", more.yaml]\nchecks: {web: {type: http}}\n",
                        {{"d/a.yaml", "checks: {db: {type: postgres, password_file: pw}}\n"},
                         {"d/pw", "x"},
                         {"more.yaml", "checks: {plain: {type: tcp, port: 1}}\nnode: {name: n}\n"}});
    INFO(loaded.told());
    REQUIRE(loaded.model);
    CHECK(loaded.model->checks.size() == 3);
    CHECK(loaded.model->node.name == "n");
    CHECK(std::get<PostgresCheck>(loaded.model->checks[1]->kind).password_file == loaded.files.path("d/pw"));
}

TEST_CASE("the same key in two files is an error that names both places") {
    const Loaded loaded("include: [more.yaml]\nchecks:\n  web: {type: http}\n",
                        {{"more.yaml", "checks:\n  db: {type: tcp}\n  web: {type: tcp}\n"}});
    CHECK(loaded.problems.errors() == 1);
    CHECK(told(loaded, "more.yaml:3:3: error: `web` is given twice; first at fairway.yaml:3:3"));
}

TEST_CASE("a glob without a match is a warning, and a file that cannot be read is an error") {
    CHECK(
        told(Loaded("include: [\"d/*.yaml\"]\n"), "fairway.yaml:1:11: warning: `d/*.yaml` matches no file"));
    Diagnostics problems;
    CHECK_FALSE(fairway::load::load("/nonexistent/fairway.yaml", problems));
    CHECK(problems.to_string().find("cannot be read: No such file or directory") != std::string::npos);
    Diagnostics directory;
    CHECK_FALSE(fairway::load::load("/", directory));
    CHECK(directory.to_string().find("cannot be read: Is a directory") != std::string::npos);
}

TEST_CASE("aliases are copied, but not without bound") {
    const Loaded loaded("checks: {a: &x {type: http}, b: *x}\n");
    REQUIRE(loaded.model);
    CHECK(loaded.model->checks.size() == 2);
    std::string bomb = "templates:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        const std::string n = std::to_string(i), o = "*a" + std::to_string(i - 1);
        bomb += "  a" + n + ": &a" + n + " [" + o;
        for (int k = 0; k < 9; ++k) bomb += ", " + o;
        bomb += "]\n";
    }
    CHECK(told(Loaded(bomb), "aliases multiply this file"));
}

TEST_CASE("on_all_down takes fixed addresses") {
    const Loaded loaded(service(
        "    policy: weighted\n    application: web\n    on_all_down: {static: [192.0.2.99]}\n" + two_sites));
    CHECK(only(loaded).on_all_down.mode == OnAllDown::Mode::fixed);
    CHECK(only(loaded).on_all_down.addresses == std::vector{*IpAddress::parse("192.0.2.99")});
}

TEST_CASE("one of several name servers may run the runbook (L17)") {
    const std::string body = "    policy: active_passive\n    application: web\n    failover: automatic\n"
                             "    hooks: {fence: {exec: [fence, -x], required: false}}\n" +
                             two_sites;
    const Loaded alone(service(body) + "node: {runbook: true}\n");
    CHECK(only(alone).hooks.at(Hook::Step::fence).exec == std::vector<std::string>{"fence", "-x"});
    CHECK_FALSE(only(alone).hooks.at(Hook::Step::fence).required);
    CHECK_FALSE(Loaded(service(body)).model);
}

TEST_CASE("check-config warns where there are more looks than the threads are good for (H10, O5)") {
    const auto looks = [](int services, const std::string& interval, const std::string& more,
                          bool own_addresses) {
        std::string text =
            "datacenters: {east: {}, west: {}, south: {}}\nchecks: {web: {type: tcp, port: 80, interval: " +
            interval + "}}\n" + more + "services:\n";
        for (int i = 0; i < services; ++i) {
            const std::string net =
                own_addresses ? std::to_string(i / 250) + "." + std::to_string(i % 250) : "0.0";
            text += "  s" + std::to_string(i) +
                    ".example: {policy: weighted, application: web, ttl: 5s, endpoints: "
                    "{east: {addresses: [10.1." +
                    net + "]}, west: {addresses: [10.2." + net + "]}}}\n";
        }
        return Loaded(text).told();
    };
    const std::string warning = " looks a second are more than ";
    CHECK(looks(500, "200ms", "", true).find(warning) == std::string::npos);
    const std::string over = looks(501, "200ms", "", true);
    CHECK(over.find("warning: 5010 looks a second are more than 1 thread is good for (5000 each, 10,000 "
                    "checks at 2 s): "
                    "say `probes: {threads: 2}` or longer intervals") != std::string::npos);
    CHECK(looks(501, "200ms", "probes: {threads: 2}\n", true).find(warning) == std::string::npos);
    CHECK(looks(501, "200ms", "", false).find(warning) == std::string::npos); // identical ones run once
    CHECK(looks(501, "2s", "", true).find(warning) == std::string::npos);
}

TEST_CASE("O5: what is heeded is not warned of") {
    const std::string web = "    application: web\n" + two_sites;
    const std::pair<std::string, const char*> rows[] = {
        {service("    policy: {type: geo, branches: [{when: {country: DE}, policy: {type: active_passive, "
                 "order: [east]}}, {policy: {type: active_passive, order: [west]}}]}\n" +
                 web),
         "excluded"},
        {service("    policy: latency\n    ramp: {steps: [10%]}\n" + web), "`ramp` has no effect"},
        {service("    policy: weighted\n    min_healthy: 1\n" + web), "min_healthy"},
        {service("    policy: active_passive\n    objectives: {rpo: 5s}\n    stateful: db\n" + web),
         "reports a lag"},
        {service("    policy: weighted\n    consistency: strong\n    objectives: {rpo: 0s}\n    stateful: "
                 "web\n" +
                 web),
         "reports a lag"},
        {service("    policy: weighted\n" + web) + "rules: {min_datacenters: 3}\n", "min_datacenters"}};
    for (const auto& [yaml, text] : rows) {
        const Loaded l(yaml);
        INFO(l.told());
        REQUIRE(l.model);
        CHECK(l.told().find(text) == std::string::npos);
    }
}

TEST_CASE("check-config warns of what will hurt later (O5)") {
    const std::string web = "    application: web\n" + two_sites;
    const std::pair<std::string, const char*> rows[] = {
        {service("    policy: weighted\n    consistency: strong\n" + web),
         "warning: strongly consistent and always available needs a third failure domain"},
        {service("    policy: weighted\n    ttl: 2s\n" + web) + "", ""},
        {service("    policy: {type: active_passive, order: [east]}\n" + web),
         "the endpoint in `west` is not named and thereby excluded"},
        {service("    policy: {type: geo, branches: [{policy: {type: active_passive, order: [east]}}]}\n" +
                 web),
         "branches: the endpoint in `west` is named by none and thereby excluded"},
        {service("    policy: active_passive\n    ramp: {steps: [10%]}\n" + web),
         "`ramp` has no effect under the policy active_passive"},
        {service("    policy: all\n    ramp: {steps: [10%]}\n" + web),
         "`ramp` has no effect under the policy all"},
        {service("    policy: weighted\n    min_healthy: 3\n" + web),
         "min_healthy: 3 of 1 IPv4 address: it means all of them here"},
        {service("    policy: {type: active_passive, order: [west, east]}\n    application: web\n"
                 "    endpoints: {east: {addresses: [192.0.2.1]}, west: {addresses: [198.51.100.1], weight: "
                 "0}}\n"),
         "weight 0 excludes the endpoint that `order` names first"},
        {service("    policy: active_passive\n    objectives: {rpo: 5s}\n    stateful: web\n" + web),
         "objectives: `rpo`, and no `stateful` check reports a lag"},
        {service("    policy: weighted\n" + web) + "rules: {min_datacenters: 5}\n",
         "min_datacenters: 5 are never left of 3: nothing but the first site to fail goes out"},
        {service("    policy: latency\n" + web), "knows nothing of clients"},
        {service("    policy: weighted\n    failback: manual\n" + web), "`failback` has no effect"},
        {service("    policy: active_passive\n    on_no_primary: hold\n" + web),
         "`on_no_primary` has no effect"},
        {service("    policy: weighted\n" + web) + "node: {datacenter: east}\n",
         "this node stands inside one of 3 datacenters without `self_doubt.references`"},
        {"datacenters: {east: {}, west: {}}\nnode: {datacenter: east}\n",
         "a single foreign datacenter and no `self_doubt.references`"},
        {"datacenters: {west: {}}\n", "a single foreign datacenter"},
        {"zones: {a.example: {nameservers: {ns1: [192.0.2.1]}}}\ndatacenters: {a: {}, b: {}}\n",
         "one name server"},
        {"zones: {a.example: {nameservers: {ns1: [192.0.2.53], ns2: [192.0.2.54]}}}\ndatacenters: {east: {}, "
         "west: {}}\nchecks: {web: {type: http}}\n"
         "services:\n  w.a.example:\n    policy: weighted\n" +
             web,
         "all name servers are in the datacenter east"},
        {"zones: {a.example: {nameservers: {ns1: [192.0.2.53], ns2: [198.51.100.2]}, soa: {minimum: "
         "60s}}}\ndatacenters: {east: {}, west: {}}\n"
         "checks: {web: {type: http}}\nservices:\n  w.a.example:\n    policy: weighted\n" +
             web,
         "fairway.yaml:1:91: warning: negative answers of a.example are kept for 1m, longer than w.a.example "
         "(10s)"},
        {service("    policy: weighted\n    application: {check: web, required: false}\n" + two_sites),
         "only watch (`required: false`) and never decide"},
        {service("    policy: active_passive\n    application: web\n    failover: approval\n    hooks: "
                 "{fence: {exec: [./nowhere.sh]}}\n" +
                 two_sites),
         "`./nowhere.sh` is not there"},
    };
    for (const auto& [text, warning] : rows) {
        CAPTURE(text);
        const Loaded loaded(text);
        const std::string all = loaded.told();
        CAPTURE(all);
        CHECK(loaded.model);
        if (*warning) CHECK(all.find(warning) != std::string::npos);
        else CHECK(all.empty());
    }
}
