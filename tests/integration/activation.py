#!/usr/bin/python3
"""Sockets that the service manager has opened: taken where the configuration means them, and handed on."""

import os
import socket
import struct
import sys
import threading

from world import HEAD, WEB_CHECKS, WWW, WWW_SERVICE, Fairwayd, ask, check, equal, story, tell, two_sites, wait_until, words

CONFIG = HEAD + WEB_CHECKS + WWW_SERVICE
GIVE = """
import os, socket, sys
kinds = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM, "unix": socket.SOCK_STREAM}
given = sys.argv[1:sys.argv.index("--")]
kept = []
for at, what in enumerate(given):
    kind, _, where = what.partition("=")
    s = socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET, kinds[kind])
    s.bind(where if kind == "unix" else (where.rpartition(":")[0], int(where.rpartition(":")[2])))
    if kind != "udp":
        s.listen(64)
    kept.append(s)
for at, s in enumerate([os.dup2(os.dup(s.fileno()), 100 + i) for i, s in enumerate(kept)]):
    os.dup2(s, 3 + at)
os.closerange(3 + len(kept), 200)
command = sys.argv[sys.argv.index("--") + 1:]
os.execve(command[0], command, {**os.environ, "LISTEN_FDS": str(len(kept)), "LISTEN_PID": str(os.getpid())})
"""


class World:
    def __init__(self, lab):
        self.lab = lab
        self.east, self.west = two_sites(lab, database=False)
        self.sites = {self.east.address, self.west.address}
        self.words = words(self.east, self.west)

    def daemon(self, name):
        return Fairwayd(self.lab, CONFIG, name=name, **self.words)


def sockets(pid):
    """Their inodes."""
    links = (f"/proc/{pid}/fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd"))
    return {os.readlink(link) for link in links if os.path.lexists(link) and os.readlink(link).startswith("socket:")}


@story("what the service manager gives is used, what is missing is bound, what nobody wants is named", stop=True)
def _(world):
    fairway = world.fairway = world.daemon("fairwayd")
    dns, stranger = "%s:%d" % fairway.dns, "%s:%d" % (fairway.dns[0], world.lab.free_port(fairway.dns[0]))
    give = [sys.executable, "-c", GIVE, f"udp={dns}", f"tcp={dns}", f"unix={fairway.socket}", f"tcp={stranger}", "--"]
    fairway.start(by=give)
    equal(fairway.log().count("socket-not-used"), 1, "sockets that are not used")
    check(f'TCP {stranger}' in fairway.log(), "the log says which")
    fds = {os.readlink(f"/proc/{fairway.process.pid}/fd/{n}") for n in (3, 4, 5)}
    check(all(fd.startswith("socket:") for fd in fds) and len(fds) == 3, f"the given ones are still there: {fds}")
    world.given = fds
    for tcp in (False, True):
        check(set(ask(fairway.dns, WWW, tcp=tcp).addresses) <= world.sites, "answers")
    equal(fairway.http_status("/healthz"), 200, "http.listen, which was not given")
    check("fairwayd" in fairway.ctl("version"), "the control socket answers")


@story("an upgrade hands them on, and the control socket's file stays the service manager's")
def _(world):
    fairway = world.fairway
    old = fairway.upgrade()
    check(world.given <= sockets(fairway.process.pid), "the same sockets")
    check(set(ask(fairway.dns, WWW).addresses) <= world.sites, "answers")
    old.wait(20)
    check(os.path.exists(fairway.socket), "the file after the old process")
    equal(fairway.stop(), 0, "the end")
    check(os.path.exists(fairway.socket), "the file after the end")


class Manager:
    """The service manager's ear (sd_notify(3)): who said what, in order. Barriers are let go once they are heard."""

    def __init__(self, path):
        self.said, self.ear = [], socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ear.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.ear.bind(str(path))
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            text, beside, _, _ = self.ear.recvmsg(4096, 1024)
            for _, kind, data in beside:
                if kind == socket.SCM_CREDENTIALS:
                    pid = struct.unpack("iii", data[:12])[0]
                elif kind == socket.SCM_RIGHTS:
                    for fd in struct.unpack(f"{len(data) // 4}i", data):
                        os.close(fd)
            self.said += [(pid, line) for line in text.decode().splitlines()]

    def heard(self, pid, line):
        return (pid, line) in self.said


@story("the service manager is told of another main process by the old one, before that one says a word, and hears its watchdog")
def _(world):
    manager = Manager(world.lab.directory / "notify")
    fairway = world.daemon("notified")
    fairway.start(env={"NOTIFY_SOCKET": str(world.lab.directory / "notify"), "WATCHDOG_USEC": "400000"})
    old = fairway.process.pid
    wait_until("it is ready and alive", lambda: manager.heard(old, "READY=1") and manager.heard(old, "WATCHDOG=1"), 10)
    fairway.upgrade()
    new = fairway.process.pid
    wait_until("so is the new one", lambda: manager.heard(new, "READY=1") and manager.said[-1] == (new, "WATCHDOG=1"), 10)
    equal(manager.said.count((old, f"MAINPID={new}")), 1, "announcements")
    strangers, main = [], old  # what NotifyAccess=main would not let through
    for pid, line in manager.said:
        if pid != main:
            strangers.append((pid, line))
        if line.startswith("MAINPID="):
            main = int(line.partition("=")[2])
    strangers = [who for who in strangers if who != (old, "BARRIER=1")]  # which the manager answers whoever asks
    check(strangers in ([], [(old, "WATCHDOG=1")]), f"said by others than the main process: {strangers}")


@story("systemd-socket-activate: the first query starts it, and is answered")
def _(world):
    fairway = world.daemon("activated")
    fairway.start(wait=False, by=["systemd-socket-activate", "-E", "ASAN_OPTIONS", "-E", "UBSAN_OPTIONS", "-E", "TSAN_OPTIONS",
                                  "-l", "%s:%d" % fairway.dns])
    wait_until("it listens", lambda: "Listening" in fairway.log(), 10)
    answer = ask(fairway.dns, WWW, tcp=True, timeout=20)
    check(answer.rcode in ("NOERROR", "SERVFAIL"), f"the query that waited: {answer}")
    fairway.wait_ready()
    for tcp in (False, True):
        check(set(ask(fairway.dns, WWW, tcp=tcp).addresses) <= world.sites, "answers")


tell(World)
