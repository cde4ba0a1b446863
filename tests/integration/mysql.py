#!/usr/bin/python3
"""The mysql check against MariaDB: a primary and a replica of it, by the account that the manual grants."""

import socket
import subprocess

from world import HEAD, Fairwayd, check, equal, story, tell, wait_until
from lab.mariadb import MariaDB, PASSWORD

CONFIG = HEAD + """
checks:
  db:       {type: mysql, port: $port, password_file: pw, interval: 500ms, retest: 100ms, rise: 2, hold_down: 0s, max_lag: 3s}
  db_tls:   {type: mysql, port: $port, user: fairway_tls, password_file: pw, tls: {mode: verify-full, ca: ca.pem}, interval: 500ms}
  db_plain: {type: mysql, port: $port, user: fairway_tls, password_file: pw, tls: off, interval: 500ms}
  db_wrong: {type: mysql, port: $port, interval: 500ms}
  db_blind: {type: mysql, port: $port, user: fairway_blind, password_file: pw, interval: 500ms}
  db_none:  {type: mysql, port: $port, password_file: pw, dbname: nowhere, interval: 500ms}
services:
  shop.gtm.example.com:
    policy: {type: active_passive, follow: primary}
    stateful: db
    endpoints: {east: {addresses: [$east]}, west: {addresses: [$west]}}
  reads.gtm.example.com: {policy: weighted, stateful: db, endpoints: {east: {addresses: [$east]}, west: {addresses: [$west]}}}
  tls.gtm.example.com:   {policy: weighted, stateful: db_tls, endpoints: {east: {addresses: [$east]}}}
  plain.gtm.example.com: {policy: weighted, stateful: db_plain, endpoints: {east: {addresses: [$east]}}}
  wrong.gtm.example.com: {policy: weighted, stateful: db_wrong, endpoints: {east: {addresses: [$east]}}}
  blind.gtm.example.com: {policy: weighted, stateful: db_blind, endpoints: {east: {addresses: [$east]}}}
  none.gtm.example.com:  {policy: weighted, stateful: db_none, endpoints: {east: {addresses: [$east]}}}
"""
SHOP, READS = "shop.gtm.example.com", "reads.gtm.example.com"


def certificates(directory, address):
    """An authority, and the primary's certificate for its address."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=directory, check=True, capture_output=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-subj", "/CN=test authority", "-days", 30, "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", *key, "-subj", "/CN=db", "-addext", f"subjectAltName=IP:{address}", "-keyout", "db.key", "-out", "db.csr")
    openssl("x509", "-req", "-in", "db.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", 10, "-copy_extensions", "copy", "-out", "db.pem")
    (directory / "db.key").chmod(0o644)  # the server runs as another user


class World:
    def __init__(self, lab):
        addresses = [lab.address(1), lab.address(2)]
        port = lab.free_port(*addresses)
        self.east, self.west = (MariaDB(lab, name, address, port, number + 1)
                                for number, (name, address) in enumerate(zip(("east", "west"), addresses)))
        certificates(lab.directory, self.east.address)
        self.east.start(ssl_ca=lab.directory / "ca.pem", ssl_cert=lab.directory / "db.pem", ssl_key=lab.directory / "db.key")
        self.west.start(max_connections=10).follow(self.east)
        self.fairway = Fairwayd(lab, CONFIG, east=self.east.address, west=self.west.address, port=port)
        (self.fairway.home / "pw").write_text(PASSWORD + "\n")
        (self.fairway.home / "ca.pem").symlink_to(lab.directory / "ca.pem")
        self.fairway.start()

    def seen(self, name, database=None):
        """The member of that check at that database, by default the primary's."""
        where = (database or self.east).address
        return next(m for m in self.fairway.status()["members"] if m["check"] == name and m["target"].startswith(where))

    def sees(self, name, outcome, reason, text="", database=None, within=10):
        """Waits until the last look there was such a one; `text` is in its detail or its facts. Returns it."""
        def matches():
            last = self.seen(name, database)["last"]
            return last and (last["outcome"], last["reason"]) == (outcome, reason) and text in f"{last['detail']} {last['facts']}" and last
        return wait_until(f"{name} sees {outcome} {reason} `{text}` (it is {self.seen(name, database)['last']})", matches, within)


@story("the primary says so, and its replica is a standby that knows its lag", stop=True)
def _(world):
    world.sees("db", "pass", "ok", "role=primary read_only=no")
    world.sees("db", "pass", "ok", "role=standby read_only=yes lag=0", world.west)
    wait_until("the primary's site is answered", lambda: world.fairway.addresses(SHOP) == [world.east.address], 10)


@story("whoever looks leaves no mark: neither an aborted connection nor an aborted client is counted (H9)")
def _(world):
    def marks():
        return world.west.status("Aborted_connects"), world.west.status("Aborted_clients")
    def came():
        return int(world.west.status("Connections"))
    before, first = marks(), came()
    wait_until("five looks or more", lambda: came() >= first + 25, 20, every=0.5)  # half of them are ours
    equal(marks(), before, "aborted connections and clients")


@story("a replica further behind than allowed is out, and comes back (D2)")
def _(world):
    wait_until("it is fit", lambda: world.fairway.endpoint(READS, "west")["fit"], 15)
    world.west.sql("STOP SLAVE; CHANGE MASTER TO master_delay=3600; START SLAVE")
    world.east.sql("INSERT INTO shop.rows VALUES (1)")
    wait_until("it is out", lambda: not world.fairway.endpoint(READS, "west")["fit"], 15)
    last = world.seen("db", world.west)["last"]
    equal((last["outcome"], last["reason"]), ("pass", "ok"), "the look itself")
    world.west.sql("STOP SLAVE; CHANGE MASTER TO master_delay=0; START SLAVE")
    wait_until("it is back", lambda: world.fairway.endpoint(READS, "west")["fit"], 15)


@story("a thread that stands makes the lag unknown, which is within no limit, and is told")
def _(world):
    wait_until("it is fit", lambda: world.fairway.endpoint(READS, "west")["fit"], 15)
    world.west.sql("STOP SLAVE SQL_THREAD")
    last = world.sees("db", "degraded", "lag", "stands", world.west)
    check("lag=" not in last["facts"] and "role=standby" in last["facts"], last["facts"])
    wait_until("it is out", lambda: not world.fairway.endpoint(READS, "west")["fit"], 10)
    world.west.sql("START SLAVE SQL_THREAD")
    world.sees("db", "pass", "ok", "lag=", world.west)


@story("TLS, passwords and privileges: what a server refuses has its own reason")
def _(world):
    world.sees("db_tls", "pass", "ok", "role=primary")
    world.sees("db_plain", "fail", "auth_failure", "(1045)")
    world.sees("db_wrong", "fail", "auth_failure", "(1045)")
    world.sees("db_none", "fail", "auth_failure", "(10")  # 1044 or 1049: which, only who may see it is told
    said = world.sees("db_blind", "fail", "auth_failure", "(1227)")
    check("SLAVE MONITOR" in said["detail"] or "REPLICA MONITOR" in said["detail"], said["detail"])


@story("a server that is full says so")
def _(world):
    held = []
    try:
        for _ in range(20):
            held.append(socket.create_connection((world.west.address, world.west.port), timeout=5))
        world.sees("db", "fail", "reported_down", "(1040)", world.west)
    finally:
        for one in held:
            one.close()
    world.sees("db", "pass", "ok", "role=standby", world.west, within=20)


@story("circular replication: both take writes, both are primaries, and nothing moves")
def _(world):
    world.west.sql("SET GLOBAL read_only = 0")
    world.sees("db", "pass", "ok", "role=primary", world.west)
    world.sees("db", "pass", "ok", "role=primary", world.east)
    equal(world.fairway.addresses(SHOP), [world.east.address], "the answer")
    world.west.sql("SET GLOBAL read_only = 1")
    world.sees("db", "pass", "ok", "role=standby", world.west)


@story("a replica is promoted, and its site is answered")
def _(world):
    world.east.kill()
    world.sees("db", "fail", "refused", "", world.east)
    world.west.sql("STOP SLAVE; RESET SLAVE ALL")
    last = world.sees("db", "pass", "ok", "follows nobody", world.west)
    check("role" not in last["facts"], last["facts"])
    world.west.sql("SET GLOBAL read_only = 0")
    wait_until("the new primary's site is answered", lambda: world.fairway.addresses(SHOP) == [world.west.address], 10)


tell(World)
