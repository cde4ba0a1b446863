#!/usr/bin/python3
"""S5 with a runbook: the primary site dies, the database is fenced and promoted by the operator's programs, the answer
follows, a resolver in front follows; the way back is the operator's; under `approval` a person decides."""

import json
import time

from world import (CHECKS, HEAD, RUN_HOOKS, SHOP, ZONE, Fairwayd, Timings, Unbound, Watch, check, equal, shop, story, tell,
                   two_sites, wait_until, words)

TTL = 10
CONFIG = HEAD + "defaults: {check: {hold_down: 2s}}\n" + CHECKS  # 30 s by default; there are five moves here


class World:
    def __init__(self, lab):
        self.lab, self.timings = lab, Timings()
        self.east, self.west = two_sites(lab)
        self.fairway = Fairwayd(lab, CONFIG + shop(RUN_HOOKS), **words(self.east, self.west))
        self.fairway.start(env={"FAIRWAY_DEMO": str(lab.directory)})
        self.resolver = Unbound(lab, self.fairway, ZONE)

    def ready_for_a_switch(self, standby):
        """The standby has passed for long enough and its lag is known."""
        def known():
            endpoint = self.fairway.endpoint(SHOP, standby.name)
            return endpoint["role"] == "standby" and endpoint["fit"] and endpoint["lag_ms"] is not None
        wait_until(f"{standby.name} is a fit standby of known lag", known, 60)


@story("whoever looks leaves no mark in a database's log (H9)")
def _(world):
    def log(site):
        return site.database.process.log.read_text(errors="replace")
    for site in (world.east, world.west):
        wait_until(f"five sessions at {site.name}", lambda: log(site).count("connection authorized: user=fairway") >= 5, 20)
        for mark in ("incomplete startup packet", "unexpected EOF", "could not receive data", "could not send data"):
            check(mark not in log(site), f"{site.name}'s log: {mark}")


@story("the whole primary site dies: fenced, promoted, answered elsewhere, nothing lost (S5, D7)", stop=True)
def _(world):
    fairway, east, west = world.fairway, world.east, world.west
    world.ready_for_a_switch(west)
    equal(fairway.addresses(SHOP), [east.address], "the answer before")
    with fairway.watch(SHOP) as direct, Watch(world.resolver, [SHOP], 0.02) as resolved:
        east.database.insert(1)
        east.web.wait_until_asked(SHOP)  # so that the database is the first to be missed
        begin = time.monotonic()
        east.kill()
        wait_until("status says held: no primary", lambda: fairway.service(SHOP)["state"] == "held: no primary", 20, every=0.01)
        held = time.monotonic() - begin
        moved = direct.until(west.address, 40, since=begin)
        through = resolved.until(west.address, 40 + TTL, since=begin)
        equal(direct.answers(), [east.address, west.address], "answers at Fairway")
        equal(resolved.answers(), [east.address, west.address], "answers through the resolver")
    check(west.database.is_primary(), "west's database is the primary")
    check(west.database.has(1), "the acknowledged row survived")
    hooks = [e for e in json.loads(fairway.ctl("--json", "history", "--kind", "hook", "--service", SHOP))["entries"]]
    equal([(e["what"], e["datacenter"], e["result"]["ok"]) for e in reversed(hooks)], [("fence", "west", True), ("promote", "west", True)], "hooks in the history")
    world.timings.add("east killed: status says held: no primary", held)
    world.timings.add("east killed: first right answer at Fairway", moved)
    world.timings.add(f"east killed: through unbound (TTL {TTL} s)", through)
    check(through <= moved + TTL + 1, f"the resolver followed within a TTL: {through - moved:.1f} s after Fairway")


@story("the dead site returns as a standby and is not answered: coming back is a decision of its own (L14)", stop=True)
def _(world):
    with world.fairway.watch(SHOP) as watch:
        world.east.web.start()
        begin = time.monotonic()
        world.east.database.rejoin(world.west.database)
        world.ready_for_a_switch(world.east)
        world.timings.add(f"east rejoined by {world.east.database.rejoined_by}: fit to take over", time.monotonic() - begin)
        equal(watch.answers(), [world.west.address], "answers")


@story("fairwayctl failback does the switchover with fence and promote, losing nothing", stop=True)
def _(world):
    fairway, east, west = world.fairway, world.east, world.west
    world.ready_for_a_switch(east)
    west.database.insert(2)
    with fairway.watch(SHOP) as watch:
        begin = time.monotonic()
        fairway.ctl("failback", SHOP, timeout=90)
        world.timings.add("fairwayctl failback: first right answer", watch.until(east.address, 10, since=begin))
        equal(watch.answers(), [west.address, east.address], "answers")
    check(east.database.is_primary() and east.database.has(2), "east is the primary and has the acknowledged row")
    wait_until("west's database is fenced", lambda: not west.database.process.alive(), 10)
    west.database.rejoin(east.database)


@story("fairwayctl failover moves to the site it names; to an unknown one it refuses", stop=True)
def _(world):
    fairway, east, west = world.fairway, world.east, world.west
    fairway.ctl("failover", SHOP, "--to", "nowhere", expect=2)
    fairway.ctl("failover", "unknown.gtm.example.com", "--to", "west", expect=2)
    equal(fairway.addresses(SHOP), [east.address], "the answer after refusals")
    world.ready_for_a_switch(west)
    with fairway.watch(SHOP) as watch:
        begin = time.monotonic()
        fairway.ctl("failover", SHOP, "--to", "west", timeout=90)
        world.timings.add("fairwayctl failover: first right answer", watch.until(west.address, 10, since=begin))
    east.database.rejoin(west.database)
    world.ready_for_a_switch(east)


@story("under `approval` a person decides: the answer is held until fairwayctl approve (L12, L17)", stop=True)
def _(world):
    fairway, east, west = world.fairway, world.east, world.west
    fairway.configure(CONFIG + shop(RUN_HOOKS.replace("failover: automatic", "failover: {mode: approval}")))
    fairway.reload()
    world.ready_for_a_switch(east)
    west.database.insert(4)
    with fairway.watch(SHOP) as watch:
        west.kill()
        switch = wait_until("a switch waits for approval", lambda: waiting(fairway), 40)
        equal(watch.answers(), [west.address], "answers while it waits")
        check(east.database.is_primary() is False, "nothing was promoted")
        fairway.ctl("approve", "no-such-switch", expect=1)
        begin = time.monotonic()
        fairway.ctl("approve", switch["id"], timeout=90)
        world.timings.add("fairwayctl approve: first right answer", watch.until(east.address, 20, since=begin))
        equal(watch.answers(), [west.address, east.address], "answers")
    check(east.database.has(4), "the acknowledged row survived")


@story("a primary site that freezes is silent, then fenced hard and left, losing nothing (S5, L15)")
def _(world):
    fairway, east, west = world.fairway, world.east, world.west
    west.web.start()
    west.database.rejoin(east.database)
    fairway.configure(CONFIG + shop(RUN_HOOKS))
    fairway.reload()
    world.ready_for_a_switch(west)
    east.database.insert(5)
    with fairway.watch(SHOP) as watch:
        begin = time.monotonic()
        east.freeze()
        world.timings.add("east frozen: first right answer", watch.until(west.address, 60, since=begin))
        equal(watch.answers(), [east.address, west.address], "answers")
    check(west.database.has(5), "the acknowledged row survived")
    check(not east.database.process.alive(), "the frozen database was fenced")
    world.timings.print()


@story("the time from a decision to its published answer, its write included, is measured (O3)")
def _(world):
    fairway = world.fairway
    buckets = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1]
    within = {le: fairway.metric("fairway_publish_seconds_bucket", le=f"{le:g}") or 0 for le in buckets}
    count, total = (fairway.metric(f"fairway_publish_seconds_{what}") for what in ("count", "sum"))
    check(count >= 5, f"{count} publications")
    print(f"  {count:.0f} publications, {1000 * total / count:.1f} ms on average; " +
          ", ".join(f"{n:.0f} within {1000 * le:g} ms" for le, n in within.items()))
    equal(within[0.1] > 0 and total > 0, True, f"times of this world: {total:.3f} s in all, {within}")


def waiting(fairway):
    switch = fairway.service(SHOP)["switch"]
    return switch if switch and switch["step"] == "awaiting approval" else None


tell(World)
