// An observation: what one look at one member saw. The one word that probes/ and policies/ share.
#pragma once

#include "config/address.hpp"
#include "config/check.hpp"
#include "config/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairway {

/// Issued by policies for each probe spec, never reused while the process lives.
using MemberId = std::uint32_t;

/// Does it work? `unknown` is a fault of our own: it moves no counter and is never shown as up or down (L3,
/// H4).
enum class Outcome : std::uint8_t { pass, degraded, fail, unknown };

/// Why. A closed list: it is a metric label, a log value and a word in the manual.
enum class Reason : std::uint8_t {
    ok,
    expiring_certificate, ///< of a pass: the certificate ends soon
    // silence: the target may be dead, or we may be cut off (rule 1)
    timeout_connect,
    timeout_tls,
    timeout_first_byte,
    timeout_body,
    unreachable,
    // evidence: the target has spoken
    refused,
    reset,
    closed,
    bad_certificate,
    expired_certificate,
    wrong_name,
    tls_failure,
    wrong_status,
    body_mismatch,
    oversize_body,
    redirect,
    bad_response,
    auth_failure,
    starting,
    role,
    lag,
    no_quorum,
    read_only,
    reported_down, ///< the target or a program of the operator's says so
    // faults of our own
    resolve_failure,
    no_route,
    local_limit,
    no_data, ///< who was asked about the target knows nothing of it, or could not be asked
    internal,
};
std::string_view to_string(Outcome o);
std::string_view to_string(Reason r); ///< the label: "timeout_connect"
bool is_silence(Reason r);            ///< judged by self-doubt before it may take a member down (L4)

/// What a stateful member says about itself, beside whether it works (L1). Absent means it did not say.
struct Facts {
    std::optional<Role> role;
    std::optional<bool> quorum;
    std::optional<bool> read_only;
    std::optional<std::uint64_t> epoch;    ///< PostgreSQL: timeline
    std::string system;                    ///< identity of the replicated system; empty: not reported
    std::optional<std::uint64_t> position; ///< bytes of log: written (primary) or received (standby)
    std::optional<double> weight;          ///< the share of its traffic it asks for, 0 to 1
    std::optional<double> load;            ///< in the unit of whoever measures it
    std::optional<WallTime> certificate_ends;
    std::optional<Duration>
        lag; ///< as the product itself reports it; PostgreSQL's is reckoned in policies (L16)
    std::optional<bool> replicates; ///< what its peers write reaches it; unset: it has none, or does not say
    std::optional<Duration> behind; ///< of what takes writes itself: how old the last is that reached it
    bool operator==(const Facts&) const = default;
    std::string to_string() const; ///< "role=standby epoch=3 lag=120ms", for log and explain
};

struct Observation {
    MemberId member = 0;
    Outcome outcome = Outcome::unknown;
    Reason reason = Reason::internal;
    std::string
        detail; ///< for people: "HTTP 503", "connection refused"; bounded at 200 bytes, never a secret
    Facts facts;
    Instant begun{}; ///< when the probe started: freshness is judged by it
    Instant ended{};

    bool answered() const { return outcome != Outcome::unknown && !is_silence(reason); }
};

/// The load that a result tells, in its own unit: an agent by the part of its share that it gives up.
std::optional<double> reported_load(const Observation& seen, const Check& check);

/// What asking for a name's addresses saw. A family that was not answered (`v4`, `v6`) says nothing; one that
/// was, and has no address, has none.
struct NameObservation {
    std::string name;                 ///< as it was asked for
    std::vector<IpAddress> addresses; ///< empty: it failed, or neither family has one
    bool v4 = false, v6 = false;
    Duration ttl{};    ///< the smallest
    std::string error; ///< of what failed, for people
    Instant at{};
};

/// What the monitor remembers of one member to know when to look again: no verdict, only a rhythm.
struct Cadence {
    unsigned fails = 0;         ///< failing results in a row
    std::optional<Role> role;   ///< last role seen, if any
    unsigned confirmations = 0; ///< quick looks still owed to a changed fact
};

/// How long after `seen.ended` the next quick look is due; nullopt: keep the interval (start to start).
/// A failing result below `fall` and a changed role are looked at again after `retest` (L1, L2).
std::optional<Duration> next_look(Cadence& cadence, const Observation& seen, const Check& check);

} // namespace fairway
