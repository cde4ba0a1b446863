#!/usr/bin/python3
"""Bad input: each broken configuration gives one precise message with file, line and column, and a non-zero status."""

import os
import re
import socket
import subprocess

from world import Fairwayd, check, equal, story, tell
from lab.fairwayd import SANITIZERS, program

GOOD = """\
dns:
  listen: ["127.0.0.1:5300"]
http:
  listen: "127.0.0.1:9553"
control:
  socket: /tmp/fairway-check.sock
defaults:
  ttl: 10s
  check: {interval: 2s, timeout: 2s, fall: 3, rise: 5}
zones:
  gtm.example.com:
    nameservers: {ns1: [127.0.0.1]}
    file: static.zone
    records:
      - "@ 300 TXT hello"
      - "alias 300 CNAME shop"
datacenters:
  east: {region: us-east, latitude: 40.7, longitude: -74.0}
  west: {region: us-west, latitude: 37.8, longitude: -122.4}
clients:
  networks:
    203.0.113.0/24: {region: us-east}
checks:
  web: {type: http, port: 8080, path: /healthz, status: "200-299"}
  db: {type: postgres, port: 5432, user: fairway, dbname: postgres, max_lag: 10s}
services:
  shop.gtm.example.com:
    policy: {type: active_passive, follow: primary}
    failover: approval
    application: web
    stateful: db
    endpoints:
      east: {addresses: [192.0.2.10]}
      west: {addresses: [198.51.100.10]}
  www.gtm.example.com:
    policy: weighted
    application: {all: [web]}
    endpoints:
      east: {addresses: [192.0.2.20], weight: 70}
      west: {addresses: [198.51.100.20], weight: 30}
  batch.gtm.example.com:
    policy: {type: active_passive, order: [east, west]}
    failback: {mode: delayed, after: 300s}
    application: web
    endpoints:
      east: {addresses: [192.0.2.30]}
      west: {addresses: [198.51.100.30]}
"""
STATIC = "$TTL 300\nmail A 192.0.2.25\ntext TXT \"hello\"\n"

# What is broken: (what, the good text, the broken text, words of the message, the broken text's line that is named).
BROKEN = [
    ("unknown key at the top", "dns:\n", "dsn:\n", ["dsn", "dns"], 0),
    ("unknown key in a section", "listen: [\"127.0.0.1:5300\"]", "lisen: [\"127.0.0.1:5300\"]", ["lisen", "listen"], 0),
    ("unknown key in a check", "path: /healthz", "paht: /healthz", ["paht", "path"], 0),
    ("unknown key in a service", "failover: approval", "fialover: approval", ["fialover", "failover"], 0),
    ("unknown key in an endpoint", "weight: 70", "wieght: 70", ["wieght", "weight"], 0),
    ("key twice in a mapping", "    failover: approval", "    failover: approval\n    failover: automatic", ["failover"], 1),
    ("service twice", "  batch.gtm.example.com:", "  www.gtm.example.com:", ["www.gtm.example.com"], 0),
    ("datacenter twice", "clients:\n", "  east: {region: us-north}\nclients:\n", ["east"], 0),
    ("not YAML", "listen: [\"127.0.0.1:5300\"]", "listen: [\"127.0.0.1:5300\"", [], None),
    ("tab as indentation", "  listen: [\"127", "\tlisten: [\"127", [], None),
    ("sequence where a mapping belongs", "nameservers: {ns1: [127.0.0.1]}", "nameservers: [ns1]", ["nameservers"], 0),
    ("address that is none", "[192.0.2.10]", "[192.0.2.310]", ["192.0.2.310"], 0),
    ("address of a listener without a port", "[\"127.0.0.1:5300\"]", "[\"127.0.0.1\"]", ["127.0.0.1"], 0),
    ("port beyond 65535", "port: 8080", "port: 80800", ["80800"], 0),
    ("port that is a word", "port: 8080", "port: eighty", ["eighty"], 0),
    ("duration without a unit", "interval: 2s", "interval: 2", ["interval", "2"], 0),
    ("duration of an unknown unit", "interval: 2s", "interval: 2parsec", ["2parsec"], 0),
    ("duration below zero", "timeout: 2s", "timeout: -2s", ["-2s"], 0),
    ("fall 0", "fall: 3", "fall: 0", ["fall"], 0),
    ("rise that is text", "rise: 5", "rise: many", ["many"], 0),
    ("check of an unknown type", "type: http,", "type: htpp,", ["htpp", "http"], 0),
    ("check without a type", "{type: http, port", "{port", ["type"], 0),
    ("status range upside down", "\"200-299\"", "\"299-200\"", ["299-200"], 0),
    ("path that is no path", "path: /healthz", "path: healthz", ["path"], 0),
    ("policy that is not known", "policy: weighted", "policy: wieghted", ["wieghted", "weighted"], 0),
    ("failover mode that is not known", "failover: approval", "failover: approve", ["approve", "approval"], 0),
    ("failback mode that is not known", "mode: delayed", "mode: delaid", ["delaid", "delayed"], 0),
    ("check that does not exist", "application: {all: [web]}", "application: {all: [wed]}", ["wed", "web"], 0),
    ("stateful check that does not exist", "stateful: db", "stateful: bd", ["bd", "db"], 0),
    ("endpoint in an unknown datacenter", "      east: {addresses: [192.0.2.20], weight", "      eats: {addresses: [192.0.2.20], weight", ["eats", "east"], 0),
    ("order that names an unknown datacenter", "order: [east, west]", "order: [east, wets]", ["wets", "west"], 0),
    ("service without endpoints", "      east: {addresses: [192.0.2.20], weight: 70}\n      west: {addresses: [198.51.100.20], weight: 30}\n",
     "      {}\n", ["endpoint"], None),
    ("endpoint without addresses", "{addresses: [192.0.2.30]}", "{}", ["address"], 0),
    ("weight below zero", "weight: 70", "weight: -70", ["weight"], 0),
    ("weight that is text", "weight: 70", "weight: heavy", ["heavy"], 0),
    ("follow: primary without a stateful check", "    stateful: db\n", "", ["stateful"], None),
    ("address that nothing looks at", "    application: {all: [web]}\n    endpoints:\n      east: {addresses: [192.0.2.20],",
     "    endpoints:\n      east: {unchecked: true, addresses: [192.0.2.20],", ["198.51.100.20"], None),
    ("latitude beyond the pole", "latitude: 40.7", "latitude: 140.7", ["140.7"], 0),
    ("network with host bits", "203.0.113.0/24", "203.0.113.1/24", ["203.0.113.1/24"], 0),
    ("service outside every zone", "  www.gtm.example.com:", "  www.example.org:", ["www.example.org"], 0),
    ("name with a label too long", "  www.gtm.example.com:", "  " + "w" * 64 + ".gtm.example.com:", ["www"], 0),
    ("record that is none", "\"@ 300 TXT hello\"", "\"@ 300 TXTT hello\"", ["TXTT"], 0),
    ("static record where a service stands", "\"alias 300 CNAME shop\"", "\"shop 300 A 192.0.2.1\"", ["shop"], 0),
    ("zone without name servers", "    nameservers: {ns1: [127.0.0.1]}\n", "", ["nameservers"], None),
    ("zone file that is missing", "file: static.zone", "file: nothing.zone", ["nothing.zone"], 0),
    ("load that nothing reports", "    failover: approval", "    failover: approval\n    load: {from: db}", ["load", "reports no load"], None),
    ("section of a later day", "clients:\n", "cluster: {name: prod}\nclients:\n", ["cluster", "not supported yet"], 0),
]

BROKEN_ZONES = [
    ("type that is unknown", "mail A 192.0.2.25", "mail AB 192.0.2.25", ["AB"]),
    ("address that is none", "mail A 192.0.2.25", "mail A 192.0.2.256", []),
    ("CNAME beside other data", "mail A 192.0.2.25", "text CNAME mail", ["text", "CNAME"]),
    ("record out of the zone", "text TXT \"hello\"", "text.example.org. TXT \"hello\"", ["example.org"]),
]


class World:
    def __init__(self, lab):
        self.lab, self.home = lab, lab.directory / "checked"
        self.home.mkdir()

    def check_config(self, config, zone=STATIC):
        """(status, lines that name an error, everything said) of fairwayctl check-config."""
        (self.home / "static.zone").write_text(zone)
        file = self.home / "fairway.yaml"
        file.write_text(config)
        return run("fairwayctl", "check-config", file)


def run(name, *arguments):
    result = subprocess.run([program(name), *map(str, arguments)], capture_output=True, text=True, timeout=60, env={**os.environ, **SANITIZERS})
    said = result.stdout + result.stderr
    return result.returncode, [line for line in said.splitlines() if "error:" in line], said


def breaches(what, outcome, file, line, words):
    """What is wrong with the answer to a broken configuration, as sentences."""
    status, errors, said = outcome
    if status != 2:
        yield f"{what}: status {status}, expected 2\n{said}"
    if len(errors) != 1:
        yield f"{what}: {len(errors)} messages, expected one:\n{said}"
        return
    place = re.search(rf"{re.escape(file)}:(\d+)(:(\d+))?: error: ", errors[0])
    if not place:
        yield f"{what}: no file:line in {errors[0]}"
    elif line and int(place.group(1)) != line:
        yield f"{what}: line {place.group(1)}, expected {line}: {errors[0]}"
    for word in words:
        if word.lower() not in errors[0].lower():
            yield f"{what}: `{word}` is not in {errors[0]}"


@story("the configuration the others are broken from is good", stop=True)
def _(world):
    status, errors, said = world.check_config(GOOD)
    equal((status, errors), (0, []), f"check-config of the good one:\n{said}")


@story(f"{len(BROKEN)} broken configurations: one message each, in the right place, with the nearest word")
def _(world):
    found = []
    for what, good, broken, words, offset in BROKEN:
        check(good in GOOD, f"{what}: the table is wrong, {good!r} is not in the good configuration")
        config = GOOD.replace(good, broken, 1)
        line = None if offset is None else GOOD[:GOOD.index(good)].count("\n") + 1 + offset
        found += breaches(what, world.check_config(config), "fairway.yaml", line, words)
    check(not found, f"{len(found)} of {len(BROKEN)}:\n" + "\n".join(found))


@story(f"{len(BROKEN_ZONES)} broken zone files: one message each, with the zone file's line")
def _(world):
    found = []
    for what, good, broken, words in BROKEN_ZONES:
        line = None if "beside" in what else STATIC[:STATIC.index(good)].count("\n") + 1  # of two, either may be named
        found += breaches(what, world.check_config(GOOD, STATIC.replace(good, broken)), "static.zone", line, words)
    check(not found, "\n".join(found))


@story("files that are missing or cannot be read")
def _(world):
    for what, path in (("missing", world.home / "nothing.yaml"), ("a directory", world.home)):
        status, _, said = run("fairwayctl", "check-config", path)
        equal(status, 2, f"{what}: status ({said})")
        check(str(path) in said, f"{what}: the message names the file: {said}")
        status, _, said = run("fairwayd", "--config", path)
        check(status not in (0, None) and str(path) in said, f"fairwayd, {what}: status {status}, {said}")


@story("a configuration that fairwayctl refuses, fairwayd refuses with the same words")
def _(world):
    config = GOOD.replace("weight: 70", "wieght: 70")
    _, errors, _ = world.check_config(config)
    status, same, said = run("fairwayd", "--config", world.home / "fairway.yaml")
    equal(status, 2, f"status of fairwayd ({said})")
    check(errors[0].split("error: ")[1] in "".join(same), f"{errors} and {same}")


@story("a port in use is named, and nothing is left running")
def _(world):
    fairway = Fairwayd(world.lab, "\n".join([
        'dns: {listen: ["$dns"]}', 'http: {listen: "$http"}', 'control: {socket: "$socket"}', 'state: {directory: "$state"}',
        "zones: {gtm.example.com: {nameservers: {ns1: [127.0.0.1]}}}"]))
    for kind, server in ((socket.SOCK_DGRAM, fairway.dns), (socket.SOCK_STREAM, fairway.http)):
        with socket.socket(type=kind) as taken:
            taken.bind(server)
            kind == socket.SOCK_STREAM and taken.listen()
            fairway.start(wait=False)
            fairway.process.ended_by_us = True  # as it should
            status = fairway.process.popen.wait(20)
            equal(status, 1, f"status ({fairway.log()})")
            check(f"{server[0]}:{server[1]}" in fairway.process.tail(5), f"the message names {server}: {fairway.process.tail(5)}")


tell(World)
