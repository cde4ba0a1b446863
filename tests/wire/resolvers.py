#!/usr/bin/python3
"""Resolvers from Debian in front: unbound, BIND, PowerDNS Recursor and Knot Resolver find Fairway from the root.

NSD is the root and the child; Fairway is what lies between. Each resolver has its quirks on: names minimised (RFC 9156),
letters in random case, cookies (RFC 7873), the client's subnet (RFC 7871), whichever of them it has. All of it is on
port 53 of loopback addresses, because that is where resolvers ask. Client subnets are told from 127.200/16 and 127.201/16.
"""

import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import Failure, Fairwayd, Process, Silence, check, equal, story, tell, wait_until  # noqa: E402
from lab.dns import exchange_tcp, parse, query  # noqa: E402
from lab.world import port_is_free  # noqa: E402
from nameservers import NSD  # noqa: E402

DNS_PORT = 53
ROOT_ZONE = """\
. 300 SOA a.root. host.root. 1 3600 600 86400 60
. 300 NS a.root.
a.root. 300 A {nsd}
example. 300 NS ns1.example.
ns1.example. 300 A {fairway}
"""
CHILD_ZONE = """\
sub.example. 300 SOA ns.sub.example. host.example. 1 3600 600 86400 60
sub.example. 300 NS ns.sub.example.
ns.sub.example. 300 A {nsd}
host.sub.example. 300 A 192.0.2.90
"""
ZONE = """\
$TTL 300
@ SOA ns1 host 1 3600 600 86400 5
@ NS ns1
@ MX 10 mail
ns1 A {fairway}
mail A 192.0.2.25
plain A 192.0.2.1
plain AAAA 2001:db8::1
alias CNAME alias2
alias2 CNAME plain
to-service CNAME shop
to-child CNAME host.sub
*.wild A 192.0.2.7
*.wild-alias CNAME plain
a.very.deep A 192.0.2.8
old DNAME deep.new
x.deep.new A 192.0.2.9
web HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1
sub NS ns.sub
ns.sub A {nsd}
""" + "".join(f"long TXT \"{n:03} {'x' * 180}\"\n" for n in range(12))
LATENCY = "".join(f"127.{net}.0.0/16,{dc},{ms}\n" for net, times in {200: (5, 90, 90), 201: (90, 5, 90)}.items()
                  for dc, ms in zip(("east", "west", "eu"), times))
CONFIG = """
dns: {listen: ["$dns"], threads: 1}
http: {listen: "$http"}
control: {socket: "$socket"}
state: {directory: "$state"}
zones: {example: {file: example.zone}}
clients: {latency: latency.csv}
datacenters:
  east: {region: us-east, latitude: 40.7, longitude: -74.0}
  west: {region: us-west, latitude: 37.8, longitude: -122.4}
  eu:   {region: eu-central, latitude: 50.1, longitude: 8.7}
services:
  shop.example:
    policy: {type: active_passive, order: [east, west]}
    unchecked: true
    endpoints: {east: {addresses: [192.0.2.40, "2001:db8::40"]}, west: {addresses: [198.51.100.40]}}
  example: {policy: weighted, unchecked: true, endpoints: {east: {addresses: [192.0.2.41]}}}
  "*.apps.example": {policy: weighted, unchecked: true, endpoints: {east: {addresses: [192.0.2.42]}}}
  near.example:
    policy: latency
    unchecked: true
    endpoints: {east: {addresses: [192.0.2.60]}, west: {addresses: [198.51.100.60]}, eu: {addresses: [203.0.113.60]}}
"""

# ---------------------------------------------------------------- resolvers: configuration, command, and whether it sends subnets

UNBOUND = """
server:
  directory: "{home}"
  chroot: ""
  username: ""
  pidfile: "{home}/pid"
  use-syslog: no
  interface: {address}@{port}
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  do-ip6: no
  num-threads: 1
  root-hints: "{home}/hints"
  module-config: "subnetcache iterator"
  send-client-subnet: {fairway}
  qname-minimisation: yes
  qname-minimisation-strict: yes
  use-caps-for-id: yes
remote-control:
  control-enable: no
"""
BIND = """
options {{
  directory "{home}";
  pid-file "{home}/pid";
  session-keyfile "{home}/key";
  listen-on port {port} {{ {address}; }};
  listen-on-v6 {{ none; }};
  recursion yes;
  allow-recursion {{ 127.0.0.0/8; }};
  dnssec-validation no;
  qname-minimization strict;
  send-cookie yes;
  empty-zones-enable no;
}};
controls {{ }};
zone "." {{ type hint; file "{home}/hints"; }};
"""
PDNS = """
daemon=no
setuid=
config-dir={home}
socket-dir={home}
local-address={address}
local-port={port}
allow-from=127.0.0.0/8
dont-query=
dnssec=off
hint-file={home}/hints
qname-minimization=yes
edns-subnet-allow-list={fairway}
ecs-add-for=0.0.0.0/0
threads=1
pdns-distributes-queries=no
disable-syslog=yes
security-poll-suffix=
"""
KRESD = """
net.listen('{address}', {port}, {{ kind = 'dns' }})
net.ipv6 = false
trust_anchors.remove('.')
cache.open(10 * MB, 'lmdb://{home}/cache')
modules.load('hints > iterate')
hints.root({{ ['a.root.'] = {{ '{nsd}' }} }})
policy.add(policy.all(policy.FLAGS({{ 'ALLOW_LOCAL' }})))
"""
RESOLVERS = {
    "unbound": (UNBOUND, lambda home: ["/usr/sbin/unbound", "-d", "-c", home / "conf"], True),
    "bind": (BIND, lambda home: ["/usr/sbin/named", "-g", "-n", "1", "-c", home / "conf"], False),
    "pdns": (PDNS, lambda home: ["/usr/sbin/pdns_recursor", f"--config-dir={home}"], True),
    "kresd": (KRESD, lambda home: ["/usr/sbin/kresd", "-n", "-c", "/usr/lib/x86_64-linux-gnu/knot-resolver/distro-preconfig.lua", "-c",
                                   home / "conf", home], False),
}


class Resolver:
    def __init__(self, lab, program, host, fairway, nsd):
        text, command, self.sends_subnets = RESOLVERS[program]
        home = lab.directory / program
        home.mkdir()
        address = lab.address(host) if program != "bind" else "127.0.0.1"  # it listens where an interface has the address
        self.server = (address, lab.free_port(address))
        text = text.format(home=home, address=self.server[0], port=self.server[1], fairway=fairway, nsd=nsd)
        for name in ("conf", "recursor.conf"):
            (home / name).write_text(text)
        (home / "hints").write_text(f". 3600 NS a.root.\na.root. 3600 A {nsd}\n")
        process = Process(lab, program, command(home))

        def answers():
            check(process.alive(), f"{program} ended:\n{process.tail()}")
            try:
                return self.ask("example", "SOA", timeout=1).rcode == "NOERROR"
            except (Silence, OSError):
                return False
        try:
            wait_until(f"{program} answers", answers, 20, every=0.1)
        except Failure:
            print(process.tail())
            raise

    def ask(self, name, kind="A", client="127.0.0.1", timeout=5):
        packet = query(name, kind, rd=True, edns=1232)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((client, 0))
            s.settimeout(timeout)
            s.connect(self.server)
            s.send(packet)
            try:
                answer = parse(s.recv(65535))
            except (socket.timeout, ConnectionRefusedError) as problem:
                raise Silence(str(problem)) from None
        return parse(exchange_tcp(self.server, packet, timeout)) if answer.tc else answer


ROWS = [  # name, type, rcode, addresses or number of records in the answer
    ("plain", "A", "NOERROR", ["192.0.2.1"]),
    ("plain", "AAAA", "NOERROR", ["2001:db8::1"]),
    ("plain", "MX", "NOERROR", 0),
    ("alias", "A", "NOERROR", ["192.0.2.1"]),
    ("nowhere", "A", "NXDOMAIN", 0),
    ("x.plain", "A", "NXDOMAIN", 0),
    ("very.deep", "A", "NOERROR", 0),
    ("a.very.deep", "A", "NOERROR", ["192.0.2.8"]),
    ("b.c.wild", "A", "NOERROR", ["192.0.2.7"]),
    ("b.wild-alias", "A", "NOERROR", ["192.0.2.1"]),
    ("x.old", "A", "NOERROR", ["192.0.2.9"]),
    ("host.sub", "A", "NOERROR", ["192.0.2.90"]),
    ("nowhere.sub", "A", "NXDOMAIN", 0),
    ("to-child", "A", "NOERROR", ["192.0.2.90"]),
    ("shop", "A", "NOERROR", ["192.0.2.40"]),
    ("shop", "AAAA", "NOERROR", ["2001:db8::40"]),
    ("shop", "TXT", "NOERROR", 0),
    ("to-service", "A", "NOERROR", ["192.0.2.40"]),
    ("", "A", "NOERROR", ["192.0.2.41"]),
    ("", "MX", "NOERROR", 1),
    ("a.b.apps", "A", "NOERROR", ["192.0.2.42"]),
    ("web", "HTTPS", "NOERROR", 1),
    ("long", "TXT", "NOERROR", 12),
]


def told(program):
    @story(f"{program} resolves static, dynamic, wildcard, delegated and renamed names, its quirks on")
    def _(stage):
        resolver = stage(program)
        for name, kind, rcode, expected in ROWS:
            answer = resolver.ask(f"{name}.example" if name else "example", kind)
            equal(answer.rcode, rcode, f"{program}: {name} {kind}")
            if isinstance(expected, list):
                equal(answer.addresses, expected, f"{program}: {name} {kind}")
            else:
                equal(len(answer.answers), expected, f"{program}: records of {name} {kind}")
        shop = next(r for r in resolver.ask("shop.example").answers if r.kind == "A")
        check(shop.ttl <= 10, f"{program}: {shop.ttl} s of the service's 10 s are left")
        if resolver.sends_subnets:
            for client, nearest in (("127.200.1.1", "192.0.2.60"), ("127.201.1.1", "198.51.100.60"), ("127.200.9.1", "192.0.2.60")):
                equal(resolver.ask("near.example", client=client).addresses, [nearest], f"{program}: near {client}")
        print(f"  {program}: {len(ROWS)} names and types{', nearest by client subnet' if resolver.sends_subnets else ''}")


for each in RESOLVERS:
    told(each)


def setup(lab):
    fairway_at, nsd_at = lab.address(53), lab.address(54)
    for address in (fairway_at, nsd_at):
        check(port_is_free(address, DNS_PORT), f"port {DNS_PORT} of {address} cannot be had (who is not root needs CAP_NET_BIND_SERVICE)")
    fairway = Fairwayd(lab, CONFIG, dns=f"{fairway_at}:{DNS_PORT}")
    fairway.dns = (fairway_at, DNS_PORT)
    (fairway.home / "example.zone").write_text(ZONE.format(fairway=fairway_at, nsd=nsd_at))
    (fairway.home / "latency.csv").write_text(LATENCY)
    fairway.start()
    home = lab.directory / "nsd"
    home.mkdir()
    for name, text in (("root", ROOT_ZONE), ("sub", CHILD_ZONE)):
        (home / name).write_text(text.format(fairway=fairway_at, nsd=nsd_at))
    (home / "conf").write_text(NSD.format(home=home, address=nsd_at, port=DNS_PORT) +
                               'zone:\n  name: "."\n  zonefile: root\nzone:\n  name: sub.example\n  zonefile: sub\n')
    Process(lab, "nsd", ["/usr/sbin/nsd", "-d", "-c", home / "conf"])
    hosts = dict(zip(RESOLVERS, range(60, 70)))
    return lambda program: Resolver(lab, program, hosts[program], fairway_at, nsd_at)


tell(setup)
