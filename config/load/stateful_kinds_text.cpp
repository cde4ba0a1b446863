#include "config/load/kind_readers.hpp"

namespace fairway::load {

RedisCheck read_redis(const Mapping& m) {
    using Mode = RedisCheck::Mode;
    RedisCheck c;
    m.choose("mode", c.mode,
             {{"server", Mode::server}, {"sentinel", Mode::sentinel}, {"cluster", Mode::cluster}});
    m.read("group", c.group);
    m.read("user", c.user);
    read_file(m, "password_file", c.password_file);
    m.read("sni", c.sni);
    c.tls = m.has("tls");
    read_tls(m, c.tls_settings);
    if (c.mode == Mode::sentinel && !m.has("group"))
        m.problems().error(m.place(),
                           "mode: sentinel needs a `group`: the name Sentinel knows the master by");
    if (c.mode != Mode::sentinel && m.has("group"))
        m.problems().error(m.place_of("group"), "`group` only has a meaning with mode: sentinel");
    if (c.group.find_first_of(" \t\r\n") != c.group.npos)
        wrong(*m.get("group"), *find_key("checks.*.group"), m.problems(), "a name without spaces");
    if (m.has("user") && !m.has("password_file"))
        m.problems().error(m.place_of("user"), "redis: a `user` needs a `password_file`");
    return c;
}

ZookeeperCheck read_zookeeper(const Mapping& m) {
    ZookeeperCheck c;
    m.read("sni", c.sni);
    c.tls = m.has("tls");
    read_tls(m, c.tls_settings);
    return c;
}

/// Debian 12 carries no MongoDB: nobody has seen it talk to one.
MongodbCheck read_mongodb(const Mapping& m) {
    MongodbCheck c;
    m.read("sni", c.sni);
    c.tls = m.has("tls");
    read_tls(m, c.tls_settings);
    m.problems().warning(m.place(), "checks of type mongodb are untested: see it work, and see it fail");
    return c;
}

} // namespace fairway::load
