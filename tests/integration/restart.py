#!/usr/bin/python3
"""H5, L20: start, restart and a damaged state."""

import datetime
import time

from world import (BATCH, HEAD, WEB_CHECKS, WWW, WWW_SERVICE, Fairwayd, Silence, Timings, batch, check, equal, story, tell,
                   two_sites, wait_until, words)


class World:
    def __init__(self, lab):
        self.lab, self.timings = lab, Timings()
        self.east, self.west = two_sites(lab, database=False)
        # Short delays of return, so that a latch can be shown: batch leaves east and does not come back by itself.
        config = HEAD + "defaults: {check: {hold_down: 1s}}\n" + WEB_CHECKS + batch("failback: manual") + WWW_SERVICE
        self.fairway = Fairwayd(lab, config, **words(self.east, self.west))

    def watched_start(self, until):
        """Starts the daemon and asks from the first moment; all rcodes and answers of both names until `until` holds."""
        self.fairway.start(wait=False)
        with self.fairway.watch(WWW, BATCH, every=0.002) as watch:
            self.fairway.wait_ready()
            wait_until("as told", lambda: until(watch), 30)
        return watch


@story("a first start with one site down: SERVFAIL while undecided, never NXDOMAIN, never the dead site (H5)", stop=True)
def _(world):
    world.east.web.kill()
    begin = time.monotonic()
    answered = lambda w: all(world.west.address in w.answers(name) for name in (WWW, BATCH))
    watch = world.watched_start(lambda w: w.count(WWW) > 800 and answered(w))
    for name in (WWW, BATCH):
        undecided = [a for a in watch.answers(name) if a.startswith("<")]
        check(set(undecided) <= {"<SERVFAIL>", "<silence>"}, f"{name} while undecided: {undecided}")
        equal([a for a in watch.answers(name) if not a.startswith("<")], [world.west.address], f"{name} answers")
        first = next(t for t, a in watch.changes[name] if a == world.west.address)
        world.timings.add(f"first start, one of two dead: {name.split('.')[0]} answered", first - begin, 10)
        check(first - begin < 12, f"{name}: decided after {first - begin:.1f} s")


@story("kill -9 and restart within 60 s change no answer; the dead site is not named (H5)", stop=True)
def _(world):
    before = {name: world.fairway.service(name) for name in (WWW, BATCH)}
    logged = len(world.fairway.log())
    world.fairway.kill()
    begin = time.monotonic()
    watch = world.watched_start(lambda w: w.count(WWW) > 800)
    for name in (WWW, BATCH):
        equal(set(watch.answers(name)) - {"<silence>"}, {world.west.address}, f"{name} from the first answer on")
        check(abs(moment(world.fairway.service(name)["since"]) - moment(before[name]["since"])) < 1, f"{name}: since when")
        equal(world.fairway.service(name)["reason"], before[name]["reason"], f"why {name} is answered so")
    said = world.fairway.log()[logged:]
    for word in ("plan-changed", "served", "endpoint-", "all-down", "redundancy-"):
        check(f"msg={word}" not in said, f"nothing changed, and the log says {word}:\n{said}")
    world.timings.add("restart: first answer", next(t for t, a in watch.changes[WWW] if a == world.west.address) - begin)


@story("what a killed daemon had forked notices and ends", stop=True)
def _(world):
    forked = world.fairway.process.tree()[1:]
    world.fairway.kill()
    wait_until(f"the forked {forked} end", lambda: not any(is_running(pid) for pid in forked), 5)
    world.fairway.start()


@story("a latch outlives kill -9: the site that was left is not preferred again (L20, P4)", stop=True)
def _(world):
    world.east.web.start()
    wait_until("east is fit", lambda: world.fairway.endpoint(BATCH, "east")["fit"], 40)
    wait_until("www uses both", lambda: all(e["in_plan"] for e in world.fairway.service(WWW)["endpoints"]), 40)
    equal(world.fairway.addresses(BATCH), [world.west.address], "batch before")
    world.fairway.kill()
    watch = world.watched_start(lambda w: w.count(BATCH) > 800)
    equal(set(watch.answers(BATCH)) - {"<silence>"}, {world.west.address}, "batch after")
    equal(set(watch.answers(WWW)) - {"<silence>"}, {world.east.address, world.west.address}, "www after")
    world.fairway.ctl("failback", BATCH)
    wait_until("the operator returned it", lambda: world.fairway.addresses(BATCH) == [world.east.address], 10)


@story("a damaged state database is set aside, said so, and the daemon serves", stop=True)
def _(world):
    for damage in (lambda f: f.write_bytes(b"no database at all" * 500), lambda f: f.write_bytes(f.read_bytes()[:3000])):
        world.fairway.stop()
        for extra in world.fairway.state.glob("state.db-*"):
            extra.unlink()  # the write-ahead log would repair what we damage
        before = set(world.fairway.state.iterdir())
        damage(world.fairway.state / "state.db")
        logged = len(world.fairway.log())
        world.fairway.start()
        check("state-set-aside" in world.fairway.log()[logged:], "the log says so")
        aside = [p for p in set(world.fairway.state.iterdir()) - before if not p.name.endswith(("-wal", "-shm", "-journal"))]
        check(aside, f"the damaged file is kept beside: {sorted(p.name for p in world.fairway.state.iterdir())}")
        equal(world.fairway.addresses(BATCH), [world.east.address], "batch")
    world.timings.print()


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


tell(World)
