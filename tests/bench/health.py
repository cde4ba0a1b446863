#!/usr/bin/python3
"""What looking costs, and how soon a failure is seen, beside gdnsd and PowerDNS on the same targets.

    tests/bench/health.py [--build DIR] [--phases 5] [--no-cpu] [--no-times]

DIR is a release build. Needs root, and gdnsd, pdns-server, pdns-backend-bind and nftables beside what the tests need. It works in a
network namespace of its own. Targets are nginx: 500 names of 4 addresses, looked at over plain HTTP.

CPU is the process' own clock over ten seconds, in percent of a core. Failures are three: nginx stopped (refused), nginx
stopped by a signal (frozen: connects and never answers), packets to it dropped. Each phase, at any moment of everybody's interval,
has targets of its own that fail: one that came back too often would be damped by some.
"""

import argparse
import os
import pathlib
import random
import resource
import socket
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from lab import Fairwayd, Lab, Process, Silence, ask, wait_until  # noqa: E402

PORT = 18590
KINDS = ("refused", "frozen", "dropped")  # the first address of the names 3p, 3p + 1 and 3p + 2 fails so in phase p
MOST_PHASES = 20
NODE = """dns: {listen: ["$dns"], threads: 1}
http: {listen: "$http"}
control: {socket: $socket}
state: {directory: $state}
zones: {gtm.test: {nameservers: {ns1: [$dns_address]}}}
datacenters: {dc0: {}, dc1: {}, dc2: {}, dc3: {}}
"""
SOA = "@ 3600 SOA ns1 host 1 3600 600 86400 60\n@ 3600 NS ns1\nns1 3600 A 192.0.2.53\n"


def name_of(i):
    return f"h{i:06d}.gtm.test"


def victim(i):
    return f"127.1.0.{1 + i}" if i < len(KINDS) * MOST_PHASES else f"127.1.{1 + i // 250}.{1 + i % 250}"


def pool(i):
    """Four addresses of a name; the first may fail."""
    return [victim(i)] + [f"127.1.{24 + k * 21 + i // 250}.{1 + i % 250}" for k in range(3)]


class Web:
    """One nginx for some addresses."""

    def __init__(self, lab, name, addresses):
        self.lab, self.name, self.home = lab, name, lab.directory / f"nginx-{name}"
        self.home.mkdir()
        paths = " ".join(f"{kind}_temp_path {self.home};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        listen = "\n".join(f"listen {a}:{PORT};" for a in addresses)
        (self.home / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {self.home}/pid; error_log {self.home}/error.log;\n"
            f"events {{ worker_connections 16384; }}\nhttp {{ access_log off; {paths} keepalive_requests 1000000; keepalive_timeout 1h;\n"
            f"server {{ {listen}\nlocation / {{ return 200 ok; }} }} }}\n")
        self.process = Process(lab, f"nginx-{name}", ["nginx", "-e", self.home / "error.log", "-c", self.home / "nginx.conf"])
        wait_until(f"nginx {name} answers\n{self.process.tail()}", lambda: all(map(self.answers, (addresses[0], addresses[-1]))), 60)

    @staticmethod
    def answers(address):
        try:
            with socket.create_connection((address, PORT), timeout=5) as s:
                s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return s.recv(100).startswith(b"HTTP/1.1 200")
        except OSError:
            return False


# ---------------------------------------------------------------- the servers

def fairway(lab, name, names, check, ttl="5s"):
    services = "".join(
        f"  {name_of(i)}:\n    policy: all\n    application: web\n    ttl: {ttl}\n    endpoints:\n" + "".join(
            f"      dc{k}: {{addresses: [{a}]}}\n" for k, a in enumerate(pool(i))) for i in range(names))
    f = Fairwayd(lab, NODE + f"checks: {{web: {{type: http, port: {PORT}, path: /, {check}}}}}\nservices:\n" + services, name=name)
    return f.start(), f.dns


def gdnsd(lab, name, names, settings):
    home, server = lab.directory / name, ("127.0.0.1", lab.free_port("127.0.0.1"))
    for part in ("run", "state", "zones"):
        (home / part).mkdir(parents=True)
    resources = "\n".join(f"m{i} => {{ " + ", ".join(f"h{k} => {a}" for k, a in enumerate(pool(i))) + " }" for i in range(names))
    (home / "config").write_text(
        f"options => {{ listen => {{ 127.0.0.1:{server[1]} => {{ udp_threads => 1, tcp_threads => 1 }} }}, run_dir => {home}/run,\n"
        f"  state_dir => {home}/state }}\nservice_types => {{ web => {{ plugin => http_status, port => {PORT}, {settings} }} }}\n"
        f"plugins => {{ multifo => {{ service_types => web, up_thresh => 0.1,\n{resources}\n}} }}\n")
    (home / "zones" / "gtm.test").write_text(SOA + "".join(f"h{i:06d} 5 DYNA multifo!m{i}\n" for i in range(names)))
    return started(lab, name, ["gdnsd", "-c", home, "start"], server)


def powerdns(lab, name, names, function, interval="", options=""):
    home, server = lab.directory / name, ("127.0.0.1", lab.free_port("127.0.0.1"))
    home.mkdir()

    def record(i):
        a = ",".join(f"'{x}'" for x in pool(i))
        if function == "ifportup":
            return f"ifportup({PORT}, {{{a}}}, {{selector='all'{options}}})"
        return f"ifurlup('http://health.test:{PORT}/', {{{{{a}}}}}, {{selector='all'{options}}})"
    (home / "zone").write_text("$ORIGIN gtm.test.\n$TTL 5\n" + SOA + "".join(f'h{i:06d} LUA A "{record(i)}"\n' for i in range(names)))
    (home / "named.conf").write_text(f'zone "gtm.test" {{ type master; file "{home}/zone"; }};\n')
    (home / "pdns.conf").write_text(
        f"launch=bind\nbind-config={home}/named.conf\nlocal-address=127.0.0.1\nlocal-port={server[1]}\nreceiver-threads=1\n"
        f"distributor-threads=1\nsocket-dir={home}\ndaemon=no\nguardian=no\nloglevel=3\nenable-lua-records=yes\n"
        f"security-poll-suffix=\n{interval}\n")
    result = started(lab, name, ["pdns_server", f"--config-dir={home}"], server)
    for i in range(names):  # it looks only at what is asked for
        addresses(server, i)
    return result


def started(lab, name, command, server):
    process = Process(lab, name, command)
    wait_until(f"{name} answers\n{process.tail()}", lambda: addresses(server, 0) is not None, 60, every=0.1)
    process.process = process  # as Fairwayd has it
    return process, server


def addresses(server, i):
    """What the name is answered with; None for no answer."""
    try:
        answer = ask(server, name_of(i), timeout=1)
        return set(answer.addresses) if answer.rcode == "NOERROR" else None
    except (Silence, OSError):
        return None


# ---------------------------------------------------------------- what looking costs

def clock(pid):
    return time.clock_gettime((~pid << 3) | 2)  # CPUCLOCK_SCHED of that process: all its threads, those that ended too


def memory(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0


def cost(lab, what, make, per_second, settle=12, seconds=10):
    """`settle`: until every first look is over, every verdict reached, and written."""
    server, _ = make()
    time.sleep(settle)
    pid = server.process.pid
    before, begun = clock(pid), time.monotonic()
    time.sleep(seconds)
    used = (clock(pid) - before) / (time.monotonic() - begun)
    lag = ""
    if isinstance(server, Fairwayd):
        lag = f"{server.metric('fairway_probe_lag_seconds') * 1000:.0f}"
    print(f"| {what} | {per_second} | {100 * used:.1f} | {used / per_second * 1e6:.0f} | {memory(pid):.0f} | {lag} |", flush=True)
    server.stop()


def costs(lab):
    print("\n| server and check | looks/s | CPU, % of a core | us a look | PSS, MiB | latest timer of 10 s, ms |\n|---|---|---|---|---|---|")
    quiet = "fall: 3, hold_down: 0s"
    # 2,000 targets at 2 s, which is the least that gdnsd accepts.
    cost(lab, "fairway, a new connection each", lambda: fairway(lab, "c-new", 500, f"interval: 2s, {quiet}"), 1000)
    cost(lab, "fairway, kept connections", lambda: fairway(lab, "c-kept", 500, f"interval: 2s, reuse: true, {quiet}"), 1000)
    cost(lab, "gdnsd http_status", lambda: gdnsd(lab, "c-gdnsd", 500, "interval => 2"), 1000)
    cost(lab, "PowerDNS ifurlup", lambda: powerdns(lab, "c-pdns", 500, "ifurlup", "lua-health-checks-interval=2"), 1000)
    cost(lab, "fairway, 10,000 checks at 2 s, what a thread is good for", lambda: fairway(lab, "c-full", 2500, f"interval: 2s, {quiet}"), 5000, 20)
    cost(lab, "fairway, 20,000 checks at 10 s", lambda: fairway(lab, "c-many", 5000, f"interval: 10s, timeout: 2s, {quiet}"), 2000, 35, 20)


# ---------------------------------------------------------------- how soon a failure is seen

def nft(*words):
    subprocess.run(["nft", " ".join(words)], check=True)


def fail(kind, web, address):
    if kind == "refused":
        web.process.stop()
    elif kind == "frozen":
        web.process.freeze()
    else:
        nft("add rule ip b i ip daddr", address, "tcp dport", str(PORT), "drop")


def until(server, i, answered, limit, every=0.02):
    """Seconds until the first address of the name is, or is not, in its answers."""
    begun = time.monotonic()
    while time.monotonic() - begun < limit:
        got = addresses(server, i)
        if got is not None and (victim(i) in got) == answered:
            return time.monotonic() - begun
        time.sleep(every)
    return None


def contenders(lab, names):
    """What, process, server, and how long it may take."""
    fast = "interval: 250ms, timeout: 500ms, retest: 50ms, fall: 1, rise: 1, hold_down: 0s"
    yield "fairway, defaults", *fairway(lab, "t-fairway", names, "interval: 2s"), 12
    yield "fairway, defaults with watch", *fairway(lab, "t-watch", names, "watch: true"), 12
    yield "fairway, interval 250 ms, timeout 500 ms, fall 1", *fairway(lab, "t-fast", names, fast), 12
    yield "gdnsd, interval 2, timeout 1, thresholds 1 (least allowed)", *gdnsd(
        lab, "t-gdnsd", names, "interval => 2, timeout => 1, up_thresh => 1, ok_thresh => 1, down_thresh => 1"), 12
    yield "PowerDNS ifportup, interval 1, timeout 1 (least)", *powerdns(
        lab, "t-port", names, "ifportup", "lua-health-checks-interval=1", ",timeout=1"), 12
    yield "PowerDNS ifurlup, interval 1, timeout 1 (least)", *powerdns(
        lab, "t-url", names, "ifurlup", "lua-health-checks-interval=1", ",timeout=1"), 12
    yield "PowerDNS ifportup, defaults", *powerdns(lab, "t-port-default", names, "ifportup"), 12
    yield "PowerDNS ifurlup, defaults", *powerdns(lab, "t-url-default", names, "ifurlup"), 12
    yield "gdnsd, defaults (interval 10, timeout 5, down_thresh 10)", *gdnsd(lab, "t-gdnsd-default", names, ""), 130


def spread(values, phases):
    if not values:
        return "not within the limit"
    few = f", {len(values)} of {phases}" if len(values) < phases else ""
    return f"{min(values):.2f} / {statistics.median(values):.2f} / {max(values):.2f}{few}"


def times(lab, webs, phases):
    everybody = list(contenders(lab, len(KINDS) * phases))
    seen = {(what, kind): [] for what, *_ in everybody for kind in KINDS}

    def one(what, kind, server, i, limit):
        if (found := until(server, i, False, limit, 0.1 if limit > 100 else 0.02)) is not None:
            seen[what, kind].append(found)
    for what, _, server, limit in everybody:
        for i in range(len(KINDS) * phases):
            if until(server, i, True, 60) is None:
                sys.exit(f"{what}: {victim(i)} is not answered")
    watchers = []
    for phase in range(phases):
        time.sleep(random.uniform(13, 18))  # the quick ones are through with the last one
        for k, kind in enumerate(KINDS):
            i = len(KINDS) * phase + k
            fail(kind, webs[i], victim(i))
            for what, _, server, limit in everybody:
                watchers.append(threading.Thread(target=one, args=(what, kind, server, i, limit)))
                watchers[-1].start()
    for w in watchers:
        w.join()
    print("\nSeconds from the failure to the first answer without it: best / median / worst\n\n| server and settings | refused | frozen | packets dropped |\n|---|---|---|---|")
    for what, *_ in everybody:
        print(f"| {what} | " + " | ".join(spread(seen[what, kind], phases) for kind in KINDS) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build-release")
    parser.add_argument("--phases", type=int, default=5, choices=range(1, MOST_PHASES + 1), metavar="1..20")
    parser.add_argument("--no-cpu", action="store_true")
    parser.add_argument("--no-times", action="store_true")
    options = parser.parse_args()
    os.environ["FAIRWAY_BUILD"] = str(options.build.resolve())
    if "FAIRWAY_ALONE" not in os.environ:
        inside = [sys.executable, "-B", *sys.argv]
        os.execvpe("unshare", ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *inside],
                   {**os.environ, "FAIRWAY_ALONE": "1"})
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    nft("add table ip b; add chain ip b i { type filter hook input priority 0; }")
    with Lab() as lab:
        failing = range(len(KINDS) * options.phases)
        rest = sorted({a for i in range(5000) for a in pool(i)} - {victim(i) for i in failing})
        for begin in range(0, len(rest), 5000):  # a connection of its 16384 is taken by each address
            Web(lab, f"rest-{begin}", rest[begin:begin + 5000])
        webs = [Web(lab, str(i), [victim(i)]) for i in failing]
        time.sleep(2)
        if not options.no_cpu:
            costs(lab)
        if not options.no_times:
            times(lab, webs, options.phases)


if __name__ == "__main__":
    main()
