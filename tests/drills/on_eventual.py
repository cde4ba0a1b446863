"""S3 and S4: two datacenters, an eventually consistent store, active/active."""

import time

from places import wait_until
from eventual import NAME, Eventual
from on_three import SEEN, leaves, returns
from report import Row, check


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
        row.note(f"{len(missing)} acknowledged writes were only in east")
        leaves(world, row, "east", SEEN)
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
        time.sleep(15)
        check(len(world.fit()) == 2, f"fit while the link is cut: {world.fit()}")
        differ = len(world.records("east") ^ world.records("west"))
        check(differ > 0, "the two stores did not part")
        row.note(f"{differ} records were on one side alone")
        places["east"].heal()
        wait_until("the stores are one again", lambda: not world.records("east") ^ world.records("west"), 60, every=0.5)
        row.left = 0.0
        return row.measured(world, strong=False, readers=["east", "west"], unharmed=True)
    finally:
        world.close()
