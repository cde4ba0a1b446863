// The kinds of check there are and what each can be told. What one look does is in probes/checks/, a file a
// kind; the keys are described in config/load/schema.cpp.
#pragma once

#include "config/comparison.hpp"
#include "config/time.hpp"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fairway {

/// How a TLS connection is made and what of the other side's certificate is believed.
struct TlsSettings {
    enum class Verify { full, ca, none }; ///< chain and name; chain only; nothing
    Verify verify = Verify::full;
    std::string ca_file;   ///< PEM; empty is the system's
    std::string cert_file; ///< our own certificate, PEM; empty is none
    std::string key_file;
    Duration expiry_warning = 14 * 24h; ///< a certificate that ends sooner is told with a passing result
    bool operator==(const TlsSettings&) const = default;
};

/// Where in an answer a fact stands, and what it means there. What is not there is not said.
struct FactRule {
    enum class Fact { role, quorum, read_only, epoch, position, lag, weight, load, system };
    Fact fact = Fact::role;
    std::string at;                   ///< JSON pointer (RFC 6901)
    std::vector<std::string> primary; ///< role: the words for it; any other than these is none
    std::vector<std::string> standby; ///< role
    std::optional<Comparison> is;     ///< quorum, read_only: it holds when the fact does; none: true or false
    double unit = 1;                  ///< lag: seconds in one of a plain number
    bool operator==(const FactRule&) const = default;
};

/// A request; the status decides, then what is asked of the body.
struct HttpCheck {
    bool tls = false;
    bool http2 = false; ///< over TLS as negotiated, else with prior knowledge
    bool reuse = false; ///< keep the connection from look to look
    std::string method = "GET";
    std::string path = "/";
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<std::pair<int, int>> status{{200, 299}};  ///< accepted ranges, inclusive
    unsigned redirects = 0;                               ///< how many are followed, at this target only
    std::string body;                                     ///< text that must occur in the body
    std::string body_regex;                               ///< PCRE2 pattern that must match in it
    std::vector<std::pair<std::string, Comparison>> json; ///< pointers (RFC 6901) into it
    std::size_t body_window = 65536;                      ///< bytes; more of the body is not read
    std::string host;                                     ///< Host header; empty: the service's name
    std::string sni;                                      ///< empty: the Host without its port
    TlsSettings tls_settings;
    std::vector<FactRule> facts{}; ///< taken from the body of a passing answer
    bool operator==(const HttpCheck&) const = default;
};

/// What is said on a connection once it stands, and what must then occur in what comes back.
struct Exchange {
    std::string send;
    std::string expect; ///< empty: nothing is read
    bool operator==(const Exchange&) const = default;
};

/// A TCP connection that is established and closed in order.
struct TcpCheck {
    Exchange exchange;
    bool operator==(const TcpCheck&) const = default;
};

/// A TLS session that is established and closed in order.
struct TlsCheck {
    std::string sni; ///< empty: the service's name
    TlsSettings tls_settings;
    Exchange exchange;
    bool operator==(const TlsCheck&) const = default;
};

/// A question to a name server, over UDP, again over TCP if the answer is cut.
struct DnsCheck {
    std::string name;
    std::string type = "A";
    std::string rcode = "NOERROR";
    std::vector<std::string> data; ///< as in a zone file; each must be among the answers
    bool operator==(const DnsCheck&) const = default;
};

/// The standard health protocol, grpc.health.v1.Health/Check.
struct GrpcCheck {
    std::string service; ///< empty: the server as a whole
    bool tls = false;
    std::string host; ///< :authority; empty: the service's name
    std::string sni;  ///< empty: the host without its port
    TlsSettings tls_settings;
    bool operator==(const GrpcCheck&) const = default;
};

/// An echo request.
struct IcmpCheck {
    bool operator==(const IcmpCheck&) const = default;
};

/// What a site says of itself by HAProxy's agent text: "75%", "drain", "down#why".
struct AgentCheck {
    std::string send; ///< said first, as HAProxy's agent-send
    bool operator==(const AgentCheck&) const = default;
};

/// A program of the operator's.
struct ExecCheck {
    std::vector<std::string> command; ///< program and arguments; no shell
    bool operator==(const ExecCheck&) const = default;
};

/// A query to a Prometheus server about the target: $address, $port, $host and $datacenter in it are
/// replaced.
struct PrometheusCheck {
    std::string url;
    std::string query;
    std::optional<Comparison> value; ///< must hold for each sample; none: the value is only told, as load
    TlsSettings tls_settings;
    std::vector<FactRule> facts{}; ///< taken from the one sample: /value/1, /metric/LABEL
    bool operator==(const PrometheusCheck&) const = default;
};

/// What of TLS is asked for by clients of databases, in libpq's sslmode words.
enum class SslMode { off, prefer, require, verify_ca, verify_full };

/// A PostgreSQL session that asks for role, timeline and position (manual: recipes, PostgreSQL).
struct PostgresCheck {
    using Tls = SslMode;
    std::string user;
    std::string dbname;
    std::string password_file; ///< its first line is the password; empty: none
    Tls tls = Tls::prefer;
    std::string ca_file;
    bool operator==(const PostgresCheck&) const = default;
};

/// How the HTTP interface of a product is reached.
struct ApiAccess {
    bool tls = false;
    std::string sni; ///< sent and verified; empty: the target's name, or its address
    TlsSettings tls_settings;
    std::string user;          ///< empty: nobody logs in
    std::string password_file; ///< its first line is the password
    bool operator==(const ApiAccess&) const = default;
};

/// Patroni's REST API (manual: recipes, Patroni).
struct PatroniCheck {
    ApiAccess api;
    bool operator==(const PatroniCheck&) const = default;
};

/// An etcd member, by its client port's JSON gateway.
struct EtcdCheck {
    ApiAccess api;
    bool operator==(const EtcdCheck&) const = default;
};

/// A NATS server with JetStream, by its monitoring port.
struct NatsCheck {
    ApiAccess api;
    bool operator==(const NatsCheck&) const = default;
};

/// A RabbitMQ node, by its management port.
struct RabbitmqCheck {
    ApiAccess api;
    bool operator==(const RabbitmqCheck&) const = default;
};

/// A MySQL or MariaDB session that asks for role, replication and cluster state (packaging/recipes).
struct MysqlCheck {
    std::string user;
    std::string dbname;        ///< empty: none
    std::string password_file; ///< its first line is the password; empty: none
    SslMode tls = SslMode::prefer;
    std::string ca_file;
    std::string cert_file; ///< our own certificate, PEM; empty is none
    std::string key_file;
    bool operator==(const MysqlCheck&) const = default;
};

/// A question to a Redis server about itself, to a Sentinel about a group, or to a node of a Redis Cluster
/// (packaging/recipes).
struct RedisCheck {
    enum class Mode { server, sentinel, cluster };
    Mode mode = Mode::server;
    std::string group;         ///< sentinel: whose master is asked for
    std::string user;          ///< empty: the default user
    std::string password_file; ///< its first line is the password; empty: none is given
    bool tls = false;
    std::string sni; ///< sent and verified; empty: the target's name, or its address
    TlsSettings tls_settings;
    bool operator==(const RedisCheck&) const = default;
};

/// A four-letter word to a ZooKeeper server (packaging/recipes).
struct ZookeeperCheck {
    bool tls = false;
    std::string sni; ///< sent and verified; empty: the target's name, or its address
    TlsSettings tls_settings;
    bool operator==(const ZookeeperCheck&) const = default;
};

/// `hello` to a MongoDB server (packaging/recipes).
struct MongodbCheck {
    bool tls = false;
    std::string sni; ///< sent and verified; empty: the target's name, or its address
    TlsSettings tls_settings;
    bool operator==(const MongodbCheck&) const = default;
};

/// What a datacenter reports of itself, by the control API.
struct PushCheck {
    std::vector<std::pair<std::string, std::string>>
        tokens;                              ///< datacenter, and the file its token is the first line of
    Duration ttl = std::chrono::seconds(15); ///< how long a report is believed
    bool operator==(const PushCheck&) const = default;
};

using CheckKind =
    std::variant<HttpCheck, TcpCheck, PostgresCheck, TlsCheck, DnsCheck, GrpcCheck, IcmpCheck, AgentCheck,
                 ExecCheck, PrometheusCheck, PatroniCheck, EtcdCheck, NatsCheck, RabbitmqCheck, MysqlCheck,
                 RedisCheck, ZookeeperCheck, MongodbCheck, PushCheck>;

} // namespace fairway
