#!/usr/bin/python3
"""The rules of the message by table: name x type x flags, and what is wrong on purpose. What a question may carry besides
itself (flags, EDNS, options, transport) must not change what it is answered."""

import itertools
import random
import struct

from world import CONFIG, ZONE, check, equal, full, setup, story, tell
from lab.dns import SUBNET, Silence, exchange_tcp, exchange_udp, parse, query, read_exactly
import socket

NSID, COOKIE, KEEPALIVE, PADDING = 3, 10, 11, 12
IDENTITY = "ns1.test"
CLIENT_COOKIE = bytes(range(8))

SETTINGS = CONFIG.replace('dns: {listen: ["$dns"]}', f"""
dns:
  listen: ["$dns"]
  nsid: {IDENTITY}
  chaos: {{version: "Fairway", identity: {IDENTITY}}}""")

NAMES = ["", "plain", "dual", "mail", "alias", "twice", "outside", "dangling", "nowhere", "very.deep", "a.very.deep", "web",
         "x.plain", "www.example.org."]
TYPES = ["A", "AAAA", "TXT", "MX", "SOA", "NS", "HTTPS", "ANY", 65280]

# What a question carries: (header flags, EDNS or None, EDNS flags, options).
V4 = struct.pack("!HBB", 1, 24, 0) + bytes([203, 0, 113])
V6 = struct.pack("!HBB", 2, 48, 0) + bytes.fromhex("20010db8000e")
NO_SUBNET = struct.pack("!HBB", 0, 0, 0)
VARIANTS = {
    "RD": (0x0100, None, 0, ()),
    "AD and CD": (0x0030, None, 0, ()),
    "AA, TC, RA, Z and a response code": (0x06CF, None, 0, ()),
    "EDNS": (0, 1232, 0, ()),
    "EDNS, a payload of 0": (0, 0, 0, ()),
    "EDNS, DO": (0x0100, 4096, 0x8000, ()),
    "EDNS, unknown flags": (0, 1232, 0x7FFF, ()),
    "NSID": (0, 1232, 0, ((NSID, b""),)),
    "a cookie": (0, 1232, 0, ((COOKIE, CLIENT_COOKIE),)),
    "a cookie of another server": (0, 1232, 0, ((COOKIE, CLIENT_COOKIE + bytes(32)),)),
    "keepalive": (0, 1232, 0, ((KEEPALIVE, b""),)),
    "padding and what nobody knows": (0, 1232, 0, ((PADDING, bytes(40)), (65001, b"x"), (0, b""))),
    "IPv4 client subnet": (0, 1232, 0, ((SUBNET, V4),)),
    "IPv6 client subnet": (0, 1232, 0, ((SUBNET, V6),)),
    "no client subnet, please": (0, 1232, 0, ((SUBNET, NO_SUBNET),)),
    "everything": (0x0130, 4096, 0x8000, ((65001, b""), (SUBNET, V4), (NSID, b""), (COOKIE, CLIENT_COOKIE), (KEEPALIVE, b""))),
}


def packet(name, kind, flags=0, edns=None, edns_flags=0, options=(), **how):
    made = bytearray(query(name, kind, edns=edns, options=options, **how))
    made[2:4] = struct.pack("!H", flags)
    if edns is not None:
        at = made.index(b"\0\0\x29", 12 + 4)  # the OPT record: root, type 41
        made[at + 7:at + 9] = struct.pack("!H", edns_flags)
    return bytes(made)


def random_case(name, rng):
    return "".join(rng.choice((c.lower(), c.upper())) for c in name)


def content(answer):
    """What must not depend on how it was asked, without regard to case and order."""
    def records(section):
        return sorted((r.name.lower(), r.kind, r.ttl, str(r.data).lower()) for r in section)
    return answer.rcode, answer.aa, records(answer.answers), records(answer.authority), records(answer.additional)


def options_of(answer):
    return dict(answer.edns[3]) if answer.edns else {}


class Connection:
    """One TCP connection for all questions."""

    def __init__(self, server):
        self.socket = socket.create_connection(server, 20)

    def exchange(self, packet):
        self.socket.sendall(struct.pack("!H", len(packet)) + packet)
        return read_exactly(self.socket, struct.unpack("!H", read_exactly(self.socket, 2))[0])


@story("name x type x flags: what a question carries does not change its answer")
def _(fairway):
    rng, tcp, asked = random.Random(3), Connection(fairway.dns), 0
    for name, kind in itertools.product(NAMES, TYPES):
        name = name if name.endswith(".") else full(name)
        plain = content(parse(exchange_udp(fairway.dns, packet(name, kind))))
        for what, (flags, edns, edns_flags, options) in VARIANTS.items():
            for transport in ("udp", "tcp"):
                case = f"{name} {kind} with {what} by {transport}"
                sent = packet(random_case(name, rng), kind, flags, edns, edns_flags, options)
                received = tcp.exchange(sent) if transport == "tcp" else exchange_udp(fairway.dns, sent, 10)
                answer = parse(received)
                asked += 1
                equal(content(answer), plain, case)
                equal(answer.id, struct.unpack_from("!H", sent)[0], f"{case}: id")
                equal(answer.question, sent[12:12 + len(answer.question)], f"{case}: the question as it was asked")
                equal(answer.flags & 0xF9F0, 0x8000 | flags & 0x0100, f"{case}: QR and RD, no opcode, RA, Z, AD or CD")
                if edns is None:
                    equal(answer.edns, None, f"{case}: no EDNS")
                    continue
                payload, version, back, _ = answer.edns
                equal((payload, version, back), (1232, 0, edns_flags & 0x8000), f"{case}: OPT")
                found, sent_options = options_of(answer), dict(options)
                expected = set(sent_options) & {NSID, COOKIE, SUBNET} | ({KEEPALIVE} & set(sent_options) if transport == "tcp" else set())
                equal(set(found), expected, f"{case}: options")
                if NSID in found:
                    equal(found[NSID], IDENTITY.encode(), f"{case}: NSID")
                if COOKIE in found:
                    equal((len(found[COOKIE]), found[COOKIE][:12]), (24, CLIENT_COOKIE + b"\1\0\0\0"), f"{case}: cookie")
                if SUBNET in found:
                    equal(found[SUBNET], sent_options[SUBNET], f"{case}: client subnet, scope 0")
                if KEEPALIVE in found:
                    equal(found[KEEPALIVE], struct.pack("!H", 100), f"{case}: 10 s")
    print(f"  {asked} questions", flush=True)


def with_opt(base, count=1, name=b"\0", options=b"", length=None, version=0):
    """`base` with so many OPT records of this form."""
    record = name + struct.pack("!HHIH", 41, 1232, version << 16, len(options) if length is None else length) + options
    return base[:10] + struct.pack("!H", count) + base[12:] + record * count


def option(code, body):
    return struct.pack("!HH", code, len(body)) + body


@story("what is wrong has its error, in both transports, and nothing more")
def _(fairway):
    base = packet(full("near"), "A")
    question = base[12:]
    header = lambda flags=0, counts=(1, 0, 0, 0): struct.pack("!HHHHHH", 7, flags, *counts)
    of_class = lambda number: base[:-2] + struct.pack("!H", number)
    subnets = {
        "nothing": b"", "too short": V4[:3], "no address": V4[:4], "one octet too few": V4[:-1], "one too many": V4 + b"\0",
        "a family nobody knows": struct.pack("!HBB", 3, 0, 0), "an address of no family": struct.pack("!HBB", 0, 8, 0) + b"\x0a",
        "33 bits": struct.pack("!HBB", 1, 33, 0) + bytes(5), "129 bits": struct.pack("!HBB", 2, 129, 0) + bytes(17),
        "scope in a question": struct.pack("!HBB", 1, 24, 24) + V4[4:], "bits beyond": struct.pack("!HBB", 1, 20, 0) + bytes([203, 0, 127]),
    }
    cookies = [n for n in range(48) if n != 8 and not 16 <= n <= 40]
    rows = [
        ("two questions", header(counts=(2, 0, 0, 0)) + question * 2, "FORMERR"),
        ("no question", header(counts=(0, 0, 0, 0)), "FORMERR"),
        ("an answer in a question", header(counts=(1, 1, 0, 0)) + question, "FORMERR"),
        ("octets after the end", base + b"\0", "FORMERR"),
        ("two OPT records", with_opt(base, 2), "FORMERR"),
        ("an OPT record with a name", with_opt(base, name=b"\1a\0"), "FORMERR"),
        ("an OPT record cut short", with_opt(base, options=b"\0\1", length=4), "FORMERR"),
        ("an option cut short", with_opt(base, options=b"\0\1\0\4a"), "FORMERR"),
        ("EDNS version 1", with_opt(base, version=1), "BADVERS"),
        ("EDNS version 255, options unread", with_opt(base, version=255, options=b"\0\1\0\4a"), "BADVERS"),
        *((f"opcode {n}", header(n << 11) + question, "NOTIMP") for n in range(1, 16)),
        *((f"class {n}", of_class(n), "REFUSED") for n in (0, 2, 4, 254, 255)),
        ("a name of class CH that is not the server's", of_class(3), "REFUSED"),
        ("AXFR", packet(ZONE, 252), "REFUSED"), ("IXFR", packet(ZONE, 251), "REFUSED"),
        *((f"client subnet, {what}", with_opt(base, options=option(SUBNET, body)), "FORMERR") for what, body in subnets.items()),
        ("two client subnets", with_opt(base, options=option(SUBNET, V4) * 2), "FORMERR"),
        *((f"a cookie of {n} octets", with_opt(base, options=option(COOKIE, bytes(n))), "FORMERR") for n in cookies),
        ("two cookies, of which the second is broken", with_opt(base, options=option(COOKIE, bytes(8)) + option(COOKIE, b"x")), "NOERROR"),
    ]
    for what, sent, rcode in rows:
        for exchange in (exchange_udp, exchange_tcp):
            answer = parse(exchange(fairway.dns, sent, 10))
            equal(answer.rcode, rcode, f"{what} by {exchange.__name__}")
            if rcode != "NOERROR":
                equal((answer.answers, answer.authority, answer.additional, answer.aa), ([], [], [], False), f"{what}: nothing more")
            check(SUBNET not in options_of(answer), f"{what}: no client subnet in the answer to what is wrong")
    for what, sent in (("a response", header(0x8000) + question), ("eleven octets", base[:11]), ("nothing", b"")):
        try:
            check(False, f"{what} was answered: {exchange_udp(fairway.dns, sent, 0.2)!r}")
        except Silence:
            pass
    print(f"  {len(rows)} ways to be wrong", flush=True)


@story("ANY is one set (RFC 8482), and the server says who it is in class CH")
def _(fairway):
    for name in ("mail", "dual", ""):
        answer = parse(exchange_udp(fairway.dns, packet(full(name), "ANY", edns=1232)))
        equal((answer.rcode, len({r.kind for r in answer.answers})), ("NOERROR", 1), f"ANY of {name}")
    for name, text in (("version.bind.", "Fairway"), ("version.server.", "Fairway"), ("id.server.", IDENTITY), ("HOSTNAME.bind.", IDENTITY)):
        sent = bytearray(packet(name, "TXT"))
        sent[-1] = 3
        answer = parse(exchange_udp(fairway.dns, bytes(sent)))
        equal((answer.rcode, answer.answers[0].data), ("NOERROR", bytes([len(text)]) + text.encode()), name)


tell(lambda lab: setup(lab, SETTINGS))
