#!/usr/bin/python3
"""An endpoint that is a name of somebody else's (`alias`), followed as a resolver says it (L3, L6).

Knot has the name and nginx stands behind its addresses. fairwayd resolves as any program of its machine does: it lives in
a mount namespace of its own, in which /etc/resolv.conf names that server.
"""

import subprocess

from world import HEAD, WEB_CHECKS, ZONE, Fairwayd, equal, story, tell, wait_until
from lab.dns import Silence, ask
from lab.nginx import Nginx
from lab.world import Process

WWW = f"www.{ZONE}"
LB = "lb.cloud.test"
CONFIG = HEAD + WEB_CHECKS + """
  www.gtm.example.com:
    policy: {type: active_passive, order: [west, east]}
    application: web
    ttl: 2s
    endpoints:
      west: {alias: lb.cloud.test.}
      east: {addresses: [$east]}
"""
NAMESPACE = ["unshare", "--mount", "--propagation", "unchanged"]
KNOT = """
server:
  rundir: "{home}"
  listen: {address}@53
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "{home}"
zone:
  - domain: cloud.test
    file: "{home}/cloud.zone"
    zonefile-load: whole
    journal-content: none
"""


class NameServer:
    """Knot at port 53 of an address of its own, with one name whose addresses the stories change."""

    def __init__(self, lab):
        self.lab, self.address, self.serial, self.process = lab, lab.address(99), 0, None
        self.home = lab.directory / "knot"
        self.home.mkdir()
        (self.home / "knot.conf").write_text(KNOT.format(home=self.home, address=self.address))
        (self.home / "resolv.conf").write_text(f"nameserver {self.address}\noptions timeout:1 attempts:1\n")

    def has(self, *addresses):
        self.serial += 1
        lines = [f"@ 5 SOA ns.cloud.test. h.cloud.test. {self.serial} 1 1 1 5", "@ 5 NS ns", f"ns 5 A {self.address}"]
        lines += [f"lb 5 {'AAAA' if ':' in a else 'A'} {a}" for a in addresses]
        (self.home / "cloud.zone").write_text("$ORIGIN cloud.test.\n" + "\n".join(lines) + "\n")
        self.stop()
        self.process = Process(self.lab, f"knot-{self.serial}", ["/usr/sbin/knotd", "-c", self.home / "knot.conf"])
        wait_until(f"Knot answers\n{self.process.tail()}", self.answers, 10)
        return self

    def answers(self):
        try:
            return ask((self.address, 53), LB, "SOA", timeout=0.3).rcode in ("NOERROR", "NXDOMAIN")
        except (Silence, OSError):
            return False

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None


class World:
    def __init__(self, lab):
        east, self.west = lab.address(1), [lab.address(n) for n in (2, 3)]
        port = lab.free_port(east, *self.west)
        Nginx(lab, "east", east, port).start()
        self.nginx = Nginx(lab, "west", self.west[0], port).start()
        self.second = Nginx(lab, "west-two", self.west[1], port)
        self.names = NameServer(lab).has(self.west[0])
        self.fairway = Fairwayd(lab, CONFIG, east=east, web_port=port)
        self.start()

    def start(self):
        mount = 'mount --make-rprivate / 2>/dev/null; mount --bind "$0" /etc/resolv.conf && exec "$@"'  # / may be no mount
        self.fairway.start(by=[*NAMESPACE, "sh", "-c", mount, self.names.home / "resolv.conf"])

    def answers(self, *addresses, within=20):
        wait_until(f"{WWW} is {addresses}", lambda: self.fairway.addresses(WWW) == sorted(addresses), within)


@story("the addresses of the name are answered", stop=True)
def _(world):
    world.answers(world.west[0])
    equal(world.fairway.endpoint(WWW, "west")["addresses"], [world.west[0]], "addresses of the endpoint")


@story("an address that the name moves to is answered once it passes, and the old one until then (L6)")
def _(world):
    world.names.has(world.west[1])  # where nobody listens yet
    wait_until("the move is noticed", lambda: "alias-changed" in world.fairway.log(), 20)
    world.answers(world.west[0], within=1)
    world.second.start()
    world.answers(world.west[1])


@story("a name server that is gone, and a restart meanwhile, take nothing away (L3, L20)")
def _(world):
    world.names.stop()
    world.fairway.kill()
    world.start()
    world.answers(world.west[1], within=5)


@story("a name that has gone for good still stands for what it had, and its return is followed")
def _(world):
    world.names.has()
    world.answers(world.west[1], within=1)
    world.names.has(*world.west)
    world.answers(*world.west)


if subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode:
    print("not tried: a mount namespace needs root\n[stories] 0 passed, 0 failed")
else:
    tell(World)
