#!/usr/bin/python3
"""N8: what fails beside it - the disk, the store, its thread, descriptors - fails, and it answers, decides, says so, and recovers by itself."""

import contextlib
import ctypes
import http.client
import os
import pathlib
import resource
import socket
import subprocess
import threading
import time

from world import HEAD, WEB_CHECKS, WWW, WWW_SERVICE, Fairwayd, Nginx, check, equal, story, tell, two_sites, wait_until, words
from lab.load import Load

CONFIG = HEAD + "defaults: {check: {interval: 500ms, rise: 2, hold_down: 1s}}\n" + WEB_CHECKS + WWW_SERVICE
# A file system of its own for the state, which can be filled without harm to anybody.
OWN_DISK = ["unshare", "--mount", "--propagation", "private", "sh", "-c", 'mkdir -p "$0" && mount -t tmpfs -o size=16m tmpfs "$0" && exec "$@"']


SITES = 7  # one to lose for each fault: one that comes back a second time within half an hour is suppressed
ONE = """
  %s:
    policy: {type: active_passive, order: [east, west]}
    application: web
    endpoints: {east: {addresses: [%s]}, west: {addresses: [$west]}}
"""


class World:
    def __init__(self, lab):
        self.lab = lab
        self.east, self.west = two_sites(lab, database=False)
        self.sites = [self.east.address, self.west.address]
        webs = [Nginx(lab, f"east-{i}", lab.address(100 + i), self.east.web.port).start() for i in range(SITES)]
        self.alive = [(f"one{i}.gtm.example.com", web) for i, web in enumerate(webs)]
        self.fairway = Fairwayd(lab, CONFIG + "".join(ONE % (name, web.addresses[0]) for name, web in self.alive), **words(self.east, self.west))
        self.fairway.start(by=[*OWN_DISK, self.fairway.state])
        self.pid = self.fairway.process.pid
        self.disk = pathlib.Path(f"/proc/{self.pid}/root{self.fairway.state}")
        check(os.path.ismount(self.disk) or os.stat(self.disk).st_dev != os.stat(self.fairway.home).st_dev, "the state has a disk of its own")

    @contextlib.contextmanager
    def fault(self, begin, end, alarm, part):
        """While it lasts answers go on, a site that dies is left, and everybody is told; then all is well without a restart."""
        fairway = self.fairway
        self.well()
        with Load(fairway.dns, WWW, self.sites, rate=200) as load:
            begin()
            try:
                wait_until(f"the alarm of {part}", lambda: any(a["id"] == alarm and part in a["text"] for a in fairway.status()["alarms"]), 20)
                check(f"but {alarm}: {part}" in fairway.get("/readyz"), "/readyz says so")
                equal(fairway.metric("fairway_alarm", id=alarm, severity="critical"), 1, "the metric")
                yield
            finally:
                end()
            wait_until("it recovers by itself", lambda: alarm not in fairway.alarms(), 30)
            check(fairway.get("/readyz").strip() == "ready", "ready, and nothing else")
        check(load.good(), f"{load.summary()}: {load.problems[:5]}")
        equal(fairway.pid(), self.pid, "the process")

    def well(self):
        wait_until("nothing is raised", lambda: not set(self.fairway.alarms()) & {"store", "descriptors"}, 20)

    def beside(self, code, **how):
        """A Python where the daemon's disk is; `code` has the database's file as `file`."""
        return subprocess.Popen(["nsenter", "-t", str(self.pid), "-m", "/usr/bin/python3", "-c",
                                 f"import sqlite3\nfile = {str(self.fairway.state / 'state.db')!r}\n{code}"], text=True, stdout=subprocess.PIPE, **how)

    def mount(self, *arguments):
        """mount or umount where the daemon is."""
        subprocess.run(["nsenter", "-t", str(self.pid), "-m", *map(str, arguments)], check=True, timeout=30)

    def lose_a_site(self):
        """One dies in the middle of it; what is decided has to be durable, and is answered all the same."""
        name, web = self.alive.pop()
        equal(self.fairway.addresses(name), [web.addresses[0]], name)
        begin = time.monotonic()
        web.kill()
        wait_until(f"{name} has left it", lambda: self.fairway.addresses(name) == [self.west.address], 10)
        print(f"    left after {time.monotonic() - begin:.1f} s", flush=True)
        self.lost = name

    def stored(self, name):
        """What is on disk of a service, read beside it."""
        code = f"print(sqlite3.connect(file).execute('SELECT record FROM services WHERE name LIKE ?', ({name + '%'!r},)).fetchone()[0])"
        return self.beside(code).communicate(timeout=20)[0]


def prlimit(pid, what, soft):
    _, hard = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (soft, hard))


@story("a full disk")
def _(world):
    ballast = world.disk / "ballast"

    def fill():
        with open(ballast, "wb", buffering=0) as f:
            for size in (65536, 512, 1):
                with contextlib.suppress(OSError):
                    while True:
                        f.write(b"x" * size)

    with world.fault(fill, lambda: ballast.unlink(), "store", "the state store"):
        equal(os.statvfs(world.disk).f_bavail, 0, "blocks that are free")
        world.lose_a_site()
        check("full" in world.fairway.ctl("upgrade", expect=1), "nobody takes over what is not on disk")
        wait_until("the journal says so, too", lambda: len([a for a in world.fairway.alarms() if a == "store"]) == 2, 20)
    check("west" in world.stored(world.lost), "what was decided meanwhile is on disk")


@story("writes that are refused: a limit of file sizes, as good as a disk that takes none")
def _(world):
    with world.fault(lambda: prlimit(world.pid, resource.RLIMIT_FSIZE, 0), lambda: prlimit(world.pid, resource.RLIMIT_FSIZE, resource.RLIM_INFINITY),
                     "store", "the state store"):
        world.lose_a_site()


@story("a database that another process has locked")
def _(world):
    held = []

    def lock():
        held.append(world.beside("db = sqlite3.connect(file, isolation_level=None); db.execute('BEGIN EXCLUSIVE'); print('held', flush=True); input()",
                                 stdin=subprocess.PIPE))
        equal(held[0].stdout.readline(), "held\n", "the lock")

    with world.fault(lock, lambda: held.pop().communicate("\n"), "store", "the state store"):
        world.lose_a_site()


PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17


class Tracer:
    """Stops one thread of a process. All of it has to be done by one thread of ours."""

    def __init__(self, tid):
        self.tid, self.go = tid, threading.Event()
        self.stopped, self.problem = threading.Event(), None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        if libc.ptrace(PTRACE_SEIZE, self.tid, None, None) or libc.ptrace(PTRACE_INTERRUPT, self.tid, None, None):
            self.problem = os.strerror(ctypes.get_errno())
            return self.stopped.set()
        os.waitpid(self.tid, 0x40000000)  # __WALL
        self.stopped.set()
        self.go.wait()
        libc.ptrace(PTRACE_DETACH, self.tid, None, None)

    def end(self):
        self.go.set()
        self.thread.join()


@story("a storage thread that hangs")
def _(world):
    tids = [int(t.name) for t in pathlib.Path(f"/proc/{world.pid}/task").iterdir() if (t / "comm").read_text().strip() == "storage"]
    equal(len(tids), 1, "storage threads")
    held = []

    def hang():
        held.append(Tracer(tids[0]))
        check(held[0].stopped.wait(5) and not held[0].problem, f"it stands still: {held[0].problem}")

    with world.fault(hang, lambda: held.pop().end(), "store", "the state store"):
        world.lose_a_site()


@story("no descriptor left: checks are unknown, not failed, and answers by UDP go on")
def _(world):
    fairway = world.fairway
    world.well()
    alive = {m["target"] for m in fairway.status()["members"] if m["verdict"] == "ready"}
    logged = len(fairway.log())
    kept = http.client.HTTPConnection(*fairway.http, timeout=10)  # from before: nobody new is let in

    def ask(path):
        kept.request("GET", path)
        return kept.getresponse().read().decode()

    ask("/readyz")
    limit = resource.prlimit(world.pid, resource.RLIMIT_NOFILE)
    with fairway.watch(WWW, world.alive[-1][0], every=0.01) as watch:
        wait_until("both answers of www", lambda: len(watch.answers(WWW)) == 2, 10)
        resource.prlimit(world.pid, resource.RLIMIT_NOFILE, (8, limit[1]))
        try:
            wait_until("the alarm", lambda: 'fairway_alarm{id="descriptors"' in ask("/metrics"), 20)
            check("but descriptors" in ask("/readyz"), "/readyz says so")
            time.sleep(8)  # three times what it takes to believe a refusal
        finally:
            resource.prlimit(world.pid, resource.RLIMIT_NOFILE, limit)
        wait_until("it recovers by itself", lambda: "descriptors" not in fairway.alarms(), 20)
    equal(set(watch.answers(WWW)), set(world.sites), "answers of the name with two sites, and no silence")
    equal(watch.answers(watch.names[1]), [world.alive[-1][1].addresses[0]], "answers of the one with one")
    left = alive - {m["target"] for m in fairway.status()["members"] if m["verdict"] == "ready"}
    equal(left, set(), "living members that are believed no more")
    downs = [line for line in fairway.log()[logged:].splitlines() if "msg=member-down" in line]
    equal([line for line in downs if any(target in line for target in alive)], [], "living members said to be down")
    for mark in ("descriptors-short", "descriptors-enough"):
        check(f"msg={mark}" in fairway.log(), f"the log says {mark}")
    world.lose_a_site()
    kept.close()


@story("strangers who open connections take the last descriptors from nobody")
def _(world):
    fairway, connections = world.fairway, []
    world.well()
    limit = resource.prlimit(world.pid, resource.RLIMIT_NOFILE)
    used = max(int(fd) for fd in os.listdir(f"/proc/{world.pid}/fd"))
    resource.prlimit(world.pid, resource.RLIMIT_NOFILE, (used + 110, limit[1]))
    try:
        for n in range(300):  # from three addresses: each may have a hundred
            s = socket.socket()
            s.bind((world.lab.address(60 + n % 4), 0))
            s.connect(fairway.dns)
            connections.append(s)
        wait_until("some had to go", lambda: fairway.metric("fairway_dns_tcp_closed_total", limit="crowd") > 50, 10)
        check(fairway.http_status("/readyz") == 200, "readers get in")
        check("fairwayd" in fairway.ctl("version"), "operators do")
        world.lose_a_site()
        check(fairway.ask(WWW, tcp=True).addresses, "whoever asks over TCP now is answered")
    finally:
        for s in connections:
            s.close()
        resource.prlimit(world.pid, resource.RLIMIT_NOFILE, limit)
    wait_until("nothing is raised", lambda: "descriptors" not in fairway.alarms(), 20)


@story("a disk on which nothing can be opened for writing any more: it goes on with what it has open, and nobody takes over")
def _(world):
    fairway, state = world.fairway, world.fairway.state
    world.well()
    with Load(fairway.dns, WWW, world.sites, rate=200) as load:
        world.mount("mount", "--bind", state, state)
        world.mount("mount", "-o", "remount,bind,ro", state)
        try:
            said = fairway.ctl("upgrade", expect=1)
            check("state.db" in said and "readonly" in said, f"it says why nobody takes over: {said}")
            world.lose_a_site()
            check("west" in world.stored(world.lost), "what is decided is on disk: what was open is written on")
        finally:
            world.mount("umount", state)
        fairway.upgrade()
    check(load.good(), f"{load.summary()}: {load.problems[:5]}")


@story("a file system that has turned read-only under it: it answers and decides, and a repaired one has what was stored before")
def _(world):
    image = world.lab.directory / "image"
    subprocess.run(["mkfs.ext4", "-q", image, "32M"], check=True, timeout=30)
    fairway = Fairwayd(world.lab, CONFIG, name="fairwayd-ext4", **words(world.east, world.west))
    own_disk = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                'mkdir -p "$0" && mount -o loop,errors=remount-ro "$1" "$0" && shift && exec "$@"', fairway.state, image]
    fairway.start(by=own_disk)
    fairway.ctl("drain", "--service", WWW, "--datacenter", "east", "--reason", "before")
    mounts = pathlib.Path(f"/proc/{fairway.process.pid}/mountinfo").read_text().splitlines()
    device = next(line.split(" - ")[1].split()[1] for line in mounts if line.split()[4] == str(fairway.state))
    with Load(fairway.dns, WWW, world.sites, rate=200) as load:
        # What a disk error does to a file system that errors=remount-ro is said of. A mount that is written to cannot be made read-only otherwise.
        pathlib.Path(f"/sys/fs/ext4/{pathlib.Path(device).name}/trigger_fs_error").write_text("a disk error, played")
        wait_until("the alarm", lambda: any("the state store" in a["text"] for a in fairway.status()["alarms"]), 20)
        check("but store: the state store" in fairway.get("/readyz"), "/readyz says so")
        equal(fairway.metric("fairway_alarm", id="store", severity="critical"), 1, "the metric")
        check("msg=store-failed" in fairway.log(), "the log says so")
        said = fairway.try_ctl("undrain", "--service", WWW, "--datacenter", "east")
        check(said.returncode == 0 and "a restart may forget it" in said.stderr, f"a command is carried out, and says what it is worth: {said}")
        wait_until("and it is answered", lambda: {*fairway.addresses(WWW)} == {world.east.address}, 10, every=0)
        said = fairway.ctl("upgrade", expect=1)
        check("readonly" in said and "goes on" in said, f"nobody takes over what is not on disk: {said}")
        fairway.reload()
        check("msg=store-recovered" not in fairway.log(), "nothing is said to write again")
    check(load.good(), f"{load.summary()}: {load.problems[:5]}")
    equal(fairway.stop(), 0, "its end")
    repaired = subprocess.run(["e2fsck", "-fy", image], stdout=subprocess.DEVNULL, timeout=60).returncode
    check(repaired in (0, 1), f"e2fsck: {repaired}")
    fairway.start(by=own_disk)
    equal([o["reason"] for o in fairway.status()["overrides"]], ["before"], "what was stored before")
    wait_until("nothing is raised", lambda: "store" not in fairway.alarms(), 20)
    equal({*fairway.addresses(WWW)}, {world.west.address}, "answers")


tell(World)
