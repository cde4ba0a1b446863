#!/usr/bin/python3
"""The stage of the quick start: two throw-away datacenters on loopback and fairwayd on examples/quickstart.yaml.

packaging/quickstart calls it. Everything lives in one temporary directory that is gone afterwards, like every process.
"""

import argparse
import os
import pathlib
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "packaging")]
from lab import Failure, Fairwayd, Lab, Process, Site, wait_until  # noqa: E402
from lab.fairwayd import SANITIZERS, program  # noqa: E402
from lab.world import port_is_free  # noqa: E402

CONFIG = ROOT / "packaging" / "examples" / "quickstart.yaml"
ADDRESSES = {"east": "127.0.1.1", "west": "127.0.2.1"}
WEB, DATABASE = 8080, 5432
DNS, HTTP = ("127.0.0.1", 5300), ("127.0.0.1", 9553)
SHOP, WWW = "shop.gtm.example.com", "www.gtm.example.com"

_began = time.monotonic() - float(os.environ.get("FAIRWAY_SECONDS", "0"))


def say(text):
    seconds = int(time.monotonic() - _began)
    print(f"[{seconds // 60:2}:{seconds % 60:02}] {text}", flush=True)


class Demo(Fairwayd):
    """Fairwayd on the example as it stands, its state and its socket in the lab's directory, and the two sites."""

    def __init__(self, lab):
        self.lab, self.name, self.process = lab, "fairwayd", None
        self.dns, self.http = DNS, HTTP
        self.state, self.socket = lab.directory / "state", lab.directory / "control.sock"
        self.config = lab.directory / "fairway.yaml"
        self.config.write_text(f"""# The example as it stands; what a real node has in /var/lib and /run is here, in the demonstration's directory.
include: ["{CONFIG}"]
state: {{directory: "{self.state}"}}
control: {{socket: "{self.socket}"}}
""")
        self.sites = {name: Site(lab, name, address, WEB, DATABASE) for name, address in ADDRESSES.items()}
        self.east, self.west = self.sites.values()

    def open(self):
        say("two datacenters: nginx and PostgreSQL on 127.0.1.1 (east, primary) and 127.0.2.1 (west, standby)")
        self.east.web.start()
        self.west.web.start()
        self.east.database.start_primary()
        self.west.database.start_standby(self.east.database)
        say("fairwayd on packaging/examples/quickstart.yaml")
        self.process = Process(
            self.lab, "fairwayd",
            [program("fairwayd"), "--config", self.config],
            env={"FAIRWAY_DEMO": str(self.lab.directory), **SANITIZERS})
        self.wait_ready()
        wait_until("both datacenters are fit under www", lambda: all(e["fit"] for e in self.service(WWW)["endpoints"]), 20)
        return self

    def bring_back(self):
        """Starts what has died: a web tier as it was, a database as a standby of the other one."""
        for site, other in ((self.east, self.west), (self.west, self.east)):
            if not site.web.process.alive():
                site.web.start()
                say(f"the web tier of {site.name} is back")
            if not site.database.process.alive() and other.database.process.alive() and other.database.is_primary():
                site.database.rejoin(other.database)
                say(f"the database of {site.name} is back as a standby, by {site.database.rejoined_by}")


def ports_in_use():
    wanted = [DNS, HTTP] + [(address, port) for address in ADDRESSES.values() for port in (WEB, DATABASE)]
    return [f"{address}:{port}" for address, port in wanted if not port_is_free(address, port)]


def what_to_type(demo):
    ctl = os.path.relpath(program("fairwayctl"))
    east, west = (f"{s.web.process.pid} {s.database.process.pid}" for s in (demo.east, demo.west))
    return f"""
It runs. In another terminal, from this directory:

             export FAIRWAY_SOCKET={demo.socket}
  ask        dig @{DNS[0]} -p {DNS[1]} {SHOP} +short     # follows the database's primary: {demo.east.address}
             dig @{DNS[0]} -p {DNS[1]} {WWW} +short      # 70 % {demo.east.address}, 30 % {demo.west.address}
  look       {ctl} status
             {ctl} explain {SHOP} --client 192.0.2.1
             curl -s http://{HTTP[0]}:{HTTP[1]}/metrics
  drain      {ctl} drain --datacenter west --service {WWW} --reason "just looking"
             {ctl} undrain --datacenter west --service {WWW}
  disaster   kill -9 {east}        # east whole: its nginx and its PostgreSQL; then ask shop again
             kill -9 {west}        # or west
  return     kill -USR1 {os.getpid()}                # start what died; a database comes back as a standby
             {ctl} failback {SHOP}
  logs       {demo.lab.directory}/*.log

Ctrl-C ends all of it and removes {demo.lab.directory}.
"""


def stay(demo):
    """Until a signal ends us; a failure if the daemon ends by itself."""
    signal.signal(signal.SIGUSR1, lambda *_: demo.bring_back())
    print(what_to_type(demo), flush=True)
    while demo.process.alive():
        time.sleep(0.5)
    raise Failure(f"fairwayd ended with status {demo.process.popen.returncode}")


def perform(lab, tour):
    try:
        demo = Demo(lab).open()
        if tour:
            from tour import play
            play(demo)
        else:
            stay(demo)
        return 0
    except (Failure, OSError) as problem:
        say(f"FAILED: {problem}")
        for process in lab.processes:
            if process.name == "fairwayd":
                print(f"--- the end of fairwayd's log\n{process.tail(40)}", flush=True)
        return 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tour", action="store_true")
    parser.add_argument("--check-ports", action="store_true")
    options = parser.parse_args()

    taken = ports_in_use()
    if taken:
        print(f"quickstart: already in use: {', '.join(taken)}. End what listens there (ss -lnptu shows it) and try again.", file=sys.stderr)
        return 1
    if options.check_ports:
        return 0
    try:
        with Lab(prefix="fairway-demo.") as lab:
            status = perform(lab, options.tour)
    except SystemExit as signalled:
        status = 0 if signalled.code == 128 + signal.SIGINT and not options.tour else signalled.code
        print()
    say("ended; no process and no file is left")
    return status


if __name__ == "__main__":
    import demo  # the module that tour.py knows: one clock, one class
    sys.exit(demo.main())
