// Broken configurations: each gives one precise message at the right place. The place is marked with a caret,
// which is taken out before the file is read.
#include "tests/unit/config/fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace fairway;
using namespace fairway::load;

namespace {

struct Row {
    const char* what;
    std::string text;
    const char* message;
};

std::string with_policy(const std::string& rest) { return service("    policy: weighted\n" + rest); }

/// The services `shop` and `cart`, and a group of `shop` and `with` (nothing: of both).
std::string
grouped(const std::string& shop, const std::string& cart, const std::string& with,
        const std::string& sites = "east: {addresses: [192.0.2.2]}, west: {addresses: [198.51.100.2]}") {
    const bool caret = with.starts_with('^');
    const std::string name = with.empty() ? "cart" : with.substr(caret);
    return service("    " + shop + "\n    application: web\n" + two_sites) + "  cart.gtm.example.com:\n    " +
           cart + "\n    application: web\n    endpoints: {" + sites +
           "}\ngroups:\n  checkout: {services: [shop.gtm.example.com, " + (caret ? "^" : "") + name +
           ".gtm.example.com]}\n";
}

const Row rows[] = {
    // the shape of the file
    {"not YAML", "^zones: {", "not YAML"},
    {"a list instead of a mapping", "^- a\n", "expected a mapping"},
    {"two documents", "node: {name: a}\n---\nnode: {name: b}\n", "more than one YAML document"},
    {"unknown key", "^servces: {}\n", "unknown key `servces` (did you mean `services`?)"},
    {"unknown key without a neighbour", "dns: {^zzz: 1}\n", "expected one of listen, threads"},
    {"duplicate key", "node: {name: a}\n^node: {name: b}\n", "`node` is given twice; first at line 1"},
    {"duplicate key deep down", "node: {name: a, ^name: b}\n", "`name` is given twice; first at line 1"},
    {"merge key", "node: {^<<: {name: a}}\n", "merge keys"},
    {"key that is a list", "? ^[a, b]\n: 1\n", "expected a word as key, found a list"},
    {"wrong type: a list for a mapping", "node: ^[a]\n", "node: expected a mapping, found a list"},
    {"wrong type: a mapping for a text", "node: {name: ^{a: b}}\n", "name: expected a text, found a mapping"},
    {"nothing where something is expected", "node: {name: ^}\n", "name: expected a text, found nothing"},
    {"a yes that is none", "node: {runbook: ^yes}\n", "runbook: expected true or false, found `yes`"},
    {"a quoted yes", "node: {runbook: ^\"true\"}\n", "runbook: expected true or false"},
    // settings
    {"node in no datacenter", base + "node: {datacenter: ^eats}\n",
     "there is no datacenter `eats` (did you mean `east`?)"},
    {"listen without a port", "dns: {listen: [^127.0.0.1]}\n", "listen: expected an address and a port"},
    {"listen on a name", "dns: {listen: [^\"localhost:53\"]}\n", "listen: expected an address and a port"},
    {"port out of range", "http: {listen: ^\"127.0.0.1:70000\"}\n", "listen: expected an address and a port"},
    {"listening nowhere", "dns: {listen: ^[]}\n", "listen: expected at least one address"},
    {"no such number of threads", "dns: {threads: ^many}\n",
     "threads: expected a whole number, found `many`"},
    {"zero threads", "dns: {threads: ^0}\n", "threads: expected 1 to 1024"},
    {"secrets that are not there", "dns: {cookies: {secrets: ^/nowhere/secrets}}\n",
     "`/nowhere/secrets` cannot be read: No such file or directory"},
    {"slip of a word", "dns: {rate_limit: {responses_per_second: 5, slip: ^all}}\n",
     "slip: expected a whole number, found `all`"},
    {"a network longer than its family", "dns: {rate_limit: {ipv4_prefix: ^33}}\n",
     "ipv4_prefix: expected 1 to 32"},
    {"exempt host bits", "dns: {rate_limit: {exempt: [^192.0.2.1/24]}}\n",
     "exempt: expected a network such as 203.0.113.0/24, found `192.0.2.1/24`"},
    {"a version that fits in no string", "dns: {chaos: {version: ^" + std::string(256, 'x') + "}}\n",
     "version: expected a text of at most 255 bytes"},
    {"an idle time that is none", "dns: {tcp: {idle: ^10}}\n",
     "idle: expected a duration with its unit such as 10s"},
    {"socket path too long", "control: {socket: ^/" + std::string(120, 'x') + "}\n",
     "socket: expected a path of at most 107 bytes"},
    {"bare number for a duration", "defaults: {check: {interval: ^2}}\n",
     "interval: expected a duration with its unit such as 2s"},
    {"unit that is none", "defaults: {check: {interval: ^2sec}}\n",
     "interval: expected a duration such as 2s, found `2sec`"},
    {"interval too short", "defaults: {check: {interval: ^1ms}}\n",
     "interval: expected 100ms to 1h, found `1ms`"},
    {"fall of nothing", "defaults: {check: {fall: ^0}}\n", "fall: expected 1 to 100"},
    {"TTL of half a second", "defaults: {ttl: ^500ms}\n", "ttl"},
    {"TTL upside down", "defaults: {ttl: {min: ^30s, max: 5s}}\n", "ttl: min 30s is above max 5s"},
    {"TTL with only one bound", "defaults: {ttl: ^{min: 5s}}\n", "ttl: `max` is missing"},
    {"reference without a scheme", "self_doubt: {references: [^\"192.0.2.1:53\"]}\n",
     "references: expected tcp://ADDRESS:PORT"},
    {"reference by icmp with a port", "self_doubt: {references: [^\"icmp://192.0.2.1:7\"]}\n",
     "references: expected tcp://ADDRESS:PORT or icmp://ADDRESS"},
    {"share without percent", "brake: {max_share: ^0.5}\n",
     "max_share: expected a percentage such as 50%, found `0.5`"},
    {"share above all", "brake: {max_share: ^150%}\n", "max_share: expected 0% to 100%"},
    {"known for later", "^cluster: {name: prod}\n", "cluster is not supported yet"},
    {"known for later, deep down", "node: {^role: full}\n", "node.role is not supported yet"},
    // datacenters and clients
    {"latitude alone", "datacenters: {east: {^latitude: 1}}\n",
     "latitude and longitude only make sense together"},
    {"latitude beyond the pole", "datacenters: {east: {latitude: ^91, longitude: 0}}\n",
     "latitude: expected -90 to 90"},
    {"datacenter that is no word", "datacenters: {^\"a b\": {}}\n", "`a b` cannot be a name"},
    {"host bits in a network", base + "clients: {networks: {^203.0.113.1/24: {region: us-east}}}\n",
     "bits beyond the length are set"},
    {"network without a length", base + "clients: {networks: {^203.0.113.0: {region: us-east}}}\n",
     "the length is missing"},
    {"latency map that is not there", base + "clients: {latency: ^no.csv}\n",
     "cannot be read: No such file or directory"},
    // checks
    {"check without a type", "checks: {web: ^{port: 80}}\n", "`type` is missing"},
    {"check of no type there is", "checks: {web: {type: ^htpps}}\n", "found `htpps` (did you mean `https`?)"},
    {"key of another kind", "checks: {web: {type: tcp, port: 1, ^path: /x}}\n",
     "`path` has no meaning for a check of type tcp"},
    {"watch of what has no connection", "checks: {a: {type: icmp, ^watch: true}}\n",
     "`watch` has no meaning for a check of type icmp"},
    {"pattern that does not compile", "checks: {a: {type: http, body_regex: ^\"(a\"}}\n",
     "body_regex: missing closing parenthesis at offset 2"},
    {"JSON pointer without a slash", "checks: {a: {type: http, json: {^status: green}}}\n",
     "`status` is no JSON pointer such as /status"},
    {"order of what is no number", "checks: {a: {type: http, json: {/a: ^\"> red\"}}}\n",
     "expected a comparison such as green, != red or >= 3"},
    {"two sources of one family", "checks: {a: {type: http, ^source: [192.0.2.1, 192.0.2.2]}}\n",
     "source: at most one address of each family"},
    {"dns without a question", "checks: {a: ^{type: dns}}\n", "a check of type dns needs a `query`"},
    {"record type that is none", "checks: {a: {type: dns, query: x, record: ^HOST}}\n",
     "record: expected a record type such as AAAA"},
    {"record data of another type", "checks: {a: {type: dns, query: x, data: ^[x.example.]}}\n",
     "data: `x.example.`: "},
    {"data with a refusal", "checks: {a: {type: dns, query: x, rcode: REFUSED, ^data: [192.0.2.1]}}\n",
     "`data` only comes with NOERROR"},
    {"exec without a program", "checks: {a: ^{type: exec}}\n", "a check of type exec needs a `command`"},
    {"prometheus without a server", "checks: {a: ^{type: prometheus, query: up}}\n",
     "a check of type prometheus needs a `url`"},
    {"prometheus at no URL", "checks: {a: {type: prometheus, query: up, url: ^prometheus:9090}}\n",
     "url: expected http://HOST[:PORT] or https://"},
    {"port out of range of a check", "checks: {web: {type: http, port: ^0}}\n",
     "port: expected a port, 1 to 65535, found `0`"},
    {"status that is none", "checks: {web: {type: http, status: ^2xx}}\n",
     "status: expected a status code or a range such as 200-299"},
    {"status upside down", "checks: {web: {type: http, status: ^299-200}}\n",
     "status: expected a status code"},
    {"path without a slash", "checks: {web: {type: http, path: ^healthz}}\n",
     "path: expected a path that starts with /"},
    {"header that splits", "checks: {web: {type: http, headers: {^\"a b\": c}}}\n",
     "cannot be sent as a header"},
    {"password file that is not there", "checks: {db: {type: postgres, password_file: ^no.pw}}\n",
     "`no.pw` cannot be read"},
    {"certificate without key", "checks: {web: {type: https, tls: ^{cert: fairway.yaml}}}\n",
     "`cert` and `key` only make sense together"},
    {"role that is none", "checks: {db: {type: postgres, role: ^master}}\n",
     "role: expected primary | standby | any, found `master`"},
    {"watch that is neither", "checks: {web: {type: http, watch: ^60s}}\n",
     "watch: expected true or false, found `60s`"},
    // services
    {"service without policy",
     base + "services:\n  ^shop.gtm.example.com:\n    application: web\n" + two_sites, "`policy` is missing"},
    {"service without endpoints", base + "services:\n  ^shop.gtm.example.com: {policy: weighted}\n",
     "`endpoints` is missing"},
    {"service outside every zone",
     base + "services:\n  ^shop.example.org:\n    policy: weighted\n    application: web\n" + two_sites,
     "shop.example.org lies in none of the zones"},
    {"service that is no name", base + "services:\n  ^a..b: {policy: weighted}\n",
     "`a..b` is not a domain name"},
    {"service twice under two spellings",
     with_policy("    application: web\n" + two_sites + "  ^SHOP.gtm.example.com.: {policy: weighted}\n"),
     "is given twice; first at fairway.yaml:10:3"},
    {"policy misspelt", service("    policy: ^wieghted\n    application: web\n" + two_sites),
     "(did you mean `weighted`?)"},
    {"key of another policy",
     service("    policy: {type: geo, ^order: [east]}\n    application: web\n" + two_sites),
     "`order` has no meaning for the policy geo"},
    {"cname beside addresses",
     service("    policy: weighted\n    unchecked: true\n"
             "    endpoints: {east: {addresses: [192.0.2.1], cname: ^lb.example.net.}, west: {addresses: "
             "[198.51.100.1]}}\n"),
     "`cname` beside `addresses`"},
    {"cname that no check can look at",
     service("    policy: weighted\n    application: web\n"
             "    endpoints: {^east: {cname: lb.example.net.}, west: {addresses: [198.51.100.1]}}\n"),
     "no check can look at lb.example.net"},
    {"cname that is no name",
     service("    policy: weighted\n    unchecked: true\n    endpoints: {east: {cname: ^a..b}}\n"),
     "cname: expected a domain name"},
    {"alias beside addresses",
     service("    policy: weighted\n    unchecked: true\n"
             "    endpoints: {east: {addresses: [192.0.2.1], alias: ^lb.example.net.}}\n"),
     "`alias` beside `addresses`"},
    {"alias beside cname",
     service("    policy: weighted\n    unchecked: true\n"
             "    endpoints: {east: {cname: lb.example.net., alias: ^lb.example.net.}}\n"),
     "`alias` beside `cname`"},
    {"alias of itself",
     service("    policy: weighted\n    unchecked: true\n    endpoints: {east: {alias: ^shop}}\n"),
     "alias: shop.gtm.example.com is this service itself"},
    {"alias that nothing looks at",
     service("    policy: weighted\n    endpoints: {^east: {alias: lb.example.net.}}\n"),
     "no check looks at the addresses of lb.example.net"},
    {"cname beside other records",
     "zones: {gtm.example.com: {nameservers: {ns1: [192.0.2.1]}, records: [\"shop TXT x\"]}}\n"
     "datacenters: {east: {}}\nservices:\n  ^shop.gtm.example.com: {policy: weighted, unchecked: true,"
     " endpoints: {east: {cname: lb.example.net.}}}\n",
     "shop.gtm.example.com has other records in the zone gtm.example.com"},
    {"cname at the apex",
     "zones: {gtm.example.com: {nameservers: {ns1: [192.0.2.1]}}}\n"
     "datacenters: {east: {}}\nservices:\n  ^gtm.example.com: {policy: weighted, unchecked: true,"
     " endpoints: {east: {cname: lb.example.net.}}}\n",
     "gtm.example.com has other records in the zone gtm.example.com"},
    {"weights given twice",
     service(
         "    policy: {type: weighted, weights: {east: 1, west: 1}}\n    application: web\n"
         "    endpoints: {east: {addresses: [192.0.2.1], weight: ^5}, west: {addresses: [198.51.100.1]}}\n"),
     "weights are given twice: here, and at "},
    {"weights of an unknown datacenter",
     service("    policy: {type: weighted, weights: {^wets: 1}}\n    application: web\n" + two_sites),
     "there is no datacenter `wets` (did you mean `west`?)"},
    {"min_healthy of nothing",
     service("    policy: weighted\n    min_healthy: ^0\n    application: web\n" + two_sites),
     "min_healthy: expected 1 to 1000, found"},
    {"tag twice", service("    policy: weighted\n    tags: [a, ^a]\n    application: web\n" + two_sites),
     "tags: `a` is given twice"},
    {"key of another policy",
     service("    policy: {type: weighted, ^margin: 10ms}\n    application: web\n" + two_sites),
     "`margin` has no meaning for the policy weighted"},
    {"margin without percent",
     service(
         "    policy: {type: latency, margin: {absolute: 10ms, relative: ^0.15}}\n    application: web\n" +
         two_sites),
     "relative: expected a percentage"},
    {"order names an unknown datacenter",
     service("    policy: {type: active_passive, order: [east, ^wets]}\n    application: web\n" + two_sites),
     "there is no datacenter `wets` (did you mean `west`?)"},
    {"order names a datacenter without endpoint",
     service("    policy: {type: active_passive, order: [east, west, ^eu]}\n    application: web\n" +
             two_sites),
     "no endpoint in `eu`"},
    {"order names one twice",
     service("    policy: {type: active_passive, order: [east, west, ^east]}\n    application: web\n" +
             two_sites),
     "`east` is named twice"},
    {"follow without a database",
     service("    policy: {type: active_passive, ^follow: primary}\n    application: web\n" + two_sites),
     "needs a required `stateful` check that reports a role"},
    {"unknown check", with_policy("    application: ^wbe\n" + two_sites),
     "there is no check `wbe` (did you mean `web`?)"},
    {"unknown check inside an expression",
     with_policy("    application: {any: [web, {not: ^wbe}]}\n" + two_sites), "there is no check `wbe`"},
    {"two operators at once", with_policy("    application: {all: [web], ^any: [web]}\n" + two_sites),
     "`any` beside `all`"},
    {"more than there are", with_policy("    application: {at_least: ^3, of: [web, db]}\n" + two_sites),
     "at_least: expected at most the 2 of `of`"},
    {"at_least of nothing", with_policy("    application: {^at_least: 1}\n" + two_sites),
     "`at_least` needs `of`"},
    {"check in place without a name", with_policy("    application: ^{type: tcp, port: 1}\n" + two_sites),
     "needs a `name`"},
    {"check in place with a name that is taken",
     with_policy("    application: {name: ^web, type: tcp, port: 1}\n" + two_sites),
     "a different check `web` exists already"},
    {"check without a port",
     base + "services:\n  ^shop.gtm.example.com:\n    policy: weighted\n    application: plain\n" + two_sites,
     "the check `plain` has no `port`"},
    {"address that is none",
     with_policy("    application: web\n    endpoints: {east: {addresses: [^192.0.2.300]}}\n"),
     "addresses: expected an IP address, found `192.0.2.300`"},
    {"address nobody can reach",
     with_policy("    application: web\n    endpoints: {east: {addresses: [^0.0.0.0]}}\n"),
     "addresses: expected an address clients can reach"},
    {"address twice",
     with_policy("    application: web\n    endpoints: {east: {addresses: [192.0.2.1, ^192.0.2.1]}}\n"),
     "192.0.2.1 is given twice"},
    {"endpoint without addresses", with_policy("    application: web\n    endpoints: {^east: {weight: 1}}\n"),
     "an endpoint without `addresses`"},
    {"endpoint nowhere",
     with_policy("    application: web\n    endpoints: {^eats: {addresses: [192.0.2.1]}}\n"),
     "there is no datacenter `eats`"},
    {"nothing to answer",
     with_policy("    application: web\n    endpoints: {^east: {addresses: [192.0.2.1], weight: 0}}\n"),
     "every endpoint has weight 0"},
    {"address without a check", with_policy("    endpoints: {^east: {addresses: [192.0.2.1]}}\n"),
     "no check looks at 192.0.2.1"},
    {"address whose check looks elsewhere",
     with_policy("    application: web\n    endpoints: {^east: {addresses: [192.0.2.1], targets: {web: "
                 "[\"10.0.0.1\"]}}}\n"),
     "no check looks at 192.0.2.1"},
    {"unchecked and checked", with_policy("    application: web\n    ^unchecked: true\n" + two_sites),
     "`unchecked: true` beside `application`"},
    {"targets of a check that is not used",
     with_policy(
         "    application: web\n    endpoints: {east: {addresses: [192.0.2.1], targets: {^wbe: [a.b]}}}\n"),
     "this service has no check `wbe` (did you mean `web`?)"},
    {"target that is a mistyped address",
     with_policy("    application: {all: [web, db]}\n    endpoints: {east: {addresses: [192.0.2.1], targets: "
                 "{db: [^10.0.0.300]}}}\n"),
     "expected HOST or HOST:PORT"},
    {"target with an impossible port",
     with_policy("    application: {all: [web, db]}\n    endpoints: {east: {addresses: [192.0.2.1], targets: "
                 "{db: [^\"a.b:99999\"]}}}\n"),
     "expected HOST or HOST:PORT"},
    {"target without any port",
     with_policy("    application: {all: [web, plain]}\n    endpoints: {east: {addresses: [192.0.2.1], "
                 "targets: {plain: [^a.b]}}}\n"),
     "this target has no port"},
    {"same_as what is not there",
     with_policy("    application: {all: [web, db]}\n    endpoints: {east: {addresses: [192.0.2.1], targets: "
                 "{db: {same_as: ^web}}}}\n"),
     "there is no list of targets `web`"},
    {"stateful targets of nothing",
     with_policy("    application: web\n    endpoints: {east: {addresses: [192.0.2.1], ^stateful: [a.b]}}\n"),
     "this service has no `stateful` check"},
    {"static answer without addresses",
     with_policy("    application: web\n    on_all_down: ^static\n" + two_sites),
     "on_all_down: expected its addresses"},
    {"on_all_down misspelt", with_policy("    application: web\n    on_all_down: ^lastgood\n" + two_sites),
     "(did you mean `last_good`?)"},
    {"unknown template",
     base +
         "services:\n  shop.gtm.example.com:\n    use: ^wbe3\n    policy: weighted\n    application: web\n" +
         two_sites,
     "there is no template `wbe3`"},
    {"template that uses another", "templates: {a: {use: ^b}}\n", "a template cannot use another"},
    {"unknown key in a template nobody uses", "templates: {a: {^polcy: latency}}\n",
     "unknown key `polcy` (did you mean `policy`?)"},
    {"hook with two ways",
     service("    policy: {type: active_passive}\n    application: web\n    hooks: {fence: ^{exec: [fence], "
             "http: \"https://a.b\"}}\n    failover: approval\n" +
             two_sites),
     "a hook is either `exec` or `http`"},
    {"hook in the clear",
     service("    policy: {type: active_passive}\n    application: web\n    hooks: {fence: {http: "
             "^\"http://a.b/\"}}\n    failover: approval\n" +
             two_sites),
     "http: expected https://"},
    {"hook that is none",
     service("    policy: {type: active_passive}\n    application: web\n    hooks: {^pomote: {exec: [a]}}\n" +
             two_sites),
     "(did you mean `promote`?)"},
    {"two name servers would run the hooks",
     base +
         "services:\n  ^shop.gtm.example.com:\n    policy: active_passive\n    application: web\n    "
         "failover: automatic\n    hooks: {fence: {exec: [fence]}}\n" +
         two_sites,
     "each of them would run the hooks"},
    {"lost share of an order",
     service("    policy: active_passive\n    application: web\n    stateful: db\n    failover: {lost_share: "
             "^spread}\n" +
             two_sites),
     "one site is active, its share cannot be spread"},
    {"ramp that goes down", with_policy("    application: web\n    ramp: {^steps: [50%, 10%]}\n" + two_sites),
     "each step is more than the one before"},
    {"ramp of nothing", with_policy("    application: web\n    ramp: {steps: [^0%]}\n" + two_sites),
     "expected"},
    {"each family by itself, of one primary",
     service("    policy: {type: active_passive, follow: primary}\n    application: web\n    stateful: db\n"
             "    families: ^independent\n" +
             two_sites),
     "families: independent is not for shop.gtm.example.com: it follows the primary, and that is in one"},
    {"each family by itself, where one site is written",
     service(
         "    policy: {type: active_passive, order: [east, west]}\n    application: web\n    stateful: db\n"
         "    families: ^independent\n" +
         two_sites),
     "lest two be written"},
    {"each family by itself, of a group",
     grouped("policy: weighted\n    families: ^independent", "policy: weighted", ""),
     "it moves together with other services"},
    {"each family by itself, of a name",
     with_policy("    application: web\n    families: ^independent\n    endpoints:\n      east: {addresses: "
                 "[192.0.2.1]}\n      west: {cname: lb.example.net., unchecked: true}\n"),
     "an endpoint answers with a CNAME, which is there for both"},
    // groups and rules
    {"group of an unknown service", grouped("policy: weighted", "policy: weighted", "^card"),
     "groups: there is no service `card.gtm.example.com` (did you mean `cart.gtm.example.com`?)"},
    {"service in two groups",
     grouped("policy: weighted", "policy: weighted", "cart") +
         "  second: {services: [^shop.gtm.example.com]}\n",
     "shop.gtm.example.com is in two groups, checkout and second"},
    {"group of one service twice", grouped("policy: weighted", "policy: weighted", "^shop"),
     "shop.gtm.example.com is given twice"},
    {"group of one", grouped("policy: weighted", "policy: weighted", "") + "  second: {services: ^[]}\n",
     "second needs at least two services"},
    {"group without a common datacenter",
     grouped("policy: weighted", "policy: weighted", "^cart", "eu: {addresses: [203.0.113.2]}"),
     "have no datacenter in common with cart.gtm.example.com"},
    {"group of policies that do not go together",
     grouped("policy: active_passive", "policy: weighted", "^cart"),
     "cannot be grouped: active_passive answers one datacenter"},
    {"group with two orders",
     grouped("policy: {type: active_passive, order: [east, west]}",
             "policy: {type: active_passive, order: [west, east]}", "^cart"),
     "they prefer datacenters in a different order"},
    {"group in other datacenters",
     grouped("policy: active_passive", "policy: active_passive", "^cart", "east: {addresses: [192.0.2.2]}"),
     "they are not in the same datacenters"},
    {"group with two runbooks",
     grouped("policy: active_passive\n    failover: approval\n    hooks: {prepare: {exec: [/bin/true]}}",
             "policy: active_passive\n    failover: approval\n    hooks: {prepare: {exec: [/bin/true]}}",
             "^cart"),
     "both have hooks, and a group has one runbook"},
    {"group of two primaries",
     grouped("policy: {type: active_passive, follow: primary}\n    stateful: db",
             "policy: {type: active_passive, follow: primary}\n    stateful: db", "^cart"),
     "they follow different primaries"},
    {"time of the week", "rules: {hold_windows: [{when: ^\"Friday 18:00-Mon 06:00\"}]}\n",
     "expected a time of the week such as"},
    {"hour that is none", "rules: {hold_windows: [{when: ^\"Fri 24:00-Mon 06:00\"}]}\n",
     "expected a time of the week"},
    {"window of no length", "rules: {hold_windows: [{when: ^\"Fri 18:00-Fri 18:00\"}]}\n",
     "a window that ends where it begins"},
    {"unknown time zone", "rules: {hold_windows: [{when: ^\"Fri 18:00-Mon 06:00 Europe/Berlim\"}]}\n",
     "there is no time zone `Europe/Berlim`"},
    {"window without a time", "rules: {hold_windows: [^{also_failover: true}]}\n", "`when` is missing"},
    // zones
    {"zone without name servers", "zones: {^gtm.example.com: {records: [\"www A 192.0.2.1\"]}}\n",
     "has no SOA"},
    {"name server without an address", "zones: {gtm.example.com: {nameservers: {^ns1: []}}}\n",
     "lies in the zone and needs an address"},
    {"name server with an address that is not ours",
     "zones: {gtm.example.com: {nameservers: {^ns.example.net.: [192.0.2.1]}}}\n",
     "its addresses are not ours to give"},
    {"record that is none",
     "zones: {gtm.example.com: {nameservers: {ns1: [192.0.2.1]}, records: [^\"www A 192.0.2\"]}}\n",
     "A record: "},
    {"record outside the zone",
     "zones: {gtm.example.com: {nameservers: {ns1: [192.0.2.1]}, records: [^\"www.example.org. A "
     "192.0.2.1\"]}}\n",
     "is outside the zone"},
    {"CNAME beside other data",
     "zones: {gtm.example.com: {nameservers: {ns1: [192.0.2.1]}, records: [\"a CNAME b\", ^\"a TXT x\"]}}\n",
     "nothing else may stand beside it"},
    {"zone file that is not there", "zones: {gtm.example.com: {file: ^no.zone}}\n",
     "cannot be read: No such file or directory"},
    {"SOA minimum without a unit",
     "zones: {gtm.example.com: {nameservers: {ns1: [192.0.2.1]}, soa: {minimum: ^5}}}\n",
     "minimum: expected a duration with its unit such as 5s"},
    {"a second SOA",
     "zones: {gtm.example.com: {nameservers: {ns1: [192.0.2.1]}, soa: ^{minimum: 5s}, records: [\"@ SOA a b "
     "1 1 1 1 1\"]}}\n",
     "the zone's records have a SOA already"},
    // include
    {"included file that is not there", "include: [^no.yaml]\n", "cannot be read"},
    {"include that is a mapping", "include: ^{a: b}\n", "expected a list of files or globs"},
    {"file that includes itself", "include: [^fairway.yaml]\n", "is included twice"},
};

/// Takes the caret out of the text and says where it stood: "line:column".
std::string take_mark(std::string& text) {
    const std::size_t at = text.find('^');
    if (at == text.npos) return {};
    text.erase(at, 1);
    const std::size_t line_start = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
    return std::to_string(line) + ':' + std::to_string(at - line_start + 1);
}

} // namespace

TEST_CASE("a broken configuration gives one precise message at the right place") {
    std::size_t tried = 0;
    for (const Row& row : rows) {

        INFO(std::string(row.what));
        std::string text = row.text;
        const std::string place = take_mark(text);
        const Loaded loaded(text);
        const std::string told = loaded.told();
        CAPTURE(told);
        CHECK_FALSE(loaded.model);
        CHECK(loaded.problems.errors() == 1);
        for (const Diagnostic& d : loaded.problems.all()) {
            if (d.severity != Diagnostic::Severity::error) continue;
            CHECK(told.find(row.message) != std::string::npos);
            if (place.empty()) continue;
            CHECK(std::to_string(d.place.line) + ':' + std::to_string(d.place.column) == place);
        }
        ++tried;
    }
    CHECK(tried >= 40);
}

TEST_CASE("every problem of a file is reported at once") {
    const Loaded loaded(base + R"(dns: {listen: ["127.0.0.1"]}
servces: {}
brake: {max_share: 2}
node: {datacenter: eats}
services:
  shop.gtm.example.com:
    policy: wieghted
    application: wbe
    ttl: 10
    endpoints: {east: {addresses: [1.2.3]}}
)");
    CHECK(loaded.problems.errors() == 8);
    CHECK(loaded.told().starts_with("fairway.yaml:9:16: error: listen"));
    CHECK(loaded.told().find("fairway.yaml:18:36: error: addresses") != std::string::npos);
}
