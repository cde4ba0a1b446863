"""S1, S2, S8, C1, F1 and G1: three datacenters, a strongly consistent store, active/active."""

import time

from places import wait_until
from three import APPLICATION, NAME, Galera, Raft
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
    row.stale = max(0.0, (load.last_named(site, load.resolved) or fault) - fault)
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
        world.start_member("east")
        world.start_front_end("east")
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
    """Fairway's own line is cut, then its way to most of the targets of each site: it doubts itself and moves nothing"""
    world = Raft()
    try:
        row = Row("C1", c1.__doc__)
        control, sites = world.country.place("control"), [world.country.place(site) for site in ("east", "west", "eu")]
        row.begin()
        for cut in (lambda: control.cut(*sites), lambda: control.cut(*sites, ports=[world.etcd.port, APPLICATION])):
            begun = time.monotonic()
            cut()
            wait_until("it doubts itself", lambda: "self_doubt" in world.fairway.alarms(), 20, every=0.05)
            row.note(f"self-doubt after {time.monotonic() - begun:.1f} s")
            time.sleep(8)
            check(len(world.fit()) == 3, f"fit while cut off: {world.fit()}")
            control.heal()
            wait_until("the doubt ends", lambda: "self_doubt" not in world.fairway.alarms(), 20)
            check(len(world.fit()) == 3, f"fit afterwards: {world.fit()}")
        row.left = 0.0
        return row.measured(world, strong=True, readers=["east"], unharmed=True)
    finally:
        world.close()


def f1():
    """a site loses a third of its packets, then answers half a second late, then freezes and thaws every 20 s"""
    world = Raft()
    try:
        row = Row("F1", f1.__doc__)
        east, control = world.country.place("east"), world.country.place("control")
        world.put_relay_before("east")
        time.sleep(10)  # what that did is over
        wait_until("all are fit", lambda: len(world.fit()) == 3, 60, every=0.1)
        row.begin()
        lost = moves(world)
        control.cut(east, loss=30)
        time.sleep(20)
        control.heal()
        row.note(f"{moves(world) - lost} moves by loss")
        check(moves(world) - lost <= 4, f"{moves(world) - lost} moves by loss")
        time.sleep(10)
        wait_until("all are fit", lambda: len(world.fit()) == 3, 60, every=0.1)
        late = moves(world)
        world.delay(0.25)
        time.sleep(15)
        row.note(f"{moves(world) - late} moves by lateness")
        check(moves(world) == late, "half a second of lateness moved something")
        world.delay(0)
        frozen = moves(world)
        for _ in range(3):
            for act in ("freeze", "thaw"):
                for process in east.programs():
                    getattr(process, act)()
                time.sleep(20)
        row.note(f"{moves(world) - frozen} moves by freezing")
        check(moves(world) - frozen <= 4, f"{moves(world) - frozen} moves by freezing: it flaps")
        return row.measured(world, strong=True, readers=["west"])
    finally:
        world.close()


def moves(world):
    """How often the plan has changed so far, by the daemon's own words."""
    return world.fairway.log().count("msg=plan-changed")


def g1():
    """one node of a Galera cluster is cut off: its process still answers its clients, with an error"""
    world = Galera()
    try:
        row = Row("G1", g1.__doc__)
        places = world.country.places
        time.sleep(2)
        row.begin()
        places["eu"].cut(places["east"], places["west"])
        leaves(world, row, "eu", SEEN + 8)  # its cluster needs up to 8 s to notice
        check(world.fairway.endpoint(NAME, "eu")["application"] == "ready", "its web tier answers 200 all the while")
        healed = time.monotonic()
        places["eu"].heal()
        row.back = returns(world, "eu", healed)
        return row.measured(world, strong=True, readers=["east", "eu"])
    finally:
        world.close()
