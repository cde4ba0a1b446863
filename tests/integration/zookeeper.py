#!/usr/bin/python3
"""The zookeeper check against an ensemble of three, of which one stops, then two, and against a server that is alone."""

from world import HEAD, Fairwayd, check, equal, story, tell, wait_until
from lab.zookeeper import ZooKeeper

CONFIG = HEAD + """
checks:
  zk: {type: zookeeper, port: $port, interval: 250ms, retest: 100ms, rise: 2, hold_down: 0s}
services:
  shop.gtm.example.com:
    policy: weighted
    stateful: zk
    endpoints: {east: {addresses: [$all]}}
  alone.gtm.example.com:
    policy: weighted
    stateful: zk
    endpoints: {east: {addresses: [$alone]}}
"""
SHOP = "shop.gtm.example.com"


class World:
    def __init__(self, lab):
        addresses = [lab.address(n) for n in (1, 2, 3, 4)]
        port = lab.free_port(*addresses)
        *self.servers, self.alone = (ZooKeeper(lab, n + 1, address, port) for n, address in enumerate(addresses))
        self.alone.start()
        for server in self.servers:
            server.start(self.servers)
        for server in (*self.servers, self.alone):
            wait_until(f"{server.name} serves\n{server.process.tail()}", server.serves, 60, every=0.1)
        self.fairway = Fairwayd(lab, CONFIG, port=port, alone=self.alone.address, all=", ".join(s.address for s in self.servers))
        self.fairway.start()

    def last(self, server):
        return next(m for m in self.fairway.status()["members"] if m["target"] == where(server))["last"]

    def facts(self, server):
        last = self.last(server)
        return dict(pair.split("=") for pair in last["facts"].split()) if last and last["outcome"] == "pass" else {}

    def sees(self, server, outcome, reason, text="", within=20):
        def matches():
            last = self.last(server)
            return last and (last["outcome"], last["reason"]) == (outcome, reason) and text in f"{last['detail']} {last['facts']}" and last
        return wait_until(f"{server.name} is seen {outcome} {reason} `{text}` (it is {self.last(server)})", matches, within)

    def agree(self, servers, within=30):
        """Waits until these have quorum and one leader among them; returns it and its epoch."""
        def agreed():
            facts = [self.facts(s) for s in servers]
            leaders = [(s, int(f["epoch"])) for s, f in zip(servers, facts) if f.get("role") == "primary"]
            return all(f.get("quorum") == "yes" for f in facts) and len(leaders) == 1 and leaders[0]
        return wait_until(f"{[s.name for s in servers]} agree (they are {[self.last(s) for s in servers]})", agreed, within, every=0.1)

    def fit(self):
        return self.fairway.endpoint(SHOP, "east")["fit"]


def where(server):
    return f"{server.address}:{server.port}"


@story("one leads, two follow, all have quorum", stop=True)
def _(world):
    world.agree(world.servers)
    wait_until("the tier is fit", world.fit, 10)


@story("one that is alone by choice is a primary")
def _(world):
    equal(world.sees(world.alone, "pass", "ok", "role=primary quorum=yes")["detail"], "standalone", "the detail")


@story("the leader stops: the others choose another, at a higher epoch, and the tier is fit")
def _(world):
    leader, epoch = world.agree(world.servers)
    leader.kill()
    world.left = [s for s in world.servers if s is not leader]
    _, later = world.agree(world.left)
    check(later > epoch, f"epoch {epoch}, then {later}")
    world.sees(leader, "fail", "refused")
    wait_until("the tier is fit", world.fit, 10)


@story("two stop: the one that is left still answers, and says that it serves nobody (D2)")
def _(world):
    world.left[0].kill()
    last = world.sees(world.left[1], "fail", "no_quorum", "quorum=no")
    equal(last["detail"], "not serving: no quorum", "the detail")
    wait_until("the tier is out", lambda: not world.fit(), 10)


@story("with the others back there is quorum again")
def _(world):
    for server in world.servers:
        if not server.process.alive():
            server.start(world.servers)
    world.agree(world.servers, within=60)
    wait_until("the tier serves", lambda: world.fairway.service(SHOP)["state"] == "serving", 10)  # damped by now: it flaps


tell(World)
