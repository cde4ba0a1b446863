#!/usr/bin/python3
"""The mysql check against a Galera cluster of three: what a node that is left alone says of itself."""

from world import HEAD, Fairwayd, check, equal, story, tell, wait_until
from lab.mariadb import PASSWORD, galera

CONFIG = HEAD + """
checks:
  db: {type: mysql, port: $port, password_file: pw, interval: 500ms, retest: 100ms, rise: 2, hold_down: 0s}
services:
  shop.gtm.example.com:
    policy: weighted
    stateful: db
    endpoints: {east: {addresses: [$one, $two]}, west: {addresses: [$three]}}
"""
SHOP = "shop.gtm.example.com"


class World:
    def __init__(self, lab):
        self.one, self.two, self.three = self.nodes = galera(lab, ("one", "two", "three"), 10)
        self.fairway = Fairwayd(lab, CONFIG, port=self.one.port, **{n.name: n.address for n in self.nodes})
        (self.fairway.home / "pw").write_text(PASSWORD + "\n")
        self.fairway.start()

    def last(self, node):
        return next(m for m in self.fairway.status()["members"] if m["target"] == where(node))["last"]

    def sees(self, node, outcome, reason, text="", within=20):
        def matches():
            last = self.last(node)
            return last and (last["outcome"], last["reason"]) == (outcome, reason) and text in f"{last['detail']} {last['facts']}" and last
        return wait_until(f"{node.name} is seen {outcome} {reason} `{text}` (it is {self.last(node)})", matches, within)


def where(node):
    return f"{node.address}:{node.port}"


@story("every node of the cluster has quorum and takes writes", stop=True)
def _(world):
    facts = {world.sees(node, "pass", "ok", "quorum=yes")["facts"] for node in world.nodes}
    equal(len(facts), 1, "what they say of themselves")
    check("role=primary" in facts.pop(), "each is a primary")
    wait_until("both sites are fit", lambda: all(world.fairway.endpoint(SHOP, dc)["fit"] for dc in ("east", "west")), 10)


@story("one that leaves takes nothing with it")
def _(world):
    world.two.process.stop(within=30)
    world.sees(world.two, "fail", "refused")
    world.sees(world.one, "pass", "ok", "quorum=yes")
    world.sees(world.three, "pass", "ok", "quorum=yes")
    world.two.start_galera(world.nodes)
    world.sees(world.two, "pass", "ok", "quorum=yes", within=40)


@story("a node that is left alone still answers, and is not ready: it has no quorum (D2)")
def _(world):
    world.one.kill()
    world.two.kill()
    last = world.sees(world.three, "fail", "no_quorum", "quorum=no")
    check("non-Primary" in last["detail"] or "1047" in last["detail"], last["detail"])
    equal(world.three.try_sql("SHOW DATABASES").returncode, 0, "its process answers")
    refused = world.three.try_sql("SELECT * FROM shop.rows")
    check("1047" in refused.stderr, f"and refuses what clients want: {refused.stderr}")
    wait_until("its site is out", lambda: not world.fairway.endpoint(SHOP, "west")["fit"], 10)


tell(World)
