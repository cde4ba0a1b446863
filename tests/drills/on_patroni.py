"""P1: Patroni moves the primary, and traffic follows; Fairway promotes nothing."""

import time

from places import wait_until
from witnessed import Patroni
from report import Row, check

FOLLOWED = 40.0  # s: Patroni's lock lives for 20, its election and promotion some more; Fairway's part is a look


def follows(world, row, bound):
    """West is named alone, once it leads; nobody was ever named beside another."""
    load, fault = world.load, row.fault
    wait_until("west leads", world.members["west"].leads, bound * 2, every=0.05)
    led = time.monotonic()
    wait_until("west is named", lambda: load.answers[-1][1] == [world.address("west")], 20, every=0.02)
    row.note(f"named {max(0.0, time.monotonic() - led):.1f} s after it led")
    row.left = (load.last_named("east", load.answers) or fault) - fault
    wait_until("the resolver names west", lambda: load.resolved[-1][1] == [world.address("west")], 10, every=0.02)
    row.stale = (load.last_named("east", load.resolved) or fault) - fault
    wait_until("a client's write is acknowledged", lambda: load.first_success(fault + row.stale), 30)
    check(all(len(addresses) == 1 for _, addresses in load.answers), "an answer named two sites, or none")
    check("two_primaries" not in world.fairway.alarms(), "an alarm of two primaries")
    return row.measured(world, strong=False, readers=["west"])


def p1_switchover():
    """an orderly switchover"""
    world = Patroni()
    try:
        row = Row("P1 switchover", p1_switchover.__doc__)
        time.sleep(2)
        row.begin()
        world.cluster.switchover(world.members["west"])
        return follows(world, row, 30)
    finally:
        world.close()


def p1_kill():
    """the leader's site dies"""
    world = Patroni()
    try:
        row = Row("P1 kill", p1_kill.__doc__)
        time.sleep(2)
        row.begin()
        world.lose("east")
        return follows(world, row, FOLLOWED)
    finally:
        world.close()


def p1_partition():
    """the leader's site is cut off from the two others, but not from clients and Fairway"""
    world = Patroni()
    try:
        row = Row("P1 partition", p1_partition.__doc__)
        places = world.country.places
        time.sleep(2)
        row.begin()
        places["east"].cut(places["west"], places["witness"])
        return follows(world, row, FOLLOWED)
    finally:
        world.close()
