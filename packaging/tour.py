"""The tour: a disaster and its end, told by what a client, an operator and the database see. Every step is asserted."""

import collections
import subprocess
import time

from demo import DNS, SHOP, WWW, say
from lab import Failure, Timings, check, equal, wait_until, within_points

# What the configuration promises, for the table: 2 s interval, 250 ms re-tests, 30 s hold-down.
REFUSED = 2.8     # a refusal is believed (PROMISES' H2)
HOLD_DOWN = 30.0  # unbroken passing before a site is answered again
RETURN = HOLD_DOWN + 2 + 2  # an interval until the first pass, and one until the pass that ends the hold-down


def dig(name):
    out = subprocess.run(["dig", f"@{DNS[0]}", "-p", str(DNS[1]), name, "+short", "+time=2", "+tries=1"],
                         capture_output=True, text=True, timeout=10)
    return " ".join(sorted(out.stdout.split()))


def play(demo):
    timings, east, west = Timings(), demo.east, demo.west
    with demo.watch(SHOP, WWW) as watch:
        ask(demo)
        the_web_tier_of_west_fails_and_returns(demo, watch, timings)
        east_dies_whole(demo, watch, timings)
        east_rejoins(demo, watch, timings)
        operator_fails_back(demo, watch, timings)
        for name in (SHOP, WWW):
            strange = set(watch.answers(name)) - {east.address, west.address}
            check(not strange, f"{name} was answered {strange} on the way")
        say(f"{watch.count(SHOP)} and {watch.count(WWW)} answers on the way, none empty, none an error")
    status = demo.stop()
    equal(status, 0, "exit status of fairwayd after SIGTERM")
    print()
    timings.print()
    print()


def ask(demo):
    say("ask: shop follows the primary, www is shared 70 to 30")
    equal(dig(SHOP), demo.east.address, "dig shop")
    counts = collections.Counter(" ".join(demo.addresses(WWW)) for _ in range(3000))
    within_points(counts, {demo.east.address: 70, demo.west.address: 30}, 5, "www")
    say(f"  dig shop: {demo.east.address}; 3000 times www: " + ", ".join(f"{a} {n / 30:.0f} %" for a, n in counts.most_common()))


def the_web_tier_of_west_fails_and_returns(demo, watch, timings):
    say("the web tier of west is killed, and returned")
    begin = time.monotonic()
    demo.west.web.kill()
    wait_until("www leaves west", lambda: not demo.endpoint(WWW, "west")["in_plan"], 2 * REFUSED)
    gone = time.monotonic()
    timings.add("web tier killed: www leaves it", gone - begin, REFUSED)
    equal({" ".join(demo.addresses(WWW)) for _ in range(200)}, {demo.east.address}, "www without west")
    equal(dig(SHOP), demo.east.address, "dig shop meanwhile")
    begin = time.monotonic()
    demo.west.web.start()
    timings.add("web tier returned: www uses it again", watch.until(demo.west.address, HOLD_DOWN + 10, WWW, since=begin), RETURN)
    say("  it left, and came back after its hold-down")


def east_dies_whole(demo, watch, timings):
    east, west = demo.east, demo.west
    say("east dies whole: nginx and PostgreSQL killed")
    east.database.insert(1)
    east.web.wait_until_asked(SHOP)  # so that the database is the first to be missed
    begin = time.monotonic()
    east.kill()
    wait_until("status says held: no primary", lambda: demo.service(SHOP)["state"] == "held: no primary", 15, every=0.01)
    timings.add("east killed: status says held: no primary", time.monotonic() - begin)
    say("  held: no primary")
    moved = watch.until(west.address, 30, SHOP, since=begin)
    timings.add("east killed: shop answers west", moved)
    hooks_have_run(demo, "fence", "promote")
    equal(dig(SHOP), west.address, "dig shop")
    check(west.database.is_primary(), "the database of west is the primary")
    check(west.database.has(1), "the row acknowledged before the disaster is there after it")
    equal({" ".join(demo.addresses(WWW)) for _ in range(200)}, {west.address}, "www without east")
    say(f"  fenced, promoted, shop moved to {west.address} after {moved:.1f} s; the acknowledged row is there")


def east_rejoins(demo, watch, timings):
    east, west = demo.east, demo.west
    say("east comes back as a standby")
    begin = time.monotonic()
    demo.bring_back()
    wait_until("east is seen as a standby", lambda: demo.endpoint(SHOP, "east")["role"] == "standby", 20)
    timings.add("east returned: seen as a standby", time.monotonic() - begin)
    timings.add("east returned: www uses it again", watch.until(east.address, HOLD_DOWN + 15, WWW, since=begin), RETURN)
    equal(dig(SHOP), west.address, "dig shop: coming back is a decision of its own")
    say(f"  {dig(SHOP)} still answers shop: coming back is a decision of its own")


def operator_fails_back(demo, watch, timings):
    east, west = demo.east, demo.west
    wait_until("east is fit to take over", lambda: demo.endpoint(SHOP, "east")["fit"], HOLD_DOWN)
    say("the operator fails back: fairwayctl failback shop.gtm.example.com")
    west.database.insert(2)
    begin = time.monotonic()
    said = demo.ctl("failback", SHOP, timeout=90)
    timings.add("fairwayctl failback: it says done", time.monotonic() - begin)
    timings.add("fairwayctl failback: shop answers east", watch.until(east.address, 30, SHOP, since=begin))
    say("  " + said.strip().splitlines()[-1])
    equal(dig(SHOP), east.address, "dig shop")
    check(east.database.is_primary(), "the database of east is the primary")
    check(east.database.has(2), "the row acknowledged before the switchover is there after it")
    wait_until("the database of west is fenced", lambda: not west.database.process.alive(), 10)
    begin = time.monotonic()
    demo.bring_back()
    wait_until("west is seen as a standby", lambda: demo.endpoint(SHOP, "west")["role"] == "standby", 20)
    timings.add("west returned: seen as a standby", time.monotonic() - begin)
    east.database.insert(3)
    check(west.database.has(3), "west replicates again")


def hooks_have_run(demo, *steps):
    log = demo.log()
    for step in steps:
        if f"the {step} hook ended" not in log:
            raise Failure(f"fairwayd's log does not say that the {step} hook ended")
