#!/usr/bin/python3
"""N2: names are found whatever their case, and the question comes back letter by letter."""

import random
import socket
import struct
import time

from world import ZONE, check, equal, setup, story, tell
from lab.dns import parse, query

QUERIES = 100_000
WINDOW = 64  # questions under way at once

EXPECTED = {"plain": ["192.0.2.40"], "dual": ["192.0.2.41", "192.0.2.42"], "mail": ["192.0.2.25"], "a.very.deep": ["192.0.2.77"]}


def in_random_case(text, rng):
    return "".join(c.upper() if rng.getrandbits(1) else c for c in text)


@story("100,000 questions in random case: each found, each echoed exactly (N2)")
def _(fairway):
    seed = random.SystemRandom().getrandbits(32)
    rng = random.Random(seed)
    begin, lost = time.monotonic(), 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(fairway.dns)
        s.settimeout(2)
        for first in range(0, QUERIES, WINDOW):
            under_way = {}
            for id in range(min(WINDOW, QUERIES - first)):
                name = rng.choice(list(EXPECTED))
                packet = query(in_random_case(f"{name}.{ZONE}", rng), "A", id=id)
                under_way[id] = (name, packet)
                s.send(packet)
            while under_way:
                try:
                    reply = s.recv(4096)
                except socket.timeout:
                    lost += len(under_way)
                    break
                id = struct.unpack_from("!H", reply)[0]
                name, packet = under_way.pop(id)
                answer = parse(reply)
                check(answer.question == packet[12:], f"seed {seed}: asked {packet[12:]!r}, echoed {answer.question!r}")
                equal(answer.addresses, EXPECTED[name], f"seed {seed}: {name}")
                check(answer.aa and answer.id == id, f"seed {seed}: header of {name}")
    seconds = time.monotonic() - begin
    print(f"  {QUERIES} questions in random case, {lost} lost, {QUERIES / seconds:.0f} a second (this client's pace), seed {seed}")
    equal(lost, 0, "questions without an answer")


tell(setup)
