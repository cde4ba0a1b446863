"""Two datacenters and a witness: Patroni over etcd in all three, traffic in two; the world of P1."""

import subprocess
import sys

from places import Country, Process, pathlib, wait_until
from load import Load
from lab import Fairwayd, Nginx, Unbound
from lab.etcd import Etcd
from lab.patroni import Patroni as Cluster

ZONE, NAME = "gtm.example.com", "shop.gtm.example.com"
WEB, APPLICATION = 8080, 8081
SITES = {"east": 21, "west": 22, "witness": 23}
CONFIG = """
dns: {listen: ["$dns"]}
http: {listen: "$http"}
control: {socket: "$socket"}
state: {directory: "$state"}
zones: {gtm.example.com: {nameservers: {ns1: [$dns_address]}}}
datacenters: {east: {region: us-east}, west: {region: us-west}}
self_doubt: {references: ["tcp://10.77.0.60:53"]}
defaults: {ttl: 2s, check: {rise: 3, hold_down: 5s}}
checks:
  web: {type: http, port: 8080, path: /healthz}
  db:  {type: patroni, port: $api}
services:
  shop.gtm.example.com:
    policy: {type: active_passive, follow: primary}
    application: web
    stateful: db
    endpoints: {east: {addresses: [10.77.0.21]}, west: {addresses: [10.77.0.22]}}
"""


class Patroni:
    """East leads. The witness' member never does: nobody's traffic goes there."""

    def __init__(self):
        self.country = Country(**{site: [host] for site, host in SITES.items()}, control=[53], clients=[60])
        self.etcd = Etcd(self.country, size=3, first=20)
        for site, member in zip(SITES, self.etcd.members):
            with self.country.place(site):
                member.start()
        wait_until("etcd has a leader", self.etcd.leader, 30)
        self.cluster = Cluster(self.country, self.etcd, "db", 3, 20)
        self.members = dict(zip(SITES, self.cluster.members))
        with self.country.place("east"):
            self.members["east"].start()
        wait_until("east leads", self.members["east"].leads, 90, every=0.2)
        self.sql("east", "CREATE TABLE rows (id int PRIMARY KEY)")
        for site in ("west", "witness"):
            with self.country.place(site):
                self.members[site].start(nofailover=site == "witness")
        self.cluster.wait_standbys()
        for site in ("east", "west"):
            self.start_front_end(site)
        with self.country.place("control"):
            self.fairway = Fairwayd(self.country, CONFIG, api=self.cluster.api).start()
        with self.country.place("clients"):
            self.resolver = Unbound(self.country, self.fairway, ZONE)
        wait_until("both are fit", lambda: len(self.fit()) == 2, 60, every=0.1)
        self.load = Load(self.country.place("clients"), self.fairway, self.resolver, NAME,
                         {site: self.address(site) for site in ("east", "west")}, WEB, writable=["east"])

    def address(self, site):
        return self.country.address(SITES[site])

    def conninfo(self, site):
        return f"host={self.address(site)} port={self.cluster.postgres} user=postgres dbname=postgres connect_timeout=3"

    def sql(self, site, text):
        subprocess.run([f"{self.cluster.bin}/psql", "-XAtq", "-d", self.conninfo(site), "-c", text], check=True, capture_output=True)

    def start_front_end(self, site):
        address = self.address(site)
        with self.country.place(site):
            Process(self.country, f"{site}-application", [
                sys.executable, pathlib.Path(__file__).with_name("frontend.py"), address, APPLICATION,
                f"postgres:{self.conninfo(site)}"], env={"PATH": f"{self.cluster.bin}:/usr/bin:/bin"})
            Nginx(self.country, site, address, WEB, behind=f"{address}:{APPLICATION}").start()

    def lose(self, site):
        """Its PostgreSQL is no child of Patroni's: it goes, too."""
        postmaster = self.members[site].postmaster()
        self.country.place(site).lose()
        if postmaster:
            self.members[site].end_postmaster()

    def fit(self):
        return {e["datacenter"] for e in self.fairway.service(NAME)["endpoints"] if e["fit"]}

    def close(self):
        self.load.end()
        self.country.close()
