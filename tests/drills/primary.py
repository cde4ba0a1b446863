"""Two datacenters, PostgreSQL primaries and their streaming standbys, front ends before them: the world of S5, S6 and S7."""

import sys

from places import Country, Process, pathlib, wait_until
from load import Load
from lab import Fairwayd, Nginx, Postgres, Unbound

ZONE = "gtm.example.com"
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
"""
CHECKS = """
  web-@:   {type: http, port: @web, path: /healthz}
  ready-@: {type: http, port: @web, path: /ready}
  db-@:    {type: postgres, port: @database, user: fairway, dbname: postgres, max_lag: 10s}
"""
FOLLOW = """
  @.gtm.example.com:
    policy: {type: active_passive, follow: primary}
    application: web-@
    stateful: db-@
    failover: $failover
    hooks:
      fence:   {exec: [/usr/bin/env, "FAIRWAY_DEMO=$directory/@", "$runbook/fence.sh"], timeout: 10s}
      promote: {exec: [/usr/bin/env, "FAIRWAY_DEMO=$directory/@", "$runbook/promote.sh"], timeout: 30s}
    endpoints: {east: {addresses: [10.77.0.21]}, west: {addresses: [10.77.0.22]}}
"""
BY_STATUS = """
  @.gtm.example.com:
    policy: {type: active_passive, order: [west, east]}
    failback: auto
    application: ready-@
    endpoints: {east: {addresses: [10.77.0.21]}, west: {addresses: [10.77.0.22]}}
"""


class Pair:
    """A service's databases, one of them the primary, and its front ends."""

    def __init__(self, country, label, number, primary):
        self.country, self.label, self.primary, self.name = country, label, primary, f"{label}.{ZONE}"
        self.web, self.application, self.database = 8080 + number, 8180 + number, 5432 + number
        (country.directory / label).mkdir()
        self.databases = {site: Postgres(country, f"{label}/{site}", self.address(site), self.database) for site in SITES}
        standby = next(site for site in SITES if site != primary)
        with country.place(primary):
            self.databases[primary].start_primary()
        with country.place(standby):
            self.databases[standby].start_standby(self.databases[primary])
        for site in SITES:
            self.start_front_end(site)

    def address(self, site):
        return self.country.address(SITES[site])

    def start_front_end(self, site):
        address, database = self.address(site), self.databases[site]
        with self.country.place(site):
            Process(self.country, f"{self.label}-{site}-application", [
                sys.executable, pathlib.Path(__file__).with_name("frontend.py"), address, self.application,
                f"postgres:{database.conninfo(application='shop')}"], env={"PATH": f"{database.bin}:/usr/bin:/bin"})
            Nginx(self.country, f"{self.label}/{site}", address, self.web, behind=f"{address}:{self.application}").start()

    def rejoin(self, site, primary):
        with self.country.place(site):
            self.databases[site].rejoin(self.databases[primary])

    def yaml(self, template):
        return (template.replace("@web", str(self.web)).replace("@database", str(self.database)).replace("@", self.label))


class Primary:
    """`pairs`: where each service has its primary, by its label."""

    def __init__(self, service=FOLLOW, pairs=None, failover="automatic"):
        self.country = Country(**{site: [host] for site, host in SITES.items()}, control=[53], clients=[60])
        self.pairs = [Pair(self.country, label, n, site) for n, (label, site) in enumerate((pairs or {"shop": "east"}).items())]
        config = HEAD + "checks:" + "".join(p.yaml(CHECKS) for p in self.pairs) + "services:" + "".join(p.yaml(service) for p in self.pairs)
        with self.country.place("control"):
            self.fairway = Fairwayd(self.country, config, runbook=RUNBOOK, directory=self.country.directory, failover=failover).start()
        with self.country.place("clients"):
            self.resolver = Unbound(self.country, self.fairway, ZONE)
        self.loads = []

    @property
    def load(self):
        return self.loads[0]

    def start_load(self):
        for pair in self.pairs:
            self.loads.append(Load(self.country.place("clients"), self.fairway, self.resolver, pair.name,
                                   {site: pair.address(site) for site in SITES}, pair.web, writable=[pair.primary]))

    def wait_standby(self, site, pair=None):
        """The standby has passed for long enough and its lag is known."""
        def known():
            endpoint = self.fairway.endpoint((pair or self.pairs[0]).name, site)
            return endpoint["role"] == "standby" and endpoint["fit"] and endpoint["lag_ms"] is not None
        wait_until(f"{site} is a fit standby of known lag", known, 60)

    def close(self):
        for load in self.loads:
            load.end()
        self.country.close()
