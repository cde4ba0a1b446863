#!/usr/bin/python3
"""Remote control: the control API over TLS, for those who hold a token; and datacenters that report about themselves."""

import http.client
import json
import os
import pathlib
import socket
import ssl
import subprocess
import warnings

from world import HEAD, WEB_CHECKS, WWW, WWW_SERVICE, Fairwayd, check, equal, story, tell, wait_until
from lab.fairwayd import SANITIZERS, program
from lab.nginx import Nginx

ROOT = pathlib.Path(__file__).resolve().parents[2]
ANN, BOT = "ann-0123456789abcdef0123", "bot-0123456789abcdef0123"
EAST, WEST = "east-0123456789abcdef012", "west-0123456789abcdef012"
SITE = "site.gtm.example.com"
CONFIG = HEAD.replace('control: {socket: "$socket"}', """
control:
  socket: "$socket"
  listen: ["$remote"]
  tls: {cert: own.pem, key: own.key}
  tokens: control.tokens
""") + WEB_CHECKS.replace("services:", """
  says: {type: push, ttl: 2s, fall: 1, rise: 1, hold_down: 0s, tokens: {east: east.token, west: west.token}}
services:""") + WWW_SERVICE + """
  site.gtm.example.com:
    policy: {type: active_passive, order: [east, west]}
    failback: auto
    application: says
    endpoints: {east: {addresses: [192.0.2.1]}, west: {addresses: [192.0.2.2]}}
"""


def certificate(directory, serial):
    """Its own authority, for localhost."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-set_serial", str(serial),
                    "-keyout", directory / "own.key", "-out", directory / "own.pem"], check=True, capture_output=True)


def write_tokens(path, *lines):
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n")


class World:
    def __init__(self, lab):
        east, west = lab.address(1), lab.address(2)
        port = lab.free_port(east, west)
        Nginx(lab, "east", east, port).start()
        Nginx(lab, "west", west, port).start()
        self.address = ("127.0.0.1", lab.free_port("127.0.0.1"))
        self.fairway = Fairwayd(lab, "{}", east=east, west=west, web_port=port, remote="%s:%d" % self.address)
        self.home = self.fairway.home
        certificate(self.home, 1)
        write_tokens(self.home / "control.tokens", f"ann {ANN}", f"bot {BOT}  # deploys")
        for name, token in (("east", EAST), ("west", WEST)):
            write_tokens(self.home / f"{name}.token", token)
        self.token = self.home / "ann.token"
        self.token.write_text(ANN + "\n")
        self.fairway.configure(CONFIG).start()

    def ask(self, method, path, token=None, body=None, versions=None):
        """Status and JSON."""
        context = ssl.create_default_context(cafile=self.home / "own.pem")
        if versions:
            context.minimum_version, context.maximum_version = versions
        with socket.create_connection(self.address, timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as secure:
                self.serial = int(secure.getpeercert()["serialNumber"], 16)
                connection = http.client.HTTPConnection("localhost", timeout=10)
                connection.sock = secure
                connection.request(method, path, body, {"Authorization": f"Bearer {token}"} if token else {})
                answer = connection.getresponse()
                return answer.status, json.loads(answer.read())

    def ctl(self, *arguments, token=None, ca=None):
        return subprocess.run(
            [program("fairwayctl"), "--url", f"https://localhost:{self.address[1]}", "--token-file", token or self.token,
             "--ca-file", ca or self.home / "own.pem", *arguments], env={**os.environ, **SANITIZERS}, capture_output=True,
            text=True, timeout=60)


@story("whoever has no token of ours is told nothing, not even what there is", stop=True)
def _(world):
    for token in (None, "", "x", ANN[:-1], ANN + "x", ANN.upper()):
        for method, path in (("GET", "/v1/status"), ("GET", "/nothing"), ("POST", "/v1/drain")):
            equal(world.ask(method, path, token)[0], 401, f"{method} {path} with {token!r}")
    check("is not known" in world.ask("GET", "/v1/status", ANN + "x")[1]["error"], "what is wrong with a wrong one")
    equal(world.ask("GET", "/v1/status", ANN)[0], 200, "with a token")
    equal(world.ask("GET", "/nothing", ANN)[0], 404, "with a token")


# what Python warns of is what is tried here
warnings.filterwarnings("ignore", category=DeprecationWarning)


@story("what is not TLS of today is not answered")
def _(world):
    with socket.create_connection(world.address, timeout=5) as plain:
        plain.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + ANN.encode() + b"\r\n\r\n")
        check(b"200" not in plain.recv(4096), "plain HTTP is answered")
    try:
        world.ask("GET", "/v1/status", ANN, versions=(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1))
    except (ssl.SSLError, OSError):
        return
    check(False, "TLS 1.1 is answered")


@story("fairwayctl commands from afar, and whose token it was is recorded")
def _(world):
    said = world.ctl("drain", "--datacenter", "west", "--reason", "works")
    equal(said.returncode, 0, said.stderr)
    equal(world.fairway.status()["overrides"][0]["operator"], "ann", "operator")
    check(WWW in world.ctl("status").stdout, "the status table names the service")
    equal(world.ctl("undrain", "--datacenter", "west").returncode, 0, "exit status")
    check("operator=ann" in world.fairway.log(), "the log says who it was")


@story("fairwayctl gives its token to nobody who does not prove who he is")
def _(world):
    said = world.ctl("status", ca="/etc/ssl/certs/ca-certificates.crt")
    equal(said.returncode, 3, "exit status")
    check("certificate" in said.stderr, said.stderr)
    missing = world.ctl("status", token=world.home / "nothing")
    check(missing.returncode == 2 and "--token-file" in missing.stderr, missing.stderr)


@story("a datacenter's report about itself moves its service")
def _(world):
    def answer_is(address):
        wait_until(f"{SITE} is {address}", lambda: world.fairway.addresses(SITE) == [address], 10)
    for token in (EAST, WEST):
        equal(world.ask("POST", "/v1/push/says", token, '{"detail": "all is well"}'), (200, {"accepted": True}), "a report")
    answer_is("192.0.2.1")
    equal(world.ask("POST", "/v1/push/says", EAST, '{"outcome": "fail", "detail": "no quorum here"}')[0], 200, "a report")
    answer_is("192.0.2.2")
    check("no quorum here" in world.fairway.endpoint(SITE, "east")["reason"], "the reason is the site's own")
    world.ask("POST", "/v1/push/says", EAST, "{}")
    answer_is("192.0.2.1")


@story("the guide's script reports as a site would, and says why when it may not")
def _(world):
    def report(said, token="west", ca=world.home / "own.pem"):
        return subprocess.run([ROOT / "packaging/examples/push/report.sh", f"https://localhost:{world.address[1]}", "says",
                               world.home / f"{token}.token", ca], input=said, capture_output=True, text=True, timeout=30)
    told = report('{"outcome": "fail", "detail": "shop.service"}')
    equal((told.returncode, told.stdout), (0, '{"accepted":true}'), told.stderr)
    wait_until("its reason is told", lambda: "shop.service" in world.fairway.endpoint(SITE, "west")["reason"], 10)
    equal(report("{}").returncode, 0, "a pass")
    wait_until("the site is fit again", lambda: world.fairway.endpoint(SITE, "west")["fit"], 10)
    stranger = report("{}", token="ann")
    check(stranger.returncode != 0 and "a token of this check is needed" in stranger.stdout, stranger.stdout)
    garbled = report('{"outcome": "good"}')
    check(garbled.returncode != 0 and "outcome" in garbled.stdout, garbled.stdout)
    check(report("{}", ca="/etc/ssl/certs/ca-certificates.crt").returncode != 0, "a server is believed whose certificate is nobody's")


@story("a site that falls silent is unknown: an alarm, and nothing moves")
def _(world):
    wait_until("the alarm", lambda: "own_fault" in world.fairway.alarms(), 10)
    equal(world.fairway.addresses(SITE), ["192.0.2.1"], "answer")


@story("a report's token opens nothing else, and nothing else opens reports")
def _(world):
    for token in (None, ANN, BOT, EAST + "x", EAST[:-1]):
        equal(world.ask("POST", "/v1/push/says", token, "{}")[0], 401, f"a report with {token!r}")
    equal(world.ask("POST", "/v1/push/other", EAST, "{}")[0], 401, "a report to a check that is not there")
    equal(world.ask("POST", "/v1/push/web", EAST, "{}")[0], 401, "a report to a check of another kind")
    for method, path in (("GET", "/v1/status"), ("POST", "/v1/drain"), ("GET", "/v1/push/says"), ("POST", "/v1/push")):
        equal(world.ask(method, path, EAST)[0], 401, f"{method} {path} with a site's token")
    for body in ("", "no", "[]", '{"outcome": "good"}', '{"lag": "soon"}', "x" * 100_000):
        status, said = world.ask("POST", "/v1/push/says", EAST, body)
        check(status in (400, 413) and said["error"], f"{body[:20]!r}: {status}")


@story("a reload takes new tokens and a new certificate, and nobody is turned away")
def _(world):
    write_tokens(world.home / "control.tokens", f"ann {ANN}")
    certificate(world.home, 2)
    # asked for from afar: the server that is replaced answers this first
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(world.address, timeout=10) as plain, context.wrap_socket(plain) as secure:
        secure.sendall(f"POST /v1/reload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {BOT}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        check(secure.recv(4096).startswith(b"HTTP/1.1 200"), "the reload is not answered")
    equal(world.ask("GET", "/v1/version", BOT)[0], 401, "bot, whose token is gone")
    equal(world.ask("GET", "/v1/version", ANN)[0], 200, "ann")
    equal(world.serial, 2, "serial number of the certificate")


@story("tokens and certificates that cannot be used leave the old ones")
def _(world):
    (world.home / "own.pem").write_text("not a certificate\n")
    world.fairway.reload()
    wait_until("it is said", lambda: "remote control keeps" in world.fairway.log(), 5)
    certificate(world.home, 3)
    write_tokens(world.home / "control.tokens", "ann short")
    world.fairway.reload()
    wait_until("it is said", lambda: "shorter than 20" in world.fairway.log(), 5)
    write_tokens(world.home / "control.tokens", f"ann {ANN}")
    world.fairway.reload()
    equal(world.ask("GET", "/v1/version", ANN)[0], 200, "ann")
    equal(world.serial, 3, "serial number of the certificate")


@story("tokens that everybody can read are refused, and listening without TLS is")
def _(world):
    os.chmod(world.home / "control.tokens", 0o644)
    said = world.fairway.try_ctl("check-config", world.fairway.config)
    check(said.returncode == 2 and "chmod o=" in said.stderr + said.stdout, said.stderr + said.stdout)
    os.chmod(world.home / "control.tokens", 0o600)
    lonely = world.home / "lonely.yaml"
    lonely.write_text(world.fairway.config.read_text().replace("tls: {cert: own.pem, key: own.key}", ""))
    said = world.fairway.try_ctl("check-config", lonely)
    check(said.returncode == 2 and "remote control needs" in said.stderr + said.stdout, said.stderr + said.stdout)


@story("no token was ever in a log, an argument list or an answer")
def _(world):
    for secret in (ANN, BOT, EAST, WEST):
        check(secret not in world.fairway.log(), "a token is in the log")
        check(secret not in json.dumps(world.fairway.status()), "a token is in the status")


tell(World)
