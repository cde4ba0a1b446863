#!/usr/bin/python3
"""N7: another process takes the place of a running fairwayd, and nobody who asks notices; or it does not, and nobody notices either."""

import json
import os
import pathlib
import signal
import threading

from world import BATCH, HEAD, WEB_CHECKS, WWW, WWW_SERVICE, Fairwayd, batch, check, equal, story, tell, two_sites, wait_until, words
from lab.fairwayd import program
from lab.load import Load

CONFIG = HEAD + "defaults: {check: {interval: 500ms, rise: 2, hold_down: 1s}}\n" + WEB_CHECKS + batch("failback: manual") + WWW_SERVICE


class World:
    def __init__(self, lab):
        self.lab = lab
        self.east, self.west = two_sites(lab, database=False)
        self.fairway = Fairwayd(lab, CONFIG, **words(self.east, self.west))
        self.fairway.program = self.fairway.home / "fairwayd"  # a link, as /usr/sbin/fairwayd is another file after an upgrade
        self.install(program("fairwayd"))
        self.fairway.start()
        self.sites = [self.east.address, self.west.address]

    def install(self, what):
        new = self.fairway.home / "fairwayd.new"
        new.unlink(missing_ok=True)
        new.symlink_to(what)
        new.rename(self.fairway.program)

    def script(self, text):
        """A program that is no fairwayd, or not wholly."""
        file = self.fairway.home / "script"
        file.write_text(text)
        file.chmod(0o755)
        return file

    def counters(self):
        found = {}
        kinds = {}
        for line in self.fairway.get("/metrics").splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                kinds[name] = kind
            elif not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                name = series.partition("{")[0]
                base = name
                for end in ("_bucket", "_sum", "_count"):
                    base = base.removesuffix(end) if name.removesuffix(end) in kinds else base
                if kinds.get(base) in ("counter", "histogram"):
                    found[series] = float(value)
        return found


@story("reloads and upgrades under load: another process each time, not one query lost, by UDP or TCP (N7)", stop=True)
def _(world):
    pids = [world.fairway.pid()]
    with Load(world.fairway.dns, WWW, world.sites) as load:
        for ttl in (7, 8, 9):
            world.fairway.configure(CONFIG + f"    ttl: {ttl}s\n")
            world.fairway.reload()
            equal(world.fairway.ask(WWW).answers[0].ttl, ttl, "the TTL that is configured")
            old = world.fairway.upgrade()
            pids.append(world.fairway.pid())
    world.fairway.configure(CONFIG)
    world.fairway.reload()
    equal(old.wait(20), 0, "the old process' exit status")
    print("    " + load.summary(), flush=True)
    check(load.good(), f"{load.summary()}: {load.problems[:5]}")
    equal(len(set(pids)), 4, f"processes {pids}")


@story("what was decided is decided still: a latch, a site that was left, and what is known of the others")
def _(world):
    fairway = world.fairway
    world.east.web.kill()
    wait_until("both left east", lambda: not any(fairway.endpoint(name, "east")["in_plan"] for name in (WWW, BATCH)) and
               fairway.addresses(BATCH) == [world.west.address], 20)  # decided, stored, and answered
    with fairway.watch(WWW, BATCH, every=0.002) as watch:
        fairway.upgrade()
        wait_until("it looks by itself", lambda: all(m["last"] for m in fairway.status()["members"]), 10)
    for name in (WWW, BATCH):
        equal(watch.answers(name), [world.west.address], f"{name} all along")
    world.east.web.start()
    wait_until("east is fit", lambda: fairway.endpoint(BATCH, "east")["fit"], 40)
    equal(fairway.addresses(BATCH), [world.west.address], "the latch of the first holds in the second")
    fairway.ctl("failback", BATCH)
    wait_until("batch is back", lambda: fairway.addresses(BATCH) == [world.east.address], 10)


@story("counters never go back, and history goes on, with who upgraded")
def _(world):
    fairway = world.fairway
    stop, backwards, seen = threading.Event(), [], {}

    def scrape():
        while not stop.is_set():
            for series, value in world.counters().items():
                if value < seen.get(series, 0):
                    backwards.append((series, seen[series], value))
                seen[series] = value
            for lost in set(seen) - set(world.counters()):
                backwards.append((lost, seen[lost], None))

    scraper = threading.Thread(target=scrape, daemon=True)
    before = world.counters()
    scraper.start()
    with Load(fairway.dns, WWW, world.sites) as load:
        for _ in range(2):
            fairway.upgrade()
    stop.set()
    scraper.join()
    check(not backwards, f"went back: {backwards[:5]}")
    asked = fairway.metric("fairway_dns_queries_total", transport="udp") - before['fairway_dns_queries_total{transport="udp"}']
    check(asked >= load.sent, f"{asked} counted of {load.sent}")
    entries = json.loads(fairway.ctl("history", "--kind", "upgrade", "--json"))["entries"]
    check(entries and entries[0]["operator"] and entries[0]["result"]["accepted"], f"history: {entries[:1]}")


FAILURES = {  # a program that ...: what it does, and what the old process says of it
    "is not there": (None, "cannot start"),
    "crashes": ("kill -SEGV $$\n", "signal"),
    "ends at once": ("exit 3\n", "status 3"),
    "says nothing": ("exec sleep 60\n", "within 10 s"),
}
LONG = "FAIRWAY_LONG" in os.environ  # those that hang, too, which takes the old process its patience

# It says what a new fairwayd says, up to a step, and then it ends as it is told.
HALF_A_SUCCESSOR = """#!/usr/bin/python3
import json, os, signal, socket, time
link = socket.socket(fileno=int(os.environ["FAIRWAYD_TAKES_OVER"].partition(":")[0]))
def say(**what): link.send(json.dumps(what).encode())
def hear(word):
    while json.loads(link.recv(1 << 18))["word"] != word:
        pass
say(word="hello", protocol="%(protocol)s", version="9")
hear("hello"); hear("lock")
if "%(until)s" == "yours":
    say(word="prepared")
    hear("yours")
%(end)s
"""
STEPS = {  # a new process that ...: protocol, as far as, its end, what is said of it
    "speaks of another protocol": ("2", "lock", "time.sleep(60)", "another way"),
    "cannot prepare": ("1", "lock", "say(word='failed', why='no memory')", "no memory"),
    "dies when it is its turn": ("1", "yours", "os.kill(os.getpid(), signal.SIGKILL)", "signal"),
    "fails when it is its turn": ("1", "yours", "say(word='failed', why='a thread is missing')", "a thread is missing"),
    "hangs when it is its turn": ("1", "yours", "time.sleep(60)", "within 9 s"),
}


def refused(world, what, why):
    pid = world.fairway.process.pid
    said = world.fairway.ctl("upgrade", expect=1)
    check(why in said, f"a new process that {what}: {said}")
    equal(world.fairway.pid(), pid, f"who serves after one that {what}")
    entry = json.loads(world.fairway.ctl("history", "--kind", "upgrade", "--json"))["entries"][0]
    check(not entry["result"]["accepted"] and why in entry["result"]["message"], f"history after one that {what}: {entry}")


@story("a new process that fails at whatever step leaves the old one serving, which says why")
def _(world):
    fairway, logged = world.fairway, world.fairway.log().count("msg=upgrade-failed")
    failures = {what: how for what, how in FAILURES.items() if LONG or "within" not in how[1]}
    steps = {what: how for what, how in STEPS.items() if LONG or "within" not in how[3]}
    with Load(fairway.dns, WWW, world.sites) as load:
        for what, (text, why) in failures.items():
            world.install(world.script("#!/bin/sh\n" + text) if text else "/nonexistent")
            refused(world, what, why)
        for what, (protocol, until, end, why) in steps.items():
            world.install(world.script(HALF_A_SUCCESSOR % {"protocol": protocol, "until": until, "end": end}))
            refused(world, what, why)
        world.install(program("fairwayd"))
        fairway.configure("dns: {lisen: 1}\n")
        refused(world, "refuses the configuration", "configuration")
        fairway.configure(CONFIG.replace("state: {", "state: {journal: {keep: 1h}, ").replace('"$state"', '"$state/other"'))
        refused(world, "would have another state", "state.directory")
        fairway.configure(CONFIG)
    check(load.good(), f"{load.summary()}: {load.problems[:5]}")
    equal(fairway.log().count("msg=upgrade-failed") - logged, len(failures) + len(steps) + 2, "failures that the log tells")
    equal(fairway.process.tree()[1:], [p for p in fairway.process.tree()[1:] if is_helper(p)], "what is left of them")


@story("after a failed upgrade it decides and stores as before, and the next one succeeds")
def _(world):
    fairway = world.fairway
    world.east.web.kill()
    wait_until("it decides", lambda: fairway.addresses(BATCH) == [world.west.address], 20)
    equal([a for a in fairway.alarms() if a == "store"], [], "alarms of the store")
    os.kill(fairway.process.pid, signal.SIGUSR2)
    fairway.adopt()
    equal(fairway.addresses(BATCH), [world.west.address], "what it decided is handed over")


def is_helper(pid):
    return pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "fairway-hooks"


tell(World)
