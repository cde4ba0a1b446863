#!/usr/bin/python3
"""The operator's hand: drain, reload, explain, metrics; and what is refused."""

import json
import os
import pwd
import signal
import subprocess

from world import (BATCH, HEAD, WEB_CHECKS, WWW, WWW_SERVICE, Fairwayd, batch, check, equal, story, tell, two_sites, wait_until,
                   words)

CONFIG = HEAD + WEB_CHECKS + batch("failback: auto") + WWW_SERVICE


class World:
    def __init__(self, lab):
        self.lab = lab
        self.east, self.west = two_sites(lab, database=False)
        self.fairway = Fairwayd(lab, CONFIG, **words(self.east, self.west)).start()
        for name in (WWW, BATCH):
            wait_until(f"both are fit under {name}", lambda: all(e["fit"] for e in self.fairway.service(name)["endpoints"]), 20)

    def seen(self, name, count=200):
        return {" ".join(self.fairway.addresses(name)) for _ in range(count)}


@story("a drained datacenter is not answered; undrained it is again (P11)")
def _(world):
    fairway, east, west = world.fairway, world.east.address, world.west.address
    equal(world.seen(WWW), {east, west}, "www before")
    fairway.ctl("drain", "--datacenter", "east", "--reason", "work on the roof")
    equal((world.seen(WWW), world.seen(BATCH)), ({west}, {west}), "www and batch drained")
    overrides = fairway.status()["overrides"]
    equal([(o["datacenter"], o["reason"]) for o in overrides], [("east", "work on the roof")], "overrides")
    check(overrides[0]["operator"] and overrides[0]["expires"], "an override has its operator and its end")
    check(fairway.endpoint(WWW, "east")["excluded"], "status: excluded")
    fairway.ctl("undrain", "--datacenter", "east")
    wait_until("both are answered again", lambda: world.seen(WWW) == {east, west}, 5)


@story("draining the last usable site is refused whole, naming the services, unless forced (L19)")
def _(world):
    fairway, west = world.fairway, world.west.address
    fairway.ctl("drain", "--datacenter", "east", "--reason", "one")
    said = fairway.ctl("drain", "--datacenter", "west", "--reason", "two", expect=1)
    check("www.gtm.example.com" in said, f"the refusal names the services: {said}")
    equal(world.seen(WWW), {west}, "www after the refusal")
    fairway.ctl("undrain", "--datacenter", "east")
    fairway.ctl("undrain", "--datacenter", "north", expect=2)


@story("a good reload changes the answer; by fairwayctl and by SIGHUP")
def _(world):
    fairway, east, west = world.fairway, world.east.address, world.west.address
    fairway.configure(CONFIG.replace("weight: 70", "weight: 0"))
    fairway.reload()
    equal(world.seen(WWW), {west}, "www with east's weight 0")
    fairway.configure(CONFIG)
    os.kill(fairway.process.pid, signal.SIGHUP)
    wait_until("SIGHUP reloads", lambda: world.seen(WWW, 40) == {east, west}, 10)


@story("check-config tells what taking a file over would change: keys, answers, and that a reload would have to be forced")
def _(world):
    fairway, east, west = world.fairway, world.east.address, world.west.address
    check("nothing differs" in fairway.ctl("check-config", fairway.config), "the running file")
    fairway.configure(CONFIG.replace("weight: 70", "weight: 0"))
    said = fairway.ctl("check-config", fairway.config)
    check(all(w in said for w in (WWW, "weight", "70", f"west ({west})", "services answered as now: 1")), f"weight 0 for east:\n{said}")
    found = json.loads(fairway.ctl("--json", "check-config", fairway.config))["running"]
    equal([(k["key"], k["before"], k["after"]) for k in found["keys"]], [(f"services.{WWW}.endpoints.east.weight", "70", "0")], "keys")
    equal([(s["service"], s["after"]) for s in found["services"]], [(WWW, f"west ({west})")], "answers")
    equal(world.seen(WWW), {east, west}, "and nothing has changed")
    fairway.configure(CONFIG.replace(BATCH, "other.gtm.example.com").replace(WWW, "another.gtm.example.com"))
    check("refused without --force" in fairway.ctl("check-config", fairway.config), "all services would be gone")
    check("--force" in fairway.ctl("reload", expect=1), "and the reload is refused")
    equal(fairway.addresses(BATCH), [east], "batch")
    fairway.ctl("reload", "--force")
    equal(fairway.addresses(BATCH), ["<NXDOMAIN>"], "batch is gone")
    fairway.configure(CONFIG)
    fairway.ctl("reload", "--force")
    wait_until("both are answered again", lambda: world.seen(WWW, 40) == {east, west}, 10)


@story("a bad reload changes nothing, says what is wrong and has a non-zero status")
def _(world):
    fairway, east, west = world.fairway, world.east.address, world.west.address
    before = fairway.status()["generation"]
    fairway.configure(CONFIG.replace("policy: weighted", "policy: wieghted"))
    said = fairway.try_ctl("reload")
    check(said.returncode != 0, "fairwayctl reload fails")
    text = said.stdout + said.stderr
    check("fairway.yaml:" in text and "wieghted" in text and "weighted" in text, f"place and nearest word: {text}")
    equal(world.seen(WWW), {east, west}, "www")
    equal(fairway.status()["generation"], before, "generation")
    logged = len(fairway.log())
    os.kill(fairway.process.pid, signal.SIGHUP)
    wait_until("a refused SIGHUP is logged", lambda: "configuration-refused" in fairway.log()[logged:], 10)
    fairway.configure(CONFIG)
    fairway.reload()


@story("explain says what is answered and why; status has a table and JSON")
def _(world):
    fairway = world.fairway
    said = fairway.ctl("explain", WWW, "--client", "192.0.2.1")
    check(world.east.address in said and world.west.address in said, f"explain: {said}")
    explained = json.loads(fairway.ctl("--json", "explain", WWW, "--client", "192.0.2.1"))
    shares = {o["datacenter"]: round(o["probability"], 2) for o in explained["answer"]}
    equal(shares, {"east": 0.7, "west": 0.3}, "probabilities")
    check(WWW in fairway.ctl("status"), "the status table names the service")
    of_one = fairway.ctl("status", WWW.upper(), "--members")
    check(WWW in of_one and "\n" + BATCH not in of_one, f"status of a service: {of_one}")
    equal(json.loads(fairway.ctl("--json", "status", WWW))["name"], WWW.rstrip("."), "of a service in JSON")
    of_east = fairway.ctl("status", "east", "--members")
    check(world.east.address in of_east and world.west.address not in of_east, f"status of a datacenter: {of_east}")
    check("east" in fairway.ctl("status", "eats", expect=2), "the nearest name")
    equal({s["name"].rstrip(".") for s in json.loads(fairway.ctl("--json", "status"))["services"]}, {BATCH, WWW}, "services in JSON")
    for name, kind, why in (("nowhere.gtm.example.com", "A", "NXDOMAIN"), ("gtm.example.com", "SOA", "a record of its zone"),
                            (WWW, "TXT", "NOERROR"), ("example.org", "A", "REFUSED")):
        said = fairway.ctl("explain", name, "--type", kind, "--client", "192.0.2.1")
        check(why in said, f"explain {name} {kind}: {said}")
    fairway.ctl("explain", WWW, "--type", "NONE", "--client", "192.0.2.1", expect=2)


@story("zone shows what is served: the zones, and every name of one with its records and its present answers")
def _(world):
    fairway = world.fairway
    equal(fairway.ctl("zone").split(), ["gtm.example.com"], "the zones")
    said = fairway.ctl("zone", "gtm.example.com", "--client", "192.0.2.1")
    for part in (" SOA ", " NS ", "ns1.gtm.example.com.", f"; {WWW}: decided", f"{BATCH}."):
        check(part in said.replace("\t", " "), f"{part!r} in the zone: {said}")
    names = json.loads(fairway.ctl("--json", "zone", "gtm.example.com"))["names"]
    equal([n["name"] for n in names], ["gtm.example.com", BATCH, "ns1.gtm.example.com", WWW], "names in their order")
    equal([n["kind"] for n in names], ["records", "service", "records", "service"], "their kinds")
    equal(len(names[1]["records"]), 1, "one site answers for an active/passive service")
    fairway.ctl("zone", "example.org", expect=2)
    fairway.ctl("zone", "a..b", expect=2)


@story("status, fairwayctl and metrics agree, and promtool finds nothing wrong (O1, O2)")
def _(world):
    fairway = world.fairway
    active = fairway.service(BATCH)["active"]
    equal(active, "east", "status")
    equal(fairway.metric("fairway_service_active", service=BATCH, datacenter="east"), 1, "metric")
    check(not fairway.metric("fairway_service_active", service=BATCH, datacenter="west"), "the metric names east alone")
    result = subprocess.run(["promtool", "check", "metrics"], input=fairway.get("/metrics"), capture_output=True, text=True, timeout=30)
    equal((result.returncode, result.stdout + result.stderr), (0, ""), "promtool check metrics")
    equal((fairway.http_status("/healthz"), fairway.http_status("/readyz"), fairway.http_status("/nowhere")), (200, 200, 404), "HTTP")


@story("a freeze keeps every answer, through kill -9 too; an operator acts with --while-frozen (P6)")
def _(world):
    fairway, east, west = world.fairway, world.east.address, world.west.address
    fairway.ctl("freeze", "--reason", "an audit")
    world.east.web.kill()
    wait_until("east is seen to be down", lambda: not fairway.endpoint(WWW, "east")["fit"], 10)
    equal((world.seen(WWW), world.seen(BATCH, 20)), ({east, west}, {east}), "frozen answers")
    fairway.kill()
    fairway.start()
    wait_until("east is down again", lambda: not any(fairway.endpoint(n, "east")["fit"] for n in (WWW, BATCH)), 10)
    equal((world.seen(WWW), world.seen(BATCH, 20)), ({east, west}, {east}), "frozen answers after kill -9")
    equal((fairway.service(WWW)["state"], "frozen" in fairway.alarms(WWW)), ("frozen", True), "status")
    said = fairway.ctl("drain", "--datacenter", "east", "--reason", "hurry", expect=1)
    check("--while-frozen" in said and "an audit" in said, f"the refusal says who froze and what to do: {said}")
    fairway.ctl("drain", "--datacenter", "east", "--reason", "hurry", "--while-frozen")
    equal(world.seen(WWW), {west}, "www, drained under the freeze")
    fairway.ctl("undrain", "--datacenter", "east", "--while-frozen")
    fairway.ctl("unfreeze")
    equal((world.seen(WWW), world.seen(BATCH, 20)), ({west}, {west}), "thawed: decided by health again")


@story("force up counts as healthy whatever the checks say, force down as dead; off ends both (L19)")
def _(world):
    fairway, east, west = world.fairway, world.east.address, world.west.address
    fairway.ctl("force", "up", "--service", WWW, "--datacenter", "east", "--reason", "the check is wrong")
    equal(world.seen(WWW), {east, west}, "www with east forced up")
    fairway.ctl("force", "down", "--datacenter", "east", "--reason", "no, it is not")
    equal(world.seen(WWW), {west}, "www with east forced down")
    equal([o["kind"] for o in fairway.status()["overrides"]], ["force-up", "force-down"], "overrides")
    fairway.ctl("force", "off", "--datacenter", "east")
    fairway.ctl("force", "off", "--service", WWW, "--datacenter", "east")
    equal((fairway.status()["overrides"], world.seen(WWW)), ([], {west}), "health decides again")
    fairway.ctl("force", "sideways", "--datacenter", "east", "--reason", "?", expect=2)
    fairway.ctl("maintenance", "--tag", "nothing", "--reason", "?", expect=2)
    fairway.ctl("maintenance", "--datacenter", "east", "--reason", "new disks")
    fairway.ctl("maintenance", "--datacenter", "east", "--end")


@story("history: what happened, who did what from where, and what came of it; by fairwayctl and on the read listener (O4)")
def _(world):
    fairway = world.fairway

    def history(*arguments):
        return json.loads(fairway.ctl("--json", "history", *arguments))["entries"]
    drains = history("--kind", "drain", "--datacenter", "east", "--limit", "1000")
    check(drains and drains[-1]["record"]["reason"] == "work on the roof", f"the first drain: {drains}")
    equal((drains[-1]["operator"], drains[-1]["from"], drains[-1]["result"]["accepted"]), (pwd.getpwuid(os.getuid()).pw_name, "control socket", True),
          "who, from where, what came of it")
    refused = history("--kind", "drain", "--datacenter", "west", "--limit", "1000")[-1]
    check(not refused["result"]["accepted"] and WWW in str(refused["result"]), f"a refusal is in it: {refused}")
    equal({e["from"] for e in history("--kind", "reload")}, {"control socket", "SIGHUP"}, "reloads")
    check(any("wieghted" in str(e["result"]["details"]) for e in history("--kind", "reload")), "a bad reload's reasons are in it")
    down = history("--kind", "member-down")[-1]
    check(down["record"]["evidence"] and down["record"]["fault"], f"its evidence and when it was first seen: {down}")
    check([e for e in history("--service", BATCH, "--since", "10m") if e["kind"] == "transition" and e["answered"]], "when an answer was out")
    equal(history("--since", "2020-01-01", "--until", "2020-01-02"), [], "of another day")
    newest = json.loads(fairway.get("/v1/history?limit=3"))
    equal(([e["number"] for e in newest["entries"]], newest["next"]), ([e["number"] for e in history("--limit", "3")], newest["entries"][-1]["number"]),
          "the read listener says the same, in pages")
    text = fairway.ctl("history", "--kind", "command", "--evidence", "--limit", "1000")
    check("work on the roof" in text, f"for people, why: {text}")
    check("member-down" in fairway.ctl("history", "--kind", "member-dwon", expect=2), "a kind that there is not")
    said = fairway.try_ctl("history", "--service", "wwww.gtm.example.com")
    check(said.returncode == 0 and "there is no service" in said.stderr, f"a service that there is not: {said}")
    fairway.ctl("force", "down", "--service", BATCH, "--datacenter", "east", "--reason", "to be ended", "--force")
    fairway.ctl("force", "off", "--service", BATCH, "--datacenter", "east")
    equal(history("--kind", "command", "--limit", "1")[0]["what"], "end force", "the end of either force")
    equal([fairway.try_ctl("check-delegation", "example.org", "--parent", "foo").returncode,
           fairway.try_ctl("--version").returncode,
           fairway.try_ctl("--url", "http://localhost:1", "status").returncode,
           fairway.try_ctl("--url", "https://localhost:1", "status").returncode], [2, 0, 2, 2], "what is said wrongly")
    equal((fairway.try_ctl("history", "--limit", "0").returncode, fairway.try_ctl("history", "--since", "soon").returncode,
           fairway.http_status("/v1/history?since=soon")), (2, 2, 400), "what is not understood")


@story("without a service status says what to do, and shows no empty table")
def _(world):
    empty = Fairwayd(world.lab, HEAD.replace("services:", ""), name="empty").start()
    said = empty.ctl("status")
    check("under `services:`" in said and "SERVICE " not in said, said)
    equal(empty.stop(), 0, "its end")


@story("the daemon's own refusals: port in use, socket gone")
def _(world):
    other = Fairwayd(world.lab, CONFIG, name="second", **words(world.east, world.west))
    other.configure(CONFIG, dns=world.fairway.words["dns"])
    other.start(wait=False)
    other.process.ended_by_us = True  # it is told to
    status = other.process.popen.wait(20)
    check(status not in (0, None), "a second daemon on the same port does not start")
    check(world.fairway.words["dns"] in other.log(), f"it names the port: {other.log()}")
    equal(world.seen(BATCH, 5), {world.west.address}, "the first goes on")
    equal(other.try_ctl("status").returncode, 3, "fairwayctl without a daemon")


tell(World)
