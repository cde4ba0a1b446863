"""A DNS client of our own, small and fast enough to ask a hundred times a second and to look at every field."""

import dataclasses
import ipaddress
import random
import socket
import struct

TYPES = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "NAPTR": 35, "DNAME": 39,
    "OPT": 41, "DS": 43, "SSHFP": 44, "RRSIG": 46, "NSEC": 47, "DNSKEY": 48, "TLSA": 52, "SVCB": 64, "HTTPS": 65, "ANY": 255,
    "CAA": 257,
}
NAMES = {number: name for name, number in TYPES.items()}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 6: "YXDOMAIN", 16: "BADVERS", 23: "BADCOOKIE"}
SUBNET = 8  # EDNS option, RFC 7871


class Silence(Exception):
    """No answer in time."""


@dataclasses.dataclass
class Record:
    name: str
    kind: str
    ttl: int
    data: object  # text for addresses and names, a tuple for SOA, bytes for all else


@dataclasses.dataclass
class Answer:
    id: int
    flags: int
    rcode: str
    question: bytes  # as it came back, on the wire
    answers: list
    authority: list
    additional: list
    edns: object     # None, or (payload size, version, flags, [(option, bytes)])
    size: int

    aa = property(lambda self: bool(self.flags & 0x0400))
    tc = property(lambda self: bool(self.flags & 0x0200))
    rd = property(lambda self: bool(self.flags & 0x0100))
    ra = property(lambda self: bool(self.flags & 0x0080))

    @property
    def addresses(self):
        return sorted(record.data for record in self.answers if record.kind in ("A", "AAAA"))

    def __str__(self):
        return f"{self.rcode} {self.addresses or [r.kind for r in self.answers]}"


def wire_name(name):
    return b"".join(bytes([len(label)]) + label.encode("latin-1") for label in name.rstrip(".").split(".") if label) + b"\0"


def query(name, kind="A", *, id=None, rd=False, edns=None, subnet=None, options=(), version=0):
    """The bytes of a question. `edns` is the payload size to announce; `subnet` "203.0.113.0/24" implies EDNS."""
    options = list(options)
    if subnet is not None:
        network = ipaddress.ip_network(subnet)
        octets = network.network_address.packed[:(network.prefixlen + 7) // 8]
        options.append((SUBNET, struct.pack("!HBB", 1 if network.version == 4 else 2, network.prefixlen, 0) + octets))
    if options and edns is None:
        edns = 1232
    id = random.getrandbits(16) if id is None else id
    number = kind if isinstance(kind, int) else TYPES[kind]
    packet = struct.pack("!HHHHHH", id, 0x0100 if rd else 0, 1, 0, 0, 0 if edns is None else 1)
    packet += wire_name(name) + struct.pack("!HH", number, 1)
    if edns is not None:
        data = b"".join(struct.pack("!HH", code, len(value)) + value for code, value in options)
        packet += b"\0" + struct.pack("!HHIH", 41, edns, version << 16, len(data)) + data
    return packet


def parse(packet):
    id, flags, questions, answers, authority, additional = struct.unpack_from("!HHHHHH", packet)
    at = 12
    for _ in range(questions):
        _, at = _name(packet, at)
        at += 4
    question = packet[12:at]
    sections = []
    for count in (answers, authority, additional):
        records = []
        for _ in range(count):
            record, at = _record(packet, at)
            records.append(record)
        sections.append(records)
    if at != len(packet):
        raise ValueError(f"{len(packet) - at} octets after the message")
    edns, extended = None, 0
    for record in [r for r in sections[2] if r.kind == "OPT"]:
        payload, ttl, options = record.data
        extended = ttl >> 24
        edns = (payload, ttl >> 16 & 255, ttl & 0xFFFF, options)
        sections[2].remove(record)
    code = extended << 4 | flags & 15
    return Answer(id, flags, RCODES.get(code, str(code)), question, *sections, edns, len(packet))


def ask(server, name, kind="A", *, tcp=False, timeout=1.0, **how):
    """Asks (address, port) and returns the Answer; Silence if none comes."""
    packet = query(name, kind, **how)
    reply = exchange_tcp(server, packet, timeout) if tcp else exchange_udp(server, packet, timeout)
    return parse(reply)


def exchange_udp(server, packet, timeout=1.0):
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.connect(server)
        try:
            s.send(packet)
            while True:
                reply = s.recv(65535)
                if reply[:2] == packet[:2]:
                    return reply
        except (socket.timeout, ConnectionRefusedError) as problem:
            raise Silence(f"{server}: {problem}") from None


def exchange_tcp(server, packet, timeout=1.0):
    try:
        with socket.create_connection(server, timeout) as s:
            s.sendall(struct.pack("!H", len(packet)) + packet)
            length = struct.unpack("!H", read_exactly(s, 2))[0]
            return read_exactly(s, length)
    except OSError as problem:
        raise Silence(f"{server}: {problem}") from None


def read_exactly(s, size):
    data = b""
    while len(data) < size:
        part = s.recv(size - len(data))
        if not part:
            raise ConnectionError("closed in the middle of a message")
        data += part
    return data


def _name(packet, at):
    labels, end = [], None
    for _ in range(128):
        length = packet[at]
        if length >= 0xC0:
            end = end or at + 2
            at = struct.unpack_from("!H", packet, at)[0] & 0x3FFF
        elif length:
            labels.append(packet[at + 1:at + 1 + length].decode("latin-1"))
            at += 1 + length
        else:
            return ".".join(labels) + ".", end or at + 1
    raise ValueError("a name that does not end")


def _record(packet, at):
    name, at = _name(packet, at)
    number, cls, ttl, length = struct.unpack_from("!HHIH", packet, at)
    at += 10
    raw = packet[at:at + length]
    kind = NAMES.get(number, f"TYPE{number}")
    if kind == "A":
        data = socket.inet_ntoa(raw)
    elif kind == "AAAA":
        data = socket.inet_ntop(socket.AF_INET6, raw)
    elif kind in ("NS", "CNAME", "PTR", "DNAME"):
        data = _name(packet, at)[0]
    elif kind == "SOA":
        mname, after = _name(packet, at)
        rname, after = _name(packet, after)
        data = (mname, rname, *struct.unpack_from("!IIIII", packet, after))
    elif kind == "OPT":
        data = (cls, ttl, _options(raw))
    else:
        data = raw
    return Record(name, kind, ttl, data), at + length


def _options(raw):
    found, at = [], 0
    while at < len(raw):
        code, length = struct.unpack_from("!HH", raw, at)
        found.append((code, raw[at + 4:at + 4 + length]))
        at += 4 + length
    return found
