"""The same zones in Fairway, NSD and Knot, each a child process on loopback."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import Fairwayd, Process, Silence, ask, wait_until  # noqa: E402

FAIRWAY = """
dns: {listen: ["$dns"], threads: 1}
http: {listen: "$http"}
control: {socket: "$socket"}
state: {directory: "$state"}
datacenters:
  east: {region: us-east, latitude: 40.7, longitude: -74.0}
zones:
"""

# No root, no database, no control socket; nothing in an answer but what is needed (additional data is compared with Knot).
NSD = """
server:
  ip-address: {address}@{port}
  username: ""
  zonesdir: "{home}"
  database: ""
  pidfile: "{home}/nsd.pid"
  xfrdfile: "{home}/xfrd.state"
  xfrdir: "{home}"
  zonelistfile: "{home}/zone.list"
  server-count: 1
  minimal-responses: yes
  ipv4-edns-size: 1232
  tcp-count: 100
remote-control:
  control-enable: no
"""

# Its checks are for zones that are meant to be sensible; ours are meant to be strange.
KNOT = """
server:
  rundir: "{home}"
  listen: {address}@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  udp-max-payload: 1232
database:
  storage: "{home}"
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: "{zones}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
zone:
"""


def write_zones(directory, zones):
    """One file a zone; (absolute name, path) of each."""
    directory.mkdir()
    found = []
    for number, zone in enumerate(zones):
        path = directory / f"{number}.zone"
        path.write_text(zone.text())
        found.append((".".join(label.decode() for label in zone.name), path))
    return found


def directory_of(zones):
    return zones[0][1].parent


def start_fairway(lab, zones):
    config = FAIRWAY + "".join(f'  "{name}": {{file: "{path}"}}\n' for name, path in zones)
    name = f"fairwayd-{directory_of(zones).name}"
    return Fairwayd(lab, config, name=name).start(env={"ASAN_OPTIONS": "detect_leaks=1"}).dns


def start_nsd(lab, zones):
    text = NSD + "".join(f'zone:\n  name: "{name}"\n  zonefile: "{path}"\n' for name, path in zones)
    return _start(lab, "nsd", 54, text, zones, lambda conf: ["/usr/sbin/nsd", "-d", "-c", conf])


def start_knot(lab, zones):
    text = KNOT + "".join(f'  - domain: "{name}"\n    file: "{path}"\n' for name, path in zones)
    return _start(lab, "knot", 55, text, zones, lambda conf: ["/usr/sbin/knotd", "-c", conf])


def _start(lab, program, host, text, zones, command):
    home = lab.directory / f"{program}-{directory_of(zones).name}"
    home.mkdir()
    server = (lab.address(host), lab.free_port(lab.address(host)))
    conf = home / f"{program}.conf"
    conf.write_text(text.format(home=home, address=server[0], port=server[1], zones=directory_of(zones)))
    process = Process(lab, home.name, command(conf))

    def answers():
        try:
            return all(ask(server, zones[n][0], "SOA", timeout=0.3).rcode == "NOERROR" for n in (0, -1))
        except (Silence, OSError):
            return False
    wait_until(f"{program} answers\n{process.tail()}", answers, 30, every=0.1)
    return server
