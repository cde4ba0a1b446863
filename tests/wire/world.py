"""What the wire tests ask: a zone with static records of many types, and services that need no probe."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import *  # noqa: E402,F401,F403
from lab import Fairwayd  # noqa: E402

ZONE = "gtm.example.com"
SOA_MINIMUM = 5

CONFIG = """
dns: {listen: ["$dns"]}
http: {listen: "$http"}
control: {socket: "$socket"}
state: {directory: "$state"}
zones:
  gtm.example.com:
    nameservers: {ns1: [$dns_address], ns2: [192.0.2.53, "2001:db8::53"]}
    file: gtm.example.com.zone
    soa: {minimum: 5s}
datacenters:
  east: {region: us-east, latitude: 40.7, longitude: -74.0}
  west: {region: us-west, latitude: 37.8, longitude: -122.4}
  eu:   {region: eu-central, latitude: 50.1, longitude: 8.7}
clients:
  latency: latency.csv
services:
  plain.gtm.example.com:
    policy: {type: active_passive, order: [east, west]}
    unchecked: true
    endpoints:
      east: {addresses: [192.0.2.40]}
      west: {addresses: [198.51.100.40]}
  dual.gtm.example.com:
    policy: {type: active_passive, order: [east, west]}
    unchecked: true
    ttl: 20s
    endpoints:
      east: {addresses: [192.0.2.41, 192.0.2.42, "2001:db8::41"]}
      west: {addresses: [198.51.100.41, "2001:db8:1::41"]}
  shares.gtm.example.com:
    policy: weighted
    unchecked: true
    endpoints:
      east: {addresses: [192.0.2.50], weight: 70}
      west: {addresses: [198.51.100.50], weight: 20}
      eu:   {addresses: [203.0.113.50], weight: 10}
  never.gtm.example.com:
    policy: weighted
    unchecked: true
    endpoints:
      east: {addresses: [192.0.2.51], weight: 1}
      west: {addresses: [198.51.100.51], weight: 0}
  near.gtm.example.com:
    policy: latency
    unchecked: true
    endpoints:
      east: {addresses: [192.0.2.60]}
      west: {addresses: [198.51.100.60]}
      eu:   {addresses: [203.0.113.60]}
"""

LATENCY = """\
203.0.113.0/24,east,90
203.0.113.0/24,west,150
203.0.113.0/24,eu,8
198.51.100.0/24,east,70
198.51.100.0/24,west,6
198.51.100.0/24,eu,160
198.51.100.128/25,east,9
198.51.100.128/25,west,80
198.51.100.128/25,eu,95
2001:db8:e::/48,east,100
2001:db8:e::/48,west,170
2001:db8:e::/48,eu,10
"""

LONG = [f"{n:03} " + "x" * 180 for n in range(12)]  # TXT strings, together beyond 1232 octets

ZONE_FILE = f"""\
$TTL 300
$ORIGIN gtm.example.com.
@            TXT   "v=spf1 -all"
@            MX    10 mail
mail         A     192.0.2.25
mail         AAAA  2001:db8::25
mail         600 TXT "hello" "world"
alias        CNAME plain
twice        CNAME alias
outside      CNAME www.example.net.
dangling     CNAME nowhere
_sip._udp    SRV   10 60 5060 mail
ca           CAA   0 issue "ca.example.net"
point        PTR   mail
rule         NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .
key          SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
_443._tcp    TLSA  3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971
web          HTTPS 1 . alpn="h2"
odd          TYPE65280 \\# 4 0A000001
a.very.deep  A     192.0.2.77
""" + "".join(f'long         TXT   "{text}"\n' for text in LONG)

# What stands where, for the oracle: name -> types. Names between are empty non-terminals.
STANDS = {
    "": {"SOA", "NS", "TXT", "MX"},
    "ns1": {"A"}, "ns2": {"A", "AAAA"},
    "mail": {"A", "AAAA", "TXT"},
    "alias": {"CNAME"}, "twice": {"CNAME"}, "outside": {"CNAME"}, "dangling": {"CNAME"},
    "_sip._udp": {"SRV"}, "ca": {"CAA"}, "point": {"PTR"}, "rule": {"NAPTR"}, "key": {"SSHFP"}, "_443._tcp": {"TLSA"},
    "web": {"HTTPS"}, "odd": {"TYPE65280"}, "a.very.deep": {"A"}, "long": {"TXT"},
    "plain": {"A"}, "dual": {"A", "AAAA"}, "shares": {"A"}, "never": {"A"}, "near": {"A"},
}
TARGETS = {"alias": "plain", "twice": "alias", "dangling": "nowhere", "outside": None}  # None: not ours
EMPTY = {"_udp", "_tcp", "deep", "very.deep"}
ABSENT = ["nowhere", "x.plain", "x.mail", "b.very.deep", "xdeep", "_tls._tcp", "x.alias", "a.a.very.deep"]


def full(name):
    return f"{name}.{ZONE}" if name else ZONE


def setup(lab, config=CONFIG, name="fairwayd", before=lambda fairway: None):
    fairway = Fairwayd(lab, config, name=name)
    (fairway.home / "gtm.example.com.zone").write_text(ZONE_FILE)
    (fairway.home / "latency.csv").write_text(LATENCY)
    before(fairway)
    return fairway.start()
