#!/usr/bin/python3
"""Load, what-if and a drill: Prometheus says what each datacenter bears, traffic goes where there is room."""

import http.server
import json
import threading
import urllib.parse

from world import HEAD, WWW, WWW_SERVICE, Fairwayd, check, equal, story, tell, two_sites, wait_until, words

CHECKS = """
checks:
  web: {type: http, port: $web_port, path: /healthz, interval: 500ms, timeout: 500ms, hold_down: 1s}
  lb: {type: prometheus, url: "http://$prometheus", query: "sum by (dc) (rate(requests[1m]))", interval: 1s, timeout: 1s}
services:
"""
CONFIG = (HEAD.replace("east: {region: us-east}", "east: {region: us-east, capacity: 1000}")
              .replace("west: {region: us-west}", "west: {region: us-west, capacity: 1000}")
          + CHECKS + WWW_SERVICE + "    load: {from: lb, shed_above: 80%, lag: 1s}\n")


class Prometheus:
    """Answers one query: a value a datacenter, by its label."""

    def __init__(self, address):
        self.loads, prometheus = {}, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)["query"][0]
                samples = [{"metric": {"dc": dc}, "value": [1, str(load)]} for dc, load in prometheus.loads.items() if "by (dc)" in asked]
                body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": samples}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.address = f"{address}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class World:
    def __init__(self, lab):
        self.lab = lab
        self.east, self.west = two_sites(lab, database=False)
        self.prometheus = Prometheus(lab.address(3))
        self.prometheus.loads = {"east": 500, "west": 200}
        self.fairway = Fairwayd(lab, CONFIG, prometheus=self.prometheus.address, **words(self.east, self.west)).start()
        wait_until("the load is known", lambda: (self.datacenter("east")["load"], self.datacenter("west")["load"]) == (500, 200), 20)

    def datacenter(self, name):
        return next(d for d in self.fairway.status()["datacenters"] if d["name"] == name)

    def share(self, name):
        return self.fairway.endpoint(WWW, name)["share"]

    def drill(self):
        return json.loads(self.fairway.ctl("--json", "drill", "status"))


@story("a query by (dc) tells each datacenter its load; status, metrics and explain show it")
def _(world):
    fairway = world.fairway
    equal((world.datacenter("west")["load"], world.datacenter("west")["use"]), (200, 0.2), "west")
    equal(fairway.metric("fairway_datacenter_use", datacenter="east"), 0.5, "the metric")
    said = fairway.ctl("explain", WWW, "--client", "192.0.2.1")
    check("500 of 1000" in said and "80%" in said, f"explain: {said}")
    check("50 %" in fairway.ctl("status"), "the table")


@story("what is too much for a site goes to the one with room, and comes back")
def _(world):
    fairway = world.fairway
    world.prometheus.loads = {"east": 950, "west": 200}
    wait_until("east sheds", lambda: world.share("east") < 0.68, 10)
    check("shedding" in {a["id"] for a in fairway.status()["alarms"]}, "an alarm")
    check("load-shed" in fairway.log(), "the log says so")
    world.prometheus.loads = {"east": 300, "west": 300}
    wait_until("it has its share again", lambda: round(world.share("east"), 2) == 0.7, 30)


@story("what-if says where all would go, and warns of what that would be for the load; offline too")
def _(world):
    fairway = world.fairway
    world.prometheus.loads = {"east": 700, "west": 600}
    wait_until("the load is known", lambda: world.datacenter("west")["load"] == 600, 10)
    answer = json.loads(fairway.ctl("--json", "what-if", "--lose", "east"))
    www = next(s for s in answer["services"] if s["name"] == WWW)
    equal((www["fate"], [s["datacenter"] for s in www["after"]]), ("moves", ["west"]), "www")
    equal(answer["warnings"], ["west: 1300 of 1000, 130 % of its capacity"], "warnings")
    check("WARNING west: 1300 of 1000" in fairway.ctl("what-if", "--lose", "east"), "the table warns")
    check({e["datacenter"] for e in fairway.service(WWW)["endpoints"] if e["fit"]} == {"east", "west"}, "nothing has happened")
    offline = json.loads(fairway.ctl("--json", "what-if", "--config", fairway.config, "--lose", "east", "--load", "east=10",
                                     "--load", "west=20"))
    equal([d["load_after"] for d in offline["datacenters"]], [0, 30], "offline")
    fairway.ctl("what-if", "--lose", "nowhere", expect=2)
    nothing = json.loads(fairway.ctl("--json", "what-if", "--lose", "east", "--lose", "west"))
    equal(next(s for s in nothing["services"] if s["name"] == WWW)["fate"], "nowhere", "both lost")


@story("a drill plays a loss, is marked as one, ends in time through kill -9, and is refused where it would be the last (P14)")
def _(world):
    fairway, east, west = world.fairway, world.east.address, world.west.address
    fairway.ctl("drill", "lose", "east", "--for", "12s", "--reason", "practice")
    wait_until("traffic leaves", lambda: not fairway.endpoint(WWW, "east")["in_plan"], 15)
    equal(set(fairway.addresses(WWW)), {west}, "the answer")
    drill = world.drill()
    check(drill["running"] and drill["datacenter"] == "east" and drill["published_ms"] >= drill["decided_ms"] > 0, f"timings: {drill}")
    check("drill: " in fairway.log(), "the log is marked")
    equal(fairway.metric("fairway_drill", datacenter="east"), 1, "the metric")
    check("DRILL: east" in fairway.ctl("status"), "status says so")
    said = fairway.ctl("drill", "lose", "west", expect=1)
    check("under way" in said, said)
    fairway.kill()
    fairway.start()
    check(world.drill()["running"], "the drill goes on after kill -9")
    equal(set(fairway.addresses(WWW)), {west}, "the answer after kill -9")
    wait_until("its time is up", lambda: not world.drill()["running"], 20)
    equal(world.drill()["ended"], "its time is up", "why it ended")
    wait_until("east is back", lambda: fairway.endpoint(WWW, "east")["in_plan"], 20)
    fairway.ctl("drain", "--datacenter", "west", "--reason", "works", "--force")
    said = fairway.ctl("drill", "lose", "east", expect=1)
    check("its last usable site" in said or "could not bear" in said, said)
    fairway.ctl("undrain", "--datacenter", "west")
    fairway.ctl("drill", "abort", expect=1)


tell(World)
