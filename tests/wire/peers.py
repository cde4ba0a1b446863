#!/usr/bin/python3
"""N1, N3: Fairway, NSD and Knot answer one generated corpus alike: rcode, AA, TC, and each section as a set.

FAIRWAY_CORPUS=RICH,PLAIN,QUERIES sets the size, FAIRWAY_CORPUS_SEED the seed. What may differ, and why, is WHY below;
what it does not name fails the test.
"""

import collections
import os
import select
import socket
import struct

from corpus import Maker, shown, wire
from nameservers import start_fairway, start_knot, start_nsd, write_zones
from lab import Silence, check, story, tell
from lab.dns import exchange_tcp

RICH, PLAIN, QUERIES = map(int, os.environ.get("FAIRWAY_CORPUS", "100,1000,8000").split(","))
SEED = int(os.environ.get("FAIRWAY_CORPUS_SEED", "1"))
WINDOW = 64  # questions under way at once, at each server

TWICE = frozenset({("a record twice",)})
Reply = collections.namedtuple("Reply", "rcode aa tc answer authority additional")
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 6: "YXDOMAIN"}
NAMES_IN = {2: (0, 1), 5: (0, 1), 12: (0, 1), 39: (0, 1), 15: (2, 1), 6: (0, 2), 33: (6, 1)}  # type: octets before, names


# ---------------------------------------------------------------- messages

def question(name, kind, id):
    return struct.pack("!HHHHHH", id, 0, 1, 0, 0, 1) + wire(name) + struct.pack("!HH", kind, 1) + b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)


def name_at(packet, at):
    labels, end = [], None
    while packet[at]:
        if packet[at] >= 0xC0:
            end = end or at + 2
            at = struct.unpack_from("!H", packet, at)[0] & 0x3FFF
        else:
            labels.append(packet[at + 1:at + 1 + packet[at]].lower())
            at += 1 + packet[at]
    return tuple(labels), end or at + 1


def record_at(packet, at):
    """((owner, type, ttl, data), where the next begins); names in the data are whole and in lower case."""
    owner, at = name_at(packet, at)
    kind, _, ttl, length = struct.unpack_from("!HHIH", packet, at)
    at += 10
    before, names = NAMES_IN.get(kind, (0, 0))
    data, place = [packet[at:at + before]], at + before
    for _ in range(names):
        name, place = name_at(packet, place)
        data.append(wire(name))
    data.append(packet[place:at + length])
    return (owner, kind, ttl, b"".join(data)), at + length


def read(packet):
    flags, _, *counts = struct.unpack_from("!HHHHH", packet, 2)
    _, at = name_at(packet, 12)
    at += 4
    sections = []
    for count in counts:
        records = []
        for _ in range(count):
            record, at = record_at(packet, at)
            if record[1] != 41:
                records.append(record)
        sections.append(frozenset(records))
        if len(sections[-1]) != len(records):
            sections[-1] |= TWICE
    return Reply(RCODES[flags & 15], bool(flags & 0x400), bool(flags & 0x200), *sections)


def ask_all(server, queries):
    """One reply a query, by UDP, or by TCP where it says so."""
    replies = [None] * len(queries)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(server)
        waiting = list(range(len(queries)))
        for _ in range(5):  # datagrams may be lost
            for first in range(0, len(waiting), WINDOW):
                under_way = set(waiting[first:first + WINDOW])
                for n in under_way:
                    s.send(question(*queries[n], n & 0xFFFF))
                while under_way and select.select([s], [], [], 2)[0]:
                    packet = s.recv(65535)
                    id = struct.unpack_from("!H", packet)[0]
                    n = next((n for n in under_way if n & 0xFFFF == id), None)
                    if n is not None:
                        under_way.remove(n)
                        replies[n] = read(packet)
            waiting = [n for n in waiting if replies[n] is None]
    return replies


# ---------------------------------------------------------------- what may differ, and why

WHY = {
    "minimal": "NSD's minimal responses may lack additional data but a referral's; ours is held to Knot's (RFC 1034 section 4.3.2, step 6)",
    "chain between zones": "Knot ends a chain at its zone's edge; ours and NSD's goes on in every zone served (RFC 1034 section 4.3.2, step 3a)",
    "chain in one zone": "Knot looks for a chain's names in the zone where it began, even for those that an inner zone answers for",
    "twice": "Knot and NSD repeat a CNAME or DNAME met again, and Knot addresses that two records ask for; ours says a record once "
             "(RFC 2181 section 5)",
    "unmade wildcard": "Knot's additional data may have the wildcard itself as its owner, not the name it was made for (RFC 4592 section 2.1.2)",
    "long chain": "Knot ends a chain after 5 links; ours goes on, at most 15, until it meets itself",
    "wildcard DNAME": "Knot gives a wildcard's DNAME the owner that was asked for; ours and NSD's keeps its own (RFC 6672 section 3.3)",
    "HTTPS of the owner": "Knot adds no addresses for the target `.`, which means the owner (RFC 9460 sections 2.5 and 4.1)",
    "DS behind an alias": "Knot looks in the child's zone once an alias was followed; ours and NSD's in the parent's (RFC 4035 section 3.1.4.1)",
    "inner zone": "to Knot nothing is there where the outer zone does not delegate the inner; ours and NSD's has the name (RFC 8020)",
    "one tree": "NSD holds all zones in one tree: glue in the outer zone makes names exist in the inner; ours and Knot's does not",
    "glue that is none": "NSD and Knot make glue of wildcards below a cut (RFC 1034 section 4.3.3: a delegation cancels them), and of what the outer "
                         "zone says of hosts in an inner one; ours takes the inner zone's own data (RFC 2181 section 5.4.1)",
}
DNAME, DS, HTTPS = 39, 43, 65


class Corpus:
    """What explaining needs of the zones."""

    def __init__(self, maker):
        self.hidden = maker.hidden
        self.zones = {zone.name for zone in maker.zones}
        lower = lambda name: tuple(label.lower() for label in name)
        self.owners = {lower(owner) for zone in maker.zones for owner in zone.owners()}
        self.cuts = {owner for zone in maker.zones for owner, _, kind, _ in zone.records if kind == "NS" and owner != zone.name}
        inner = [zone for zone in self.zones if self.nested(zone) and zone not in self.cuts]
        self.undelegated = {zone[n:] for zone in inner for n in range(len(zone) - len(self.zone_of(zone[1:])))}

    def zone_of(self, name):
        while name and name not in self.zones:
            name = name[1:]
        return name

    def nested(self, name):
        return bool(self.zone_of(self.zone_of(name)[1:]))

    def chain(self, query, reply):
        """The names a reply goes through, the question's first."""
        links = {r[0]: name_at(r[3], 0)[0] for r in reply.answer if r[1] == 5}
        names = [tuple(label.lower() for label in query[0])]
        while names[-1] in links and links[names[-1]] not in names:
            names.append(links[names[-1]])
        return names + [links[names[-1]]] if names[-1] in links else names

    def inner_or_wild(self, records):
        """All of these are of hosts in zones inside others, or made by wildcards below cuts."""
        return all(self.nested(r[0]) or r[0] not in self.owners and any(r[0][n:] in self.cuts for n in range(1, len(r[0]))) for r in records)


def differing(a, b):
    return {field for field in Reply._fields if getattr(a, field) != getattr(b, field)}


def without_extras(reply):
    """As NSD's minimal responses have it: additional data goes with referrals alone."""
    referral = not reply.aa and not reply.answer and reply.rcode == "NOERROR"
    return reply if referral else reply._replace(additional=frozenset())


def why_not_knot(corpus, query, ours, knot):
    """Names of the reasons; empty where there is none."""
    chain, found = corpus.chain(query, ours), []
    renamed = {(r[1], r[2], r[3]): r for r in ours.answer if r[1] == DNAME and r[0][0] == b"*"}
    answer = frozenset(r if r in ours.answer else renamed.get(r[1:], r) for r in knot.answer)
    if answer != knot.answer:
        found.append("wildcard DNAME")
        knot = knot._replace(answer=answer)
    if any(r[0][0] == b"*" for r in knot.additional) and {r[1:] for r in ours.additional} <= {r[1:] for r in knot.additional}:
        found.append("unmade wildcard")
        knot = knot._replace(additional=ours.additional)
    fields = differing(ours, knot)
    if not fields:
        return found
    if query[1] == DS and len(chain) > 1 and chain[-1] in corpus.zones:
        return found + ["DS behind an alias"]
    if len({corpus.zone_of(name) for name in chain}) > 1:
        return found + ["chain between zones" if knot.answer <= ours.answer else "chain in one zone"]
    if knot.answer < ours.answer and len(chain) > 6:
        return found + ["long chain"]
    if fields == {"additional"} and query[1] == HTTPS and all(r[0] in chain for r in ours.additional - knot.additional):
        return found + ["HTTPS of the owner"]
    if any(name[n:] in corpus.undelegated for name in chain for n in range(len(name))) or corpus.hidden and query[1] == DS and chain[-1] in corpus.zones:
        return found + ["inner zone"]
    return []


def why_not_nsd(corpus, query, ours, nsd):
    if differing(ours, nsd) == {"rcode"} and (ours.rcode, nsd.rcode) == ("NXDOMAIN", "NOERROR") and corpus.nested(corpus.chain(query, ours)[-1]):
        return ["one tree"]
    return None


def once(reply):
    return reply._replace(answer=reply.answer - TWICE, additional=reply.additional - TWICE)


def why(corpus, query, ours, knot, nsd=None):
    """Reasons for all that differs; None where something has none."""
    least = without_extras(ours)
    nsd = least if nsd is None else without_extras(nsd)
    if once(knot) != knot or once(nsd) != nsd:
        reasons = why(corpus, query, ours, once(knot), once(nsd))
        return None if reasons is None else reasons + ["twice"]
    if ours == knot and least == nsd:
        return []
    glue = ours.additional ^ knot.additional
    if differing(least, nsd) <= {"additional"} and differing(ours, knot) == {"additional"} and corpus.inner_or_wild(glue):
        return ["glue that is none"]
    reasons = []
    for same, explain, peer in ((least == nsd, why_not_nsd, nsd), (ours == knot, why_not_knot, knot)):
        if not same:
            found = explain(corpus, query, ours, peer)
            if not found:
                return None
            reasons += found
    return reasons


# ---------------------------------------------------------------- comparing

def told(reply):
    if reply is None:
        return "silence"
    lines = [f"{reply.rcode}{' aa' * reply.aa}{' tc' * reply.tc}"]
    for section in ("answer", "authority", "additional"):
        lines += sorted(f"{section:10} {shown(r[0])} {r[2]} TYPE{r[1]} {r[3]}" if len(r) > 1 else str(r) for r in getattr(reply, section))
    return "\n        ".join(lines)


def compare(maker, servers, count):
    corpus, queries = Corpus(maker), maker.queries(count)
    replies = [ask_all(server, queries) for server in servers.values()]
    counts, unexplained = collections.Counter(), []
    for query, *found in zip(queries, *replies):
        check(all(found), f"{shown(query[0])} TYPE{query[1]}: silence")
        reasons = why(corpus, query, *found)
        counts.update(reasons or (["the same"] if reasons == [] else ()))
        if reasons is None:
            unexplained.append((query, found))
    for query, found in unexplained[:10]:
        print(f"    {shown(query[0])} TYPE{query[1]}")
        for name, reply in zip(servers, found):
            print(f"      {name}: {told(reply)}")
    print("  " + ", ".join(f"{reason}: {count}" for reason, count in counts.most_common()))
    check(not unexplained, f"{len(unexplained)} differences without a reason")


@story(f"NSD and Knot answer {QUERIES} questions to {RICH} strange and {PLAIN} plain zones as Fairway does (seed {SEED})")
def _(lab):
    maker = Maker(SEED, RICH, PLAIN)
    zones = write_zones(lab.directory / "zones", maker.zones)
    start = {"fairway": start_fairway, "knot": start_knot, "nsd": start_nsd}
    compare(maker, {name: make(lab, zones) for name, make in start.items()}, QUERIES)


@story("Knot, too, does not answer what an inner zone hides of the outer one")
def _(lab):
    maker = Maker(SEED + 1, RICH // 2, 0, hidden=True)
    zones = write_zones(lab.directory / "hidden", maker.zones)
    compare(maker, {"fairway": start_fairway(lab, zones), "knot": start_knot(lab, zones)}, QUERIES // 2)


tell()
