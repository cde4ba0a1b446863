#!/usr/bin/python3
"""Alert rules and dashboard: every metric they name is on a real /metrics page, and an alarm of fairwayd arrives, by a real
Prometheus with our rules, at a real Alertmanager (O2, O3, O7)."""

import json
import re
import subprocess
import urllib.request

from packages import PACKAGING, CHECKS, HEAD, SHOP, Failure, Fairwayd, Process, check, equal, shop, story, tell, two_sites, wait_until, words

RULES = PACKAGING / "prometheus" / "fairway-rules.yml"
DASHBOARD = PACKAGING / "grafana" / "fairway.json"
TOLD = 'alerts: {webhooks: ["http://$nobody:9/"]}\n'  # nobody listens; that there are figures of it is enough
BROKEN = """
  broken.gtm.example.com:
    policy: weighted
    application: web
    endpoints: {east: {addresses: [$nobody], weight: 1}}
"""
WAITS = """
failover: approval
hooks:
  fence:   {exec: ["$runbook/fence.sh"], timeout: 10s}
  promote: {exec: ["$runbook/promote.sh"], timeout: 30s}
"""
PROMETHEUS = """
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ["%(rules)s"]
scrape_configs: [{job_name: fairway, static_configs: [{targets: ["%(fairway)s"]}]}]
alerting: {alertmanagers: [{static_configs: [{targets: ["%(alertmanager)s"]}]}]}
"""
ALERTMANAGER = "route: {receiver: nobody, group_wait: 0s}\nreceivers: [{name: nobody}]\n"


def named(text):
    """Metrics named in PromQL, with the labels that are asked of them."""
    for name, matchers in re.findall(r"\b(fairway_[a-z_]+)(?:\{([^}]*)\})?", text):
        yield name, set(re.findall(r"([a-z_]+) ?(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', "", matchers)))


class World:
    def __init__(self, lab):
        self.lab = lab
        self.east, self.west = two_sites(lab)
        self.fairway = Fairwayd(lab, TOLD + HEAD + CHECKS + shop(WAITS) + BROKEN, nobody=lab.address(9), **words(self.east, self.west)).start()
        self.scraped = {}  # metric -> its labels

    def scrape(self):
        for name, labels in re.findall(r"^(fairway_\w+)(?:\{(.*)\})? ", self.fairway.get("/metrics"), re.M):
            self.scraped.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
        # Nothing here speaks TLS; tests/integration/checks.py sees this one, which has the labels of every member's.
        self.scraped["fairway_member_certificate_expiry_timestamp_seconds"] = self.scraped["fairway_member_probe_seconds"]

    def start(self, name, *command):
        return Process(self.lab, name, command)

    def get(self, address, path):
        try:
            with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as reply:
                return json.loads(reply.read())
        except (OSError, ValueError):
            return None  # not yet

    def are_there(self, what, text):
        found = list(named(text))
        check(len(found) > 20, f"{what}: only {len(found)} metrics were found in it")
        for name, labels in found:
            check(name in self.scraped, f"{what}: there is no metric {name}")
            missing = labels - self.scraped[name] - {"instance", "job"}  # those two are Prometheus' own
            check(not missing, f"{what}: {name} has no label {missing}")


@story("promtool: the rules do what their tests say")
def _(world):
    result = subprocess.run(["promtool", "test", "rules", RULES.with_name("fairway-rules-test.yml")], capture_output=True, text=True, timeout=60)
    check(result.returncode == 0, result.stdout + result.stderr)
    equal(set(re.findall(r"alert: (\w+)", RULES.read_text())) - set(re.findall(r"Fairway\w+", RULES.with_name("fairway-rules-test.yml").read_text())),
          set(), "alerts without a test")


@story("a switch that waits for a person reaches Alertmanager by our rules", stop=True)
def _(world):
    lab, fairway = world.lab, world.fairway
    wait_until("west's lag is known", lambda: fairway.metric("fairway_endpoint_lag_seconds", datacenter="west") is not None, 20)
    wait_until("broken is all down", lambda: "all_down" in fairway.alarms(), 20)
    fairway.ctl("freeze", "--service", "broken.gtm.example.com", "--reason", "its age is on the page")
    wait_until("the age of a freeze", lambda: fairway.metric("fairway_freeze_age_seconds", service="broken.gtm.example.com") is not None, 20)
    world.scrape()
    fairway.ctl("unfreeze", "--service", "broken.gtm.example.com")
    host = lab.address(90)
    prometheus, alertmanager = (f"{host}:{lab.free_port(host)}" for _ in range(2))
    (lab.directory / "alertmanager.yml").write_text(ALERTMANAGER)
    (lab.directory / "prometheus.yml").write_text(PROMETHEUS % {
        "rules": RULES, "fairway": "{}:{}".format(*fairway.http), "alertmanager": alertmanager})
    world.start("alertmanager", "prometheus-alertmanager", f"--config.file={lab.directory}/alertmanager.yml", f"--web.listen-address={alertmanager}",
                "--cluster.listen-address=", f"--storage.path={lab.directory}/alertmanager")
    world.start("prometheus", "prometheus", f"--config.file={lab.directory}/prometheus.yml", f"--web.listen-address={prometheus}",
                f"--storage.tsdb.path={lab.directory}/prometheus")
    wait_until("Prometheus scrapes", lambda: (world.get(prometheus, "/api/v1/query?query=up") or {}).get("data", {}).get("result"), 30)
    world.east.kill()

    def alerts():
        return {(a["labels"]["alertname"], a["labels"].get("service", "").rstrip(".")) for a in world.get(alertmanager, "/api/v2/alerts") or []}
    wait_until("FairwayApproval of shop is at Alertmanager", lambda: ("FairwayApproval", SHOP) in alerts(), 60)
    check(("FairwayAllDown", "broken.gtm.example.com") in alerts(), f"so is FairwayAllDown of broken: {alerts()}")
    world.scrape()


@story("every metric and label that the rules and the dashboard name is on the page")
def _(world):
    world.are_there("rules", "\n".join(re.sub(r"\{\{.*?\}\}", "", line) for line in RULES.read_text().splitlines()
                                       if not re.match(r"\s*(#|summary|description)", line)))
    expressions = []

    def walk(part):
        for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
            if key in ("expr", "definition"):
                expressions.append(value)
            walk(value)
    walk(json.loads(DASHBOARD.read_text()))
    world.are_there("dashboard", "\n".join(expressions))
    try:
        world.are_there("a wrong rule", " ".join(f"fairway_{word}" for word in "abcdefghijklmnopqrstuvwxyz"))
    except Failure:
        return
    raise Failure("this test cannot fail")


tell(World)
