#!/usr/bin/python3
"""N7: reload after reload, with upgrades between, under a steady load: no query lost, nothing that grows, counters that do not go back.

12 reloads; as many as FAIRWAY_RELOADS says."""

import os
import pathlib

from world import BATCH, HEAD, WEB_CHECKS, WWW, WWW_SERVICE, Fairwayd, batch, check, story, tell, two_sites, wait_until, words
from lab.load import Load

RELOADS = int(os.environ.get("FAIRWAY_RELOADS", "12"))
UPGRADES = max(2, RELOADS // 100)  # all in the first half: what grows is looked for in one process, the last
RATE = int(os.environ.get("FAIRWAY_RATE", "400"))
BOUND_KB = 4096  # what the last 500 reloads, or fewer, may leave behind: less than two snapshots of nothing at all


def configuration(number):
    """One that differs from the one before in a service, a TTL and a name."""
    more = "" if number % 2 else """
  more.gtm.example.com:
    policy: {type: active_passive, order: [east, west]}
    application: web
    endpoints: {east: {addresses: [$east]}, west: {addresses: [$west]}}
"""
    return HEAD + WEB_CHECKS + WWW_SERVICE + f"    ttl: {5 + number % 20}s\n" + batch() + more


class World:
    def __init__(self, lab):
        east, west = two_sites(lab, database=False)
        self.sites = [east.address, west.address]
        self.fairway = Fairwayd(lab, configuration(1), **words(east, west)).start()

    def size(self):
        """Proportional memory in KiB (clean: what is shared counts once), descriptors, threads."""
        proc = pathlib.Path(f"/proc/{self.fairway.process.pid}")
        pss = next(int(line.split()[1]) for line in (proc / "smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))
        return pss, len(os.listdir(proc / "fd")), len(os.listdir(proc / "task"))

    def sanitized(self):
        return "asan" in pathlib.Path(f"/proc/{self.fairway.process.pid}/maps").read_text()

    def counted(self):
        page = self.fairway.get("/metrics").splitlines()
        return {s: float(v) for s, _, v in (line.rpartition(" ") for line in page if line.partition("{")[0].partition(" ")[0].endswith("_total"))}


@story(f"{RELOADS} reloads and {UPGRADES} upgrades: no query lost, nothing grows, no counter goes back (N7)")
def _(world):
    fairway, seen, left = world.fairway, {}, []
    upgrades = {1 + RELOADS // 2 * i // UPGRADES for i in range(UPGRADES)}
    first = None
    with Load(fairway.dns, WWW, world.sites, rate=RATE) as load:
        for number in range(RELOADS):
            fairway.configure(configuration(number))
            fairway.reload()
            if number in upgrades:
                left.append(fairway.upgrade())
            if number % 10 == 0 or number in upgrades:
                now = world.counted()
                back = {s: (v, now.get(s)) for s, v in seen.items() if now.get(s, -1) < v}
                check(not back, f"counters that went back at {number}: {back}")
                seen = now
            if number >= RELOADS // 2 + RELOADS // 10 and first is None:
                wait_until("the old ones have left", lambda: all(p.poll() is not None for p in left), 30)
                first = world.size()
        last = world.size()
    print(f"    {load.summary()}\n    memory {first[0]} -> {last[0]} KiB, descriptors {first[1]} -> {last[1]}, "
          f"threads {first[2]} -> {last[2]}", flush=True)
    check(load.good(), f"{load.summary()}: {load.problems[:5]}")
    check(all(p.returncode == 0 for p in left), "the old processes' ends")
    check(abs(last[1] - first[1]) <= 3, "descriptors")  # a connection or two of those who ask at that moment
    check(abs(last[2] - first[2]) <= 3, "threads")
    check(world.sanitized() or last[0] - first[0] <= BOUND_KB, "memory")


@story("a reload that is refused says so, and changes nothing")
def _(world):
    fairway = world.fairway
    before = fairway.addresses(BATCH)
    with Load(fairway.dns, WWW, world.sites, rate=RATE) as load:
        for bad in ("dns: [", configuration(1).replace("http: {listen", "htp: {listen")):
            fairway.config.write_text(bad)
            check("stays" in fairway.reload(expect=1), "it says that the running configuration stays")
    check(load.good(), f"{load.summary()}: {load.problems[:5]}")
    check(fairway.addresses(BATCH) == before, "answers")


tell(World)
