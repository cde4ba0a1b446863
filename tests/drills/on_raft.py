"""S1, S2, S8, C1 and F1: three datacenters, a strongly consistent store, active/active."""

import time

from places import wait_until
from raft import NAME, Raft
from report import Row, check

SEEN = 9.0     # s to DOWN for a silence, as promised; a refusal is 2.8 s
REFUSED = 2.8
TTL = 2.0
TWICE = 2      # times are asserted at twice their bound: machines are noisy


def leaves(world, row, site, bound):
    """The site is named no more, neither by Fairway nor by the resolver; the row gets the times."""
    load, fault = world.load, row.fault
    wait_until(f"{site} is left", lambda: site not in world.fit(), bound * TWICE + 5, every=0.05)
    wait_until(f"the resolver has forgotten {site}",
               lambda: (load.last_named(site, load.resolved) or 0) < time.monotonic() - TTL - 1, 20, every=0.1)
    row.left = (load.last_named(site, load.answers) or fault) - fault
    row.stale = (load.last_named(site, load.resolved) or fault) - fault
    check(row.left <= bound * TWICE, f"{site} was named for {row.left:.1f} s after the fault, promised are {bound} s")
    check(row.stale <= row.left + TTL + 1, f"the resolver named {site} for {row.stale:.1f} s")


def returns(world, site, since):
    """It is named again, and at that moment it takes writes."""
    when = wait_until(f"{site} is named again", lambda: world.load.named_since(site, since), 60, every=0.1)
    check(world.load.could_write(world.load.address_of(site), when), f"{site} was named before it took writes")
    return when - since


def s1():
    """a whole site dies, and comes back with its member behind"""
    world = Raft()
    try:
        row = Row("S1", s1.__doc__)
        time.sleep(3)
        row.begin()
        world.country.place("east").lose()
        leaves(world, row, "east", SEEN)
        time.sleep(3)  # records that its member has to catch up with
        back = time.monotonic()
        world.country.place("east").reconnect()
        world.start("east")
        row.back = returns(world, "east", back)
        return row.measured(world, strong=True, readers=["east", "west"])
    finally:
        world.close()


def s2():
    """a site is cut off from the two others, but not from clients and Fairway"""
    world = Raft()
    try:
        row = Row("S2", s2.__doc__)
        places = world.country.places
        time.sleep(2)
        row.begin()
        places["east"].cut(places["west"], places["eu"])
        leaves(world, row, "east", SEEN)
        check(world.fairway.endpoint(NAME, "east")["application"] == "ready", "its web tier answers 200 all the while")
        healed = time.monotonic()
        places["east"].heal()
        row.back = returns(world, "east", healed)
        return row.measured(world, strong=True, readers=["east", "west"])
    finally:
        world.close()


def s8():
    """one member of three is lost: service goes on, and redundancy is visibly lost"""
    world = Raft()
    try:
        row = Row("S8", s8.__doc__)
        time.sleep(2)
        row.begin()
        world.member("eu").process.kill()
        alarm = wait_until("an alarm about redundancy", lambda: "redundancy" in " ".join(world.fairway.alarms()) and time.monotonic(),
                           20, every=0.05)
        row.note(f"alarm after {alarm - row.fault:.1f} s")
        check(alarm - row.fault <= 10, f"the alarm took {alarm - row.fault:.1f} s, promised are 10 s")
        leaves(world, row, "eu", REFUSED)
        return row.measured(world, strong=True, readers=["east", "west"])
    finally:
        world.close()


def c1():
    """Fairway's own line is cut, then its way to most of each site's targets"""
    world = Raft()
    try:
        row = Row("C1", c1.__doc__)
        places = world.country.places
        sites = [places["east"], places["west"], places["eu"]]
        before = world.fit()
        row.begin()
        places["control"].cut(*sites)
        wait_until("it doubts itself", lambda: "self_doubt" in world.fairway.alarms(), 20, every=0.05)
        row.note(f"self-doubt after {time.monotonic() - row.fault:.1f} s")
        time.sleep(10)
        check(world.fit() == before, f"fit while cut off: {world.fit()}")
        places["control"].heal()
        wait_until("the doubt ends", lambda: "self_doubt" not in world.fairway.alarms(), 20)
        check(world.fit() == before, f"fit afterwards: {world.fit()}")
        row.left = 0.0
        return row.measured(world, strong=True, readers=["east"], unharmed=True)
    finally:
        world.close()
