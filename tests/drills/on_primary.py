"""S5, S6, S7: two datacenters, a primary and a standby, active/passive."""

import time

from places import wait_until
from primary import BY_STATUS, Primary
from report import Row, check

TWICE = 2
SWITCH = 20.0  # s: 9 to be sure of a silent site, 10 for a fence that may time out, 1 to promote


def moved(world, row, to, which=0, bound=SWITCH):
    """Fairway names `to` alone, whose database is the primary."""
    load, pair, fault = world.loads[which], world.pairs[which], row.fault
    there = [pair.address(to)]
    wait_until(f"{to} is named", lambda: load.answers[-1][1] == there, bound * TWICE, every=0.02)
    wait_until(f"the resolver names {to}", lambda: load.resolved[-1][1] == there, 10, every=0.02)
    other = "west" if to == "east" else "east"
    row.left = (load.last_named(other, load.answers) or fault) - fault
    row.stale = (load.last_named(other, load.resolved) or fault) - fault
    check(pair.databases[to].is_primary(), f"{to} is named, and its database is no primary")
    check(row.left <= bound * TWICE, f"it took {row.left:.1f} s")
    wait_until("a client's write is acknowledged", lambda: load.first_success(fault + row.stale), 20)


def s5():
    """the primary site dies: fenced, promoted and followed without a person; rejoined, and back by a planned switch"""
    world = Primary()
    try:
        pair = world.pairs[0]
        world.wait_standby("west")
        world.start_load()
        row = Row("S5 automatic", s5.__doc__)
        row.begin()
        world.country.place("east").lose()
        moved(world, row, "west")
        world.country.place("east").reconnect()
        pair.start_front_end("east")
        pair.rejoin("east", "west")
        row.note(f"rejoined by {pair.databases['east'].rejoined_by}")
        world.wait_standby("east")
        begun = time.monotonic()
        world.fairway.ctl("switch", pair.name, "--to", "east", timeout=120)
        wait_until("east is named", lambda: world.load.answers[-1][1] == [pair.address("east")], 30)
        row.back = time.monotonic() - begun
        return row.measured(world, strong=False, readers=["east"])
    finally:
        world.close()


def s5_approval():
    """the same under approval: detected and told at once, done when a person says so"""
    world = Primary(failover="approval")
    try:
        pair = world.pairs[0]
        world.wait_standby("west")
        world.start_load()
        row = Row("S5 approval", s5_approval.__doc__)
        row.begin()
        world.country.place("east").lose()
        switch = wait_until("a switch waits for approval", lambda: waiting(world), 40, every=0.05)
        row.note(f"waits for approval after {time.monotonic() - row.fault:.1f} s")
        time.sleep(3)
        check(world.load.answers[-1][1] == [pair.address("east")], "the answer is held until it is approved")
        check(not pair.databases["west"].is_primary(), "nothing is promoted before it is approved")
        begun = time.monotonic()
        world.fairway.ctl("approve", switch["id"], timeout=120)
        moved(world, row, "west", bound=SWITCH + 10)
        row.note(f"{world.load.last_named('east', world.load.answers) - begun:.1f} s after the approval")
        return row.measured(world, strong=False, readers=["west"])
    finally:
        world.close()


def waiting(world):
    switch = world.fairway.service(world.pairs[0].name)["switch"]
    return switch if switch and switch["step"] == "awaiting approval" else None


def s6():
    """the standby's web tier answers 200: it is never named; then the primary site's application dies, its database lives"""
    world = Primary()
    try:
        world.wait_standby("west")
        world.start_load()
        row = Row("S6 by the role", s6.__doc__)
        time.sleep(10)
        check(world.load.last_named("west", world.load.answers) is None, "west was named")
        row.begin()
        for process in world.country.place("east").programs():
            if "application" in process.name or "nginx" in process.name:
                process.kill()
        wait_until("a partial failure is told", lambda: "partial_failure" in world.fairway.alarms(), 20, every=0.05)
        row.note(f"partial failure told after {time.monotonic() - row.fault:.1f} s")
        moved(world, row, "west")
        return row.measured(world, strong=False, readers=["west"])
    finally:
        world.close()


def s6_status():
    """the application tells by its HTTP status that its database is in recovery: the preferred site is not named"""
    world = Primary(BY_STATUS)
    try:
        world.start_load()
        row = Row("S6 by status", s6_status.__doc__)
        row.begin()
        time.sleep(5)
        check(world.load.last_named("west", world.load.answers) is None, "west was named")
        row.left = 0.0
        return row.measured(world, strong=False, readers=["east"], unharmed=True)
    finally:
        world.close()


def s7():
    """two names, each mastered in the other datacenter: one fails over, the other stays where it is"""
    world = Primary(pairs={"us-east": "east", "us-west": "west"})
    try:
        for pair, standby in zip(world.pairs, ("west", "east")):
            world.wait_standby(standby, pair)
        world.start_load()
        row = Row("S7", s7.__doc__)
        row.begin()
        world.country.place("east").lose()
        moved(world, row, "west")
        stayed = world.loads[1]
        check(stayed.last_named("east", stayed.answers) is None, "the name of the living region was moved")
        row.note("the other name: %d of %d requests failed" % stayed.failed(row.fault))
        check(stayed.failed(row.fault)[0] == 0, "requests to the living region failed")
        return row.measured(world, strong=False, readers=["west"])
    finally:
        world.close()
