// A check is how to look at something; a probe spec is one thing to look at with it.
#pragma once

#include "config/address.hpp"
#include "config/check_kinds.hpp"
#include "config/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fairway {

/// When to look and how much to believe. Reasons for the defaults are in the manual, fairway.yaml(5).
struct CheckTiming {
    Duration interval = 2s;   ///< start to start
    Duration timeout = 2s;    ///< of one probe, everything included
    Duration retest = 250ms;  ///< from a result below `fall` to the next look
    Duration hold_down = 30s; ///< unbroken passing before UP again
    unsigned fall = 3;        ///< failures in a row before DOWN
    unsigned rise = 5;        ///< passes in a row before UP
    bool operator==(const CheckTiming&) const = default;
};

enum class Role : std::uint8_t { primary, standby };

/// What must hold of the facts a check yields (DESIGN's L1), and of how many of several targets (L6).
struct Requirements {
    enum class Of {
        reported,
        any,
        majority,
        all
    }; ///< `reported`: role if any has it, quorum if any reports it
    std::optional<Role> role;
    std::optional<Duration> max_lag;
    bool quorum = true; ///< only of kinds that report one
    Of of = Of::reported;
    bool operator==(const Requirements&) const = default;
};

struct Check {
    std::string name;
    CheckKind kind;
    std::optional<std::uint16_t> port; ///< unset: the kind's own
    CheckTiming timing;
    Requirements requirements;
    bool watch = false;              ///< keep a connection open; its end causes one immediate look
    std::vector<IpAddress> source{}; ///< where looks come from, at most one of each family; none: as routed
    std::optional<SocketAddress> proxy{}; ///< an HTTP proxy that connects in our place
    bool all_addresses =
        false; ///< of a target given by name: each is looked at, not the one that passed last
    bool operator==(const Check&) const = default;
};
using CheckPtr = std::shared_ptr<const Check>;

std::string_view kind_name(const CheckKind& kind); ///< "http", "https", "tcp", ...
/// Nothing: it needs to be given. 0: the kind needs none (icmp, exec, prometheus).
std::optional<std::uint16_t> default_port(const CheckKind& kind);

/// Which facts a kind can report. `lag`: one that says how much a switch would lose, so not that of a store
/// that agrees by consensus. `load`: how much there is to do, an agent by the part of its share it gives up.
struct Reports {
    bool role = false, quorum = false, lag = false, load = false;
};
Reports reports_of(const CheckKind& kind);

/// Whom a look pretends to ask for.
struct Asked {
    std::string host; ///< HTTP Host; empty for kinds without one
    std::string sni;  ///< the name sent and verified in TLS
};
Asked asked_of(const CheckKind& kind, const std::string& service);

/// One thing to look at: a check, where it is aimed, and who it pretends to ask for.
/// Two specs with the same key are the same probe: it runs once and is shared (L6, H9).
struct ProbeSpec {
    CheckPtr check;
    std::variant<IpAddress, std::string> target; ///< a numeric address, or a name the prober resolves
    std::uint16_t port = 0;
    std::string host; ///< Asked
    std::string sni;
    std::string datacenter; ///< whose member it is: for self-doubt, metrics and people; part of the key only
                            ///< where the look itself is told it (exec, prometheus)

    /// Type, parameters, address, port, Host and SNI as one comparable text. Never holds a secret
    /// (files are named, not read).
    std::string key() const;
    std::string target_text() const; ///< "192.0.2.1:80", "pg1.east.internal:5432"; without a port of 0
};

} // namespace fairway
