#!/usr/bin/python3
"""Round trips that are measured elsewhere and told to the daemon: it learns from them where clients go (P10)."""

import contextlib
import json
import sqlite3
import time

from world import HEAD, Fairwayd, check, equal, story, tell, wait_until

NEAR = "near.gtm.example.com"
EAST, WEST = "192.0.2.1", "198.51.100.1"
CONFIG = HEAD.replace("datacenters: {east: {region: us-east}, west: {region: us-west}}",
                      "datacenters: {east: {latitude: 39, longitude: -77}, west: {latitude: 37, longitude: -122}}") + """
clients: {networks: {127.0.0.0/8: {latitude: 39, longitude: -77}}}
services:
  near.gtm.example.com:
    policy: latency
    unchecked: true
    endpoints: {east: {addresses: [192.0.2.1]}, west: {addresses: [198.51.100.1]}}
"""


class World:
    def __init__(self, lab):
        self.fairway = Fairwayd(lab, CONFIG).start()
        self.here = "127.0.0.0/24"  # where questions over loopback come from
        self.file = self.fairway.home / "measured.csv"

    def learn(self, *lines, expect=0):
        self.file.write_text("\n".join(lines) + "\n")
        return self.fairway.ctl("latency", "--add", str(self.file), expect=expect)

    def stored(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.fairway.state}/state.db?mode=ro", uri=True)) as db:
            return db.execute("SELECT count(*) FROM learned").fetchone() == (1,)

    def answer(self):
        return self.fairway.addresses(NEAR)


@story("clients go where the round trip is shortest, whatever the map says")
def _(world):
    equal(world.answer(), [EAST], "by the map")
    for _ in range(3):
        world.learn(f"{world.here},east,90", f"{world.here},west,8")
    wait_until("what was measured is answered", lambda: world.answer() == [WEST], 30)
    said = world.fairway.ctl("latency")
    check(world.here in said and "90 ms" in said and "8 ms" in said, said)
    check("nothing has been measured" in world.fairway.ctl("latency", "--client", "203.0.113.1"), "of another client")


@story("what was learned outlives a kill, and the first answer after it knows it")
def _(world):
    wait_until("it is stored", world.stored, 30)
    world.fairway.kill()
    world.fairway.start()
    equal({tuple(world.answer()) for _ in range(20)}, {(WEST,)}, "after the restart")


@story("a reload keeps what was learned")
def _(world):
    world.fairway.configure(CONFIG + "    ttl: 7s\n")
    world.fairway.reload()
    equal(world.answer(), [WEST], "after the reload")
    equal(world.fairway.ask(NEAR).answers[0].ttl, 7, "TTL")


@story("a freeze holds answers against what is learned, and afterwards they follow")
def _(world):
    world.fairway.ctl("freeze", "--reason", "audit")
    for _ in range(30):
        world.learn(f"{world.here},east,1", f"{world.here},west,200")
    for _ in range(12):  # longer than a round
        world.fairway.ctl("latency")
        equal(world.answer(), [WEST], "frozen")
        time.sleep(1)
    world.fairway.ctl("unfreeze")
    wait_until("what was measured meanwhile is answered", lambda: world.answer() == [EAST], 30)


@story("what is learned ends no drill: it waits until that is over")
def _(world):
    def running():
        drill = json.loads(world.fairway.ctl("--json", "drill", "status"))
        return (drill.get("drill") or drill).get("running")
    world.fairway.ctl("drill", "lose", "west", "--for", "10m")
    for _ in range(60):
        world.learn(f"{world.here},east,300", f"{world.here},west,2")
    for _ in range(12):  # longer than a round
        check(running(), "the drill is over")
        time.sleep(1)
    world.fairway.ctl("drill", "abort")
    wait_until("what was measured meanwhile is answered", lambda: world.answer() == [WEST], 30)


@story("what is no measurement is refused whole, with its line or its number")
def _(world):
    known = world.fairway.ctl("latency")
    for line, status, why in (("192.0.2.0/24,east,fast", 2, ":2:"), ("192.0.2.0/24,east", 2, ":2:"),
                              ("nowhere,east,5", 2, "measurement 2"), ("192.0.2.0/24,east,-5", 2, "measurement 2"),
                              ("192.0.2.0/24,est,5", 2, "est")):
        said = world.learn("192.0.2.0/24,east,5", line, expect=status)
        check(why in said, f"{line}: {said}")
    equal(world.fairway.ctl("latency"), known, "what is known")


if __name__ == "__main__":
    tell(World)
