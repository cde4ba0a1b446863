#!/usr/bin/python3
"""The DNS front beside a bare responder, and what start, reload and verdicts take, as one table.

    tests/bench/front.py [--build DIR] [--runs 5] [--seconds 1] [--only REGEX]

DIR is a release build: meson setup DIR --buildtype=release && ninja -C DIR daemon/fairwayd daemon/ctl/fairwayctl bench.
Needs root (a network namespace of its own), two cores and some minutes. The server has one core, the load the other.

Each CPU figure is a ratio of two runs that follow each other, the responder's and the server's, so that the machine's own
drift cancels; the median of the pairs is given, with the least and the most. Ratios can be compared between machines,
times only with what else was measured on this one at the same time.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from lab import Fairwayd, Lab, Process, Silence, ask, wait_until  # noqa: E402
from lab.fairwayd import program  # noqa: E402

SERVER, LOAD = 0, 1  # cores
RATE = 20_000        # queries a second where it is not as many as possible
SOA = "$ORIGIN gtm.test.\n$TTL 60\n@ 3600 SOA ns1 host 1 3600 600 86400 60\n@ 3600 NS ns1\nns1 3600 A 192.0.2.53\n"
NODE = """dns: {listen: ["$dns"], threads: 1, spin: $spin}
http: {listen: "$http"}
control: {socket: $socket}
state: {directory: $state}
"""


# ---------------------------------------------------------------- what is served

def static_zone(names):
    return SOA + "".join(f"n{i:06d} A 198.18.{i >> 8 & 255}.{i & 255}\nn{i:06d} AAAA 2001:db8::{i >> 16:x}:{i & 65535:x}\n"
                         for i in range(names))


def datacenters(count):
    return "datacenters:\n" + "".join(f"  dc{k}: {{}}\n" for k in range(count))


def weighted(services, endpoints):
    return datacenters(endpoints) + "services:\n" + "".join(
        f"  d{i:06d}.gtm.test:\n    policy: weighted\n    unchecked: true\n    ttl: 60s\n    endpoints:\n" + "".join(
            f"      dc{k}: {{addresses: [203.0.113.{(endpoints * i + k) % 250 + 1}], weight: {endpoints - k}}}\n"
            for k in range(endpoints)) for i in range(services))


def by_network(services, networks):
    """Neighbouring networks are nearest to different ones of eight datacenters."""
    nearest = [(f"10.{k >> 4}.{(k & 15) << 4}.0/20", (k * 2654435761 >> 7) % 8) for k in range(networks)]
    table = "".join(f"{net},dc{k},{10 if k == near else 100}\n" for net, near in nearest for k in range(8))
    return table, datacenters(8) + "clients: {latency: latency.csv}\nservices:\n" + "".join(
        f"  g{i:06d}.gtm.test:\n    policy: latency\n    unchecked: true\n    ttl: 60s\n    endpoints:\n" + "".join(
            f"      dc{k}: {{addresses: [203.0.113.{k + 1}]}}\n" for k in range(8)) for i in range(services))


class Bench:
    def __init__(self, lab, build, options):
        self.lab, self.build, self.options, self.rows, self.numbers = lab, build, options, [], iter(range(1000))

    def row(self, figure, values, target, unit="", digits=2):
        values = sorted(values)
        middle = f"{statistics.median(values):.{digits}f}{unit}"
        spread = f"{values[0]:.{digits}f}-{values[-1]:.{digits}f}"
        self.rows.append((figure, middle, spread, target))
        print(f"| {figure} | {middle} | {spread} | {target} |", flush=True)

    def wanted(self, name):
        return re.search(self.options.only, name)

    @contextlib.contextmanager
    def on_core(self, core):
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {core})  # what is started now inherits it
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)

    def fairway(self, zone, rest="", files=None, spin="0s", start=True):
        f = Fairwayd(self.lab, NODE + "zones:\n  gtm.test: {file: zone}\n" + rest, name=f"fairway{next(self.numbers)}", spin=spin)
        for name, content in {"zone": zone, **(files or {})}.items():
            (f.home / name).write_text(content)
        return self.started(f) if start else f

    def started(self, server, wait=True):
        with self.on_core(SERVER):
            return server.start(wait=wait)

    def load(self, server, name, count, pid=0, **options):
        words = [f"{k}={v}" for k, v in {"seconds": self.options.seconds, "pid": pid, **options}.items()]
        with self.on_core(LOAD):
            out = subprocess.run([self.build / "tests/bench/load", "{}:{}".format(*server), name, str(count), *words],
                                 stdout=subprocess.PIPE, check=True).stdout
        result = json.loads(out)
        if result["lost"] or result["bad"]:
            print(f"    lost {result['lost']}, bad {result['bad']} of {result['sent']}: {name} {words}", flush=True)
        return result

    # ------------------------------------------------------------ CPU an answer, beside the responder's

    def compare(self, figure, server, name, count, targets, **options):
        for sockets, target in targets.items():
            ratios = []
            for _ in range(self.options.runs):
                echo = self.load(self.echo_at, "n%06u.gtm.test", 100_000, self.echo.pid, sockets=sockets)
                own = self.load(server.dns, name, count, server.process.pid, sockets=sockets, **options)
                ratios.append(own["cpu_us"] / echo["cpu_us"])
            peers = "every query another peer" if sockets > 100 else f"{sockets} peers"
            self.row(f"{figure}, {peers}: CPU, x responder", ratios, f"{target:.2f}", digits=3)

    def cpu(self):
        address = self.lab.address(2)
        self.echo_at = (address, self.lab.free_port(address))
        with self.on_core(SERVER):
            self.echo = Process(self.lab, "echo", [self.build / "tests/bench/echo", "{}:{}".format(*self.echo_at)])
        few, many = 8, 192
        to_reach = {"1,000 static names": 1.02, "100,000 static names": 1.05}
        for figure, name, count, options, served in self.scenarios():
            server = self.fairway(*served)
            self.compare(figure, server, name, count, {few: 0.82, many: to_reach.get(figure, 1.03)}, **options)
            server.stop()
        self.echo.stop()

    @staticmethod
    def scenarios():
        """What is measured, the names that are asked for and how, and what is served."""
        table, networks = by_network(100, 4096)
        yield "1,000 static names", "n%06u.gtm.test", 1_000, {}, (static_zone(1_000),)
        yield "100,000 static names", "n%06u.gtm.test", 100_000, {}, (static_zone(100_000),)
        yield "1,000 weighted names x 4", "d%06u.gtm.test", 1_000, {}, (SOA, weighted(1_000, 4))
        yield ("client subnet, 4,096 networks", "g%06u.gtm.test", 100, {"subnet": 1},
               (SOA, networks, {"latency.csv": table}))

    # ------------------------------------------------------------ the rest

    def instructions(self):
        """Of the UDP worker's thread alone, counted by callgrind, in user space."""
        for figure, name, count, options, served in self.scenarios():
            server = self.fairway(*served, start=False)
            run = Process(self.lab, f"{server.name}-callgrind", [
                "valgrind", "--tool=callgrind", "--vgdb=no", "--callgrind-out-file=/dev/null",
                "--toggle-collect=*UdpWorker::UdpWorker*lambda*", program("fairwayd"), "--config", server.config])
            wait_until("the first answer", lambda: answers(server, name % 0), 60)
            result = self.load(server.dns, name, count, warmup=0, seconds=20, most=20_000, **options)
            run.stop()
            collected = max(map(int, re.findall(r"Collected : (\d+)", run.tail())))  # the helper's, too, is told
            self.row(f"{figure}: user instructions an answer", [collected / result["sent"]], "700", digits=0)

    def latency(self):
        for spin, target in (("0s", "-"), ("200us", "12")):
            server = self.fairway(static_zone(1_000), spin=spin)
            runs = [self.load(server.dns, "n%06u.gtm.test", 1_000, rate=RATE) for _ in range(self.options.runs)]
            self.row(f"p50 at {RATE} queries/s, spin {spin}", [r["p50"] for r in runs], target, " us", 1)
            self.row(f"p90 at {RATE} queries/s, spin {spin}", [r["p90"] for r in runs], "-", " us", 1)
            server.stop()

    def start(self):
        zone, seconds = static_zone(100_000), []
        for _ in range(self.options.runs):
            server = self.fairway(zone, start=False)
            begin = time.monotonic()
            self.started(server, wait=False)
            wait_until("the first answer", lambda: answers(server, "n000000.gtm.test"), 20, every=0.001)
            seconds.append(time.monotonic() - begin)
            server.wait_ready()
            if len(seconds) == self.options.runs:
                self.load(server.dns, "n%06u.gtm.test", 100_000)
                self.row("memory with 100,000 names: PSS", [memory(server.process)], "20", " MiB", 1)
                self.reload(server, zone)
            server.stop()
        self.row("start to first answer, 100,000 names", seconds, "0.25", " s", 3)

    def reload(self, server, zone):
        took = []
        for serial in range(2, 2 + self.options.runs):
            (server.home / "zone.new").write_text(zone.replace("host 1 ", f"host {serial} "))
            os.replace(server.home / "zone.new", server.home / "zone")
            result = {}
            load = threading.Thread(target=lambda: result.update(
                self.load(server.dns, "n%06u.gtm.test", 100_000, rate=RATE, seconds=3)))
            load.start()
            time.sleep(1)  # the load runs
            begin = time.monotonic()
            command = threading.Thread(target=server.reload)
            command.start()
            wait_until("the new serial", lambda: serial_of(server) == serial, 20, every=0.001)
            took.append((time.monotonic() - begin) * 1000)
            command.join()
            load.join()
        self.row(f"reload of 100,000 names under {RATE} queries/s", took, "250", " ms", 0)

    def verdicts(self):
        """2,000 services beside 98,000 names: one verdict, then all of them at once."""
        first, second = self.lab.address(3), self.lab.address(4)
        port = self.lab.free_port(first, second)
        target, _ = (Process(self.lab, a, [sys.executable, "-c", LISTENER, a, port]) for a in (first, second))
        checks = f"checks: {{port: {{type: tcp, port: {port}, interval: 500ms, timeout: 500ms, fall: 1}}}}\n"
        one = ("  x.gtm.test:\n    policy: {type: active_passive, order: [dc0, dc1]}\n    application: port\n    ttl: 60s\n"
               f"    endpoints: {{dc0: {{addresses: [{first}]}}, dc1: {{addresses: [{second}]}}}}\n")
        server = self.fairway(static_zone(98_000), checks + weighted(1_999, 2) + one)
        wait_until("the first site", lambda: addresses(server, "x.gtm.test") == [first], 20)
        before = published(server)
        target.kill()
        wait_until("the second site", lambda: addresses(server, "x.gtm.test") == [second], 20)
        after = wait_until("its metric", lambda: published(server) if published(server) != before else None, 20)
        took = (after[0] - before[0]) / (after[1] - before[1]) * 1000
        self.row("one verdict among 2,000 services: decision to answer", [took], "5", " ms")
        quiet = self.load(server.dns, "d%06u.gtm.test", 1_999, rate=RATE, seconds=3)
        timer = threading.Timer(1.5, lambda: server.ctl("drain", "--datacenter", "dc0", "--reason", "bench"))
        timer.start()
        storm = self.load(server.dns, "d%06u.gtm.test", 1_999, rate=RATE, seconds=3)
        timer.join()
        self.row("2,000 verdicts at once: queries lost", [storm["lost"]], "0", digits=0)
        self.row("2,000 verdicts at once: p90 of queries, x without", [storm["p90"] / quiet["p90"]], "1.0")
        server.stop()


LISTENER = """
import socket, sys
listening = socket.create_server((sys.argv[1], int(sys.argv[2])))
while True:
    listening.accept()[0].close()
"""


def answers(server, name, kind="A"):
    try:
        return ask(server.dns, name, kind, timeout=0.02).answers
    except Silence:
        return None


def addresses(server, name):
    return [r.data for r in answers(server, name) or []]


def serial_of(server):
    soa = answers(server, "gtm.test", "SOA")
    return soa[0].data[2] if soa else None


def memory(process):
    """MiB of the whole process tree, with shared pages divided among those who share them."""
    total = 0
    for pid in process.tree():
        total += int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M).group(1))
    return total / 1024


def published(server):
    """Seconds from answers decided to their being given, by the daemon's own clock: their sum and their number."""
    return tuple(server.metric(f"fairway_publish_seconds_{what}") for what in ("sum", "count"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build-release")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--only", default=".", help="cpu | instructions | latency | start | verdicts")
    options = parser.parse_args()
    if os.environ.get("FAIRWAY_BENCH") != "namespace":
        os.environ.update(FAIRWAY_BENCH="namespace", FAIRWAY_BUILD=str(options.build.resolve()))
        os.execvp("unshare", ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable, *sys.argv])
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))  # whatever else runs here waits; inherited by all we start
    print("| figure | median | least-most | to reach |\n|---|---|---|---|", flush=True)
    with Lab() as lab:
        bench = Bench(lab, options.build.resolve(), options)
        for part in ("cpu", "instructions", "latency", "start", "verdicts"):
            if bench.wanted(part):
                getattr(bench, part)()


if __name__ == "__main__":
    main()
