#!/usr/bin/python3
"""H2: how long until a dead web tier is no longer answered, at a dozen phases of the probe's rhythm."""

import time

from world import HEAD, Fairwayd, Nginx, Timings, check, equal, story, tell, wait_until

PHASES = 12  # services whose probes started spread over one interval, so one fault meets a dozen phases
REFUSAL, SILENCE = 2.8, 9.0  # with defaults, plus 3 round trips (H2); twice that is asserted


def configuration(dead, mute):
    names = {f"dead{i:02}": a for i, a in enumerate(dead)} | {f"mute{i:02}": a for i, a in enumerate(mute)}
    services = "".join(f"""
  {name}.gtm.example.com:
    policy: {{type: active_passive, order: [east, west]}}
    application: web
    endpoints: {{east: {{addresses: [{address}]}}, west: {{addresses: [$west]}}}}""" for name, address in names.items())
    return HEAD + "checks: {web: {type: http, port: $port, path: /healthz}}\nservices:" + services, names


class World:
    def __init__(self, lab):
        dead = [lab.address(100 + i) for i in range(PHASES)]
        mute = [lab.address(130 + i) for i in range(PHASES)]
        self.west = lab.address(2)
        port = lab.free_port(self.west, *dead, *mute)
        self.dead, self.mute = Nginx(lab, "east-dead", dead, port).start(), Nginx(lab, "east-mute", mute, port).start()
        Nginx(lab, "west", self.west, port).start()
        config, names = configuration(dead, mute)
        self.addresses = {f"{name}.gtm.example.com": address for name, address in names.items()}
        self.fairway = Fairwayd(lab, config, west=self.west, port=port).start()
        self.timings = Timings()

    def outage(self, kind, act, bound):
        names = [name for name in self.addresses if name.startswith(kind)]
        wait_until("all answer east", lambda: all(self.fairway.addresses(n) == [self.addresses[n]] for n in names), 20)
        with self.fairway.watch(*names, every=0.002) as watch:
            begin = time.monotonic()
            act()
            seconds = [watch.until(self.west, 2 * bound, name, since=begin) for name in names]
            for name in names:
                equal(watch.answers(name), [self.addresses[name], self.west], f"answers of {name} on the way")
        return seconds


@story("a refusal is believed within 2.8 s, whatever the phase (H2)")
def _(world):
    seconds = world.outage("dead", world.dead.kill, REFUSAL)
    world.timings.add(f"nginx killed, {PHASES} phases: first right answer", seconds, REFUSAL)
    check(max(seconds) <= 2 * REFUSAL, f"worst {max(seconds):.2f} s")


@story("a silence is believed within 9 s, whatever the phase (H2)")
def _(world):
    seconds = world.outage("mute", world.mute.freeze, SILENCE)
    world.timings.add(f"nginx frozen, {PHASES} phases: first right answer", seconds, SILENCE)
    check(max(seconds) <= 2 * SILENCE, f"worst {max(seconds):.2f} s")
    world.timings.print()


@story("the status says which, and why: refused is not silent")
def _(world):
    last = {m["target"].split(":")[0]: m["last"]["reason"] for m in world.fairway.status()["members"]}
    equal({last[a] for a in world.dead.addresses}, {"refused"}, "reasons of the killed one")
    check(all("timeout" in last[a] for a in world.mute.addresses), f"reasons of the frozen one: {last}")
    check("self_doubt" not in world.fairway.alarms(), "no self-doubt while west answers")


tell(World)
