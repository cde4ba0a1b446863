#!/usr/bin/python3
"""check-delegation against real servers: Knot has the zone above and is the second name server; each fault is seeded in turn."""

import contextlib
import json
import socket
import struct
import threading

from world import HEAD, Fairwayd, check, equal, story, tell, wait_until
from lab.dns import Silence, ask
from lab.world import Process

ZONE = "gtm.example.com"
CONFIG = HEAD.replace("{ns1: [$dns_address]}", "{ns1: [$dns_address], ns2: [$second]}") + """
services:
  www.gtm.example.com:
    policy: weighted
    unchecked: true
    endpoints: {east: {addresses: [192.0.2.1]}, west: {addresses: [192.0.2.2]}}
"""
KNOT = """
server:
  rundir: "{home}"
  listen: {address}@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "{home}"
zone:
  - domain: {zone}
    file: "{home}/zone"
    zonefile-load: whole
    journal-content: none
"""


SOME = "@ 3600 SOA ns host 1 3600 600 86400 60\n@ 3600 NS ns\nns 3600 A 127.0.0.1\n"  # any zone


class Knot:
    def __init__(self, lab, name, host, port):
        self.lab, self.name, self.address, self.port, self.process = lab, name, lab.address(host), port, None
        self.home = lab.directory / name
        self.home.mkdir()

    def serve(self, zone, text):
        self.stop()
        (self.home / "knot.conf").write_text(KNOT.format(home=self.home, address=self.address, port=self.port, zone=zone))
        (self.home / "zone").write_text(text)
        self.process = Process(self.lab, self.name, ["/usr/sbin/knotd", "-c", self.home / "knot.conf"])
        wait_until(f"{self.name} answers\n{self.process.tail()}", lambda: self._answers(zone), 15)

    def stop(self):
        if self.process and self.process.alive():
            self.process.stop()

    def _answers(self, zone):
        with contextlib.suppress(Silence, OSError):
            return ask((self.address, self.port), zone, "SOA", timeout=0.3).rcode == "NOERROR"


class Between:
    """Passes questions on to a server over UDP alone, or without their EDNS."""

    def __init__(self, address, port, to, edns=True):
        self.to, self.edns = to, edns
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.socket.settimeout(0.1)  # how soon it sees its end
        self.ended = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def close(self):
        self.ended = True
        self.thread.join()
        self.socket.close()

    def _run(self):
        while not self.ended:
            with contextlib.suppress(TimeoutError):
                question, who = self.socket.recvfrom(4096)
                with socket.socket(type=socket.SOCK_DGRAM) as there:
                    there.settimeout(2)
                    there.sendto(question if self.edns else self._plain(question), self.to)
                    self.socket.sendto(there.recv(4096), who)

    @staticmethod
    def _plain(question):
        """The question alone: what follows is the OPT record."""
        end = question.index(b"\0", 12) + 5
        return question[:10] + struct.pack("!H", 0) + question[12:end]


class World:
    def __init__(self, lab):
        self.lab = lab
        self.second = lab.address(54)
        self.fairway = Fairwayd(lab, CONFIG, second=self.second).start()
        self.port = self.fairway.dns[1]
        self.parent, self.copy = Knot(lab, "parent", 99, self.port), Knot(lab, "second", 54, self.port)
        self.first = self.fairway.dns[0]
        soa, ns = (self.fairway.ask(ZONE, kind).answers[0] for kind in ("SOA", "NS"))
        self.ttl = ns.ttl
        self.zone = (f"@ {soa.ttl} SOA {' '.join(str(field) + ('.' if i < 2 and not str(field).endswith('.') else '') for i, field in enumerate(soa.data))}\n"
                     f"@ {self.ttl} NS ns1\n@ {self.ttl} NS ns2\nns1 {self.ttl} A {self.first}\nns2 {self.ttl} A {self.second}\n")
        self.copy.serve(ZONE, self.zone)
        self.delegate()

    def delegate(self, *, servers=("ns1", "ns2"), glue=None, ttl=None, more=""):
        glue = {"ns1": self.first, "ns2": self.second} if glue is None else glue
        ttl = self.ttl if ttl is None else ttl
        self.parent.serve("example.com", SOME
                          + "".join(f"gtm {ttl} NS {server}.gtm\n" for server in servers)
                          + "".join(f"{server}.gtm {ttl} A {address}\n" for server, address in glue.items()) + more)

    def ask(self, expect):
        said = self.fairway.try_ctl("--json", "check-delegation", ZONE, "--parent", self.parent.address, "--port", self.port)
        equal(said.returncode, expect, f"exit status; {said.stdout}{said.stderr}")
        return [f"{f['severity']} {f['where']}: {f['what']}" for f in json.loads(said.stdout)["faults"]]

    def finds(self, *texts, expect=1):
        found = self.ask(expect)
        for text in texts:
            check(any(text in fault for fault in found), f"`{text}` is not among {found}")


@story("a delegation in order has no faults", stop=True)
def _(world):
    equal(world.ask(0), [], "faults")


@story("what the zone above has wrong is found: no delegation, a missing server, no glue, other glue, a DS, another TTL")
def _(world):
    world.delegate(servers=(), glue={})
    world.finds("does not delegate")
    world.delegate(servers=("ns1",), glue={"ns1": world.first})
    world.finds("one name server", "its NS records are")
    world.delegate(glue={"ns1": world.first})
    world.finds("ns2.gtm.example.com. is within the zone and has no glue")
    world.delegate(glue={"ns1": world.first, "ns2": world.lab.address(55)})
    world.finds(f"is at {world.second} by its own word", "no answer over UDP")
    world.delegate(more=f"gtm 3600 DS 12345 13 2 {'AB' * 32}\n")
    world.finds("has a DS record")
    world.delegate(ttl=world.ttl + 60)
    world.finds("TTL", expect=0)
    world.delegate()


@story("what a name server has wrong is found: silence, no zone, no TCP, no EDNS, another serial")
def _(world):
    world.copy.stop()
    world.finds(f"error ns2.gtm.example.com. {world.second}: no answer over UDP")
    world.copy.serve("elsewhere.test", SOME)
    world.finds("not authoritative")
    world.copy.stop()
    behind = Knot(world.lab, "behind", 56, world.port)
    behind.serve(ZONE, world.zone)
    for edns, text in ((True, "no answer over TCP"), (False, "without EDNS")):
        between = Between(world.second, world.port, (behind.address, behind.port), edns)
        try:
            world.finds(text)
        finally:
            between.close()
    soa, rest = world.zone.split("\n", 1)
    fields = soa.split()
    fields[5] = str(int(fields[5]) + 1)
    world.copy.serve(ZONE, " ".join(fields) + "\n" + rest)
    world.finds("serials differ", expect=0)


if __name__ == "__main__":
    tell(World)
