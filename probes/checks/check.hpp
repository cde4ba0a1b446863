// What a check kind is: a coroutine that looks once and says what it found. It neither waits for its turn nor
// keeps time: the monitor does, and it destroys the look when its time is up.
#pragma once

#include "config/check.hpp"
#include "policies/observation.hpp"
#include "probes/async/loop.hpp"
#include "probes/async/task.hpp"
#include "probes/glue/socket.hpp"

#include <optional>
#include <string>

namespace fairway::probes {

struct Tools;

/// The part of an observation that is the check's to say.
struct Finding {
    Outcome outcome = Outcome::unknown;
    Reason reason = Reason::internal;
    std::string detail;
    Facts facts;
};

Finding pass(std::string detail = {}, Facts facts = {});

/// Not passing: `fail` by evidence and silence, `unknown` where the reason is a fault of our own (rule 1).
Finding because(Reason reason, std::string detail);
bool is_own_fault(Reason r);

/// For people, at most 200 bytes of ASCII, all else replaced: what a target sends ends up in logs and JSON.
std::string printable(std::string_view text);

/// A pass over TLS: tells when the other side's certificate ends, and that it soon does.
Finding beside_certificate(Finding found, std::optional<WallTime> ends, const TlsSettings& tls, Loop& loop);

/// One look in progress. Lives as long as its task; belongs to the worker's thread.
struct Look {
    Tools& tools;
    SocketAddress address;
    const ProbeSpec& spec;
    Reason& silence; ///< what a timeout would mean now; kept up to date by the check, phase by phase

    Loop& loop() const;
    std::optional<IpAddress> source() const; ///< where to come from
    Route route() const;                     ///< the same, and through which proxy
};

Task<Finding> look(const HttpCheck& check, Look at);
Task<Finding> look(const TcpCheck& check, Look at);
Task<Finding> look(const TlsCheck& check, Look at);
Task<Finding> look(const DnsCheck& check, Look at);
Task<Finding> look(const GrpcCheck& check, Look at);
Task<Finding> look(const IcmpCheck& check, Look at);
Task<Finding> look(const AgentCheck& check, Look at);
Task<Finding> look(const ExecCheck& check, Look at);
Task<Finding> look(const PrometheusCheck& check, Look at);
Task<Finding> look(const PostgresCheck& check, Look at);
Task<Finding> look(const MysqlCheck& check, Look at);
Task<Finding> look(const RedisCheck& check, Look at);
Task<Finding> look(const ZookeeperCheck& check, Look at);
Task<Finding> look(const PatroniCheck& check, Look at);
Task<Finding> look(const EtcdCheck& check, Look at);
Task<Finding> look(const NatsCheck& check, Look at);
Task<Finding> look(const RabbitmqCheck& check, Look at);
Task<Finding> look(const MongodbCheck& check, Look at);
Task<Finding> look(const PushCheck& check, Look at); ///< nobody looks: see probes/push.hpp

/// The host that a kind asks about its target, if that is another: the address book keeps it as targets.
std::optional<std::string> name_asked(const PrometheusCheck& check);
template<class Kind> std::optional<std::string> name_asked(const Kind&) { return std::nullopt; }

/// Opens a connection to the target and keeps it for nothing but to notice its end; done when the target has
/// ended it, or has not let it be opened within the check's timeout. Destroying the task closes it. See
/// Watch.
///
/// As decent as each protocol allows. Most kinds say nothing on it: servers end such a connection after a
/// while (nginx: 60 s) and some note it, so `watch` is for servers that bear it. For postgres a bare
/// connection would end in authentication_timeout and leave a line in the server's log each minute: there it
/// is a session of the check's role, idle, which takes one more of its connections and of the server's.
Task<void> hold(const PostgresCheck& check, Look at);
Task<void> hold_connection(Look at);
template<class Kind> Task<void> hold(const Kind&, Look at) { return hold_connection(at); }

} // namespace fairway::probes
