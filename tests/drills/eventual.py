"""Two datacenters, active/active, MariaDB replicating both ways: an eventually consistent store; the world of S3 and S4."""

import sys

from places import Country, Process, pathlib, wait_until
from load import Load
from lab import Fairwayd, Nginx, Unbound
from lab.mariadb import PASSWORD, MariaDB

ZONE, NAME = "gtm.example.com", "feed.gtm.example.com"
WEB, APPLICATION, DATABASE = 8080, 8081, 3306
SITES = {"east": 21, "west": 22}
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
  web:   {type: http, port: 8080, path: /healthz}
  store: {type: mysql, port: 3306, password_file: pw, max_lag: 5s}
services:
  feed.gtm.example.com:
    policy: round_robin
    consistency: eventual
    application: web
    stateful: store
    endpoints: {east: {addresses: [10.77.0.21]}, west: {addresses: [10.77.0.22]}}
"""


class Eventual:
    def __init__(self):
        self.country = Country(**{site: [host] for site, host in SITES.items()}, control=[53], clients=[60])
        self.databases = {site: MariaDB(self.country, site, self.address(site), DATABASE, n) for n, site in enumerate(SITES, 1)}
        for site in SITES:
            self.start_database(site)
        for site, other in (("east", "west"), ("west", "east")):
            there = self.databases[other]
            self.databases[site].sql(
                f"CHANGE MASTER TO master_host='{there.address}', master_port={there.port}, master_user='lab', master_password='lab', "
                "master_use_gtid=slave_pos, master_connect_retry=1; START SLAVE")
        for site in SITES:
            self.start_front_end(site)
        with self.country.place("control"):
            self.fairway = Fairwayd(self.country, CONFIG)
            (self.fairway.home / "pw").write_text(PASSWORD + "\n")
            self.fairway.start()
        with self.country.place("clients"):
            self.resolver = Unbound(self.country, self.fairway, ZONE)
        wait_until("both are fit", lambda: len(self.fit()) == 2, 60, every=0.1)
        self.load = Load(self.country.place("clients"), self.fairway, self.resolver, NAME,
                         {site: self.address(site) for site in SITES}, WEB)

    def address(self, site):
        return self.country.address(SITES[site])

    def start_database(self, site):
        database = self.databases[site]
        with self.country.place(site):
            # What is acknowledged is on disk, and so is how far it has followed: it is killed, and shall go on.
            database.start(gtid_domain_id=database.number, log_slave_updates=1, slave_net_timeout=4,
                           innodb_flush_log_at_trx_commit=1, sync_binlog=1)

    def start_front_end(self, site):
        address = self.address(site)
        with self.country.place(site):
            Process(self.country, f"{site}-application", [
                sys.executable, pathlib.Path(__file__).with_name("frontend.py"), address, APPLICATION, f"mariadb:{address}:{DATABASE}"])
            Nginx(self.country, site, address, WEB, behind=f"{address}:{APPLICATION}").start()

    def records(self, site):
        return {int(line) for line in self.databases[site].sql("SELECT id FROM shop.rows")}

    def fit(self):
        return {e["datacenter"] for e in self.fairway.service(NAME)["endpoints"] if e["fit"]}

    def close(self):
        self.load.end()
        self.country.close()
