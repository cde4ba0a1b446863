"""Three datacenters, active/active, each with a front end before its own member of a strongly consistent store."""

import sys

from places import Country, Process, pathlib, wait_until
from load import Load
from lab import Fairwayd, Nginx, Unbound
from lab.etcd import Etcd
from lab.mariadb import PASSWORD, galera

ZONE, NAME = "gtm.example.com", "app.gtm.example.com"
WEB, APPLICATION = 8080, 8081
SITES = {"east": 21, "west": 22, "eu": 23}
CONFIG = """
dns: {listen: ["$dns"]}
http: {listen: "$http"}
control: {socket: "$socket"}
state: {directory: "$state"}
zones: {gtm.example.com: {nameservers: {ns1: [$dns_address]}}}
datacenters: {east: {region: us-east}, west: {region: us-west}, eu: {region: eu}}
defaults: {ttl: 2s, check: {rise: 3, hold_down: 5s}}
checks:
  web:   {type: http, port: 8080, path: /healthz}
  app:   {type: tcp, port: 8081}
  store: $check
services:
  app.gtm.example.com:
    policy: round_robin
    consistency: strong
    application: {all: [web, app]}
    stateful: store
    endpoints: {east: {addresses: [10.77.0.21]}, west: {addresses: [10.77.0.22]}, eu: {addresses: [10.77.0.23]}}
"""


class Three:
    """`check` is how Fairway looks at the store; start_store() makes all of it, store_of() says what a site's front end uses."""

    def __init__(self):
        self.country = Country(**{site: [host] for site, host in SITES.items()}, control=[53], clients=[60])
        self.start_store()
        for site in SITES:
            self.start_front_end(site)
        with self.country.place("control"):
            self.fairway = Fairwayd(self.country, CONFIG, check=self.check())
            (self.fairway.home / "pw").write_text(PASSWORD + "\n")
            self.fairway.start()
        with self.country.place("clients"):
            self.resolver = Unbound(self.country, self.fairway, ZONE)
        wait_until("all are fit", lambda: self.fit() == set(SITES), 60, every=0.1)
        self.load = Load(self.country.place("clients"), self.fairway, self.resolver, NAME,
                         {site: self.address(site) for site in SITES}, WEB)

    def address(self, site):
        return self.country.address(SITES[site])

    def start_front_end(self, site):
        address = self.address(site)
        with self.country.place(site):
            Process(self.country, f"{site}-application", [
                sys.executable, pathlib.Path(__file__).with_name("frontend.py"), address, APPLICATION, self.store_of(site)])
            Nginx(self.country, site, address, WEB, behind=f"{address}:{APPLICATION}").start()

    def put_relay_before(self, site):
        """Its web tier is reached through a relay, which delay() makes slow."""
        address, place = self.address(site), self.country.place(site)
        self.delay(0)
        for process in place.programs():
            if process.name == f"{site}-nginx":
                process.kill()
        with place:
            Nginx(self.country, site, address, WEB + 10, behind=f"{address}:{APPLICATION}").start()
            Process(self.country, f"{site}-relay", [
                sys.executable, pathlib.Path(__file__).with_name("relay.py"), address, WEB, WEB + 10, self._delay])

    def delay(self, seconds):
        """Each way."""
        self._delay = self.country.directory / "delay"
        fresh = self._delay.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.rename(self._delay)

    def fit(self):
        return {e["datacenter"] for e in self.fairway.service(NAME)["endpoints"] if e["fit"]}

    def close(self):
        self.load.end()
        self.country.close()


class Raft(Three):
    """etcd."""

    def check(self):
        return f"{{type: etcd, port: {self.etcd.port}, max_lag: 2s}}"

    def start_store(self):
        self.etcd = Etcd(self.country, size=3, first=20, options=["--pre-vote"])  # as newer ones do: who returns unseats nobody
        for site in SITES:
            self.start_member(site)
        wait_until("etcd has a leader", self.etcd.leader, 30)

    def store_of(self, site):
        return f"etcd:{self.address(site)}:{self.etcd.port}"

    def member(self, site):
        return self.etcd.members[list(SITES).index(site)]

    def start_member(self, site):
        with self.country.place(site):
            self.member(site).start()


class Galera(Three):
    """MariaDB with Galera."""

    def check(self):
        return f"{{type: mysql, port: {self.nodes[0].port}, password_file: pw}}"

    def start_store(self):
        self.nodes = galera(self.country, SITES, SITES["east"], at=lambda node: self.country.place(node.name))

    def store_of(self, site):
        return f"mariadb:{self.address(site)}:{self.nodes[0].port}"
