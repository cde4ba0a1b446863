// What the readers of kinds of check share, and those that stand in files of their own. check_kinds.cpp puts
// them together.
#pragma once

#include "config/load/binding.hpp"

namespace fairway::load {

/// A path whose file must be readable now.
void read_file(const Mapping& m, std::string_view key, std::string& out);
/// `tls`, of kinds that speak TLS from the first byte.
void read_tls(const Mapping& m, TlsSettings& tls);
/// RFC 6901.
bool is_json_pointer(std::string_view text);
/// `path` is the key's in the schema.
bool read_comparison(const Node& n, std::string_view path, Comparison& out, Diagnostics& problems);

// stateful_kinds_http.cpp: products that are asked by their own HTTP interface; facts in any other's answer
PatroniCheck read_patroni(const Mapping& m);
EtcdCheck read_etcd(const Mapping& m);
NatsCheck read_nats(const Mapping& m);
RabbitmqCheck read_rabbitmq(const Mapping& m);
std::vector<FactRule> read_facts(const Mapping& m);

// stateful_kinds_sql.cpp: databases that are logged in to
PostgresCheck read_postgres(const Mapping& m);
MysqlCheck read_mysql(const Mapping& m);

// stateful_kinds_text.cpp: stores that answer lines
RedisCheck read_redis(const Mapping& m);
ZookeeperCheck read_zookeeper(const Mapping& m);
MongodbCheck read_mongodb(const Mapping& m);

} // namespace fairway::load
