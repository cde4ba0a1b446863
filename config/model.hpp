// The Model: one configuration, complete, checked and immutable.
//
// config/load/ makes it; everything else only reads it, from any thread. Names of things are resolved to
// indices into the vectors below, so that nothing that decides or answers looks up a string.
#pragma once

#include "config/address.hpp"
#include "config/check.hpp"
#include "config/clients.hpp"
#include "config/limits.hpp"
#include "config/name.hpp"
#include "config/policy.hpp"
#include "config/record.hpp"
#include "config/time.hpp"
#include "config/title.hpp"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fairway {

using DatacenterIndex = std::uint16_t;
using ServiceIndex = std::uint32_t;
using CheckIndex = std::uint16_t;

/// Who this node is and where it stands.
struct Node {
    std::string name;                          ///< default: the host's name
    std::optional<DatacenterIndex> datacenter; ///< unset: outside all of them
    bool runbook = false;                      ///< this one, of several, runs the hooks (L17)
};

/// DNS cookies (RFC 7873, 9018). Servers that answer for one another share the secrets.
struct CookieSettings {
    using Secret = std::array<std::uint8_t, 16>; ///< a key of SipHash; never shown
    std::vector<Secret> secrets; ///< the first makes cookies, all are believed; empty: no cookies
    bool required = false;       ///< who knows cookies gets its answer by UDP only with a valid one
};

/// What TXT questions of class CH are told (RFC 4892); what is empty is REFUSED.
struct ChaosSettings {
    std::string version;  ///< version.bind, version.server
    std::string identity; ///< id.server, hostname.bind
};

/// Response rate limiting: how many responses of each class one client network gets by UDP.
struct RateLimitSettings {
    enum class Class : std::uint8_t { answer, nodata, nxdomain, referral, error };
    static constexpr std::size_t classes = 5;
    std::array<unsigned, classes> rates{}; ///< a second; 0: as many as there are
    unsigned slip = 2; ///< each so-manieth response beyond is TC instead of nothing; 0: none
    unsigned ipv4_length = 24, ipv6_length = 56; ///< of a client network
    std::vector<Prefix> exempt;

    bool on() const { return rates != decltype(rates){}; }
};

/// What TCP clients may hold (RFC 7766 section 6.2).
struct TcpSettings {
    unsigned connections = 4000; ///< at once; the one that has been quiet longest makes room for the next
    unsigned per_client = 100;   ///< of one address, or of one IPv6 /64
    Duration idle = 10s;         ///< without a whole query, or with answers that are not taken
    Duration total = 300s;       ///< however busy
};

struct DnsSettings {
    std::vector<SocketAddress> listen; ///< UDP and TCP; 0.0.0.0 and [::] stand for each address there is
    unsigned threads = 0;              ///< UDP workers; 0: one a core
    Duration spin{};                   ///< how long an idle UDP worker looks on before it sleeps
    std::string nsid;                  ///< RFC 5001; empty: none
    CookieSettings cookies;
    ChaosSettings chaos;
    RateLimitSettings rate_limit;
    TcpSettings tcp;
};

struct HttpSettings {
    std::vector<SocketAddress> listen; ///< read-only: /metrics, /healthz, /readyz, /status
};

struct ControlSettings {
    std::string socket = "/run/fairway/control.sock";
    std::vector<SocketAddress> listen; ///< remote control, over TLS and with a token; empty: none
    std::string cert_file, key_file;   ///< PEM, of remote control
    std::string tokens_file;           ///< who may: a line each, "NAME TOKEN"
};

struct StateSettings {
    std::string directory = "/var/lib/fairway";
    Duration journal_keep =
        90 * 24h; ///< of what happened: for the review of an incident, and of the last drill
    unsigned journal_megabytes = 256; ///< then the oldest goes first: a quarter of a million entries
};

/// What a line of the log looks like; under the journal of systemd always the first.
struct LogSettings {
    enum class Format { logfmt, json };
    Format format = Format::logfmt;
};

/// Whom alarms and transitions are told, over HTTP.
struct AlertTarget {
    std::string url;        ///< may hold a secret: nothing but its host is ever shown
    std::string token_file; ///< its first line goes with each request; empty: none
    std::string ca_file;    ///< PEM, of whom its certificate is believed; empty: the system's
    bool operator==(const AlertTarget&) const = default;
};

struct AlertSettings {
    std::vector<AlertTarget> alertmanagers, webhooks;
    Duration repeat = 60s; ///< Alertmanager is told again what goes on, as Prometheus does
    bool operator==(const AlertSettings&) const = default;
};

struct ProbeSettings {
    unsigned threads = 1; ///< that look; targets are shared out among them
};

/// What should answer whatever happens to the targets: "tcp://198.51.100.1:53", "icmp://198.51.100.1".
struct SelfDoubtSettings {
    std::vector<SocketAddress> references; ///< by TCP connect, a refusal is an answer; port 0: by an echo
};

/// A zone this node is authoritative for. `records` is complete: SOA and NS at the apex included,
/// whether they came from `nameservers`, from `records:` or from the file.
struct Zone {
    Name name;
    Records records;
};

struct Datacenter {
    std::string name;
    std::string region;
    std::string zone; ///< availability zone: with the region, the failure domain (L21)
    std::optional<Coordinates> coordinates;
    std::optional<double> capacity;
};

/// Three-valued combination of checks (Kleene): what makes an endpoint's tier ready.
struct Expression {
    enum class Op { check, all, any, at_least, negate };
    Op op = Op::check;
    CheckIndex check = 0; ///< for Op::check
    unsigned count = 0;   ///< for Op::at_least
    bool required = true; ///< false: looked at and shown, never decides
    std::vector<Expression> operands;
};

/// One program of the operator's runbook (L18).
struct Hook {
    enum class Step { prepare, fence, promote, after_failover, rejoin, failback };
    std::vector<std::string> exec; ///< argv, no shell; empty if `http` is given. argv[0] with a slash is a
                                   ///< path relative to the configuration file
    std::string http;              ///< https:// (http:// to loopback only); empty if `exec` is given
    Duration timeout = 60s;
    bool required = true; ///< fence: without its success nothing is promoted
};

/// What a service answers when nothing is fit (L8).
struct OnAllDown {
    enum class Mode { as_if_all_up, last_good, all, fixed, nodata, servfail };
    Mode mode = Mode::as_if_all_up;
    std::vector<IpAddress> addresses; ///< for `fixed` (YAML: {static: [...]})
};

struct Ttl {
    Duration min = 10s; ///< from the first failed probe until quiet for `max`
    Duration max = 10s;
};

/// What a service must keep to when a site is lost (O7); unset: nothing is asked.
struct Objectives {
    std::optional<Duration> rto; ///< without an answer that works
    std::optional<Duration> rpo; ///< of writes that may be lost
};

/// How the share of an endpoint that returned grows back: parts of it, each held for so long. Empty: all at
/// once.
struct Ramp {
    std::vector<double> steps; ///< 0 to 1
    Duration hold = 60s;
};

/// What a service does about the load of its sites.
struct LoadSettings {
    CheckIndex from = 0; ///< what reports it; against the capacity, or where there is none, in parts of 1
    std::optional<double> shed_above; ///< part of the capacity; unset: it is only shown
    double max_share = 1;             ///< of the answers that a site may come to by taking over from others
    Duration lag =
        30s; ///< until a change of shares is seen in the load, at least: longer where it is measured so
};

/// A target named for one check: what it looks at instead of the answered address.
struct Target {
    std::variant<IpAddress, std::string> host;
    std::optional<std::uint16_t> port; ///< else the check's, else its kind's (L6)
};

/// A service in one datacenter.
struct Endpoint {
    std::size_t checked() const { return addresses.size() - unchecked_addresses.size(); }

    DatacenterIndex datacenter = 0;
    std::vector<IpAddress> addresses; ///< what is answered
    std::optional<Name> cname;        ///< answered instead of addresses
    std::optional<Name> alias;        ///< a name whose addresses are ours: see policies/alias.hpp
    unsigned weight = 1;              ///< 0 counts as excluded (L7)
    std::optional<double> capacity;   ///< in the unit of its load; unset: that of the datacenter
    std::map<CheckIndex, std::vector<Target>> targets;
    bool unchecked = false;
    std::vector<IpAddress> unchecked_addresses; ///< the last of `addresses`: these have no check, on purpose
};

/// How many of an endpoint's addresses of a family have to be healthy: a number, or a share of them.
struct MinHealthy {
    unsigned count = 1;
    double share = 0;
    std::size_t of(std::size_t addresses) const; ///< at least 1, at most all
};

/// A name that is balanced. One whose families are decided apart is two of these, next to each other: the
/// first answers A and has the IPv4 addresses, the second AAAA and the IPv6 ones.
struct Service {
    enum class Consistency { unsaid, strong, eventual };
    enum class Failover { automatic, approval };
    enum class Failback { automatic, delayed, manual }; ///< YAML: auto | delayed | manual
    enum class LostShare { spread, next };
    enum class OnNoPrimary { hold, standby, on_all_down };

    std::string title() const { return Title{name, family}.to_string(); } ///< as it is told and recorded

    Name name;
    std::optional<Family> family;  ///< the only one that this half answers
    std::vector<std::string> tags; ///< for overrides
    Policy policy;
    Ttl ttl;
    Consistency consistency = Consistency::unsaid;
    std::optional<Expression> application;
    std::optional<Expression> stateful;
    bool unchecked = false;
    std::vector<Endpoint> endpoints;
    OnAllDown on_all_down;
    MinHealthy min_healthy;
    Objectives objectives;
    std::optional<LostShare>
        lost_share; ///< unset: `spread` where it goes by weight, `next` where there is an order
    std::optional<LoadSettings> load;
    Ramp ramp;

    std::optional<std::uint16_t> group; ///< index into Model::groups: they move together

    Failover failover = Failover::automatic;
    Failback failback = Failback::delayed;
    Duration failback_after = 300s;
    OnNoPrimary on_no_primary = OnNoPrimary::hold;
    Duration no_primary_hold = 60s;
    std::map<Hook::Step, Hook> hooks;

    bool follows_primary() const {
        auto* p = std::get_if<ActivePassive>(&policy);
        return p && p->follow_primary;
    }
};

/// How many of a service's endpoints automation may take out at once (L9).
struct Brake {
    double max_share = 0.5;
    Duration within = 60s;
};

struct Model {
    std::string file; ///< the configuration file it came from, absolute
    Node node;
    DnsSettings dns;
    HttpSettings http;
    ControlSettings control;
    StateSettings state;
    LogSettings log;
    AlertSettings alerts;
    ProbeSettings probes;
    SelfDoubtSettings self_doubt;
    Brake brake;
    Rules rules;
    std::vector<Datacenter> datacenters;
    Clients clients;
    LearnedSettings learned;
    std::vector<CheckPtr> checks;
    std::vector<Service> services; ///< sorted by name
    std::vector<Group> groups;
    std::vector<Zone> zones;

    std::optional<ServiceIndex> find_service(const Name& name) const;   ///< of two halves that for A
    std::optional<ServiceIndex> find_service(const Title& title) const; ///< a bare name finds no half
    std::optional<ServiceIndex> find_titled(std::string_view title) const;
    /// What answers records of a type: `AAAA` or another.
    std::optional<ServiceIndex> find_answering(const Name& name, std::uint16_t type) const;
    /// How a service, or both its halves, are written; nullopt if there is none that is meant.
    std::optional<std::string> known_title(std::string_view said) const;
    std::optional<DatacenterIndex> find_datacenter(std::string_view name) const;
    const Datacenter& datacenter_of(const Service& s, EndpointIndex e) const {
        return datacenters[s.endpoints[e].datacenter];
    }
};
using ModelPtr = std::shared_ptr<const Model>;

} // namespace fairway
