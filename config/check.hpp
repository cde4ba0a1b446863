// A check is how to look at something; a probe spec is one thing to look at with it.
#pragma once

#include "config/address.hpp"
#include "config/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fairway {

/// When to look and how much to believe. Reasons for the defaults are in the manual, fairway.yaml(5).
struct CheckTiming {
    Duration interval = 2s;     ///< start to start
    Duration timeout = 2s;      ///< of one probe, everything included
    Duration retest = 250ms;    ///< from a result below `fall` to the next look
    Duration hold_down = 30s;   ///< unbroken passing before UP again
    unsigned fall = 3;          ///< failures in a row before DOWN
    unsigned rise = 5;          ///< passes in a row before UP
    bool operator==(const CheckTiming&) const = default;
};

/// How a TLS connection is made and what of the other side's certificate is believed.
struct TlsSettings {
    enum class Verify { full, ca, none }; ///< chain and name; chain only; nothing
    Verify verify = Verify::full;
    std::string ca_file;   ///< PEM; empty is the system's
    std::string cert_file; ///< our own certificate, PEM; empty is none
    std::string key_file;
    bool operator==(const TlsSettings&) const = default;
};

/// HTTP/1.1 GET (or another method); the status decides, then the body if one is asked for.
struct HttpCheck {
    bool tls = false;
    std::string method = "GET";
    std::string path = "/";
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<std::pair<int, int>> status{{200, 299}}; ///< accepted ranges, inclusive
    std::string body;                ///< text that must occur in the first `body_window` bytes; empty: not looked at
    std::size_t body_window = 65536; ///< more is not read
    std::string host;                ///< Host header; empty: the service's name
    std::string sni;                 ///< empty: the Host without its port
    TlsSettings tls_settings;
    bool operator==(const HttpCheck&) const = default;
};

/// A TCP connection that is established and closed in order.
struct TcpCheck {
    bool operator==(const TcpCheck&) const = default;
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

using CheckKind = std::variant<HttpCheck, TcpCheck, PostgresCheck>;

enum class Role : std::uint8_t { primary, standby };

/// What must hold of the facts a check yields (DESIGN's L1), and of how many of several targets (L6).
struct Requirements {
    enum class Of { reported, any, majority, all }; ///< `reported`: role if any has it, quorum if any reports it
    std::optional<Role> role;
    std::optional<Duration> max_lag;
    bool quorum = true; ///< only of kinds that report one
    Of of = Of::reported;
    bool operator==(const Requirements&) const = default;
};

struct Check {
    std::string name;
    CheckKind kind;
    std::optional<std::uint16_t> port; ///< unset: the kind's own (80, 443, 5432; tcp has none)
    CheckTiming timing;
    Requirements requirements;
    bool watch = false; ///< keep a connection open; its end causes one immediate look
    bool operator==(const Check&) const = default;
};
using CheckPtr = std::shared_ptr<const Check>;

std::string_view kind_name(const CheckKind& kind);            ///< "http", "https", "tcp", "postgres"
std::optional<std::uint16_t> default_port(const CheckKind& kind);
bool is_stateful(const CheckKind& kind);                      ///< reports facts of a stateful tier

/// One thing to look at: a check, where it is aimed, and who it pretends to ask for.
/// Two specs with the same key are the same probe: it runs once and is shared (L6, H9).
struct ProbeSpec {
    CheckPtr check;
    std::variant<IpAddress, std::string> target; ///< a numeric address, or a name the prober resolves
    std::uint16_t port = 0;
    std::string host; ///< HTTP Host; empty for kinds without one
    std::string sni;
    std::string datacenter; ///< whose member it is: for self-doubt, metrics and people; not part of the key

    /// Type, parameters, address, port, Host and SNI as one comparable text. Never holds a secret
    /// (files are named, not read).
    std::string key() const;
    std::string target_text() const; ///< "192.0.2.1:80" or "pg1.east.internal:5432"
};

} // namespace fairway
