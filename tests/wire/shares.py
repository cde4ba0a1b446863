#!/usr/bin/python3
"""P9: weighted answers are one datacenter each, in the shares that were asked for."""

import collections
import socket
import struct

from world import check, equal, full, setup, story, tell, within_points
from lab.dns import parse, query

QUERIES = 100_000
WINDOW = 64


def many(fairway, name, count):
    """Answers counted by their addresses, with many questions under way at once."""
    counts = collections.Counter()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(fairway.dns)
        s.settimeout(2)
        for first in range(0, count, WINDOW):
            size = min(WINDOW, count - first)
            for id in range(size):
                s.send(query(full(name), id=id))
            for _ in range(size):
                counts[" ".join(parse(s.recv(4096)).addresses)] += 1
    return counts


@story("70/20/10 within one point over 100,000 answers (P9)")
def _(fairway):
    counts = many(fairway, "shares", QUERIES)
    print("  " + ", ".join(f"{a}: {100 * n / QUERIES:.2f} %" for a, n in counts.most_common()))
    within_points(counts, {"192.0.2.50": 70, "198.51.100.50": 20, "203.0.113.50": 10}, 1, "shares")


@story("weight 0 is never answered")
def _(fairway):
    equal(set(many(fairway, "never", 5000)), {"192.0.2.51"}, "answers")


tell(setup)
