#!/usr/bin/python3
"""Without a runbook: the answer follows the database's role and nothing else (S6, D3-D5, L13, L14)."""

import time

from world import CHECKS, HEAD, SHOP, Fairwayd, Timings, check, equal, shop, story, tell, two_sites, wait_until, words

INTERVAL = 2.0
PROMOTED = INTERVAL + 0.8  # promotion of the standby to changed answer; twice that is asserted
ROUNDS = 4


class World:
    def __init__(self, lab):
        self.timings = Timings()
        self.primary, self.standby = two_sites(lab)
        self.fairway = Fairwayd(lab, HEAD + CHECKS + shop("no_primary_hold: 5s"), **words(self.primary, self.standby)).start()
        # Decided is not yet answered: what a followed primary rests on is stored first.
        wait_until("the primary is answered", lambda: self.fairway.addresses(SHOP) == [self.primary.address], 20)

    def swap(self):
        self.primary, self.standby = self.standby, self.primary

    def rejoin(self):
        """The one that died comes back as a standby, and is seen."""
        self.standby.web.process.alive() or self.standby.web.start()
        self.standby.database.rejoin(self.primary.database)
        wait_until("the standby is seen", lambda: self.fairway.endpoint(SHOP, self.standby.name)["role"] == "standby", 30)


@story("an application that answers 200 beside a standby is not answered (S6)", stop=True)
def _(world):
    with world.fairway.watch(SHOP) as watch:
        wait_until("the standby is seen", lambda: world.fairway.endpoint(SHOP, "west")["role"] == "standby", 20)
        wait_until("a few hundred answers were given", lambda: watch.count() > 300, 20)
        equal(watch.answers(), [world.primary.address], "answers")
    west = world.fairway.endpoint(SHOP, "west")
    equal((west["application"], west["role"], west["in_plan"]), ("ready", "standby", False), "west: application, role, in the plan")


@story("the whole primary site dies, nobody promotes: the answer holds, status and metrics say why (L14, D5)", stop=True)
def _(world):
    fairway = world.fairway
    with fairway.watch(SHOP) as watch:
        begin = time.monotonic()
        world.primary.kill()
        wait_until("status says held: no primary", lambda: fairway.service(SHOP)["state"] == "held: no primary", 20, every=0.01)
        world.timings.add("site killed: status says held: no primary", time.monotonic() - begin)
        check(fairway.service(SHOP)["reason"], "status says why")
        wait_until("the metric says held", lambda: fairway.metric("fairway_service_state", service=SHOP, state="held") == 1, 5)
        critical = lambda: any(a["severity"] == "critical" and a["id"] == "no_primary" for a in fairway.status()["alarms"])
        wait_until("critical at no_primary_hold", critical, 20)
        world.timings.add("site killed: critical (no_primary_hold 5 s)", time.monotonic() - begin)
        check(fairway.metric("fairway_alarm", id="no_primary", severity="critical") == 1, "the alarm is a metric")
        equal(watch.answers(), [world.primary.address], "answers")
        begin = time.monotonic()
        world.standby.database.promote()
        seconds = watch.until(world.standby.address, 2 * PROMOTED, since=begin)
        equal(watch.answers(), [world.primary.address, world.standby.address], "answers")
    world.promoted = [seconds]
    world.swap()
    world.rejoin()
    wait_until("no alarm is left", lambda: "no_primary" not in fairway.alarms(), 10)


@story("promotion by hand moves the answer within an interval and 0.8 s, whatever the phase (D3)", stop=True)
def _(world):
    for number in range(ROUNDS):
        with world.fairway.watch(SHOP) as watch:
            world.primary.database.kill()
            wait_until("held", lambda: world.fairway.service(SHOP)["state"] == "held: no primary", 20)
            begin = time.monotonic()
            world.standby.database.promote()
            world.promoted.append(watch.until(world.standby.address, 2 * PROMOTED, since=begin))
            equal(watch.answers(), [world.primary.address, world.standby.address], f"answers in round {number}")
        world.swap()
        world.rejoin()
    world.timings.add(f"promoted by hand, {len(world.promoted)} times: changed answer", world.promoted, PROMOTED)
    check(max(world.promoted) <= 2 * PROMOTED, f"worst {max(world.promoted):.2f} s")


@story("an ordinary switchover by hand is one move and raises no alarm of two primaries (D4, D5)", stop=True)
def _(world):
    with world.fairway.watch(SHOP) as watch:
        begin = time.monotonic()
        world.primary.database.process.stop()
        world.standby.database.promote()
        world.timings.add("clean switchover by hand: changed answer", watch.until(world.standby.address, 20, since=begin))
        equal(watch.answers(), [world.primary.address, world.standby.address], "answers")
    check("two_primaries" not in world.fairway.alarms(), "no alarm of two primaries")
    check("two-primaries" not in world.fairway.log(), "nor was there one")
    world.swap()
    world.rejoin()


@story("two primaries move nothing and are critical within an interval (D4)", stop=True)
def _(world):
    fairway = world.fairway
    with fairway.watch(SHOP) as watch:
        begin = time.monotonic()
        world.standby.database.promote()
        wait_until("the alarm is raised", lambda: "two_primaries" in fairway.alarms(SHOP), 4 * INTERVAL, every=0.01)
        world.timings.add("second primary: critical", time.monotonic() - begin, PROMOTED)
        asked = watch.count()
        wait_until("two more intervals of answers", lambda: watch.count() > asked + 300, 60)
        equal(watch.answers(), [world.primary.address], "answers while there are two")
        begin = time.monotonic()
        world.primary.database.process.stop()
        world.timings.add("one of two ends: the answer follows the other", watch.until(world.standby.address, 20, since=begin))
    world.swap()


@story("a claim below the followed epoch is never followed, not even as the only one (L13)")
def _(world):
    fairway, old = world.fairway, world.standby
    with fairway.watch(SHOP) as watch:
        old.database.restart()  # still a primary, of the timeline before
        wait_until("it is seen as a primary", lambda: fairway.endpoint(SHOP, old.name)["role"] == "primary", 20)
        wait_until("it is called stale", lambda: "stale_claim" in fairway.alarms(SHOP), 10)
        world.primary.database.kill()
        wait_until("held", lambda: fairway.service(SHOP)["state"] == "held: no primary", 20)
        asked = watch.count()
        wait_until("some more answers", lambda: watch.count() > asked + 300, 60)
        equal(watch.answers(), [world.primary.address], "answers")
        fairway.ctl("failover", SHOP, "--to", old.name, expect=1)
    world.timings.print()


tell(World)
