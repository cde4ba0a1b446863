#!/usr/bin/python3
"""The generic checks against servers that others wrote: nginx, nghttpd, a gRPC server, Prometheus, unbound.

Every row of CHECKS is a check and what must be seen of it: outcome, reason, and a part of what is told to people.
"""

import subprocess
import time
import urllib.error
import urllib.request

from world import HEAD, Failure, Fairwayd, check, equal, story, tell, wait_until
from lab.world import Process, accepts

# name: (what the check is told, outcome, reason, part of the detail)
CHECKS = {
    "http1": ("type: http, port: $plain, path: /healthz, json: {/status: green, /nodes: '>= 3'}", "pass", "ok", "HTTP 200"),
    "http1_few": ("type: http, port: $plain, path: /healthz, json: {/nodes: '> 3'}", "fail", "body_mismatch", "/nodes is 3"),
    "http1_facts": ("type: http, port: $plain, path: /healthz, facts: {quorum: {at: /nodes, is: '>= 2'}}", "pass", "ok", "HTTP 200"),
    "http1_regex": ("type: http, port: $plain, path: /healthz, body_regex: '\"nodes\": *\\d\\b'", "pass", "ok", "HTTP 200"),
    "http1_proxy": ("type: http, port: $plain, path: /healthz, proxy: '$site:$proxy'", "pass", "ok", "HTTP 200"),
    "https_proxy": ("type: https, port: $tls, path: /healthz, proxy: '$site:$proxy', tls: {ca: ca.pem, expiry_warning: 1d}",
                    "pass", "ok", "HTTP 200"),
    "proxy_reaches_nobody": ("type: tcp, port: $nobody, proxy: '$site:$proxy'", "fail", "unreachable", "the proxy"),
    "proxy_refuses": ("type: tcp, port: $ns, proxy: '$site:$proxy'", "unknown", "no_route", "403"),
    "http1_kept": ("type: http, port: $plain, path: /kept, reuse: true", "pass", "ok", "HTTP 200"),
    "http1_moved": ("type: http, port: $plain, path: /moved", "fail", "redirect", "/healthz"),
    "http1_follow": ("type: http, port: $plain, path: /moved, redirects: 1", "pass", "ok", "after 1 redirect"),
    "https2": ("type: https, port: $tls, path: /healthz, http_version: 2, tls: {ca: ca.pem}", "pass", "expiring_certificate", "ends in"),
    "https_name": ("type: https, port: $tls, sni: other.test, tls: {ca: ca.pem}", "fail", "wrong_name", "other.test"),
    "https_system": ("type: https, port: $tls", "fail", "bad_certificate", "certificate"),
    "https_no_own": ("type: https, port: $mutual, path: /healthz, tls: {ca: ca.pem}", "fail", "wrong_status", "HTTP 400"),
    "https_own": ("type: https, port: $mutual, path: /healthz, tls: {ca: ca.pem, cert: own.pem, key: own.key}",
                  "pass", "expiring_certificate", "HTTP 200"),
    "h2c": ("type: http, port: $h2c, path: /, http_version: 2, status: 404", "pass", "ok", "HTTP 404"),
    "h2c_not": ("type: http, port: $plain, path: /healthz, http_version: 2", "fail", "bad_response", ""),
    "tls": ("type: tls, port: $tls, tls: {ca: ca.pem, expiry_warning: 1d}", "pass", "ok", "session"),
    "tls_talks": ("type: tls, port: $tls, tls: {ca: ca.pem, expiry_warning: 1d}, send: \"HEAD /healthz HTTP/1.0\\r\\n\\r\\n\", "
                  "expect: '200 OK'", "pass", "ok", "the expected came"),
    "tcp_talks": ("type: tcp, port: $plain, send: \"HEAD /gone HTTP/1.0\\r\\n\\r\\n\", expect: '200 OK'",
                  "fail", "body_mismatch", "404"),
    "grpc": ("type: grpc, port: $grpc", "pass", "ok", "SERVING"),
    "grpc_orders": ("type: grpc, port: $grpc, service: shop.Orders", "pass", "ok", "SERVING"),
    "grpc_payments": ("type: grpc, port: $grpc, service: shop.Payments", "fail", "reported_down", "NOT_SERVING"),
    "grpc_other": ("type: grpc, port: $grpc, service: shop.Other", "fail", "reported_down", "not known"),
    "grpc_not": ("type: grpc, port: $plain", "fail", "bad_response", ""),
    "dns_a": ("type: dns, port: $ns, query: shop.test, data: [192.0.2.7]", "pass", "ok", "NOERROR, 1 record"),
    "dns_mx": ("type: dns, port: $ns, query: shop.test, record: MX, data: 10 mail.shop.test.", "pass", "ok", "NOERROR"),
    "dns_other": ("type: dns, port: $ns, query: shop.test, data: [192.0.2.8]", "fail", "body_mismatch", "192.0.2.8"),
    "dns_none": ("type: dns, port: $ns, query: none.shop.test, rcode: NXDOMAIN", "pass", "ok", "NXDOMAIN"),
    "dns_refused": ("type: dns, port: $ns, query: none.shop.test", "fail", "wrong_status", "NXDOMAIN"),
    "dns_large": ("type: dns, port: $ns, query: large.shop.test, record: TXT", "pass", "ok", "40 records"),
    "prometheus": ("type: prometheus, url: 'http://$site:$prometheus', query: 'up{job=\"self\"}', value: '== 1'",
                   "pass", "ok", "1 sample"),
    "prometheus_above": ("type: prometheus, url: 'http://$site:$prometheus', query: 'vector(7)', value: '< 5'",
                         "fail", "body_mismatch", "7, expected < 5"),
    "prometheus_facts": ("type: prometheus, url: 'http://$site:$prometheus', query: 'vector(7)', facts: {lag: /value/1}",
                         "pass", "ok", "1 sample"),
    "prometheus_none": ("type: prometheus, url: 'http://$site:$prometheus', query: 'up{instance=\"$$address\"}', value: '== 1'",
                        "unknown", "no_data", "no sample"),
    "prometheus_wrong": ("type: prometheus, url: 'http://$site:$prometheus', query: 'up{'", "unknown", "no_data", "parse error"),
    "icmp": ("type: icmp", "pass", "ok", "echo reply"),
    "exec": ("type: exec, command: [./check.sh, \"a b\"]", "pass", "ok", "$site a b"),
}

TINYPROXY = """
Listen {site}
Port {proxy}
Timeout 30
MaxClients 50
ConnectPort {plain}
ConnectPort {tls}
ConnectPort {nobody}
"""
NGINX = """
daemon off;
master_process off;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 512; }}
http {{
    log_format kept '$connection $connection_requests $request_uri';
    access_log {home}/access.log kept;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    ssl_certificate {home}/../site.pem;
    ssl_certificate_key {home}/../site.key;
    server {{
        listen {site}:{plain};
        listen {site}:{tls} ssl http2;
        location = /healthz {{ default_type application/json; return 200 '{{"status": "green", "nodes": 3}}'; }}
        location = /kept {{ return 200; }}
        location = /moved {{ absolute_redirect off; return 302 /healthz; }}
        location / {{ return 404; }}
    }}
    server {{
        listen {site}:{mutual} ssl;
        ssl_client_certificate {home}/../ca.pem;
        ssl_verify_client on;
        location / {{ return 200; }}
    }}
}}
"""

UNBOUND = """
server:
  directory: "{home}"
  chroot: ""
  username: ""
  pidfile: "{home}/unbound.pid"
  use-syslog: no
  interface: {site}@{ns}
  access-control: 127.0.0.0/8 allow
  module-config: "iterator"
  num-threads: 1
  do-ip6: no
  local-zone: "shop.test." static
  local-data: "shop.test. A 192.0.2.7"
  local-data: "shop.test. MX 10 mail.shop.test."
{large}
remote-control:
  control-enable: no
"""

PROMETHEUS = """
scrape_configs:
  - {{job_name: self, scrape_interval: 1s, static_configs: [{{targets: ["{site}:{prometheus}"]}}]}}
"""


def certificates(directory):
    """An authority, a certificate for every service of the zone that ends in 10 days, and one of our own."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=directory, check=True, capture_output=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-subj", "/CN=test authority", "-days", 30, "-keyout", "ca.key", "-out", "ca.pem")
    for name, subject in (("site", "*.gtm.example.com"), ("own", "ns1")):
        openssl("req", *key, "-subj", f"/CN={subject}", "-addext", f"subjectAltName=DNS:{subject}", "-keyout", f"{name}.key",
                "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", 10, "-copy_extensions", "copy",
                "-out", f"{name}.pem")


class World:
    def __init__(self, lab):
        self.lab, self.site = lab, lab.address(7)
        self.ports = {"site": self.site}
        for name in ("plain", "tls", "mutual", "h2c", "grpc", "ns", "prometheus", "proxy", "nobody"):
            self.ports[name] = lab.free_port(self.site)
        certificates(lab.directory)
        self.servers()
        script = lab.directory / "check.sh"
        script.write_text('#!/bin/sh\necho "$FAIRWAY_ADDRESS $1"\n')
        script.chmod(0o755)
        self.fairway = Fairwayd(lab, HEAD + self.services(), **self.ports)
        for name in ("ca.pem", "own.pem", "own.key", "check.sh"):
            (self.fairway.home / name).symlink_to(lab.directory / name)
        self.fairway.start()

    def services(self):
        checks = "".join(f"  {name}: {{{what}, interval: 1s}}\n" for name, (what, *_) in CHECKS.items())
        services = "".join(f"  {name.replace('_', '-')}.gtm.example.com: {{policy: weighted, application: {name}, "
                           f"endpoints: {{east: {{addresses: [{self.site}]}}}}}}\n" for name in CHECKS)
        return f"checks:\n{checks}services:\n{services}"

    def servers(self):
        home = self.lab.directory
        large = "\n".join(f'  local-data: \'large.shop.test. TXT "{i} of a reply that no datagram of 512 bytes holds"\'' for i in range(40))
        files = {"nginx": NGINX, "unbound": UNBOUND, "prometheus": PROMETHEUS, "proxy": TINYPROXY}
        for name, text in files.items():
            (home / name).mkdir()
            (home / name / "conf").write_text(text.format(home=home / name, large=large, **self.ports))
        ports = self.ports
        commands = {
            "nginx": ["/usr/sbin/nginx", "-p", home / "nginx", "-e", home / "nginx" / "error.log", "-c", home / "nginx" / "conf"],
            "tinyproxy": ["tinyproxy", "-d", "-c", home / "proxy" / "conf"],
            "unbound": ["/usr/sbin/unbound", "-d", "-c", home / "unbound" / "conf"],
            "nghttpd": ["nghttpd", "--no-tls", "-a", self.site, "-d", home / "nginx", ports["h2c"]],
            "grpc": ["/usr/bin/python3", "-B", __file__.replace("checks.py", "grpc_health.py"), f"{self.site}:{ports['grpc']}"],
            "prometheus": ["prometheus", f"--config.file={home}/prometheus/conf", f"--storage.tsdb.path={home}/prometheus/data",
                           f"--web.listen-address={self.site}:{ports['prometheus']}"],
        }
        self.processes = {name: Process(self.lab, name, command) for name, command in commands.items()}
        for name, port in {"nginx": "plain", "tinyproxy": "proxy", "nghttpd": "h2c", "unbound": "ns", "grpc": "grpc", "prometheus": "prometheus"}.items():
            wait_until(f"{name} listens\n{self.processes[name].tail()}", lambda p=port: accepts(self.site, ports[p]), 20)
        query = f"http://{self.site}:{ports['prometheus']}/api/v1/query?query=up"
        wait_until("Prometheus has its first sample", lambda: '"1"' in fetched(query), 20)

    def seen(self, name):
        """The member of that check."""
        return next(m for m in self.fairway.status()["members"] if m["check"] == name)


def fetched(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.read().decode()
    except urllib.error.URLError:
        return ""


@story("every generic check sees of real servers what it should (H8)")
def _(world):
    waiting, other = set(CHECKS), {}

    def all_seen():
        for name in sorted(waiting):
            _, outcome, reason, detail = CHECKS[name]
            last = world.seen(name)["last"]
            if last and (last["outcome"], last["reason"]) == (outcome, reason) and detail.replace("$site", world.site) in last["detail"]:
                waiting.discard(name)
            elif last and last["reason"] != "local_limit":  # a busy machine passes a look over now and then
                other[name] = f"{name}: expected {outcome} {reason} `{detail}`, seen {last['outcome']} {last['reason']} `{last['detail']}`"
        return not waiting
    try:
        wait_until("all have seen it", all_seen, 40, every=0.2)
    except Failure:
        raise Failure("\n  ".join(["checks that never saw it:", *(other.get(name, name) for name in sorted(waiting))])) from None


@story("a certificate's end is a fact, and a warning keeps nobody out")
def _(world):
    member = world.seen("https2")
    check("certificate_ends=20" in member["last"]["facts"], member["last"]["facts"])
    ends = world.fairway.metric("fairway_member_certificate_expiry_timestamp_seconds", check="https2", datacenter="east")
    check(ends and 9 < (ends - time.time()) / 86400 <= 10, f"it ends at {ends}")
    wait_until("it is up", lambda: world.seen("https2")["verdict"] == "ready", 10)
    equal(world.fairway.addresses("https2.gtm.example.com"), [world.site], "the answer")


@story("facts are taken from an HTTP answer and from a sample (D1)")
def _(world):
    check("quorum=yes" in world.seen("http1_facts")["last"]["facts"], world.seen("http1_facts")["last"])
    check("lag=7s" in world.seen("prometheus_facts")["last"]["facts"], world.seen("prometheus_facts")["last"])


@story("reuse: one connection carries look after look")
def _(world):
    log = world.lab.directory / "nginx" / "access.log"
    wait_until("a connection has carried five looks",
               lambda: any(line.split()[1] == "5" and line.endswith(" /kept") for line in log.read_text().splitlines()), 20)
    connections = {line.split()[0] for line in log.read_text().splitlines() if line.endswith(" /kept")}
    equal(len(connections), 1, "connections")


@story("a Prometheus that dies takes nothing down: it is unknown")
def _(world):
    wait_until("it is up", lambda: world.seen("prometheus")["verdict"] == "ready", 10)
    world.processes["prometheus"].kill()
    wait_until("it is unknown", lambda: world.seen("prometheus")["last"]["reason"] == "no_data", 10)
    passes = world.seen("icmp")["last"]["begun"]
    wait_until("many looks have passed", lambda: world.seen("prometheus")["last"]["begun"] > passes, 10)
    equal(world.seen("prometheus")["fails"], 0, "failures counted")
    equal(world.fairway.addresses("prometheus.gtm.example.com"), [world.site], "the answer")


@story("a gRPC server that dies is refused, and seen to be")
def _(world):
    world.processes["grpc"].kill()
    wait_until("it is refused", lambda: world.seen("grpc")["last"]["reason"] == "refused", 10)


tell(World)
