#!/usr/bin/python3
"""Who is told: a real Alertmanager hears of alarms, webhooks of transitions, streams of everything; and nobody waits for them."""

import http.server
import json
import ssl
import subprocess
import threading
import time
import urllib.request

from world import HEAD, WEB_CHECKS, WWW, WWW_SERVICE, Fairwayd, Process, check, equal, story, tell, two_sites, wait_until, words
from lab.fairwayd import SANITIZERS, program

TOKEN = "a-token-of-the-webhook-0123456789"
CONFIG = HEAD + WEB_CHECKS.replace("path: /healthz", "path: /healthz, interval: 1s, rise: 2, hold_down: 0s") + WWW_SERVICE + """
alerts:
  alertmanager: ["http://$alertmanager"]
  webhooks:
    - {url: "https://localhost:$hook/token-in-a-path", token: hook.token, ca: hook.pem}
    - "https://127.0.0.1:$hook/not-believed"
  repeat: 5s
"""
ALERTMANAGER = "route: {receiver: nobody, group_wait: 0s}\nreceivers: [{name: nobody}]\n"


class Webhook:
    """An HTTPS server with a certificate of its own making; refuses everything while `fails`."""

    def __init__(self, home):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", home / "hook.key", "-out", home / "hook.pem"], check=True, capture_output=True)
        (home / "hook.token").write_text(TOKEN + "\n")
        self.fails, self.refused, self.told = False, 0, []
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                good = not webhook.fails and self.headers["Authorization"] == f"Bearer {TOKEN}" and self.path == "/token-in-a-path"
                if good:
                    webhook.told += json.loads(body)["transitions"]
                else:
                    webhook.refused += 1
                self.send_response(204 if good else 503)
                self.end_headers()

            def log_message(self, *_):
                pass
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(home / "hook.pem", home / "hook.key")

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # a client that does not believe us
        self.server = Server(("localhost", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def changes(self):
        return [t["change"] for t in self.told]


class World:
    def __init__(self, lab):
        self.lab = lab
        self.east, self.west = two_sites(lab, database=False)
        host = lab.address(90)
        self.alertmanager = f"{host}:{lab.free_port(host)}"
        (lab.directory / "alertmanager.yml").write_text(ALERTMANAGER)
        Process(lab, "alertmanager", ["prometheus-alertmanager", f"--config.file={lab.directory}/alertmanager.yml", "--cluster.listen-address=",
                                      f"--web.listen-address={self.alertmanager}", f"--storage.path={lab.directory}/alertmanager"])
        self.fairway = Fairwayd(lab, "{}", alertmanager=self.alertmanager, **words(self.east, self.west))
        self.hook = Webhook(self.fairway.home)
        self.fairway.configure(CONFIG, hook=self.hook.server.server_port).start()
        wait_until("both are fit", lambda: all(e["fit"] for e in self.fairway.service(WWW)["endpoints"]), 20)

    def alerts(self):
        """What Alertmanager has, or None if it does not answer yet."""
        try:
            with urllib.request.urlopen(f"http://{self.alertmanager}/api/v2/alerts?active=true", timeout=5) as reply:
                return {(a["labels"]["alertname"], a["labels"].get("service", "").rstrip("."), a["labels"].get("datacenter", "")): a
                        for a in json.loads(reply.read())}
        except OSError:
            return None


@story("an alarm is at Alertmanager, with its words, and is resolved there when it ends (O4)")
def _(world):
    wait_until("Alertmanager answers", lambda: world.alerts() is not None, 20)
    key = ("FairwayEndpointUnfit", WWW, "east")
    check(key not in world.alerts(), "nothing is told of east yet")
    world.east.web.kill()
    wait_until("east is not fit", lambda: not world.fairway.endpoint(WWW, "east")["fit"], 20)
    begin = time.monotonic()
    alert = wait_until("Alertmanager knows it", lambda: world.alerts().get(key), 10)
    print(f"  told of an alarm within {time.monotonic() - begin:.1f} s")
    equal((alert["labels"]["severity"], bool(alert["labels"]["instance"]), "east" in alert["annotations"]["summary"] or bool(alert["annotations"]["summary"])),
          ("warning", True, True), f"its labels: {alert}")
    world.east.web.start()
    wait_until("east is fit again", lambda: world.fairway.endpoint(WWW, "east")["fit"], 20)
    wait_until("Alertmanager knows that it has ended", lambda: key not in world.alerts(), 10)


@story("a webhook hears of each transition once, in order, over TLS with its token, through failures too (O4)")
def _(world):
    fairway, hook = world.fairway, world.hook
    wait_until("the webhook knows of east", lambda: {"member-down", "endpoint-unfit", "endpoint-fit"} <= set(hook.changes()), 20)
    hook.fails = True
    fairway.ctl("drain", "--datacenter", "west", "--reason", "to tell of")
    wait_until("it is refused", lambda: hook.refused, 20)
    hook.fails = False
    fairway.ctl("undrain", "--datacenter", "west")
    wait_until("it is told in the end", lambda: "override-ended" in hook.changes(), 30)
    ids = [t["id"] for t in hook.told]
    equal(ids, sorted(set(ids)), "each once and in order")
    history = json.loads(fairway.ctl("--json", "history", "--kind", "transition", "--limit", "1000"))["entries"]
    equal(set(ids), {e["transition"] for e in history if e["transition"] <= ids[-1]}, "all of them")


@story("a certificate that nobody vouches for is not believed; failures are counted and told, and no secret is")
def _(world):
    fairway = world.fairway
    host = f"127.0.0.1:{world.hook.server.server_port}"
    wait_until("failures are counted", lambda: (fairway.metric("fairway_notifications_failed_total", via="webhook", host=host) or 0) > 0, 20)
    equal(fairway.metric("fairway_notifications_sent_total", via="webhook", host=host), 0, "what was sent there")
    check(fairway.metric("fairway_notifications_sent_total", via="alertmanager", host=world.alertmanager) > 0, "Alertmanager's are counted")
    said = fairway.log() + fairway.get("/metrics")
    check("msg=notifications-fail" in said, "the log says so")
    check(TOKEN not in said and "token-in-a-path" not in said, "no secret in the log or on the pages")


@story("a stream tells what happens as it happens, and where it was when it comes back")
def _(world):
    fairway = world.fairway
    stream = urllib.request.urlopen(f"http://{fairway.http[0]}:{fairway.http[1]}/v1/events", timeout=20)
    equal(stream.headers["Content-Type"], "text/event-stream", "type")
    equal(stream.readline(), b"retry: 2000\n", "the first line")
    fairway.ctl("drain", "--datacenter", "west", "--reason", "to stream")
    seen, last = [], None
    while "command" not in seen:
        line = stream.readline().decode()
        check(line, "the stream goes on")
        seen += [line[7:].strip()] if line.startswith("event: ") else []
        last = line[4:].strip() if line.startswith("id: ") else last
    check("transition" in seen, f"events: {seen}")
    stream.close()
    fairway.ctl("undrain", "--datacenter", "west")
    again = urllib.request.urlopen(urllib.request.Request(f"http://{fairway.http[0]}:{fairway.http[1]}/v1/events", headers={"Last-Event-ID": last}), timeout=20)
    lines = [again.readline().decode() for _ in range(5)]
    check(f"id: {int(last) + 1}\n" in lines, f"what was missed: {lines}")
    again.close()


@story("status --watch shows a change as it happens, for people and as a line of JSON, and ends with the daemon")
def _(world):
    fairway = world.fairway
    watches = [Process(world.lab, name, [program("fairwayctl"), "--socket", fairway.socket, *words], env=SANITIZERS)
               for name, words in (("people", ["status", "--watch"]), ("programs", ["--json", "status", "--watch"]))]
    wait_until("both have begun", lambda: all(WWW in w.log.read_text() for w in watches), 20)
    fairway.ctl("drain", "--datacenter", "west", "--reason", "seen by watchers")
    wait_until("both show it", lambda: all("seen by watchers" in w.log.read_text() for w in watches), 10)
    check(json.loads(watches[1].log.read_text().splitlines()[-1])["overrides"], "a line of JSON")
    fairway.ctl("undrain", "--datacenter", "west")
    fairway.upgrade()
    fairway.ctl("drain", "--datacenter", "west", "--reason", "seen after the upgrade")
    wait_until("both go on after an upgrade", lambda: all("seen after the upgrade" in w.log.read_text() for w in watches), 20)
    fairway.ctl("undrain", "--datacenter", "west")
    fairway.stop()
    for w in watches:
        w.ended_by_us = True
        equal(w.popen.wait(30), 3, "its status")


tell(World)
