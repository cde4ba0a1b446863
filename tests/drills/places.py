"""Places: a network namespace for each datacenter, one for clients, one for Fairway, and a bridge between them.

The namespaces are nobody's by name: each lives as long as the process that holds it, and that is one of the lab's. All
addresses are 10.77.0.HOST; a host belongs to the place that was given it. The drill itself stands at the bridge and reaches
everybody; what is cut is cut between places.

    with country.place("east"):
        Nginx(country, ...).start()     # whatever is started or connected here is in that namespace
"""

import contextlib
import ctypes
import errno
import os
import pathlib
import socket
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import Failure, Lab, Process, wait_until  # noqa: E402

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
NETWORK = "10.77.0"


def _command(*words, within=None):
    inside = ["nsenter", f"--net=/proc/{within}/ns/net", "--"] if within else []
    result = subprocess.run([*inside, *map(str, words)], capture_output=True, text=True)
    if result.returncode:
        raise Failure(f"{' '.join(map(str, words))}: {result.stderr.strip()}")


def _enter(descriptor):
    if _libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _reaches_the_bridge():
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((f"{NETWORK}.1", 9)) == errno.ECONNREFUSED  # nobody listens there


class Place:
    """One namespace with its hosts. As a context it is where this thread starts and connects things."""

    def __init__(self, country, name, hosts):
        self.country, self.name, self.hosts, self.first = country, name, list(hosts), len(country.processes)
        self.holder = Process(country, f"place-{name}", ["unshare", "--net", "sleep", "infinity"])
        own = os.readlink("/proc/self/ns/net")
        wait_until(f"{name} has a network of its own",
                   lambda: pathlib.Path(f"/proc/{self.holder.pid}/ns/net").exists()
                   and os.readlink(f"/proc/{self.holder.pid}/ns/net") != own, 5)
        self.link = f"to-{name}"
        _command("ip", "link", "add", self.link, "type", "veth", "peer", "name", "up0", "netns", self.holder.pid)
        _command("ip", "link", "set", self.link, "master", country.bridge, "up")
        self.command("ip", "link", "set", "lo", "up")
        self.command("ip", "link", "set", "up0", "up")
        for host in self.hosts:
            self.command("ip", "address", "add", f"{NETWORK}.{host}/24", "dev", "up0")
        self.command("nft", "add", "table", "inet", "drill")
        for hook in ("input", "output"):
            self.command("nft", "add", "chain", "inet", "drill", hook, f"{{ type filter hook {hook} priority 0; }}")
        self._depth = threading.local()

    def command(self, *words):
        _command(*words, within=self.holder.pid)

    def __enter__(self):
        self._depth.back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        with open(f"/proc/{self.holder.pid}/ns/net") as there:
            _enter(there.fileno())
        return self

    def __exit__(self, *_):
        _enter(self._depth.back)
        os.close(self._depth.back)

    @property
    def address(self):
        return f"{NETWORK}.{self.hosts[0]}"

    # ---- what happens to it

    def lose(self):
        """The whole datacenter is gone: its line is dead, and then its programs are. Nobody refuses anything."""
        _command("ip", "link", "set", self.link, "down")
        for process in self.programs():
            process.kill()

    def programs(self):
        with_it = os.readlink(f"/proc/{self.holder.pid}/ns/net")

        def here(process):
            with contextlib.suppress(OSError):
                return os.readlink(f"/proc/{process.pid}/ns/net") == with_it
        return [p for p in self.country.running() if p is not self.holder and here(p)]

    def reconnect(self):
        _command("ip", "link", "set", self.link, "up")
        for place in self.country.places.values():  # who was asked for in vain is asked for again
            place.command("ip", "neighbour", "flush", "dev", "up0")
        with self:
            wait_until(f"{self.name} is connected again", _reaches_the_bridge, 10)

    def cut(self, *others, loss=None, ports=()):
        """Drops what goes to and comes from other places, or so many percent of it, or what is for some ports there."""
        hosts = ", ".join(f"{NETWORK}.{host}" for other in others for host in other.hosts)
        some = ["numgen", "random", "mod", "100", "<", loss] if loss else []
        for hook, way, end in (("input", "saddr", "sport"), ("output", "daddr", "dport")):
            of_port = ["tcp", end, "{", ", ".join(map(str, ports)), "}"] if ports else []
            self.command("nft", "add", "rule", "inet", "drill", hook, "ip", way, f"{{ {hosts} }}", *of_port, *some, "drop")

    def heal(self):
        self.command("nft", "flush", "table", "inet", "drill")


class Country(Lab):
    """A lab whose addresses lie in places. The bridge is in a namespace of the drill's own, entered at the start."""

    network = f"{NETWORK}.0/24"
    bridge = "bridge0"

    def __init__(self, **places):
        super().__init__(prefix="fairway-drill.")
        if _libc.unshare(_CLONE_NEWNET):
            raise Failure("a network namespace cannot be made here: the drills need root")
        _command("ip", "link", "set", "lo", "up")
        _command("ip", "link", "add", self.bridge, "type", "bridge")
        _command("ip", "address", "add", f"{NETWORK}.1/24", "dev", self.bridge)
        _command("ip", "link", "set", self.bridge, "up")
        self.places = {name: Place(self, name, hosts) for name, hosts in places.items()}

    def place(self, name):
        return self.places[name]

    def address(self, host):
        return f"{NETWORK}.{host}"

    def free_port(self, *addresses):
        """Any: nobody else is in these namespaces."""
        self._port = getattr(self, "_port", 20000) + 1
        return self._port
