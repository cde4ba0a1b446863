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
    bool looks_at_body() const { return !body.empty() || !body_regex.empty() || !json.empty(); }
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
    bool operator==(const PrometheusCheck&) const = default;
};

/// A PostgreSQL session that asks for role, timeline and position (manual: recipes, PostgreSQL).
struct PostgresCheck {
    enum class Tls { off, prefer, require, verify_ca, verify_full }; ///< libpq's sslmode words
    std::string user;
    std::string dbname;
    std::string password_file; ///< its first line is the password; empty: none
    Tls tls = Tls::prefer;
    std::string ca_file;
    bool operator==(const PostgresCheck&) const = default;
};

using CheckKind = std::variant<HttpCheck, TcpCheck, PostgresCheck, TlsCheck, DnsCheck, GrpcCheck, IcmpCheck,
                               AgentCheck, ExecCheck, PrometheusCheck>;

} // namespace fairway
