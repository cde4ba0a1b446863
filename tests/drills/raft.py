"""Three datacenters with etcd in each, active/active: the world of S1, S2, S8, C1 and F1."""

import sys

from places import Country, Process, pathlib, wait_until
from load import Load
from lab import Fairwayd, Nginx, Unbound
from lab.etcd import Etcd

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
  store: {type: etcd, port: $etcd}
services:
  app.gtm.example.com:
    policy: round_robin
    consistency: strong
    application: web
    stateful: store
    endpoints: {east: {addresses: [10.77.0.21]}, west: {addresses: [10.77.0.22]}, eu: {addresses: [10.77.0.23]}}
"""


class Raft:
    def __init__(self):
        self.country = Country(**{site: [host] for site, host in SITES.items()}, control=[53], clients=[60])
        self.etcd = Etcd(self.country, size=3, first=20)
        for site in SITES:
            self.start(site)
        wait_until("etcd has a leader", self.etcd.leader, 30)
        with self.country.place("control"):
            self.fairway = Fairwayd(self.country, CONFIG, etcd=self.etcd.port).start()
        with self.country.place("clients"):
            self.resolver = Unbound(self.country, self.fairway, ZONE)
        wait_until("all are fit", lambda: all(e["fit"] for e in self.fairway.service(NAME)["endpoints"]), 30)
        self.load = Load(self.country.place("clients"), self.fairway, self.resolver, NAME,
                         {site: self.country.address(host) for site, host in SITES.items()}, WEB)

    def member(self, site):
        return self.etcd.members[list(SITES).index(site)]

    def start(self, site):
        """Its etcd member, its front end, and nginx before that."""
        address = self.country.address(SITES[site])
        with self.country.place(site):
            self.member(site).start()
            Process(self.country, f"{site}-application", [
                sys.executable, pathlib.Path(__file__).with_name("frontend.py"), address, APPLICATION,
                f"etcd:{address}:{self.etcd.port}"])
            Nginx(self.country, site, address, WEB, behind=f"{address}:{APPLICATION}").start()

    def fit(self):
        return {e["datacenter"] for e in self.fairway.service(NAME)["endpoints"] if e["fit"]}

    def close(self):
        self.load.end()
        self.country.close()
