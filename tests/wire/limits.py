#!/usr/bin/python3
"""Cookies that several servers share, response rate limiting, and floods: of TCP that leave UDP unharmed, and the reverse."""

import os
import signal
import socket
import struct
import subprocess
import sys
import time

from world import CONFIG, check, equal, full, setup, story, tell, wait_until
from lab.dns import exchange_tcp, exchange_udp, parse, query

COOKIE = 10
CLIENT_COOKIE = bytes(range(1, 9))
OLD, NEW = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"
FLOOD_SECONDS = 4


def settings(text):
    return CONFIG.replace('dns: {listen: ["$dns"]}', 'dns: {listen: ["$dns"], ' + text + "}")


STRICT = settings("cookies: {secrets: cookie.secrets, required: true}")


def asked(fairway, cookie):
    """(rcode, cookie) for a question with this cookie."""
    answer = fairway.ask(full("plain"), timeout=10, options=[(COOKIE, cookie)])
    return answer.rcode, dict(answer.edns[3]).get(COOKIE)


def give_secrets(fairway, *secrets):
    path = fairway.home / "cookie.secrets"
    path.touch(mode=0o600)
    path.write_text("".join(secret + "\n" for secret in secrets))


# ---------------------------------------------------------------- cookies

@story("a cookie of one server is good at the other, and secrets are rotated without a bad one")
def _(pair):
    one, two = pair
    rcode, cookie = asked(one, CLIENT_COOKIE)
    equal(rcode, "BADCOOKIE", "first contact")
    equal(asked(one, cookie), ("NOERROR", cookie), "its own cookie")
    equal(asked(two, cookie), ("NOERROR", cookie), "the other's cookie")
    equal(one.ask(full("plain")).rcode, "NOERROR", "who knows no cookies")
    equal(one.ask(full("plain"), tcp=True, timeout=10, options=[(COOKIE, CLIENT_COOKIE)]).rcode, "NOERROR", "first contact by TCP")
    for what, secrets, good_at_two in (("the new one is believed everywhere first", (OLD, NEW), True),
                                       ("then it makes cookies", (NEW, OLD), True), ("then the old one goes", (NEW,), False)):
        for server in pair:
            give_secrets(server, *secrets)
            server.ctl("reload")
            for other in pair:  # at every moment of the rotation, a cookie learnt anywhere is good everywhere
                learnt = asked(server, CLIENT_COOKIE)[1]
                equal(asked(other, learnt)[0], "NOERROR", f"{what}: a fresh cookie of {server.name} at {other.name}")
        equal(asked(two, cookie)[0], "NOERROR" if good_at_two else "BADCOOKIE", f"{what}: the first cookie")
    for server in pair:
        shown = server.log() + server.get("/metrics") + server.get("/status")
        for secret in (OLD, NEW):
            check(secret not in shown.lower(), "a secret was shown")
    check(one.metric("fairway_dns_cookies_total", cookie="good") > 0, "good cookies are counted")
    check(one.metric("fairway_dns_responses_total", transport="udp", rcode="BADCOOKIE") > 0, "BADCOOKIE is counted")


@story("dig and kdig find their way past BADCOOKIE")
def _(pair):
    where = [f"@{pair[0].dns[0]}", "-p", str(pair[0].dns[1])]
    for tool in (["dig", *where, "+cookie", full("plain")], ["kdig", *where, "+cookie", "+badcookie", full("plain")]):
        out = subprocess.run(tool, capture_output=True, text=True, timeout=30).stdout
        check("192.0.2.40" in out, f"{tool[0]} got no answer:\n{out}")
    check("(good)" in subprocess.run(["dig", *where, "+cookie", "+noshort", full("plain")], capture_output=True, text=True, timeout=30).stdout,
          "dig calls the cookie good")


# ---------------------------------------------------------------- rate limiting

def burst(fairway, count, name, cookie=None):
    """(whole, truncated, BADCOOKIE, silent) of so many questions at once."""
    found = {"whole": 0, "tc": 0, "badcookie": 0}
    packet = query(full(name), options=[(COOKIE, cookie)] if cookie else ())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(1)
        s.connect(fairway.dns)
        for _ in range(count):
            s.send(packet)
        try:
            while sum(found.values()) < count:
                answer = parse(s.recv(4096))
                found["badcookie" if answer.rcode == "BADCOOKIE" else "tc" if answer.tc else "whole"] += 1
        except socket.timeout:
            pass
    return *found.values(), count - sum(found.values())


@story("a network gets its rate of each class, TC for half of the rest, and no more")
def _(pair):
    fairway = pair[0]
    fairway.configure(settings("rate_limit: {responses_per_second: 1, answer: 20, slip: 2}, cookies: {secrets: cookie.secrets}"))
    fairway.ctl("reload")
    begin = time.monotonic()
    whole, tc, badcookie, silent = burst(fairway, 400, "plain")
    most = 20 * (2 + time.monotonic() - begin)  # two workers, each with at least its share
    check(0 < whole <= most, f"{whole} whole answers, {most:.0f} allowed")
    check(tc > 120 and silent > 120 and badcookie == 0, f"slip: {tc} TC, {silent} silent")
    check(burst(fairway, 50, "nowhere")[0] <= 5, "NXDOMAIN has a rate of its own")
    whole, tc, badcookie, silent = burst(fairway, 100, "plain", CLIENT_COOKIE)
    check(badcookie > 20 and tc == 0, f"who knows cookies is told to bring one: {badcookie} BADCOOKIE, {tc} TC")
    cookie = dict(fairway.ask(full("plain"), timeout=10, tcp=True, options=[(COOKIE, CLIENT_COOKIE)]).edns[3])[COOKIE]
    equal(burst(fairway, 100, "plain", cookie), (100, 0, 0, 0), "a good cookie is not limited")
    for _ in range(50):
        equal(fairway.ask(full("plain"), tcp=True, timeout=10).rcode, "NOERROR", "TCP is not limited")
    check(fairway.metric("fairway_dns_rate_limited_total", **{"class": "answer", "action": "dropped"}) >= silent, "dropped is counted")
    check(fairway.metric("fairway_dns_rate_limited_total", **{"class": "answer", "action": "slipped"}) >= tc, "slipped is counted")
    wait_until("the log tells of it", lambda: "msg=rate-limited responses=" in fairway.log(), within=20)
    fairway.configure(settings("rate_limit: {responses_per_second: 1, exempt: [127.0.0.0/8]}"))
    fairway.ctl("reload")
    equal(burst(fairway, 100, "plain"), (100, 0, 0, 0), "an exempt network is not limited")


# ---------------------------------------------------------------- floods

def flood_tcp(address, port, seconds):
    """Many clients that open, ask for much and read nothing, ask byte by byte, or come and go."""
    end, number, held = time.monotonic() + seconds, 0, []
    ask = query(full("long"), "TXT")
    much = (struct.pack("!H", len(ask)) + ask) * 50
    while time.monotonic() < end:
        number += 1
        s = socket.socket()
        s.setblocking(False)
        try:
            s.bind((f"127.1.{os.getpid() % 250}.{number % 60 + 1}", 0))
            s.connect_ex((address, port))
            held.append(s)
            old = held[-min(len(held), 5)]  # connected by now
            old.send((much, much[:1], b"\xff\xff")[number % 3])
        except OSError:
            pass
        if len(held) > 400:
            held.pop(0).close()
    print(number)


def flood_udp(address, port, seconds):
    end, number = time.monotonic() + seconds, 0
    packet = query(full("plain"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((address, port))
        s.setblocking(False)
        while time.monotonic() < end:
            for _ in range(200):
                number += 1
                try:
                    s.send(packet)
                except OSError:
                    pass
    print(number)


def under(flood, fairway, exchange, what):
    """Asks all the while; every question is answered, and the times are told."""
    command = [sys.executable, "-B", __file__, flood, fairway.dns[0], str(fairway.dns[1]), str(FLOOD_SECONDS)]
    floods = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    times = []
    try:
        while any(f.poll() is None for f in floods):
            begin = time.monotonic()
            equal(parse(exchange(fairway.dns, query(full("plain")), 5)).addresses, ["192.0.2.40"], what)
            times.append(time.monotonic() - begin)
            time.sleep(0.01)  # some hundred questions, not a flood of our own
        counts = [int(f.communicate(timeout=30)[0]) for f in floods]
    finally:
        for f in floods:
            if f.poll() is None:
                f.kill()
            f.wait()
            f.stdout.close()
    check(all(counts) and len(times) > 20, f"there was a flood ({counts}) and there were questions ({len(times)})")
    times.sort()
    print(f"  {what}: {len(times)} questions, 0 lost, p50 {times[len(times) // 2] * 1000:.1f} ms, "
          f"p99 {times[len(times) * 99 // 100] * 1000:.1f} ms, beside {sum(counts)} of the flood", flush=True)


@story("a flood of TCP clients leaves UDP unharmed")
def _(pair):
    under("flood-tcp", pair[1], exchange_udp, "UDP under a TCP flood")
    ends = {end: pair[1].metric("fairway_dns_tcp_closed_total", limit=end) for end in ("crowd", "client", "junk", "slow", "idle")}
    check(sum(ends.values()) > 0, f"limits were at work: {ends}")
    equal(parse(exchange_tcp(pair[1].dns, query(full("plain")), 20)).rcode, "NOERROR", "TCP after the flood")


@story("a flood of UDP packets leaves TCP unharmed")
def _(pair):
    under("flood-udp", pair[1], exchange_tcp, "TCP under a UDP flood")
    equal(pair[1].addresses(full("plain")), ["192.0.2.40"], "UDP after the flood")


def stage(lab):
    pair = []
    for name in ("fairwayd-one", "fairwayd-two"):
        pair.append(setup(lab, STRICT, name=name, before=lambda server: give_secrets(server, OLD)))
    return pair


if len(sys.argv) > 1:
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    {"flood-tcp": flood_tcp, "flood-udp": flood_udp}[sys.argv[1]](sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
else:
    tell(stage)
