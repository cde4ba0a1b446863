"""Zones and queries by the thousand, from a seed: all that bends RFC 1034 section 4.3.2, in every mixture.

A name is a tuple of labels (bytes), the root (); a zone a list of records whose data is presentation form. What is made
here any name server must take: nothing stands beside a CNAME or below a DNAME, and no wildcard owns NS.
"""

import dataclasses
import random

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "NAPTR": 35, "DNAME": 39,
         "DS": 43, "SSHFP": 44, "TLSA": 52, "HTTPS": 65, "CAA": 257, "TYPE65280": 65280}
ASKED = ["A", "A", "AAAA", "NS", "SOA", "MX", "TXT", "CNAME", "DNAME", "DS", "DS", "SRV", "PTR", "CAA", "HTTPS", "TYPE65280"]

# Few labels, so that names meet; an asterisk that is no wildcard's; octets that are written as escapes.
LABELS = [b"a", b"b", b"c", b"d", b"e", b"f", b"www", b"mail", b"_tcp", b"x-y", b"0", b"a" * 63, b"*a", b"d.t", b"s p", b"\xe9"]
USUAL = [b"a", b"b", b"c", b"d", b"e"]


@dataclasses.dataclass
class Zone:
    name: tuple
    records: list = dataclasses.field(default_factory=list)  # (owner, ttl, type, data)

    def text(self):
        lines = [f"{shown(owner)} {ttl} IN {kind} {data}" for owner, ttl, kind, data in self.records]
        return "\n".join(lines) + "\n"

    def owners(self):
        return list(dict.fromkeys(owner for owner, *_ in self.records))


def shown(name):
    """A name in presentation form."""
    def octet(c):
        if chr(c).isalnum() and c < 128 or c in b"-_*":
            return chr(c)
        return f"\\{c:03}"
    return "".join("".join(octet(c) for c in label) + "." for label in name) or "."


def wire(name):
    return b"".join(bytes([len(label)]) + label for label in name) + b"\0"


def fits(name):
    return len(wire(name)) <= 255


class Maker:
    """Makes one corpus. `plain` zones of a few records stand beside `rich` ones: a node may serve thousands.

    With `hidden`, zones also hold names that another zone inside them answers for.
    """

    def __init__(self, seed, rich, plain, hidden=False):
        self.rng = random.Random(seed)
        self.hidden = hidden
        self.zones = []
        for n in range(rich):
            self.zones.append(Zone((b"z%d" % n, b"test")))
            self._inner(self.zones[-1])
        for n in range(plain):
            self.zones.append(Zone((b"p%d" % n, b"many", b"test")))
        self.names = {zone.name for zone in self.zones}
        for zone in self.zones:
            self._apex(zone)
            if zone.name[0].startswith(b"p"):
                self._add(zone, (b"www",) + zone.name, "A", self._address())
            else:
                _Filler(self, zone).fill()

    def _inner(self, outer):
        """Some zones have a zone of ours inside, one label below or deeper, and perhaps another in that."""
        rng, name = self.rng, outer.name
        while rng.random() < 0.35:
            name = tuple(rng.choice(USUAL) for _ in range(rng.choice([1, 1, 2]))) + name
            if name not in {zone.name for zone in self.zones}:
                self.zones.append(Zone(name))

    def _apex(self, zone):
        rng = self.rng
        minimum = rng.choice([5, 60, 900])
        zone.records.append((zone.name, rng.choice([60, 300, 3600]), "SOA", f"ns1.{shown(zone.name)} h.{shown(zone.name)} 1 3600 600 86400 {minimum}"))
        self._add(zone, zone.name, "NS", "ns1." + shown(zone.name))
        self._add(zone, (b"ns1",) + zone.name, "A", self._address())
        if rng.random() < 0.3:
            self._add(zone, (b"ns1",) + zone.name, "AAAA", self._address6())
        if rng.random() < 0.3:
            self._add(zone, zone.name, "NS", "ns.elsewhere.example.")

    def _add(self, zone, owner, kind, data):
        """One TTL a set: name servers differ over what to make of several (RFC 2181 section 5.2 forbids them)."""
        ttl = next((t for o, t, k, _ in zone.records if (o, k) == (owner, kind)), None)
        record = (owner, self.rng.choice([30, 300, 7200]) if ttl is None else ttl, kind, data)
        if record not in zone.records:
            zone.records.append(record)

    def _address(self):
        return f"192.0.2.{self.rng.randrange(1, 255)}"

    def _address6(self):
        return f"2001:db8::{self.rng.randrange(1, 0xffff):x}"

    # ---- queries

    def queries(self, count):
        """(name, type number): names that are there, above, below and beside them, in random case."""
        rng = self.rng
        pool = [(zone, owner) for zone in self.zones for owner in zone.owners()]
        found = []
        while len(found) < count:
            zone, owner = rng.choice(pool)
            name = self._near(zone, owner)
            if fits(name):
                found.append((tuple(self._case(label) for label in name), TYPES[rng.choice(ASKED)]))
        return found

    def _near(self, zone, owner):
        rng = self.rng
        draw = rng.random()
        if draw < 0.4:
            return owner
        if draw < 0.6:
            return (self._label(),) + owner
        if draw < 0.7:
            return (self._label(), self._label()) + owner
        if draw < 0.8:
            return owner[1:] if len(owner) > len(zone.name) - 1 else owner  # at times above the apex
        if draw < 0.9:
            return (self._label(),) + owner[1:]
        if draw < 0.95:
            return (b"*",) + owner
        return (self._label(),) * rng.randrange(1, 4) + zone.name

    def _label(self):
        return self.rng.choice(LABELS if self.rng.random() < 0.3 else USUAL)

    def _case(self, label):
        return bytes(c ^ 0x20 if chr(c).isascii() and chr(c).isalpha() and self.rng.random() < 0.3 else c for c in label)


class _Filler:
    """The names of one rich zone."""

    def __init__(self, maker, zone):
        self.maker, self.zone, self.rng = maker, zone, maker.rng
        self.alone = {}      # owner: CNAME or DNAME, beside or below which little may stand
        self.taken = {owner for owner, *_ in zone.records}

    def fill(self):
        makers = [self._data, self._data, self._data, self._wildcard, self._wildcard, self._alias, self._alias, self._chain, self._dname,
                  self._cut, self._cut]
        if self.rng.random() < 0.5:
            self._delegate_inner()
        for _ in range(self.rng.randrange(8, 40)):
            self.rng.choice(makers)()

    def _owner(self, first=None):
        rng = self.rng
        depth = rng.choice([1, 1, 2, 2, 3, 4])
        labels = tuple(self.maker._label() for _ in range(depth))
        if first is not None:
            labels = (first,) + labels[:depth - 1]
        if rng.random() < 0.05:
            labels = labels[:1] + (b"*",) + labels[1:]
        name = labels + self.zone.name
        return name if fits(name) else self._owner(first)

    def _ours(self, owner):
        """No zone inside this one answers for it."""
        return self.maker.hidden or not any(owner[n:] in self.maker.names for n in range(len(owner) - len(self.zone.name)))

    def _free(self, owner):
        """Nothing stands there, and nothing above it forbids it."""
        return owner not in self.taken and self._allowed(owner)

    def _allowed(self, owner):
        if self.alone.get(owner) == "CNAME" or not self._ours(owner):
            return False
        return not any(self.alone.get(owner[n:]) == "DNAME" for n in range(1, len(owner)))

    def _put(self, owner, kind, data):
        self.taken.add(owner)
        self.maker._add(self.zone, owner, kind, data)

    def _target(self):
        """A name to point at: here, in another zone of ours, nowhere, or elsewhere."""
        rng = self.rng
        draw = rng.random()
        if draw < 0.6 and self.taken:
            name = rng.choice(sorted(self.taken))
            return name if name[0] != b"*" else (self.maker._label(),) + name[1:]
        if draw < 0.75:
            return (self.maker._label(),) + self.zone.name
        if draw < 0.9:
            return (rng.choice([b"ns1", b"www", b"a"]),) + rng.choice(self.maker.zones).name
        return (b"host", b"elsewhere", b"example")

    def _data_at(self, owner):
        rng, m = self.rng, self.maker
        for _ in range(rng.choice([1, 1, 2, 3])):
            kind, data = rng.choice([
                ("A", m._address()), ("A", m._address()), ("AAAA", m._address6()), ("TXT", '"t\\"x;t" "%d"' % rng.randrange(9)),
                ("MX", f"{rng.randrange(9)} {shown(self._target())}"), ("SRV", f"1 2 {rng.randrange(9999)} {shown(self._target())}"),
                ("PTR", shown(self._target())), ("CAA", '0 issue "ca.example"'), ("HTTPS", "1 . alpn=h2"),
                ("HTTPS", f"1 {shown(self._target())} alpn=h2"),
                ("NAPTR", f'1 1 "u" "s" "!^.*$!x!" {shown(self._target())}'), ("SSHFP", "4 2 " + "ab" * 32), ("TLSA", "3 1 1 " + "cd" * 32),
                ("TYPE65280", "\\# 3 0a0b0c")])
            self._put(owner, kind, data)

    def _data(self):
        owner = self._owner()
        if self._allowed(owner) and not self._is_cut(owner):
            self._data_at(owner)

    def _wildcard(self):
        owner = self._owner(b"*")
        if not self._free(owner):
            return
        draw = self.rng.random()
        if draw < 0.6:
            self._data_at(owner)
        elif draw < 0.9 or self._has_below(owner):
            self._put(owner, "CNAME", shown(self._target()))
            self.alone[owner] = "CNAME"
        else:
            self._put(owner, "DNAME", shown(self._target()))
            self.alone[owner] = "DNAME"

    def _alias(self):
        owner = self._owner()
        if self._free(owner):
            self._put(owner, "CNAME", shown(self._target()))
            self.alone[owner] = "CNAME"

    def _chain(self):
        """CNAMEs one after the other; some bite their own tail."""
        links = [self._owner() for _ in range(self.rng.randrange(2, 8))]
        links = [link for n, link in enumerate(links) if self._free(link) and link not in links[:n]]
        end = self._target() if self.rng.random() < 0.6 or not links else self.rng.choice(links)
        for link, following in zip(links, links[1:] + [end]):
            self._put(link, "CNAME", shown(following))
            self.alone[link] = "CNAME"

    def _has_below(self, owner):
        return any(len(o) > len(owner) and o[-len(owner):] == owner for o in self.taken | self.maker.names)

    def _dname(self):
        owner = self._owner()
        if self._free(owner) and not self._has_below(owner):
            target = self._target()
            self._put(owner, "DNAME", shown(target if self.rng.random() < 0.8 else self.zone.name))
            self.alone[owner] = "DNAME"

    def _is_cut(self, owner):
        return owner != self.zone.name and any((o, k) == (owner, "NS") for o, _, k, _ in self.zone.records)

    def _cut(self):
        owner = self._owner()
        if not self._free(owner) or owner[0] == b"*" or owner in self.maker.names:
            return
        self._servers(owner)

    def _delegate_inner(self):
        for other in self.maker.zones:
            inner = len(other.name) > len(self.zone.name) and other.name[-len(self.zone.name):] == self.zone.name
            if inner and (self._free(other.name) if self.maker.hidden else self._ours(other.name[1:]) and other.name not in self.taken):
                self._servers(other.name)

    def _servers(self, cut):
        """NS in the cut, beside it, elsewhere; with addresses, at times without; DS; and what the cut hides."""
        rng, m = self.rng, self.maker
        for n in range(rng.choice([1, 2, 3])):
            draw = rng.random()
            server = (b"ns%d" % n,) + cut if draw < 0.5 else self._target()
            if not fits(server):
                server = self._target()
            self._put(cut, "NS", shown(server))
            if server[-len(cut):] == cut and self._allowed(server) and rng.random() < 0.9:
                self._put(server, "A", m._address())
                if rng.random() < 0.5:
                    self._put(server, "AAAA", m._address6())
        if rng.random() < 0.4:
            self._put(cut, "DS", "1 8 2 " + "ef" * 32)
        if rng.random() < 0.3:
            hidden = (m._label(),) + cut
            if self._free(hidden) and fits(hidden):
                self._data_at(hidden)
        if rng.random() < 0.2 and (b"*",) + cut not in self.taken and fits((b"*",) + cut):
            self._put((b"*",) + cut, "TXT", '"hidden"')
