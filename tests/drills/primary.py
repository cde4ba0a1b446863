"""Two datacenters, a PostgreSQL primary and its streaming standby, a front end before each: the world of S5, S6 and S7."""

import sys

from places import Country, Process, pathlib, wait_until
from load import Load
from lab import Fairwayd, Nginx, Postgres, Unbound

ZONE, NAME = "gtm.example.com", "shop.gtm.example.com"
WEB, APPLICATION, DATABASE = 8080, 8081, 5432
SITES = {"east": 21, "west": 22}
RUNBOOK = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "examples" / "demo"
HEAD = """
dns: {listen: ["$dns"]}
http: {listen: "$http"}
control: {socket: "$socket"}
state: {directory: "$state"}
zones: {gtm.example.com: {nameservers: {ns1: [$dns_address]}}}
datacenters: {east: {region: us-east}, west: {region: us-west}}
self_doubt: {references: ["tcp://10.77.0.60:53"]}
defaults: {ttl: 2s, check: {rise: 3, hold_down: 5s}}
checks:
  web:   {type: http, port: 8080, path: /healthz}
  ready: {type: http, port: 8080, path: /ready}
  db:    {type: postgres, port: 5432, user: fairway, dbname: postgres, max_lag: 10s}
services:
"""
FOLLOW = """
  shop.gtm.example.com:
    policy: {type: active_passive, follow: primary}
    application: web
    stateful: db
    failover: $failover
    hooks:
      fence:   {exec: ["$runbook/fence.sh"], timeout: 10s}
      promote: {exec: ["$runbook/promote.sh"], timeout: 30s}
    endpoints: {east: {addresses: [10.77.0.21]}, west: {addresses: [10.77.0.22]}}
"""
BY_STATUS = """
  shop.gtm.example.com:
    policy: {type: active_passive, order: [west, east]}
    failback: auto
    application: ready
    endpoints: {east: {addresses: [10.77.0.21]}, west: {addresses: [10.77.0.22]}}
"""


class Primary:
    """East has the primary."""

    def __init__(self, service=FOLLOW, **words):
        self.country = Country(**{site: [host] for site, host in SITES.items()}, control=[53], clients=[60])
        self.databases = {site: Postgres(self.country, site, self.address(site), DATABASE) for site in SITES}
        with self.country.place("east"):
            self.databases["east"].start_primary()
        with self.country.place("west"):
            self.databases["west"].start_standby(self.databases["east"])
        for site in SITES:
            self.start_front_end(site)
        with self.country.place("control"):
            self.fairway = Fairwayd(self.country, HEAD + service, runbook=RUNBOOK, **{"failover": "automatic", **words})
            self.fairway.start(env={"FAIRWAY_DEMO": str(self.country.directory)})
        with self.country.place("clients"):
            self.resolver = Unbound(self.country, self.fairway, ZONE)
        self.load = None

    def address(self, site):
        return self.country.address(SITES[site])

    def start_load(self):
        self.load = Load(self.country.place("clients"), self.fairway, self.resolver, NAME,
                         {site: self.address(site) for site in SITES}, WEB, writable=["east"])

    def start_front_end(self, site):
        address, database = self.address(site), self.databases[site]
        with self.country.place(site):
            Process(self.country, f"{site}-application", [
                sys.executable, pathlib.Path(__file__).with_name("frontend.py"), address, APPLICATION,
                f"postgres:{database.conninfo(application='shop')}"], env={"PATH": f"{database.bin}:/usr/bin:/bin"})
            Nginx(self.country, site, address, WEB, behind=f"{address}:{APPLICATION}").start()

    def rejoin(self, site, primary):
        with self.country.place(site):
            self.databases[site].rejoin(self.databases[primary])

    def endpoint(self, site):
        return self.fairway.endpoint(NAME, site)

    def wait_standby(self, site):
        """The standby has passed for long enough and its lag is known."""
        def known():
            endpoint = self.endpoint(site)
            return endpoint["role"] == "standby" and endpoint["fit"] and endpoint["lag_ms"] is not None
        wait_until(f"{site} is a fit standby of known lag", known, 60)

    def fit(self):
        return {e["datacenter"] for e in self.fairway.service(NAME)["endpoints"] if e["fit"]}

    def close(self):
        if self.load:
            self.load.end()
        self.country.close()
