#include "config/load/kind_readers.hpp"

namespace fairway::load {

namespace {

void read_mode(const Mapping& t, SslMode& mode, std::string& ca) {
    t.choose("mode", mode,
             {{"off", SslMode::off},
              {"prefer", SslMode::prefer},
              {"require", SslMode::require},
              {"verify-ca", SslMode::verify_ca},
              {"verify-full", SslMode::verify_full}});
    read_file(t, "ca", ca);
}

void refuse(const Mapping& t, std::string_view key, std::string_view kind) {
    if (t.has(key))
        not_supported(t.place_of(key), "checks.*.tls." + std::string(key) + " of " + std::string(kind),
                      t.problems());
}

} // namespace

PostgresCheck read_postgres(const Mapping& m) {
    PostgresCheck c;
    c.user = "fairway";
    c.dbname = "postgres";
    m.read("user", c.user);
    m.read("dbname", c.dbname);
    read_file(m, "password_file", c.password_file);
    if (const Node* n = m.get("tls")) {
        const Mapping t(*n, "checks.*.tls", m.problems(), "mode");
        read_mode(t, c.tls, c.ca_file);
        for (std::string_view key : {"cert", "key"}) refuse(t, key, "postgres");
    }
    return c;
}

MysqlCheck read_mysql(const Mapping& m) {
    MysqlCheck c;
    c.user = "fairway";
    m.read("user", c.user);
    m.read("dbname", c.dbname);
    read_file(m, "password_file", c.password_file);
    if (const Node* n = m.get("tls")) {
        const Mapping t(*n, "checks.*.tls", m.problems(), "mode");
        read_mode(t, c.tls, c.ca_file);
        read_file(t, "cert", c.cert_file);
        read_file(t, "key", c.key_file);
        refuse(t, "expiry_warning", "mysql");
        if (t.has("cert") != t.has("key"))
            m.problems().error(t.place(), "tls: `cert` and `key` only make sense together");
    }
    return c;
}

} // namespace fairway::load
