"""The Lab: a temporary directory and the processes in it, and waiting for things to happen."""

import atexit
import ctypes
import itertools
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]  # the source tree
_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


class Failure(AssertionError):
    """A promise that was not kept, in a sentence."""


def wait_until(what, condition, within, every=0.02):
    """Calls `condition` until it returns something true and returns that; a Failure that says `what` after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failure(f"within {within:g} s: {what}")
        time.sleep(every)


class Process:
    """One program of the lab, with all that it forks. Its output goes to a file that is shown when something fails.

    Start it from the main thread: it gets its end signal when the thread that started it ends, however that ends.
    """

    def __init__(self, lab, name, command, *, user=None, env=None, end_signal=signal.SIGTERM):
        self.lab, self.name, self.command, self.end_signal = lab, name, [str(c) for c in command], end_signal
        self.log = lab.directory / f"{name}.log"
        self.frozen = False
        self.ended_by_us = False
        as_user = {}
        if user and os.geteuid() == 0:
            entry = pwd.getpwnam(user)
            as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        with open(self.log, "ab") as out:
            self.popen = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd=lab.directory,
                env={**os.environ, **(env or {})}, preexec_fn=lambda: _libc.prctl(_PR_SET_PDEATHSIG, end_signal), **as_user)
        self.pid = self.popen.pid
        lab.processes.append(self)

    def alive(self):
        return self.popen.poll() is None

    def succeeded_by(self, pid):
        """This one has handed over to `pid`, which is it from now on; returns what ends, as a Popen."""
        before, self.popen, self.pid = self.popen, Orphan(pid), pid
        return before

    def tree(self):
        """The pids of this process and all its descendants, ancestors first."""
        children = {}
        for entry in os.scandir("/proc"):
            if entry.name.isdigit():
                try:
                    stat = pathlib.Path(entry.path, "stat").read_text()
                except OSError:
                    continue  # it ended while we looked
                parent = int(stat.rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
        found = [self.pid]
        for pid in found:
            found.extend(children.get(pid, []))
        return found

    def freeze(self):
        """SIGSTOP for all of it: connections are still accepted by the kernel, nothing answers."""
        self._signal_tree(signal.SIGSTOP)
        self.frozen = True

    def thaw(self):
        self._signal_tree(signal.SIGCONT)
        self.frozen = False

    def kill(self):
        """SIGKILL for all of it, as when the power goes."""
        if self.alive():
            self._signal_tree(signal.SIGSTOP)  # nothing forks or reacts while we are at it
            self._signal_tree(signal.SIGKILL)
        self.ended_by_us = True
        self.popen.wait()

    def stop(self, within=10):
        """Asks it to end and returns its exit status; kills it and fails if it does not end in time."""
        self.ended_by_us = True
        if self.alive():
            if self.frozen:
                self.thaw()
            self.popen.send_signal(self.end_signal)
            try:
                self.popen.wait(within)
            except subprocess.TimeoutExpired:
                self.kill()
                raise Failure(f"{self.name} did not end within {within} s of signal {self.end_signal.name}") from None
        return self.popen.returncode

    def tail(self, lines=30):
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def _signal_tree(self, number):
        for pid in self.tree():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass


class Orphan:
    """A process that one of ours has started and left to us, with what Process needs of a Popen."""

    def __init__(self, pid):
        self.pid, self.returncode = pid, None

    def poll(self):
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
            except ChildProcessError:
                pass  # its parent has not ended yet
        return self.returncode

    def wait(self, timeout=60):
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.01)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)


class Lab:
    """A temporary directory, addresses and ports in it, and the processes that must not outlive it."""

    _networks = itertools.count(os.getpid())
    network = "127.0.0.0/8"  # of all its addresses

    def __init__(self, prefix="fairway-lab."):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
        self.directory.chmod(0o755)  # PostgreSQL runs as another user when we are root
        self.processes = []
        self.at_close = []  # functions without arguments, called after the processes have ended
        self._network = next(Lab._networks)
        self._closed = False
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what our processes leave behind is ours to end
        atexit.register(self.close)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda n, _: sys.exit(128 + n))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def address(self, host):
        """An address of this lab's own: 127.x.y.HOST."""
        return f"127.{1 + self._network // 254 % 254}.{1 + self._network % 254}.{host}"

    def free_port(self, *addresses):
        """A port that TCP and UDP could bind at all these addresses a moment ago."""
        for _ in range(100):
            with socket.socket() as probe:
                probe.bind((addresses[0], 0))
                port = probe.getsockname()[1]
            if all(port_is_free(address, port) for address in addresses):
                return port
        raise Failure(f"no free port at {', '.join(addresses)}")

    def running(self):
        return [process for process in self.processes if process.alive()]

    def _left_behind(self):
        """What processes of ours had started when they ended, and nobody knows of."""
        known = {process.pid for process in self.processes}
        for entry in os.scandir("/proc"):
            if entry.name.isdigit() and int(entry.name) not in known:
                try:
                    stat = pathlib.Path(entry.path, "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue  # it ended while we looked
                if int(stat[1]) == os.getpid():
                    yield int(entry.name)

    def close(self):
        """Ends every process by pid, latest first, and removes the directory."""
        if self._closed:
            return
        self._closed = True
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for process in reversed(self.running()):
            try:
                process.stop(within=5)
            except Failure:
                pass  # stop() killed it
        for pid in self._left_behind():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for function in self.at_close:
            function()
        shutil.rmtree(self.directory, ignore_errors=True)
        atexit.unregister(self.close)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)


def port_is_free(address, port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1 if kind == socket.SOCK_STREAM else 0)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def accepts(address, port):
    """Does something accept TCP connections there?"""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((address, port)) == 0
