#!/usr/bin/python3
"""N1: every name of the zone times every type, against an oracle of a few lines; and what dig and kdig make of it."""

import subprocess

from world import (ABSENT, EMPTY, SOA_MINIMUM, STANDS, TARGETS, ZONE, ask, check, equal, full, setup, story, tell)
from lab.dns import TYPES

QUESTIONS = [t for t in TYPES if t not in ("OPT", "ANY")] + ["TYPE65280"]


def number(kind):
    return TYPES.get(kind) or int(kind.removeprefix("TYPE"))


def expected(name, kind):
    """(rcode, types in the answer, in order, is the SOA in the authority section?)"""
    if name in EMPTY:
        return "NOERROR", [], True
    types = STANDS.get(name)
    if types is None:
        return "NXDOMAIN", [], True
    if kind in types:
        return "NOERROR", [kind], False
    if "CNAME" in types:
        target = TARGETS[name]
        if target is None:
            return "NOERROR", ["CNAME"], False
        rcode, chain, negative = expected(target, kind)
        return rcode, ["CNAME"] + chain, negative
    return "NOERROR", [], True


def kinds_of(answer):
    """Types of the answer section, each run of equal ones once."""
    kinds = []
    for record in answer.answers:
        if not kinds or kinds[-1] != record.kind or record.kind == "CNAME":
            kinds.append(record.kind)
    return kinds


@story("every name times every type has the right rcode, answer and authority (N1)")
def _(fairway):
    asked = wrong = 0
    for name in [*STANDS, *EMPTY, *ABSENT]:
        for kind in QUESTIONS:
            answer = fairway.ask(full(name), number(kind))
            if answer.tc:
                answer = fairway.ask(full(name), number(kind), tcp=True)
            rcode, kinds, negative = expected(name, kind)
            soa = [r for r in answer.authority if r.kind == "SOA"]
            asked += 1
            if (answer.rcode, kinds_of(answer), bool(soa)) != (rcode, kinds, negative) or not answer.aa or answer.ra:
                wrong += 1
                print(f"    {full(name)} {kind}: expected {rcode} {kinds} soa={negative}, found {answer.rcode} {kinds_of(answer)} "
                      f"soa={bool(soa)} aa={answer.aa} ra={answer.ra}")
            for record in soa:
                equal(record.ttl, SOA_MINIMUM, f"{full(name)} {kind}: TTL of the SOA of a negative answer")
                equal(record.data[-1], SOA_MINIMUM, "SOA minimum")
                equal(record.name, ZONE + ".", "owner of the SOA")
    print(f"  {asked} questions, {wrong} wrong")
    equal(wrong, 0, "wrong answers")


@story("what is not ours is refused, and ANY is answered with little (RFC 8482)")
def _(fairway):
    for name in ("example.com", "gtm.example.org", "xgtm.example.com", "."):
        answer = fairway.ask(name)
        equal((answer.rcode, answer.answers), ("REFUSED", []), name)
    answer = fairway.ask("mail." + ZONE, "ANY")
    equal(answer.rcode, "NOERROR", "ANY")
    check(answer.answers, "ANY of an existing name has an answer")
    equal(fairway.ask("nowhere." + ZONE, "ANY").rcode, "NXDOMAIN", "ANY of what does not exist")


ROWS = [
    ("plain", "A", ["192.0.2.40"]),
    ("dual", "A", ["192.0.2.41", "192.0.2.42"]),
    ("dual", "AAAA", ["2001:db8::41"]),
    ("ns2", "AAAA", ["2001:db8::53"]),
    ("", "NS", ["ns1.gtm.example.com.", "ns2.gtm.example.com."]),
    ("", "MX", ["10 mail.gtm.example.com."]),
    ("", "TXT", ['"v=spf1 -all"']),
    ("mail", "TXT", ['"hello" "world"']),
    ("alias", "CNAME", ["plain.gtm.example.com."]),
    ("twice", "A", ["192.0.2.40", "alias.gtm.example.com.", "plain.gtm.example.com."]),
    ("_sip._udp", "SRV", ["10 60 5060 mail.gtm.example.com."]),
    ("ca", "CAA", ['0 issue "ca.example.net"']),
    ("point", "PTR", ["mail.gtm.example.com."]),
    ("rule", "NAPTR", ['100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .']),
    ("web", "HTTPS", ['1 . alpn="h2"', "1 . alpn=h2"]),  # as dig and as kdig print it
]


def asked_with(program, fairway, name, kind, *more):
    out = subprocess.run([program, f"@{fairway.dns[0]}", "-p", str(fairway.dns[1]), full(name), kind, "+short", "+time=2", *more],
                         capture_output=True, text=True, timeout=20)
    equal(out.returncode, 0, f"{program} {name} {kind}: exit status ({out.stdout}{out.stderr})")
    return sorted(line.strip() for line in out.stdout.splitlines() if line and not line.startswith(";"))


@story("dig and kdig read the same records, by UDP and by TCP")
def _(fairway):
    for name, kind, expected_text in ROWS:
        for program in ("dig", "kdig"):
            for transport in ("+notcp", "+tcp"):
                found = asked_with(program, fairway, name, kind, transport)
                if kind == "HTTPS":
                    check(len(found) == 1 and found[0] in expected_text, f"{program} {transport} {name} {kind}: {found}")
                else:
                    equal(found, sorted(expected_text), f"{program} {transport} {name} {kind}")


@story("a service answers with its TTL, static records with theirs")
def _(fairway):
    for name, ttl in (("plain", 10), ("dual", 20), ("alias", 300), ("mail", 300)):
        equal(fairway.ask(full(name)).answers[0].ttl, ttl, f"TTL of {name}")
    equal(fairway.ask(full("mail"), "TXT").answers[0].ttl, 600, "TTL given in the file")


tell(setup)
