// Checks of stores that are logged in to or answer lines: mysql, redis, zookeeper.
#include "tests/unit/config/fixture.hpp"

#include "config/model.hpp"

#include <doctest/doctest.h>

using namespace fairway;
using namespace fairway::load;

TEST_CASE("a check of a store has all it was given, and defaults for the rest") {
    const Loaded loaded(R"(checks:
  my: {type: mysql, user: u, dbname: d, password_file: pw, role: standby, max_lag: 3s,
       tls: {mode: verify-full, ca: ca.pem, cert: c.pem, key: c.key}}
  my_plain: {type: mysql, tls: off}
  re: {type: redis}
  se: {type: redis, mode: sentinel, group: shop, user: u, password_file: pw, tls: verify-ca, sni: s.example}
  cl: {type: redis, mode: cluster, quorum: false, watch: true}
  zk: {type: zookeeper, tls: {ca: ca.pem}}
)",
                        {{"ca.pem", ""}, {"c.pem", ""}, {"c.key", ""}, {"pw", "x"}});
    INFO(loaded.told());
    REQUIRE(loaded.model);
    const auto kind = [&](std::size_t i) { return loaded.model->checks[i]->kind; };
    const auto file = [&](const char* name) { return loaded.files.path(name); };
    CHECK(std::get<MysqlCheck>(kind(0)) == MysqlCheck{"u", "d", file("pw"), SslMode::verify_full,
                                                      file("ca.pem"), file("c.pem"), file("c.key")});
    CHECK(loaded.model->checks[0]->requirements == Requirements{Role::standby, 3s});
    CHECK(std::get<MysqlCheck>(kind(1)) == MysqlCheck{"fairway", "", "", SslMode::off});
    CHECK(std::get<RedisCheck>(kind(2)) == RedisCheck{});
    RedisCheck sentinel{RedisCheck::Mode::sentinel, "shop", "u", file("pw"), true, "s.example"};
    sentinel.tls_settings.verify = TlsSettings::Verify::ca;
    CHECK(std::get<RedisCheck>(kind(3)) == sentinel);
    CHECK(std::get<RedisCheck>(kind(4)).mode == RedisCheck::Mode::cluster);
    CHECK_FALSE(loaded.model->checks[4]->requirements.quorum);
    ZookeeperCheck zookeeper{true};
    zookeeper.tls_settings.ca_file = file("ca.pem");
    CHECK(std::get<ZookeeperCheck>(kind(5)) == zookeeper);
}

TEST_CASE("each store has its port, and reports what can be asked of it") {
    CHECK(default_port(MysqlCheck{}) == 3306);
    CHECK(default_port(RedisCheck{}) == 6379);
    CHECK(default_port(RedisCheck{RedisCheck::Mode::sentinel}) == 26379);
    CHECK(default_port(ZookeeperCheck{}) == 2181);
    CHECK(reports_of(MysqlCheck{}).lag);
    CHECK(reports_of(RedisCheck{RedisCheck::Mode::sentinel}).quorum);
    CHECK_FALSE(reports_of(RedisCheck{RedisCheck::Mode::cluster}).role);
    CHECK(reports_of(ZookeeperCheck{}).quorum);
}

TEST_CASE("what makes two probes of a store two (L6)") {
    const auto key = [](CheckKind kind) {
        ProbeSpec spec;
        Check check;
        check.kind = std::move(kind);
        spec.check = std::make_shared<const Check>(check);
        return spec.key();
    };
    CHECK(key(MysqlCheck{"a"}) != key(MysqlCheck{"b"}));
    CHECK(key(MysqlCheck{"a"}) != key(MysqlCheck{"a", "d"}));
    CHECK(key(MysqlCheck{"a", "", "", SslMode::off}) != key(MysqlCheck{"a", "", "", SslMode::require}));
    CHECK(key(RedisCheck{}) != key(RedisCheck{RedisCheck::Mode::cluster}));
    CHECK(key(RedisCheck{RedisCheck::Mode::sentinel, "a"}) !=
          key(RedisCheck{RedisCheck::Mode::sentinel, "b"}));
    CHECK(key(ZookeeperCheck{}) != key(ZookeeperCheck{true}));
    CHECK(key(ZookeeperCheck{}) == key(ZookeeperCheck{}));
}

TEST_CASE("what cannot be meant of a store is refused where it stands") {
    const auto told = [](const std::string& check) {
        return Loaded("checks: {db: {" + check + "}}\n", {{"pw", "x"}, {"c.pem", ""}}).told();
    };
    const auto says = [&](const std::string& check, const char* words) {
        const std::string problems = told(check);
        INFO(problems);
        CHECK(problems.find(words) != problems.npos);
    };
    says("type: redis, mode: sentinel", "mode: sentinel needs a `group`");
    says("type: redis, group: shop", "`group` only has a meaning with mode: sentinel");
    says("type: redis, mode: sentinel, group: a b", "group: expected a name without spaces");
    says("type: redis, user: u", "redis: a `user` needs a `password_file`");
    says("type: redis, mode: replica", "mode: expected server | sentinel | cluster, found `replica`");
    says("type: redis, dbname: d", "`dbname` has no meaning for a check of type redis");
    says("type: mysql, mode: sentinel", "`mode` has no meaning for a check of type mysql");
    says("type: mysql, watch: true", "`watch` has no meaning for a check of type mysql");
    says("type: mysql, tls: {cert: c.pem}", "`cert` and `key` only make sense together");
    says("type: mysql, tls: {mode: require, expiry_warning: 3d}",
         "expiry_warning of mysql is not supported yet");
    says("type: zookeeper, user: u", "`user` has no meaning for a check of type zookeeper");
    says("type: zookeeper, max_lag: 3s", "`max_lag` has no meaning for a check of type zookeeper");
    says("type: mysql, password_file: no.pw", "`no.pw` cannot be read");
}
