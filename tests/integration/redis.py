#!/usr/bin/python3
"""The redis check against a master and its replica, the three Sentinels that watch them, and a node of a cluster."""

from world import HEAD, Fairwayd, check, equal, story, tell, wait_until
from lab.redis import Redis

CONFIG = HEAD + """
checks:
  cache: {type: redis, port: $port, interval: 250ms, retest: 100ms, rise: 2, hold_down: 0s, max_lag: 3s}
  guard: {type: redis, mode: sentinel, group: shop, port: $sentinel, interval: 250ms, retest: 100ms, rise: 2, hold_down: 0s}
  let_in:   {type: redis, port: $locked, user: fairway, password_file: pw, interval: 250ms}
  left_out: {type: redis, port: $locked, interval: 250ms}
  cluster:  {type: redis, port: $node, mode: cluster, interval: 250ms}
services:
  shop.gtm.example.com:
    policy: {type: active_passive, follow: primary}
    stateful: guard
    endpoints: {east: {addresses: [$east]}, west: {addresses: [$west]}}
  cache.gtm.example.com:
    policy: {type: active_passive, follow: primary}
    stateful: cache
    endpoints: {east: {addresses: [$east]}, west: {addresses: [$west]}}
  in.gtm.example.com:      {policy: weighted, stateful: let_in, endpoints: {east: {addresses: [$third]}}}
  out.gtm.example.com:     {policy: weighted, stateful: left_out, endpoints: {east: {addresses: [$third]}}}
  cluster.gtm.example.com: {policy: weighted, stateful: cluster, endpoints: {east: {addresses: [$third]}}}
"""
SHOP, CACHE = "shop.gtm.example.com", "cache.gtm.example.com"


class World:
    def __init__(self, lab):
        addresses = [lab.address(n) for n in (1, 2, 3)]
        port, sentinel = lab.free_port(*addresses), lab.free_port(*addresses)
        self.east, self.west, self.locked, self.node = (Redis(lab, name, address, p) for name, address, p in (
            ("east-redis", addresses[0], port), ("west-redis", addresses[1], port),
            ("locked-redis", addresses[2], lab.free_port(addresses[2])), ("node-redis", addresses[2], lab.free_port(addresses[2]))))
        self.east.start()
        self.west.start(master=self.east)
        self.sentinels = [Redis(lab, f"{name}-sentinel", address, sentinel).start_sentinel(self.east)
                          for name, address in zip(("east", "west", "third"), addresses)]
        self.locked.start()
        self.locked.ask("ACL", "SETUSER", "fairway", "on", ">hunter2", "+ping", "+info")
        self.locked.ask("CONFIG", "SET", "requirepass", "master key")
        self.node.start(cluster_enabled="yes", cluster_node_timeout=500,
                        cluster_port=lab.free_port(addresses[2]))  # else 10,000 above its own, which may be too high
        self.fairway = Fairwayd(lab, CONFIG, east=self.east.address, west=self.west.address, port=port, sentinel=sentinel,
                                third=addresses[2], locked=self.locked.port, node=self.node.port)
        (self.fairway.home / "pw").write_text("hunter2\n")
        self.fairway.start()

    def last(self, name, server=None):
        where = server.address if server else ""
        return next(m for m in self.fairway.status()["members"] if m["check"] == name and m["target"].startswith(where))["last"]

    def sees(self, name, outcome, reason, text="", server=None, within=10):
        def matches():
            last = self.last(name, server)
            return last and (last["outcome"], last["reason"]) == (outcome, reason) and text in f"{last['detail']} {last['facts']}" and last
        return wait_until(f"{name} sees {outcome} {reason} `{text}` (it is {self.last(name, server)})", matches, within)

    def answers(self, name, server, within=15):
        wait_until(f"{name} answers {server.name}", lambda: self.fairway.addresses(name) == [server.address], within)


@story("a master, its replica, and what a Sentinel beside each says of them", stop=True)
def _(world):
    world.sees("cache", "pass", "ok", "role=primary read_only=no", world.east)
    world.sees("cache", "pass", "ok", "role=standby read_only=yes", world.west)
    check("lag=" in world.last("cache", world.west)["facts"], "a replica knows its lag")
    world.sees("guard", "pass", "ok", "role=primary quorum=yes epoch=0", world.east)
    world.sees("guard", "pass", "ok", "role=standby quorum=yes epoch=0", world.west)
    world.answers(SHOP, world.east)


@story("who is not let in is told so; the account of the manual is enough")
def _(world):
    world.sees("let_in", "pass", "ok", "role=primary")
    world.sees("left_out", "fail", "auth_failure", "NOAUTH")


@story("a cluster without all its slots has no quorum (D2)")
def _(world):
    world.sees("cluster", "fail", "no_quorum", "quorum=no")
    world.node.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    world.sees("cluster", "pass", "ok", "quorum=yes")


@story("a replica whose master is silent counts how long, and is out beyond max_lag (D2)")
def _(world):
    world.locked.ask("-a", "master key", "--no-auth-warning", "REPLICAOF", world.node.address, world.locked.port)
    last = world.sees("let_in", "degraded", "lag", "link is down")  # nobody listens there
    check("lag=" not in last["facts"], f"it has never had a master: {last['facts']}")


@story("a failover: the Sentinels choose another master, at a higher epoch, and its site is answered")
def _(world):
    world.east.kill()
    world.sees("cache", "degraded", "lag", "link is down", world.west)
    world.sees("guard", "pass", "ok", "role=primary quorum=yes epoch=1", world.west, within=20)
    world.answers(SHOP, world.west)
    world.sees("guard", "pass", "ok", "role=standby", world.east)  # the Sentinel of the dead master's site knows, too


@story("when two call themselves master, the Sentinels' word counts and nothing moves")
def _(world):
    with world.fairway.watch(SHOP) as watch:
        world.east.start()  # as the master it was; the Sentinels leave it so for eight seconds and more
        wait_until("both call themselves master", lambda: all("role=primary" in world.last("cache", s)["facts"]
                                                              for s in (world.east, world.west)), 8)
        equal([world.last("guard", s)["facts"].partition(" ")[0] for s in (world.east, world.west)], ["role=standby", "role=primary"],
              "what the Sentinels say")
        begun = world.last("guard", world.west)["begun"]
        wait_until("another look has passed", lambda: world.last("guard", world.west)["begun"] > begun, 5)
    equal(watch.answers(), [world.west.address], "what was answered all the time")


@story("a Sentinel that no majority would follow claims nothing")
def _(world):
    world.sentinels[0].kill()
    world.sentinels[2].kill()
    last = world.sees("guard", "degraded", "no_quorum", "quorum=no", world.west)
    check("role" not in last["facts"], last["facts"])
    equal(world.fairway.addresses(SHOP), [world.west.address], "the answer is held")


tell(World)
