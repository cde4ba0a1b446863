#!/usr/bin/python3
"""N7: reload after reload, with upgrades between, under 20,000 questions a second, beside the same load and nothing else: no question
lost, none answered wrong, nothing that grows, counters that do not go back.

Needs `ninja bench`, and an optimized build to be worth its figures. FAIRWAY_RELOADS says how many; an upgrade goes with each hundred."""

import os
import pathlib
import time

from world import HEAD, WEB_CHECKS, Fairwayd, check, equal, story, tell, two_sites, wait_until, words
from lab.load import Flood, Load

RELOADS = int(os.environ.get("FAIRWAY_RELOADS", "1000"))
RATE = int(os.environ.get("FAIRWAY_RATE", "20000"))
PAIRS = 10  # as many upgrades
NAMES = 10_000  # records beside the services, so that a reload is work
SERVICES = 100
BOUND_KB = 4096  # what the last quarter of the reloads may leave behind


def configuration(number):
    """One that differs from the one before in a service, all TTLs and a name."""
    services = "".join(f"""
  s{n:03}.gtm.example.com:
    policy: weighted
    ttl: {5 + number % 20}s
    application: web
    endpoints: {{east: {{addresses: [$east]}}, west: {{addresses: [$west]}}}}
""" for n in range(SERVICES + number % 2))
    return HEAD.replace("{nameservers: {ns1: [$dns_address]}}", "{file: $zone}") + WEB_CHECKS + services


class World:
    def __init__(self, lab):
        east, west = two_sites(lab, database=False)
        self.sites = [east.address, west.address]
        zone = lab.directory / "gtm.zone"
        zone.write_text("@ 3600 SOA ns1 host 1 3600 600 86400 60\n@ 3600 NS ns1\nns1 3600 A 192.0.2.53\n" +
                        "".join(f"n{n:06} 300 A 192.0.2.{n % 250}\n" for n in range(NAMES)))
        self.fairway = Fairwayd(lab, configuration(1), zone=zone, **words(east, west)).start()
        self.number, self.left, self.seen = 1, [], {}

    def flood(self):
        return Flood(self.fairway, "s%03u.gtm.example.com", SERVICES, self.sites, RATE)

    def reload(self):
        self.number += 1
        self.fairway.configure(configuration(self.number))
        self.fairway.reload()

    def upgrade(self):
        self.left.append(self.fairway.upgrade())

    def size(self):
        """Proportional memory in KiB (clean: what is shared counts once), descriptors, threads."""
        wait_until("the old ones have left", lambda: all(p.poll() is not None for p in self.left), 30)
        proc = pathlib.Path(f"/proc/{self.fairway.process.pid}")
        pss = next(int(line.split()[1]) for line in (proc / "smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))
        return pss, len(os.listdir(proc / "fd")), len(os.listdir(proc / "task"))

    def counted(self):
        """No counter is below what it was, and none is gone."""
        page = self.fairway.get("/metrics").splitlines()
        now = {s: float(v) for s, _, v in (line.rpartition(" ") for line in page if line.partition("{")[0].partition(" ")[0].endswith("_total"))}
        back = {s: (v, now.get(s)) for s, v in self.seen.items() if now.get(s, -1) < v}
        check(not back, f"counters that went back at reload {self.number}: {back}")
        self.seen = now


def table(kinds):
    print(f"    {'':32} {'seconds':>8} {'asked':>9} {'lost':>5} {'wrong':>5} {'dropped':>7}   p50, p99, p99.9, most, each the median of {PAIRS}; the most")
    for what, floods in kinds.items():
        total = {key: sum(f.found[key] for f in floods) for key in ("sent", "lost", "bad", "drops")}
        middle = [sorted(f.found[key] for f in floods)[len(floods) // 2] / 1000 for key in ("p50", "p99", "p999", "max")]
        print(f"    {what:32} {sum(f.seconds for f in floods):8.1f} {total['sent']:9} {total['lost']:5} {total['bad']:5} {total['drops']:7}   " +
              ", ".join(f"{ms:.2f}" for ms in middle) + f"; {max(f.found['max'] for f in floods) / 1000:.1f} ms", flush=True)


@story(f"{RELOADS} reloads and {PAIRS} upgrades under {RATE} questions a second, each {RELOADS // PAIRS} beside as long without (N7)")
def _(world):
    busy, quiet = [], []
    sizes = []
    with Load(world.fairway.dns, "s000.gtm.example.com", world.sites, rate=50) as tcp:  # and a little UDP, looked at by other eyes
        for pair in range(PAIRS):
            with world.flood() as flood:
                for n in range(RELOADS // PAIRS):
                    world.reload()
                    if n == RELOADS // PAIRS // 2:
                        world.upgrade()
                    if n % 10 == 0:
                        world.counted()
            busy.append(flood)
            with world.flood() as alone:
                time.sleep(flood.seconds)  # the same load for as long
            quiet.append(alone)
            sizes.append(world.size())
    what = f"{RELOADS} reloads, {PAIRS} upgrades"
    table({what: busy, "the same load alone": quiet})
    print(f"    beside it {tcp.summary()}; after each pair, KiB: " + " ".join(str(s[0]) for s in sizes), flush=True)
    check(tcp.good(), f"{tcp.summary()}: {tcp.problems[:5]}")
    for flood in busy + quiet:
        check(flood.found["sent"] > 0.98 * RATE * flood.seconds, f"the load was offered: {flood.found}")
        equal((flood.found["bad"], flood.found["unsent"]), (0, 0), "wrong answers, and questions the kernel did not take")
        check(flood.found["lost"] <= flood.found["drops"], f"what is lost is what a full socket dropped: {flood.found}")
    check(all(p.returncode == 0 for p in world.left), "the old processes' ends")
    for what, now, then in zip(("descriptors", "threads"), sizes[-1][1:], sizes[0][1:]):
        check(abs(now - then) <= 3, f"{what}: {then}, then {now}")  # a connection or two of those who ask at that moment
    check(sizes[-1][0] - sizes[-1 - PAIRS // 4][0] <= BOUND_KB, f"memory: {sizes}")


tell(World)
