#!/usr/bin/python3
"""Truncation and TCP, client subnet by RFC 7871 where the answer depends on it, and mutilated packets."""

import random
import socket
import struct
import subprocess

from world import LONG, check, equal, full, setup, story, tell
from lab.dns import SUBNET, parse, query, read_exactly


def subnet_of(answer):
    """(source length, scope length) of the client subnet option, or None."""
    for code, value in (answer.edns or (0, 0, 0, []))[3]:
        if code == SUBNET:
            return value[2], value[3]
    return None


@story("what is too long is truncated, and whole by TCP")
def _(fairway):
    for size in (None, 512, 1232):
        answer = fairway.ask(full("long"), "TXT", edns=size)
        check(answer.tc, f"TC with payload {size}")
        check(answer.size <= (size or 512), f"{answer.size} octets for payload {size}")
        equal(answer.edns is not None, size is not None, f"OPT survives truncation at {size}")
    for size in (None, 1232):
        answer = fairway.ask(full("long"), "TXT", tcp=True, edns=size)
        check(not answer.tc, "no TC by TCP")
        equal(sorted(r.data[1:].decode() for r in answer.answers), sorted(LONG), "strings by TCP")
    big = fairway.ask(full("long"), "TXT", edns=4096)
    check(big.tc and big.size <= 1232, "at most 1232 octets by UDP, whatever the client offers")
    out = subprocess.run(["dig", f"@{fairway.dns[0]}", "-p", str(fairway.dns[1]), full("long"), "TXT", "+short"],
                         capture_output=True, text=True, timeout=20).stdout
    equal(len([l for l in out.splitlines() if not l.startswith(";")]), len(LONG), "dig falls back to TCP by itself")


@story("a TCP connection takes many questions, several at once and in pieces")
def _(fairway):
    names = ["plain", "dual", "mail", "nowhere", "long"]
    packets = [query(full(name), id=i) for i, name in enumerate(names)]
    with socket.create_connection(fairway.dns, 2) as s:
        stream = b"".join(struct.pack("!H", len(p)) + p for p in packets)
        for piece in (stream[:1], stream[1:20], stream[20:]):
            s.sendall(piece)
        found = {}
        for _ in packets:
            answer = parse(read_exactly(s, struct.unpack("!H", read_exactly(s, 2))[0]))
            found[answer.id] = answer
        equal(sorted(found), list(range(len(names))), "each question has its answer")
        equal(found[0].addresses, ["192.0.2.40"], "the first")
        equal(found[3].rcode, "NXDOMAIN", "the fourth")


@story("the client's subnet decides where the policy is topological, and the scope is what was used")
def _(fairway):
    rows = [
        ("203.0.113.0/24", "203.0.113.60", 24),
        ("203.0.113.77/32", "203.0.113.60", 24),
        ("198.51.100.0/25", "198.51.100.60", 25),     # a /25 below it says otherwise
        ("198.51.100.130/32", "192.0.2.60", 25),
        ("2001:db8:e:1::/64", "203.0.113.60", 48),
    ]
    for subnet, address, scope in rows:
        answer = fairway.ask(full("near"), subnet=subnet)
        equal(answer.addresses, [address], f"near for {subnet}")
        equal(subnet_of(answer)[1], scope, f"scope for {subnet}")
        equal(subnet_of(answer)[0], int(subnet.split("/")[1]), f"source length for {subnet}")
    for name in ("plain", "shares", "mail"):
        equal(subnet_of(fairway.ask(full(name), subnet="203.0.113.0/24")), (24, 0), f"{name} does not depend on the client")
    equal(subnet_of(fairway.ask(full("near"), edns=1232)), None, "no option without being asked")


@story("every address inside a scope gets the same answer")
def _(fairway):
    rng = random.Random(2)
    for subnet in ("203.0.113.9/32", "198.51.100.1/32", "198.51.100.200/32", "8.8.8.8/32", "198.51.101.1/32"):
        answer = fairway.ask(full("near"), subnet=subnet)
        scope = subnet_of(answer)[1]
        address = struct.unpack("!I", socket.inet_aton(subnet.split("/")[0]))[0]
        for _ in range(200):
            inside = address & ~((1 << 32 - scope) - 1) | rng.getrandbits(32 - scope) if scope < 32 else address
            text = socket.inet_ntoa(struct.pack("!I", inside & 0xFFFFFFFF))
            equal(fairway.ask(full("near"), subnet=f"{text}/32").addresses, answer.addresses, f"{text} in the scope /{scope} of {subnet}")


@story("mutilated packets hurt nobody")
def _(fairway):
    rng = random.Random(5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(fairway.dns)
        for _ in range(5000):
            packet = bytearray(query(full("near"), subnet="203.0.113.0/24"))
            for _ in range(rng.randrange(1, 6)):
                packet[rng.randrange(len(packet))] = rng.randrange(256)
            s.send(packet[:rng.randrange(1, len(packet) + 1)])
    equal(fairway.addresses(full("plain")), ["192.0.2.40"], "after 5000 mutilated packets")


tell(setup)
