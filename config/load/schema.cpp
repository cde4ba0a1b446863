#include "config/load/schema.hpp"

#include <array>
#include <map>
#include <vector>

namespace fairway::load {
namespace {

using enum Type;

constexpr Key later(std::string_view path, std::string_view doc) {
    Key k{path, any, "", doc};
    k.supported = false;
    return k;
}

// Bounds of durations are in seconds. An interval below 100 ms is a load test; timeouts end within a minute
// because a verdict that takes longer helps nobody; TTLs stay below 2^31 (RFC 2181 section 8), here a week.
constexpr double week = 604800;

constexpr Key table[] = {
    {"include", list, "", "files or globs whose mappings are merged into this one, relative to this file"},
    {"templates", mapping, "", "bodies that services take over with `use`"},
    {"templates.*", mapping, "", "keys as in services.*; a service's own key replaces the template's whole"},

    {"node", mapping, "", "who this node is and where it stands"},
    {"node.name", text, "the host's name", "its name in log, metrics and votes"},
    {"node.datacenter", text, "outside all of them", "the datacenter it stands in"},
    {"node.runbook", boolean, "false", "this one, of several name servers, runs the hooks"},
    later("node.role", "full, or witness: probes and votes, answers nothing"),

    {"dns", mapping, "", "the name server"},
    {"dns.listen", list, "[\"0.0.0.0:53\", \"[::]:53\"]",
     "addresses for UDP and TCP; 0.0.0.0 and [::] stand for each there is"},
    {"dns.listen.[]", socket, "", "an address and a port"},
    Key{"dns.threads", count, "auto", "UDP workers; auto is one a core"}.within(1, 1024),
    Key{"dns.spin", duration, "0s",
        "how long an idle UDP worker looks on before it sleeps: answers come sooner, at the price of a busy "
        "core for "
        "each worker of each address"}
        .within(0, 0.01),
    {"dns.nsid", text, "", "name server identifier (RFC 5001)"},
    {"dns.cookies", mapping, "", "DNS cookies (RFC 7873, RFC 9018)"},
    {"dns.cookies.enabled", boolean, "true", "false where other servers of the same address know none"},
    {"dns.cookies.secrets", path, "a random one",
     "a file of 32 hexadecimal digits a line, shared by all servers of the zones: the first makes cookies, a "
     "second is believed, too; read again on reload"},
    {"dns.cookies.required", boolean, "false",
     "BADCOOKIE for who knows cookies, asks by UDP and has no good one"},
    {"dns.chaos", mapping, "", "what TXT questions of class CH are told; REFUSED without"},
    {"dns.chaos.version", text, "", "version.bind, version.server"},
    {"dns.chaos.identity", text, "", "id.server, hostname.bind"},
    {"dns.rate_limit", mapping, "",
     "response rate limiting by UDP, for each client network and class; off without"},
    Key{"dns.rate_limit.responses_per_second", count, "", "of each class; 0: no limit"}.within(0, 1e9),
    Key{"dns.rate_limit.answer", count, "responses_per_second", "of answers with records"}.within(0, 1e9),
    Key{"dns.rate_limit.nodata", count, "responses_per_second", "of a name without such records"}.within(0,
                                                                                                         1e9),
    Key{"dns.rate_limit.nxdomain", count, "responses_per_second", "of a name that is not there"}.within(0,
                                                                                                        1e9),
    Key{"dns.rate_limit.referral", count, "responses_per_second", "to other name servers"}.within(0, 1e9),
    Key{"dns.rate_limit.error", count, "responses_per_second", "of everything else"}.within(0, 1e9),
    Key{"dns.rate_limit.slip", count, "2",
        "each so-manieth response beyond the rate says TC (or BADCOOKIE) instead of nothing; 0: none"}
        .within(0, 100),
    Key{"dns.rate_limit.ipv4_prefix", count, "24", "bits that make a client network"}.within(1, 32),
    Key{"dns.rate_limit.ipv6_prefix", count, "56", "bits that make a client network"}.within(1, 128),
    {"dns.rate_limit.exempt", list, "", "networks that are not limited"},
    {"dns.rate_limit.exempt.[]", prefix, "", "a network"},
    {"dns.tcp", mapping, "", "limits on TCP clients"},
    Key{"dns.tcp.connections", count, "4000",
        "at once; the one that has been quiet longest makes room for the next"}
        .within(10, 1e6),
    Key{"dns.tcp.per_client", count, "100", "of one address, or of one IPv6 /64"}.within(1, 1e6),
    Key{"dns.tcp.idle", duration, "10s", "without a whole query, or with answers that are not taken"}.within(
        0.1, 6000),
    Key{"dns.tcp.total", duration, "5m", "however busy"}.within(1, 86400),

    {"http", mapping, "",
     "the read-only web server: a status page, /metrics, /healthz, /readyz, /v1/status and more"},
    {"http.listen", list, "127.0.0.1:9553", "its addresses"},
    {"http.listen.[]", socket, "", "an address and a port"},

    {"control", mapping, "", "what fairwayctl talks to"},
    {"control.socket", path, "/run/fairway/control.sock", "a Unix socket"},
    {"control.listen", list, "", "remote control: its addresses; `tls` and `tokens` are then needed"},
    {"control.listen.[]", socket, "", "an address and a port"},
    {"control.tls", mapping, "", "of remote control"},
    {"control.tls.cert", path, "", "its certificate and the chain behind it, PEM"},
    {"control.tls.key", path, "", "its key, PEM"},
    {"control.tokens", path, "", "who may use remote control: a file of lines `NAME TOKEN`"},

    {"log", mapping, "", "what is written to standard error"},
    Key{"log.format", word, "logfmt", "a line each; under the journal of systemd always logfmt"}.one_of(
        "logfmt | json"),

    {"state", mapping, "", "what outlives the process"},
    {"state.directory", path, "/var/lib/fairway", "where its databases are"},
    {"state.journal", mapping, "", "what happened: `fairwayctl history`"},
    Key{"state.journal.keep", duration, "90d", "how long it is kept"}.within(3600, 10 * 365 * 86400.0),
    Key{"state.journal.megabytes", count, "256", "how much of it; then the oldest goes first"}.within(1, 1e6),

    {"probes", mapping, "", "who looks"},
    Key{"probes.threads", count, "1",
        "threads that look, each good for 5,000 looks a second (10,000 checks at 2 s); targets are shared "
        "out among them"}
        .within(1, 64),

    {"defaults", mapping, "", "for whatever does not say otherwise"},
    {"defaults.ttl", mapping, "10s", "as services.*.ttl"},
    Key{"defaults.ttl.min", seconds, "", "from the first failed probe until quiet"}.within(0, week),
    Key{"defaults.ttl.max", seconds, "", "while nothing is pending"}.within(0, week),
    {"defaults.check", mapping, "", "the timing of checks"},
    Key{"defaults.check.interval", duration, "2s", "start of one probe to start of the next"}.within(0.1,
                                                                                                     3600),
    Key{"defaults.check.timeout", duration, "2s", "of one probe, everything included"}.within(0.01, 60),
    Key{"defaults.check.retest", duration, "250ms",
        "from a failed result to the next look while the verdict is open"}
        .within(0.01, 60),
    Key{"defaults.check.hold_down", duration, "30s", "unbroken passing before a member is UP again"}.within(
        0, 86400),
    Key{"defaults.check.fall", count, "3", "failures in a row before DOWN"}.within(1, 100),
    Key{"defaults.check.rise", count, "5", "passes in a row before UP"}.within(1, 100),

    {"self_doubt", mapping, "", "how this node notices that it is the one cut off"},
    {"self_doubt.references", list, "", "what should answer whatever happens to the targets"},
    {"self_doubt.references.[]", url, "", "tcp://ADDRESS:PORT, or icmp://ADDRESS"},

    {"zones", mapping, "", "what this node is authoritative for"},
    {"zones.*", mapping, "", "a zone, by its absolute name"},
    {"zones.*.nameservers", mapping, "",
     "the zone's name servers and their addresses: NS, A and AAAA records"},
    {"zones.*.nameservers.*", list, "", "addresses; empty for a name outside the zone"},
    {"zones.*.nameservers.*.[]", address, "", "an address"},
    {"zones.*.file", path, "", "static records, RFC 1035"},
    {"zones.*.records", list, "",
     "static records, one a line; names without a final dot are relative to the zone"},
    {"zones.*.records.[]", text, "", "NAME [TTL] TYPE DATA"},
    {"zones.*.soa", mapping, "", "fields of the SOA record"},
    {"zones.*.soa.mname", name, "the first name server", "primary name server"},
    {"zones.*.soa.rname", name, "hostmaster", "mailbox, as a name"},
    Key{"zones.*.soa.serial", count, "a fingerprint of the records", "serial number"}.within(0, 4294967295.0),
    Key{"zones.*.soa.refresh", seconds, "1h", "for secondaries"}.within(1, 2147483647),
    Key{"zones.*.soa.retry", seconds, "10m", "for secondaries"}.within(1, 2147483647),
    Key{"zones.*.soa.expire", seconds, "14d", "for secondaries"}.within(1, 2147483647),
    Key{"zones.*.soa.minimum", seconds, "5s, or the smallest service TTL if that is less",
        "how long a negative answer is kept"}
        .within(0, week),
    Key{"zones.*.soa.ttl", seconds, "1h", "of the SOA record itself"}.within(0, week),
    later("zones.*.dnssec", "signing"),

    {"datacenters", mapping, "", "the places traffic can go to"},
    {"datacenters.*", mapping, "", "a datacenter"},
    {"datacenters.*.region", text, "", "with the zone, its failure domain"},
    {"datacenters.*.zone", text, "", "availability zone within the region"},
    Key{"datacenters.*.latitude", decimal, "", "degrees, north is positive"}.within(-90, 90),
    Key{"datacenters.*.longitude", decimal, "", "degrees, east is positive"}.within(-180, 180),
    Key{"datacenters.*.capacity", decimal, "", "what it can bear, in the unit of the load that checks report"}
        .within(0, 1e18),

    {"clients", mapping, "", "where clients are and how far each datacenter is from them"},
    {"clients.networks", mapping, "", "by prefix; the longest match wins"},
    {"clients.networks.*", mapping, "", "what is known of the clients there"},
    {"clients.networks.*.region", text, "", "the region they are in"},
    {"clients.networks.*.country", text, "", "the country, ISO 3166-1: DE"},
    {"clients.networks.*.continent", text, "", "the continent: AF AN AS EU NA OC SA"},
    Key{"clients.networks.*.asn", count, "", "their autonomous system"}.within(1, 4294967295.0),
    Key{"clients.networks.*.latitude", decimal, "that of a datacenter in the region", "degrees"}.within(-90,
                                                                                                        90),
    Key{"clients.networks.*.longitude", decimal, "that of a datacenter in the region", "degrees"}.within(-180,
                                                                                                         180),
    {"clients.latency", path, "", "CSV: prefix,datacenter,milliseconds"},
    {"clients.learned", mapping, "", "what is remembered of round trips that are measured and told to us"},
    Key{"clients.learned.networks", count, "4096", "remembered at most; the one known least makes room"}
        .within(0, 16384),
    Key{"clients.learned.half_life", duration, "1h",
        "a measurement of this age counts half as much as a new one"}
        .within(60, 2592000),
    {"clients.geoip", list, "",
     "MaxMind DB files: what `networks` does not say of a client; of several the first that knows"},
    {"clients.geoip.[]", path, "", "a file such as GeoLite2-City.mmdb or GeoLite2-ASN.mmdb"},

    {"checks", mapping, "", "how to look at something, by name"},
    {"checks.*", mapping, "", "a check"},
    Key{"checks.*.type", word, "", "what kind of look"}
        .one_of(
            "http | https | tcp | tls | dns | grpc | icmp | agent | exec | prometheus | postgres | etcd | "
            "nats | push | mysql | redis | mongodb | patroni | zookeeper | rabbitmq")
        .always(),
    {"checks.*.name", text, "", "only of a check written in place"},
    Key{"checks.*.port", port, "the target's, else the kind's", "where to connect"}.within(1, 65535),
    Key{"checks.*.interval", duration, "2s", "start of one probe to start of the next"}.within(0.1, 3600),
    Key{"checks.*.timeout", duration, "2s", "of one probe, everything included"}.within(0.01, 60),
    Key{"checks.*.retest", duration, "250ms",
        "from a failed result to the next look while the verdict is open"}
        .within(0.01, 60),
    Key{"checks.*.hold_down", duration, "30s", "unbroken passing before a member is UP again"}.within(0,
                                                                                                      86400),
    Key{"checks.*.fall", count, "3", "failures in a row before DOWN"}.within(1, 100),
    Key{"checks.*.rise", count, "5", "passes in a row before UP"}.within(1, 100),
    {"checks.*.watch", boolean, "false",
     "keep a connection to the target open; its end causes one immediate look"},
    {"checks.*.proxy", socket, "",
     "ADDRESS:PORT of an HTTP proxy that connects to the target in our place (CONNECT)"},
    {"checks.*.source", list, "as routed", "where looks come from: an address, or one of each family"},
    {"checks.*.source.[]", address, "", "an address of this node"},
    Key{"checks.*.addresses", word, "one", "of a target given by name: the one that passed last, or all"}
        .one_of("one | all"),
    {"checks.*.method", text, "GET", "http: the request method"},
    {"checks.*.path", text, "/", "http: what is asked for"},
    {"checks.*.headers", mapping, "", "http: further request headers"},
    {"checks.*.headers.*", text, "", "its value"},
    {"checks.*.status", list, "200-299", "http: accepted status codes and ranges"},
    {"checks.*.status.[]", text, "", "a code or a range, 200-299"},
    Key{"checks.*.http_version", word, "1.1", "http: 2 is negotiated by TLS, or taken for granted without"}
        .one_of("1.1 | 2"),
    {"checks.*.reuse", boolean, "false", "http: keep the connection from look to look"},
    Key{"checks.*.redirects", count, "0", "http: how many are followed, at this target only"}.within(0, 10),
    {"checks.*.body", text, "", "http: text that must occur in the body"},
    {"checks.*.body_regex", text, "", "http: a PCRE2 pattern that must match in the body"},
    {"checks.*.json", mapping, "", "http: JSON pointers into the body, and what must be found there"},
    {"checks.*.json.*", text, "", "a comparison: green, != red, >= 3"},
    Key{"checks.*.body_window", count, "65536", "http: how much of the body is read, in bytes"}.within(
        1, 16777216),
    {"checks.*.host", text, "the service's name", "http, grpc: Host header"},
    {"checks.*.sni", text, "the host",
     "of TLS: the server name sent and verified; for databases the target's name, or its address"},
    {"checks.*.tls", mapping, "",
     "how a TLS connection is made; of grpc, and of stores but postgres and mysql: that one is"},
    Key{"checks.*.tls.mode", word, "verify-full; postgres, mysql: prefer",
        "what of the certificate is believed"}
        .one_of("off | prefer | require | verify-ca | verify-full"),
    {"checks.*.tls.ca", path, "the system's", "certificates to trust, PEM"},
    {"checks.*.tls.cert", path, "", "our own certificate, PEM; not for postgres"},
    {"checks.*.tls.key", path, "", "its key; not for postgres"},
    Key{"checks.*.tls.expiry_warning", duration, "14d",
        "a certificate that ends sooner is told beside the passing result; not for postgres, mysql"}
        .within(0, 31536000),
    {"checks.*.send", text, "", "tcp, tls, agent: said once the connection stands"},
    {"checks.*.expect", text, "", "tcp, tls: text that must then come, within 64 KiB"},
    {"checks.*.service", text, "the server as a whole", "grpc: the service whose health is asked for"},
    {"checks.*.query", text, "",
     "dns: the name asked for; prometheus: the expression, with $address, $port, $host and $datacenter "
     "replaced"},
    {"checks.*.record", text, "A", "dns: the record type asked for"},
    Key{"checks.*.rcode", word, "NOERROR", "dns: the rcode expected"}.one_of(
        "NOERROR | NXDOMAIN | SERVFAIL | REFUSED | NOTIMP | FORMERR | NOTAUTH"),
    {"checks.*.data", list, "", "dns: records that must be among the answers"},
    {"checks.*.data.[]", text, "", "record data as in a zone file, names absolute"},
    {"checks.*.command", list, "", "exec: a program by its path, and its arguments; no shell"},
    {"checks.*.command.[]", text, "", "the program, relative to this file, or a word for it"},
    {"checks.*.url", url, "", "prometheus: the server, http://HOST[:PORT]"},
    {"checks.*.value", text, "", "prometheus: what each sample must be: < 0.8"},
    {"checks.*.user", text, "postgres, mysql: fairway; redis, rabbitmq: none", "whom to log in as"},
    {"checks.*.dbname", text, "postgres: postgres; mysql: none", "postgres, mysql: database to connect to"},
    {"checks.*.password_file", path, "", "its first line is the password"},
    Key{"checks.*.mode", word, "server", "redis: what is asked, and what of: itself, a master, a cluster"}
        .one_of("server | sentinel | cluster"),
    {"checks.*.group", text, "", "redis with mode: sentinel: the name Sentinel knows the master by"},
    {"checks.*.untested", boolean, "false",
     "nobody has seen it work with the product itself: check-config says so"},
    {"checks.*.facts", mapping, "",
     "http: facts in the JSON of a passing answer; prometheus: in the one sample, /value/1, /metric/LABEL"},
    {"checks.*.facts.role", mapping, "", "is it the primary"},
    Key{"checks.*.facts.role.at", text, "", "JSON pointer to a word"}.always(),
    {"checks.*.facts.role.primary", list, "primary", "what it says of a primary"},
    {"checks.*.facts.role.primary.[]", text, "", "a word"},
    {"checks.*.facts.role.standby", list, "standby", "what it says of a standby; any other word is no role"},
    {"checks.*.facts.role.standby.[]", text, "", "a word"},
    {"checks.*.facts.quorum", mapping, "", "has it a majority"},
    Key{"checks.*.facts.quorum.at", text, "", "JSON pointer"}.always(),
    {"checks.*.facts.quorum.is", text, "true", "a comparison that holds when it has: green, != red, >= 3"},
    {"checks.*.facts.read_only", mapping, "", "does it refuse writes"},
    Key{"checks.*.facts.read_only.at", text, "", "JSON pointer"}.always(),
    {"checks.*.facts.read_only.is", text, "true", "a comparison that holds when it does"},
    {"checks.*.facts.lag", mapping, "", "how far its data are behind"},
    Key{"checks.*.facts.lag.at", text, "", "JSON pointer to a number, or to a duration such as 1.5s"}
        .always(),
    Key{"checks.*.facts.lag.unit", duration, "1s", "what a plain number counts"}.within(0.000000001, 86400),
    {"checks.*.facts.epoch", text, "", "JSON pointer to a whole number that rises with each new primary"},
    {"checks.*.facts.position", text, "",
     "JSON pointer to a whole number: bytes of log written, or received"},
    {"checks.*.facts.system", text, "", "JSON pointer to the identity of the replicated system"},
    {"checks.*.facts.weight", text, "", "JSON pointer to the share of its traffic it asks for: 75%, or 0.75"},
    {"checks.*.facts.load", text, "", "JSON pointer to a number"},
    Key{"checks.*.role", word, "any", "the role a target must have"}.one_of("primary | standby | any"),
    Key{"checks.*.max_lag", duration, "", "lag above which a target is out: of replication, of a backup"}
        .within(0, week),
    {"checks.*.quorum", boolean, "true", "kinds that report one: quorum is required"},
    Key{"checks.*.require", word, "role if any has it, quorum if any reports it",
        "of several targets, how many must satisfy"}
        .one_of("any | majority | all"),
    {"checks.*.tokens", mapping, "", "push: who may report, a file for each datacenter"},
    {"checks.*.tokens.*", path, "", "its first line is that datacenter's token, at least 20 characters"},
    Key{"checks.*.ttl", duration, "15s",
        "push: how long a report is believed; then the datacenter is unknown"}
        .within(1, 3600),

    {"services", mapping, "", "the names that are balanced"},
    {"services.*", mapping, "", "a service, by its absolute name"},
    {"services.*.use", text, "", "a template"},
    Key{"services.*.policy", mapping, "", "which of the fit endpoints are answered"}.always(),
    Key{"services.*.policy.type", word, "", "the policy"}
        .one_of("active_passive | weighted | latency | geo | round_robin | sticky | all")
        .always(),
    {"services.*.policy.order", list, "as the endpoints are written",
     "active_passive: datacenters, best first"},
    {"services.*.policy.order.[]", text, "", "a datacenter"},
    Key{"services.*.policy.follow", word, "", "active_passive: go where the database's primary is"}.one_of(
        "primary"),
    {"services.*.policy.margin", mapping, "{absolute: 10ms, relative: 15%}",
     "latency: a smaller gain switches nothing"},
    Key{"services.*.policy.margin.absolute", duration, "0s", "a time"}.within(0, 60),
    Key{"services.*.policy.margin.relative", share, "0", "a share of the present time"}.within(0, 1),
    Key{"services.*.policy.sticky", word, "",
        "weighted: a client's network (/24, /56) keeps its datacenter; the same as the policy sticky"}
        .one_of("client_prefix"),
    {"services.*.policy.branches", list, "the datacenter in the client's region, else the nearest by map",
     "geo: policies by where the client is; the first that matches and has a fit endpoint answers"},
    {"services.*.policy.branches.[]", mapping, "", "a branch"},
    {"services.*.policy.branches.[].when", mapping, "all clients", "for whom: each thing said must hold"},
    {"services.*.policy.branches.[].when.region", list, "",
     "of clients.networks, or ISO 3166-2 from a database: US-CA"},
    {"services.*.policy.branches.[].when.region.[]", text, "", "a region"},
    {"services.*.policy.branches.[].when.country", list, "", "ISO 3166-1: DE"},
    {"services.*.policy.branches.[].when.country.[]", text, "", "a country"},
    {"services.*.policy.branches.[].when.continent", list, "", "AF AN AS EU NA OC SA"},
    {"services.*.policy.branches.[].when.continent.[]", text, "", "a continent"},
    {"services.*.policy.branches.[].when.asn", list, "", "autonomous systems"},
    Key{"services.*.policy.branches.[].when.asn.[]", count, "", "a number"}.within(1, 4294967295.0),
    {"services.*.policy.branches.[].when.networks", list, "", "client networks"},
    {"services.*.policy.branches.[].when.networks.[]", prefix, "", "a network"},
    Key{"services.*.policy.branches.[].policy", mapping, "",
        "written as services.*.policy; active_passive is an order there and latches nothing"}
        .always(),
    {"services.*.policy.weights", mapping, "those of the endpoints",
     "weighted, sticky: shares by datacenter; one that is not named gets none"},
    Key{"services.*.policy.weights.*", count, "", "its share; 0 excludes it"}.within(0, 1000000),
    {"services.*.ttl", mapping, "10s", "how long resolvers keep an answer"},
    Key{"services.*.ttl.min", seconds, "", "from the first failed probe until quiet for `max`"}.within(0,
                                                                                                       week),
    Key{"services.*.ttl.max", seconds, "", "while nothing is pending"}.within(0, week),
    Key{"services.*.consistency", word, "", "what the store behind it promises"}.one_of("strong | eventual"),
    {"services.*.application", expression, "", "checks that make an endpoint's application fit"},
    {"services.*.application.check", text, "", "a check, by name"},
    {"services.*.application.required", boolean, "true", "false: looked at and shown, never decides"},
    {"services.*.application.all", list, "", "each of these"},
    {"services.*.application.any", list, "", "one of these"},
    Key{"services.*.application.at_least", count, "", "so many of `of`"}.within(1, 1000),
    {"services.*.application.of", list, "", "for at_least"},
    {"services.*.application.not", expression, "", "the opposite of this"},
    {"services.*.stateful", expression, "",
     "checks that make an endpoint's stateful tier fit; written as application"},
    {"services.*.unchecked", boolean, "false", "served without any check, on purpose"},
    Key{"services.*.on_all_down", word, "as_if_all_up; with a stateful tier last_good",
        "what is answered when nothing is fit"}
        .one_of("as_if_all_up | last_good | all | {static: [ADDRESS]} | nodata | servfail"),
    {"services.*.on_all_down.static", list, "", "fixed addresses"},
    {"services.*.on_all_down.static.[]", address, "", "an address"},
    {"services.*.failover", mapping, "", "active_passive: how the active site is left"},
    Key{"services.*.failover.mode", word, "automatic; with a stateful tier approval",
        "by itself, or held for a person"}
        .one_of("automatic | approval"),
    Key{"services.*.failover.lost_share", word, "next for active_passive, latency and geo, spread otherwise",
        "who takes a lost endpoint's share"}
        .one_of("next | spread"),
    {"services.*.failback", mapping, "",
     "active_passive without follow: how the preferred site is taken up again"},
    Key{"services.*.failback.mode", word, "delayed; with a stateful tier manual", "when"}.one_of(
        "auto | delayed | manual"),
    Key{"services.*.failback.after", duration, "300s", "delayed: unbroken health before it"}.within(0,
                                                                                                    604800),
    Key{"services.*.on_no_primary", word, "hold", "follow: what is answered after no_primary_hold"}.one_of(
        "hold | standby | on_all_down"),
    Key{"services.*.no_primary_hold", duration, "60s",
        "follow: how long no primary is an ordinary switchover"}
        .within(0, 86400),
    {"services.*.hooks", mapping, "", "the operator's runbook"},
    {"services.*.hooks.prepare", mapping, "", "before anything is touched"},
    {"services.*.hooks.fence", mapping, "", "makes sure the old primary cannot write"},
    {"services.*.hooks.promote", mapping, "", "makes the standby primary"},
    {"services.*.hooks.after_failover", mapping, "", "once the answer has moved"},
    {"services.*.hooks.rejoin", mapping, "",
     "makes the old primary a standby: run once after a switch, when the site that was left answers again"},
    {"services.*.hooks.failback", mapping, "", "an orderly switchover back"},
    {"services.*.hooks.*.exec", list, "", "each of them: program and arguments, no shell"},
    {"services.*.hooks.*.exec.[]", text, "",
     "a word; the first, with a slash, is a path relative to this file"},
    {"services.*.hooks.*.http", url, "", "https://, or http:// to loopback, instead of exec"},
    Key{"services.*.hooks.*.timeout", duration, "60s", "then it has failed"}.within(0.1, 86400),
    {"services.*.hooks.*.required", boolean, "true", "fence: without its success nothing is promoted"},
    Key{"services.*.endpoints", mapping, "", "the service in each datacenter"}.always(),
    {"services.*.endpoints.*", mapping, "", "by datacenter"},
    {"services.*.endpoints.*.addresses", list, "", "what is answered"},
    {"services.*.endpoints.*.addresses.[]", address, "", "an address"},
    {"services.*.endpoints.*.addresses.[].address", address, "", "an address"},
    {"services.*.endpoints.*.addresses.[].unchecked", boolean, "false",
     "this address has no check, on purpose: it is answered while its endpoint is"},
    Key{"services.*.endpoints.*.weight", count, "1", "weighted: its share; 0 excludes it"}.within(0, 1000000),
    Key{"services.*.endpoints.*.capacity", decimal, "that of the datacenter",
        "what it can bear, in the unit of the load that `load.from` reports"}
        .within(0, 1e18),
    {"services.*.endpoints.*.targets", mapping, "each answered address, the check's port",
     "what a check looks at, by check"},
    {"services.*.endpoints.*.targets.*", list, "", "HOST[:PORT]"},
    {"services.*.endpoints.*.targets.*.same_as", text, "", "the hosts of another check's targets"},
    Key{"services.*.endpoints.*.targets.*.port", port, "the check's", "at this port"}.within(1, 65535),
    {"services.*.endpoints.*.stateful", list, "", "targets of every stateful check"},
    {"services.*.endpoints.*.unchecked", boolean, "false", "this endpoint has no check, on purpose"},
    {"services.*.endpoints.*.alias", name, "",
     "a name whose addresses are answered as this endpoint's: resolved and kept fresh"},
    {"services.*.endpoints.*.cname", name, "", "a name that is answered instead of addresses"},
    {"services.*.tags", list, "", "words that overrides can name: --tag payments"},
    {"services.*.tags.[]", text, "", "a word"},
    {"services.*.objectives", mapping, "",
     "what must be kept to when a site is lost; an alarm if it could not be"},
    Key{"services.*.objectives.rto", duration, "", "at most so long without an answer that works"}.within(
        1, week),
    Key{"services.*.objectives.rpo", duration, "", "at most so much of the last writes lost"}.within(0, week),
    {"services.*.min_healthy", any, "1",
     "of an endpoint's addresses, per family: a number, or a share such as 50%"},
    {"services.*.ramp", mapping, "all at once",
     "how the share of a site that returned grows back; not under active_passive and all"},
    {"services.*.ramp.steps", list, "", "parts of its share: [10%, 25%, 50%]"},
    Key{"services.*.ramp.steps.[]", share, "", "a part"}.within(0.01, 1),
    Key{"services.*.ramp.hold", duration, "60s",
        "each step; while one of its checks is not well it does not end"}
        .within(1, 86400),
    {"services.*.load", mapping, "", "shares follow the load of the sites"},
    Key{"services.*.load.from", text, "", "the check that reports it, by name"}.always(),
    Key{"services.*.load.shed_above", share, "",
        "of the capacity: above it a part of the traffic goes elsewhere"}
        .within(0.01, 1),
    Key{"services.*.load.max_share", share, "100%",
        "of the answers that a site may come to by taking over from others"}
        .within(0.01, 1),
    Key{"services.*.load.lag", duration, "30s",
        "until a change of shares is seen in the load, at least; longer where it is measured so"}
        .within(1, 3600),
    Key{"services.*.families", word, "same_site",
        "how IPv4 and IPv6 go together: the datacenter is chosen first, and a family that is missing or "
        "unhealthy there is answered empty; or each family finds its own datacenter, as if it were a service "
        "of its own (\"NAME A\", \"NAME AAAA\") with health, brake, latch and `on_all_down` of its own. Not "
        "where one datacenter is active for a stateful tier, for what moves together, nor beside a `cname`"}
        .one_of("same_site | independent"),

    {"brake", mapping, "", "how much of a service automation may take out at once"},
    Key{"brake.max_share", share, "50%", "of its endpoints, at least one"}.within(0, 1),
    Key{"brake.within", duration, "60s", "in this time"}.within(0, 86400),

    {"groups", mapping, "", "services that move together, by the group's name"},
    {"groups.*", mapping, "",
     "a group: of active_passive services, which then answer one datacenter, in the order they share or "
     "where the "
     "primary is that one of them follows; or of services of other policies, which leave together a "
     "datacenter that "
     "fails one of them. What is fit nowhere binds nobody; where all are fit nowhere nobody moves (alarm "
     "group_held). "
     "Switches, drains, maintenance and freezes of one act on all"},
    Key{"groups.*.services", list, "", "its services, at least two"}.always(),
    {"groups.*.services.[]", name, "", "a service"},
    {"groups.*.together", boolean, "true",
     "they move in one step or not at all; false: each by itself, the group is a name only"},

    {"rules", mapping, "", "what binds the automation of every service"},
    Key{"rules.min_datacenters", count, "1",
        "automation leaves at least so many datacenters in a service's answers: what fails beyond that "
        "stays, behind "
        "what is fit where there is an order; one may always be taken out"}
        .within(1, 256),
    Key{"rules.switch_at_most_every", duration, "",
        "after a service has moved it moves no more for so long, unless the site it is at fails or a person "
        "asks"}
        .within(0, week),
    {"rules.hold_windows", list, "",
     "times of the week in which nothing planned moves and nothing fails back"},
    {"rules.hold_windows.[]", mapping, "", "a window"},
    Key{"rules.hold_windows.[].when", text, "",
        "such as \"Fri 18:00-Mon 06:00 Europe/Berlin\", by the clocks there; without a zone it is UTC"}
        .always(),
    {"rules.hold_windows.[].also_failover", boolean, "false",
     "automatic failover waits for a person then, too (not where endpoints leave and return by themselves)"},

    {"alerts", mapping, "", "who is told, over HTTP"},
    {"alerts.alertmanager", list, "", "Alertmanagers: each alarm, again and again while it lasts"},
    {"alerts.alertmanager.[]", mapping, "", "its URL, or more of it"},
    Key{"alerts.alertmanager.[].url", url, "", "http://HOST[:PORT][/PREFIX], or https"}.always(),
    {"alerts.alertmanager.[].token", path, "", "a file whose first line is sent as a bearer token"},
    {"alerts.alertmanager.[].ca", path, "the system's", "https: who vouches for it, PEM"},
    {"alerts.webhooks", list, "", "told of each transition, once"},
    {"alerts.webhooks.[]", mapping, "", "its URL, or more of it"},
    Key{"alerts.webhooks.[].url", url, "", "where JSON is posted to"}.always(),
    {"alerts.webhooks.[].token", path, "", "a file whose first line is sent as a bearer token"},
    {"alerts.webhooks.[].ca", path, "the system's", "https: who vouches for it, PEM"},
    Key{"alerts.repeat", duration, "60s", "how often Alertmanager is told again what goes on"}.within(5,
                                                                                                      3600),
    later("cluster", "several nodes"),
};

using Tree = std::map<std::string_view, std::vector<const Key*>>;

const Tree& tree() {
    static const Tree t = [] {
        Tree made;
        for (const Key& k : table) made[k.parent()].push_back(&k);
        return made;
    }();
    return t;
}

} // namespace

std::string_view describe(Type t) {
    switch (t) {
    case mapping: return "a mapping";
    case list: return "a list";
    case text: return "a text";
    case word: return "a word";
    case path: return "a path";
    case boolean: return "true or false";
    case count: return "a whole number";
    case decimal: return "a number";
    case share: return "a percentage such as 50%";
    case duration: return "a duration such as 2s";
    case seconds: return "a duration in whole seconds such as 10s";
    case port: return "a port, 1 to 65535";
    case address: return "an IP address";
    case socket: return "an address and a port such as 127.0.0.1:53 or [::1]:53";
    case prefix: return "a network such as 203.0.113.0/24";
    case name: return "a domain name";
    case url: return "a URL";
    case expression: return "a check, or all, any, at_least, not";
    case any: break;
    }
    return "a value";
}

std::span<const Key> keys() { return table; }

std::span<const Key* const> children(std::string_view path) {
    auto it = tree().find(path);
    return it == tree().end() ? std::span<const Key* const>() : it->second;
}

const Key* find_key(std::string_view path) {
    static const std::map<std::string_view, const Key*> index = [] {
        std::map<std::string_view, const Key*> made;
        for (const Key& k : table) made.emplace(k.path, &k);
        return made;
    }();
    auto it = index.find(path);
    return it == index.end() ? nullptr : it->second;
}

} // namespace fairway::load
