"""fairwayd under test: its configuration, its command, its status, and its answers over time."""

import json
import os
import pathlib
import signal
import string
import subprocess
import threading
import time
import urllib.error
import urllib.request

from .dns import Silence, ask
from .world import Failure, Process, ROOT, wait_until

SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "second_deadlock_stack=1",
}


def program(name):
    """The built binary, from FAIRWAY_BUILD or build/."""
    build = pathlib.Path(os.environ.get("FAIRWAY_BUILD", ROOT / "build"))
    for place in (build / "daemon" / name, build / "daemon" / "ctl" / name, build / "tests" / "bench" / name, build / name):
        if place.exists():
            return place
    raise Failure(f"{name} is not built in {build}")


class Fairwayd:
    """`config` is YAML with $dns, $http, $socket, $state and the words given, `endpoints.east.address` as $east."""

    def __init__(self, lab, config, *, name="fairwayd", **words):
        self.lab, self.name, self.process = lab, name, None
        self.program = None  # another one than the one built
        address = lab.address(53)
        port = lab.free_port(address)
        self.dns = (address, port)
        self.http = (address, lab.free_port(address))
        self.home = lab.directory / name
        self.home.mkdir()
        self.state = self.home / "state"
        self.socket = self.home / "control.sock"
        self.config = self.home / "fairway.yaml"
        self.words = {"dns": f"{address}:{port}", "http": f"{address}:{self.http[1]}", "socket": self.socket,
                      "state": self.state, "dns_address": address, **words}
        self.configure(config)

    def configure(self, config, **words):
        """Writes the configuration; a running daemon reads it at `reload`."""
        self.words.update(words)
        self.config.write_text(string.Template(config).substitute(self.words))
        return self

    def start(self, *arguments, wait=True, env=None, by=()):
        """`by` is a command that runs the command behind it."""
        self.process = Process(self.lab, self.name, [*by, self.program or program("fairwayd"), "--config", self.config, *arguments],
                               env={**SANITIZERS, **(env or {})})
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, within=20):
        def ready():
            if not self.process.alive():
                raise Failure(f"{self.name} ended with status {self.process.popen.returncode}:\n{self.process.tail()}")
            return self.http_status("/readyz") == 200
        wait_until(f"{self.name} is ready", ready, within)

    def stop(self):
        return self.process.stop()

    def kill(self):
        """kill -9 of the daemon alone: whatever it forked has to notice by itself."""
        self.process.ended_by_us = True
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.popen.wait()

    # ---- asking

    def ask(self, name, kind="A", **how):
        return ask(self.dns, name, kind, **how)

    def addresses(self, name, kind="A"):
        """What is answered, or the rcode in brackets if it is not NOERROR."""
        answer = self.ask(name, kind)
        return answer.addresses if answer.rcode == "NOERROR" else [f"<{answer.rcode}>"]

    def watch(self, *names, every=0.01):
        return Watch(self, names, every)

    # ---- looking

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.http[0]}:{self.http[1]}{path}", timeout=5) as reply:
            return reply.read().decode()

    def http_status(self, path):
        try:
            with urllib.request.urlopen(f"http://{self.http[0]}:{self.http[1]}{path}", timeout=5) as reply:
                return reply.status
        except urllib.error.HTTPError as problem:
            return problem.code
        except OSError:
            return None

    def status(self):
        return json.loads(self.get("/status"))

    def service(self, name):
        """One service of the status."""
        name = name.rstrip(".")
        for service in self.status()["services"]:
            if service["name"].rstrip(".") == name:
                return service
        raise Failure(f"status does not know {name}")

    def endpoint(self, service, datacenter):
        return next(e for e in self.service(service)["endpoints"] if e["datacenter"] == datacenter)

    def alarms(self, service=None):
        """Ids of what is raised now."""
        return [a["id"] for a in self.status()["alarms"] if service in (None, a["service"].rstrip("."))]

    def metric(self, name, **labels):
        """The value of one series, or None."""
        for line in self.get("/metrics").splitlines():
            if line.startswith(name + "{") or line.startswith(name + " "):
                if all(f'{key}="{value}"' in line for key, value in labels.items()):
                    return float(line.rpartition(" ")[2])
        return None

    def log(self):
        return self.process.log.read_text(errors="replace")

    # ---- the operator's hand

    def ctl(self, *arguments, expect=0, timeout=60):
        """Runs fairwayctl and returns what it printed; a Failure if its status is not the expected one."""
        result = self.try_ctl(*arguments, timeout=timeout)
        if result.returncode != expect:
            raise Failure(f"fairwayctl {' '.join(map(str, arguments))}: status {result.returncode}, expected {expect}\n"
                          f"{result.stdout}{result.stderr}")
        return result.stdout if expect == 0 else result.stdout + result.stderr

    def try_ctl(self, *arguments, timeout=60):
        return subprocess.run([program("fairwayctl"), "--socket", self.socket, *map(str, arguments)],
                              capture_output=True, text=True, timeout=timeout, env={**os.environ, **SANITIZERS})

    def reload(self, expect=0):
        return self.ctl("reload", expect=expect)

    def upgrade(self, timeout=160):
        """Hands over to a new process, and returns the old one's Popen once the new one is ours."""
        self.ctl("upgrade", timeout=timeout)
        return self.adopt()

    def adopt(self):
        wait_until("another process answers", lambda: self.pid() != self.process.pid, 20)
        return self.process.succeeded_by(self.pid())

    def pid(self):
        """Of the process that answers at http.listen."""
        return json.loads(self.get("/v1/version"))["pid"]


class Watch:
    """Asks some names over and over in a thread of its own and remembers every change of an answer, with its time.

    Answers are the sorted addresses joined by spaces, `<SERVFAIL>` and the like for an rcode, `<silence>` for none.
    """

    def __init__(self, fairway, names, every):
        self.ask, self.names, self.every = fairway.ask, names, every
        self.changes = {name: [] for name in names}  # (time, answer)
        self.counts = {name: {} for name in names}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        wait_until("the watch has its first answers", lambda: all(self.changes.values()), 10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self._end.set()
        self._thread.join()
        return self

    def now(self, name=None):
        return self.changes[name or self.names[0]][-1][1]

    def until(self, wanted, within, name=None, since=None):
        """Waits until the answer is (or satisfies) `wanted`; returns the seconds from `since`, default now."""
        name, since = name or self.names[0], since or time.monotonic()
        is_wanted = wanted if callable(wanted) else lambda answer: answer == wanted
        described = "as wanted" if callable(wanted) else wanted

        def found():
            return next((t for t, answer in self.changes[name] if t >= since and is_wanted(answer)), None) or (
                self.changes[name][-1][0] <= since and is_wanted(self.now(name)) and since)
        when = wait_until(f"{name} is answered {described} (it is {self.now(name)})", found, within, every=0.005)
        return when - since

    def answers(self, name=None):
        """All distinct answers seen so far, in order of appearance."""
        return list(dict.fromkeys(answer for _, answer in self.changes[name or self.names[0]]))

    def count(self, name=None):
        return sum(self.counts[name or self.names[0]].values())

    def _run(self):
        while not self._end.is_set():
            for name in self.names:
                try:
                    answer = self.ask(name, timeout=0.5)
                    text = " ".join(answer.addresses) if answer.rcode == "NOERROR" else f"<{answer.rcode}>"
                except (Silence, OSError):
                    text = "<silence>"
                seen = self.changes[name]
                self.counts[name][text] = self.counts[name].get(text, 0) + 1
                if not seen or seen[-1][1] != text:
                    seen.append((time.monotonic(), text))
            self._end.wait(self.every)
