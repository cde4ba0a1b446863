#!/usr/bin/python3
"""`families: independent` on the wire: a site whose IPv6 is down leaves AAAA answers, and A ones never notice (L11)."""

import http.server
import socket
import threading

from world import HEAD, Fairwayd, check, equal, story, tell, wait_until

NAME = "both.gtm.example.com"
WEST_V4, WEST_V6 = "198.51.100.1", "2001:db8:2::1"
CONFIG = HEAD + """
checks:
  web: {type: http, port: $web_port, path: /, interval: 200ms, timeout: 500ms, rise: 2, hold_down: 200ms}
services:
  both.gtm.example.com:
    policy: {type: active_passive, order: [east, west]}
    failback: auto
    families: independent
    application: web
    endpoints:
      east: {addresses: [$east, "::1"]}
      west: {addresses: [198.51.100.1, "2001:db8:2::1"], unchecked: true}
"""


class Site:
    """A web server on one address; the first takes any port, the other the same."""

    def __init__(self, address, port=0):
        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = Server((address, port), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class World:
    def __init__(self, lab):
        self.v6 = Site("::1")  # whatever listens there does so on no address of the lab's
        self.v4 = Site(lab.address(1), self.v6.port)
        self.east = lab.address(1)
        self.fairway = Fairwayd(lab, CONFIG, east=self.east, web_port=self.v6.port).start()

    def are(self, a, aaaa):
        wait_until(f"A is {a} and AAAA is {aaaa}",
                   lambda: (self.fairway.addresses(NAME), self.fairway.addresses(NAME, "AAAA")) == ([a], [aaaa]), 20)


@story("IPv6 of a site goes down and comes back: AAAA alone leaves and returns, by its own latch (L11)")
def _(world):
    fairway = world.fairway
    world.are(world.east, "::1")
    world.v6.stop()
    world.are(world.east, WEST_V6)
    states = {s["name"]: s["active"] for s in fairway.status()["services"]}
    equal(states, {f"{NAME} A": "east", f"{NAME} AAAA": "west"}, "where each family is")
    equal(fairway.metric("fairway_service_active", service=f"{NAME} AAAA", datacenter="west"), 1, "the metric of AAAA")
    told = fairway.ctl("history", "--service", NAME)
    check(f"{NAME} AAAA" in told, f"history names the family: {told}")
    for kind, site in ("A", "east"), ("AAAA", "west"):
        why = fairway.ctl("explain", NAME, "--client", "192.0.2.1", "--type", kind)
        check(f"{NAME} {kind}" in why and f"answer {site}" in " ".join(why.split()), f"explain tells them apart: {why}")
    lost = fairway.ctl("what-if", "--lose", "east")
    check(f"{NAME} A" in lost, lost)
    said = fairway.ctl("failback", NAME, expect=1)
    check(f'"{NAME} AAAA"' in said, f"which of them is asked: {said}")
    world.v6 = Site("::1", world.v4.port)
    world.are(world.east, "::1")
    equal(len([line for line in fairway.ctl("history", "--service", f"{NAME} A").splitlines() if "failover" in line]), 0, "moves of A")


tell(World)
