// Stateful kinds over HTTP, and the facts that other checks find in an answer, as they are written.
#include "tests/unit/config/fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace fairway;
using namespace fairway::load;

namespace {

const Check& check(const Loaded& loaded, const std::string& name) {
    const auto& checks = loaded.model->checks;
    const auto found = std::ranges::find_if(checks, [&](const CheckPtr& c) { return c->name == name; });
    REQUIRE(found != checks.end());
    return **found;
}

template<class Kind> const Kind& kind(const Loaded& loaded, const std::string& name) {
    return std::get<Kind>(check(loaded, name).kind);
}

/// One check of this body, and what is wrong with it.
std::string wrong_with(const std::string& body) {
    const Loaded loaded("checks:\n  c: {" + body + "}\n");
    CHECK_FALSE(loaded.model);
    return loaded.told();
}

} // namespace

TEST_CASE("the stateful kinds over HTTP have all they were given") {
    const Loaded loaded(R"(checks:
  p: {type: patroni, max_lag: 10s, role: primary}
  e: {type: etcd, port: 12379, tls: {ca: ca.pem, cert: c.pem, key: c.key}, sni: etcd.example, quorum: false}
  n: {type: nats, require: majority}
  r: {type: rabbitmq, user: u, password_file: pw, tls: verify-ca}
  m: {type: mongodb, tls: {mode: require}}
)",
                        {{"ca.pem", ""}, {"c.pem", ""}, {"c.key", ""}, {"pw", "x"}});
    INFO(loaded.told());
    REQUIRE(loaded.model);
    CHECK_FALSE(kind<PatroniCheck>(loaded, "p").api.tls);
    CHECK(check(loaded, "p").requirements == Requirements{.role = Role::primary, .max_lag = 10s});
    const ApiAccess& etcd = kind<EtcdCheck>(loaded, "e").api;
    CHECK(etcd.tls);
    CHECK(etcd.sni == "etcd.example");
    CHECK(etcd.tls_settings.cert_file == loaded.files.path("c.pem"));
    CHECK_FALSE(check(loaded, "e").requirements.quorum);
    CHECK(check(loaded, "n").requirements.of == Requirements::Of::majority);
    const ApiAccess& rabbitmq = kind<RabbitmqCheck>(loaded, "r").api;
    CHECK(rabbitmq.user == "u");
    CHECK(rabbitmq.password_file == loaded.files.path("pw"));
    CHECK(rabbitmq.tls_settings.verify == TlsSettings::Verify::ca);
    CHECK(kind<MongodbCheck>(loaded, "m").tls);
    CHECK(default_port(check(loaded, "p").kind) == 8008);
    CHECK(default_port(check(loaded, "r").kind) == 15671); // encrypted
    CHECK(loaded.told().find("mongodb are untested") != std::string::npos);
}

TEST_CASE(
    "two checks that differ in how an interface is reached are two probes, without a secret in the key") {
    const Loaded loaded("checks:\n  a: {type: rabbitmq}\n  b: {type: rabbitmq, user: u, password_file: pw}\n",
                        {{"pw", "secret"}});
    REQUIRE(loaded.model);
    const auto key = [&](const char* name) {
        return ProbeSpec{.check = loaded.model->checks[name[0] - 'a'], .target = std::string("r1")}.key();
    };
    CHECK(key("a") != key("b"));
    CHECK(key("b").find("secret") == std::string::npos);
}

TEST_CASE("facts are read where they are said to stand") {
    const Loaded loaded(R"(checks:
  a:
    type: http
    facts:
      role: {at: /state, primary: [leader, master], standby: follower}
      quorum: {at: /voters, is: ">= 2"}
      read_only: /frozen
      lag: {at: /behind_ms, unit: 1ms}
      epoch: /term
      position: /log/0
      system: /cluster
      weight: /share
      load: /load
    max_lag: 10s
    role: primary
  b: {type: prometheus, url: "http://p:9090", query: up, facts: {lag: /value/1, role: /metric/role}}
)");
    INFO(loaded.told());
    REQUIRE(loaded.model);
    const auto& facts = kind<HttpCheck>(loaded, "a").facts;
    REQUIRE(facts.size() == 9);
    CHECK(facts[0].primary == std::vector<std::string>{"leader", "master"});
    CHECK(facts[0].standby == std::vector<std::string>{"follower"});
    CHECK(facts[1].is == Comparison{Comparison::Op::at_least, "2"});
    CHECK_FALSE(facts[2].is.has_value());
    CHECK(facts[3].unit == 0.001);
    const auto& sample = kind<PrometheusCheck>(loaded, "b").facts;
    REQUIRE(sample.size() == 2);
    CHECK(sample[0].primary == std::vector<std::string>{"primary"}); // unless it is said otherwise
    CHECK(reports_of(check(loaded, "a").kind).lag);
    CHECK(reports_of(check(loaded, "b").kind).role);
}

TEST_CASE("a service can follow whatever reports a role, and nothing else") {
    const auto follows = [](const std::string& stateful) {
        return Loaded(base + "  store: {" + stateful +
                      "}\nservices:\n  shop.gtm.example.com:\n"
                      "    policy: {type: active_passive, follow: primary}\n    application: web\n    "
                      "stateful: store\n" +
                      two_sites);
    };
    for (const char* stateful : {"type: patroni", "type: etcd", "type: nats", "type: mongodb",
                                 "type: exec, command: /bin/true", "type: http, facts: {role: /role}"}) {
        CAPTURE(stateful);
        const Loaded loaded = follows(stateful);
        INFO(loaded.told());
        CHECK(loaded.model);
    }
    for (const char* stateful : {"type: http", "type: rabbitmq", "type: http, facts: {quorum: /q}"})
        CHECK(follows(stateful).told().find("needs a required `stateful` check that reports a role") !=
              std::string::npos);
}

TEST_CASE("what is wrong with facts and interfaces is said") {
    CHECK(wrong_with("type: http, facts: {role: state}").find("`state` is no JSON pointer") !=
          std::string::npos);
    CHECK(wrong_with("type: http, facts: {quorum: {is: \"> 1\"}}").find("`at` is missing") !=
          std::string::npos);
    CHECK(wrong_with("type: http, facts: {quorum: {at: /q, is: \"> many\"}}").find("comparison") !=
          std::string::npos);
    CHECK(wrong_with("type: http, facts: {term: /t}").find("unknown key `term`") != std::string::npos);
    CHECK(wrong_with("type: tcp, facts: {epoch: /t}").find("no meaning for a check of type tcp") !=
          std::string::npos);
    CHECK(wrong_with("type: etcd, sni: a").find("only makes sense with `tls`") != std::string::npos);
    CHECK(wrong_with("type: rabbitmq, user: u").find("only make sense together") != std::string::npos);
    CHECK(wrong_with("type: etcd, path: /health").find("no meaning for a check of type etcd") !=
          std::string::npos);
    CHECK(wrong_with("type: patroni, quorum: true").find("no meaning for a check of type patroni") !=
          std::string::npos);
}

TEST_CASE("a check that nobody has seen work says so, where a person reads it") {
    const Loaded loaded(
        "checks:\n  vault: {type: https, untested: true}\n  web: {type: http, untested: false}\n");
    REQUIRE(loaded.model);
    CHECK(loaded.told().find("the check `vault` is untested") != std::string::npos);
    CHECK(loaded.told().find("`web`") == std::string::npos);
}
