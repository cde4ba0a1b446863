#!/usr/bin/python3
"""The stateful tier by its own interfaces: etcd, Patroni over it and NATS JetStream, three of each where it takes a majority.

Each check is read from the daemon's status: outcome, reason and facts of real servers in good days and bad ones (D1, D2).
"""

from world import HEAD, Fairwayd, check, equal, story, tell, wait_until
from stores_world import Sees, fact
from lab.etcd import Etcd
from lab.nats import Nats
from lab.patroni import Patroni

CHECKS = """
defaults: {check: {interval: 500ms, rise: 2, hold_down: 1s}}
checks:
  etcd:      {type: etcd, port: $etcd}
  etcd_full: {type: etcd, port: $full}
  nats:      {type: nats, port: $nats}
  patroni:   {type: patroni, port: $patroni, max_lag: 10s}
  copy:      {type: patroni, port: $copy}
services:
  etcd.gtm.example.com: {policy: weighted, stateful: etcd, endpoints: {east: {addresses: [$etcds]}}}
  full.gtm.example.com: {policy: weighted, stateful: etcd_full, endpoints: {east: {addresses: [$fulls]}}}
  nats.gtm.example.com: {policy: weighted, stateful: nats, endpoints: {east: {addresses: [$natss]}}}
  copy.gtm.example.com: {policy: weighted, stateful: copy, endpoints: {east: {addresses: [$copies]}}}
  shop.gtm.example.com:
    policy: {type: active_passive, follow: primary}
    stateful: patroni
    endpoints: {east: {addresses: [$shop1]}, west: {addresses: [$shop2]}}
"""
SHOP = "shop.gtm.example.com"


class World(Sees):
    def __init__(self, lab):
        self.lab = lab
        self.etcd = Etcd(lab)
        self.full = Etcd(lab, size=1, first=29, options=["--quota-backend-bytes", "65536"])
        self.nats = Nats(lab)
        self.patroni = Patroni(lab, self.etcd, "shop", 2, first=40)
        for cluster in (self.nats, self.full, self.etcd, self.patroni):
            cluster.start()
        self.copy = Patroni(lab, self.etcd, "copy", 1, first=50, copies=self.patroni.members[0])
        self.copy.members[0].start()
        names = lambda members: ", ".join(m.address for m in members)  # noqa: E731
        self.fairway = Fairwayd(
            lab, HEAD + CHECKS, etcd=self.etcd.port, full=self.full.port, nats=self.nats.monitor, patroni=self.patroni.api,
            copy=self.copy.api, etcds=names(self.etcd.members), fulls=names(self.full.members), natss=names(self.nats.servers),
            copies=names(self.copy.members), shop1=self.patroni.members[0].address, shop2=self.patroni.members[1].address).start()


@story("etcd: one leader, the others follow, all in one term; the cluster has an identity")
def _(world):
    leader = world.etcd.leader()
    for m in world.etcd.members:
        world.sees("etcd", m, "pass", "ok", f"role={'primary' if m is leader else 'standby'}", "quorum=yes", verdict="ready")
    seen = [world.member("etcd", m) for m in world.etcd.members]
    equal(len({(fact(m, "epoch"), fact(m, "system")) for m in seen}), 1, "terms and identities")


@story("D2: an etcd member with the alarm NOSPACE is not ready: it refuses writes")
def _(world):
    only = world.full.members[0]
    world.sees("etcd_full", only, "pass", "ok", "role=primary", "quorum=yes")
    world.full.fill()
    world.sees("etcd_full", only, "fail", "read_only", "role=primary", "read_only=yes", verdict="unready")


@story("D1: Patroni: the primary and its streaming standby, with timeline, position and system identifier")
def _(world):
    primary, standby = world.patroni.members
    world.patroni.wait_standbys()
    world.sees("patroni", primary, "pass", "ok", "role=primary", "read_only=no", "epoch=1", verdict="ready")
    world.sees("patroni", standby, "pass", "ok", "role=standby", "read_only=yes", "epoch=1", verdict="ready")
    seen = [world.member("patroni", m) for m in world.patroni.members]
    equal(len({fact(m, "system") for m in seen}), 1, "systems")
    check(all(int(fact(m, "position")) > 0 for m in seen), seen)
    wait_until("the primary is followed", lambda: world.fairway.addresses(SHOP) == [primary.address], 10)


@story("D2: a standby leader holds its cluster's lock, is 200 for /leader, and is not primary")
def _(world):
    leader = world.copy.members[0]
    wait_until("the standby cluster has a leader that streams", lambda: leader.leads() and leader.streams(), 60)
    equal((leader.get("/leader")[0], leader.get("/primary")[0]), (200, 503), "/leader and /primary")
    world.sees("copy", leader, "pass", "ok", "role=standby", verdict="ready")
    equal(world.member("copy", leader)["last"]["detail"], "standby_leader", "what it is called")


@story("D3: traffic follows a Patroni switchover, once, and raises no false alarm")
def _(world):
    east, west = world.patroni.members
    with world.fairway.watch(SHOP) as watch:
        world.patroni.switchover(to=west)
        wait_until("west is answered", lambda: world.fairway.addresses(SHOP) == [west.address], 30)
    equal([answer for _, answer in watch.changes[SHOP]], [east.address, west.address], "answers")
    world.sees("patroni", west, "pass", "ok", "role=primary", "epoch=2")
    world.sees("patroni", east, "pass", "ok", "role=standby", within=60)  # stopped, rewound, started
    check(not {"no_primary", "two_primaries", "stale_claim"} & set(world.fairway.alarms(SHOP)), world.fairway.alarms(SHOP))


@story("D2: etcd without a majority is not ready; with one it is, and a term further")
def _(world):
    leader = world.etcd.leader()
    term = int(fact(world.member("etcd", leader), "epoch"))
    first, second = [m for m in world.etcd.members if m is not leader]
    leader.process.stop()
    world.sees("etcd", leader, "fail", "refused", verdict="unready")
    wait_until("another leads", world.etcd.leader, 10)
    new = world.etcd.leader()
    world.sees("etcd", new, "pass", "ok", "role=primary", "quorum=yes", verdict="ready")
    check(int(fact(world.member("etcd", new), "epoch")) > term, "the term has risen")
    other = second if new is first else first
    new.process.freeze()
    world.sees("etcd", other, "degraded", "no_quorum", "quorum=no", verdict="unready")
    new.process.thaw()
    world.sees("etcd", other, "pass", "ok", "quorum=yes", verdict="ready")


@story("Patroni demotes where etcd has no majority: nobody is primary, the answer is held, and follows who comes next (L14)")
def _(world):
    def primary():
        return next((m for m in world.patroni.members if fact(world.member("patroni", m), "role") == "primary"), None)
    wait_until("the primary's site is answered", lambda: primary() and world.fairway.addresses(SHOP) == [primary().address], 30)
    held = world.fairway.addresses(SHOP)
    alive = [m for m in world.etcd.members if m.process.alive()]
    for m in alive:
        m.process.freeze()
    wait_until("nobody claims to be primary", lambda: not primary(), 40)
    equal(world.fairway.addresses(SHOP), held, "the answer without a primary")
    for m in alive:
        m.process.thaw()
    wait_until("somebody is primary again, and is answered", lambda: primary() and world.fairway.addresses(SHOP) == [primary().address], 40)


@story("NATS: the meta leader and its followers")
def _(world):
    world.nats.wait()
    leader = world.nats.leader()
    for s in world.nats.servers:
        world.sees("nats", s, "pass", "ok", f"role={'primary' if s is leader else 'standby'}", "quorum=yes", "system=lab", verdict="ready")


@story("D2: a meta leader that hears no majority has no quorum, seconds before it notices; one follower may go")
def _(world):
    leader = world.nats.leader()
    first, second = [s for s in world.nats.servers if s is not leader]
    first.process.kill()
    world.sees("nats", first, "fail", "refused", verdict="unready")
    world.sees("nats", leader, "pass", "ok", "quorum=yes", verdict="ready")
    second.process.freeze()
    world.sees("nats", leader, "degraded", "no_quorum", "quorum=no", verdict="unready")
    check(leader.meta().get("leader"), "it still names itself the leader")
    second.process.thaw()
    world.sees("nats", leader, "pass", "ok", "quorum=yes", verdict="ready")


tell(World)
