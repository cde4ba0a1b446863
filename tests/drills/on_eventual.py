"""S3 and S4: two datacenters, an eventually consistent store, active/active."""

import time

from places import wait_until
from eventual import NAME, Eventual
from on_three import SEEN, leaves, returns
from report import Row, check

LOOK = 2.0 + 1.0  # s: what came between the last look at the others and the fault, and a margin


def s3():
    """a site dies under load, and comes back with its member behind; what only it had acknowledged is counted"""
    world = Eventual()
    try:
        row = Row("S3", s3.__doc__)
        time.sleep(3)
        row.begin()
        world.country.place("east").lose()
        acknowledged = {r.number for r in world.load.requests if r.ok and r.address == world.address("east")}
        missing = acknowledged - world.records("west")
        leaves(world, row, "east", SEEN)
        fault = world.fairway.service(NAME)["last_fault"]
        check(fault and fault["datacenter"] == "east" and fault["lag_ms"] is not None, f"of what east may have taken with it: {fault}")
        estimate = fault["lag_ms"] / 1000
        written = [r.at for r in world.load.requests if r.number in missing]
        oldest = row.fault - min(written) if written else 0.0
        row.note(f"{len(missing)} acknowledged writes were in east alone, the oldest {oldest:.1f} s before; estimated {estimate:.1f} s")
        check(oldest <= estimate + LOOK, f"a write of {oldest:.1f} s before was lost, the estimate is {estimate:.1f} s and a look's interval")
        time.sleep(3)
        back = time.monotonic()
        world.country.place("east").reconnect()
        world.start_database("east")
        world.start_front_end("east")
        row.back = returns(world, "east", back)
        return row.measured(world, strong=False, readers=["east", "west"])
    finally:
        world.close()


def s4():
    """the link between the two is cut and healed: both go on serving"""
    world = Eventual()
    try:
        row = Row("S4", s4.__doc__)
        places = world.country.places
        time.sleep(2)
        row.begin()
        places["east"].cut(places["west"])
        wait_until("the service is diverging", lambda: "diverging" in world.fairway.alarms(), 30, every=0.05)
        row.note(f"diverging told after {time.monotonic() - row.fault:.1f} s")
        time.sleep(10)
        check(len(world.fit()) == 2, f"fit while the link is cut: {world.fit()}")
        differ = len(world.records("east") ^ world.records("west"))
        check(differ > 0, "the two stores did not part")
        row.note(f"{differ} records were on one side alone")
        places["east"].heal()
        wait_until("the stores are one again", lambda: not world.records("east") ^ world.records("west"), 60, every=0.5)
        wait_until("it is not diverging any more", lambda: "diverging" not in world.fairway.alarms(), 30, every=0.1)
        check(world.fairway.service(NAME)["diverging_since"] is None, "status says that it still diverges")
        row.left = 0.0
        return row.measured(world, strong=False, readers=["east", "west"], unharmed=True)
    finally:
        world.close()
