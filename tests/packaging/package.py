#!/usr/bin/python3
"""O6: the Debian package on a fresh Debian 12 under a real systemd: installed, started, asked, reloaded, upgraded, removed.

Builds the package (or takes the one that FAIRWAY_DEB names), makes a Debian of its own with debootstrap, and boots that
with systemd-nspawn in a network of its own. Needs root and a Debian mirror. The machine ends with the test.
"""

import os
import pathlib
import re

from packages import Process, built_package, check, equal, run, story, tell, wait_until

SUITE = "bookworm"
NEEDED = "systemd,systemd-sysv,dbus,bind9-dnsutils,procps"
WWW, SHOP = "www.gtm.example.com", "shop.gtm.example.com"
CONFIG = """
dns: {listen: ["127.0.0.1:53"]}
zones: {gtm.example.com: {nameservers: {ns1: [127.0.0.1]}}}
datacenters: {east: {region: us-east}, west: {region: us-west}}
services:
  www.gtm.example.com:
    policy: weighted
    unchecked: true
    endpoints: {east: {addresses: [192.0.2.10]}, west: {addresses: [198.51.100.10], weight: 0}}
  shop.gtm.example.com:
    policy: {type: active_passive, order: [east, west]}
    unchecked: true
    hooks: {promote: {exec: [/etc/fairway/promote.sh], timeout: 10s}}
    endpoints: {east: {addresses: [192.0.2.20]}, west: {addresses: [198.51.100.20]}}
"""
PING = """
  ping.gtm.example.com:
    policy: weighted
    application: {name: ping, type: icmp}
    endpoints: {east: {addresses: [127.0.0.1]}}
"""
# A hook notes who it is, and tries what the cage forbids.
HOOK = """#!/bin/bash
cat > /var/lib/fairway/json
id -un > /var/lib/fairway/who
touch /etc/fairway/written /usr/written 2>/var/lib/fairway/errors
ls /root /home >> /var/lib/fairway/errors 2>&1
exit 0
"""


class Machine:
    """A Debian with systemd as its first process, in a directory of the lab."""

    def __init__(self, lab):
        self.lab, self.root = lab, lab.directory / "machine"
        run("debootstrap", "--variant=minbase", f"--include={NEEDED}", SUITE, self.root)
        self.process = None

    def fetch(self, package):
        """What the package needs from the mirror; afterwards the machine has no network but its loopback."""
        run("cp", package, self.root / "root" / package.name)
        (self.root / "etc/resolv.conf").write_text(pathlib.Path("/etc/resolv.conf").read_text())
        run("chroot", self.root, "apt-get", "install", "-qy", "--no-install-recommends", "--download-only", f"/root/{package.name}")

    def boot(self):
        self.process = Process(self.lab, "machine", ["systemd-nspawn", "--boot", f"--directory={self.root}", "--private-network", "--register=no",
                                                     "--keep-unit", f"--machine=fairway-{os.getpid()}"])
        wait_until("the machine is up", self.is_up, 90)

    def is_up(self):
        """Asked over and over: until its systemd runs, the leader may be a step on the way there."""
        said = self.leader() and self.run("systemctl", "is-system-running", expect=None).stdout.strip()
        return said in ("running", "degraded")

    def leader(self):
        """The machine's first process, as we see it."""
        found = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return found[0] if found else None

    def run(self, *command, expect=0, within=300):
        return run("nsenter", "--target", self.leader(), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--", *command,
                   expect=expect, within=within)

    def says(self, *command):
        return self.run(*command).stdout.strip()

    def write(self, path, text, mode=0o644):
        file = self.root / path.lstrip("/")
        file.write_text(text)
        file.chmod(mode)

    def install(self, package):
        """Installs or upgrades, keeping the configuration there is; what was said meanwhile."""
        result = self.run("apt-get", "install", "-qqy", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", f"/root/{package.name}")
        return result.stdout + result.stderr


class World:
    def __init__(self, lab):
        check(os.geteuid() == 0, "this test needs root: it boots a machine")
        self.package = built_package(lab)
        self.newer = self.with_another_version(lab)
        self.machine = Machine(lab)
        self.machine.fetch(self.package)
        run("cp", self.newer, self.machine.root / "root" / self.newer.name)
        self.machine.boot()

    def with_another_version(self, lab):
        """The same package, as a later one: what an upgrade does is dpkg's and the maintainer scripts' affair."""
        tree, out = lab.directory / "newer", lab.directory / "fairway_newer.deb"
        run("dpkg-deb", "--raw-extract", self.package, tree)
        control = tree / "DEBIAN" / "control"
        control.write_text(re.sub(r"^(Version: .*)$", r"\1+newer", control.read_text(), flags=re.M))
        run("dpkg-deb", "--root-owner-group", "--build", tree, out)
        return out

    def pid(self):
        return self.machine.says("systemctl", "show", "--value", "--property=MainPID", "fairwayd")

    def active(self):
        return self.machine.run("systemctl", "is-active", "fairwayd", expect=None).stdout.strip()

    def answer(self, name):
        return self.machine.says("dig", "+short", "+time=2", "+tries=1", "@127.0.0.1", name)

    def configure(self, text):
        self.machine.write("/etc/fairway/fairway.yaml", text)


@story("installed, it runs: as its own user, with its directories, its socket and its manual", stop=True)
def _(world):
    machine = world.machine
    machine.install(world.package)
    equal(world.active(), "active", "the service")
    equal(machine.says("systemctl", "is-enabled", "fairwayd"), "enabled", "at the next boot")
    equal(machine.says("ps", "-o", "user=", "-p", world.pid()), "fairway", "whose process it is")
    modes = machine.says("stat", "-c", "%a %U:%G %n", "/etc/fairway", "/var/lib/fairway", "/run/fairway/control.sock").splitlines()
    equal(modes, ["750 root:fairway /etc/fairway", "750 fairway:fairway /var/lib/fairway", "660 fairway:fairway /run/fairway/control.sock"], "modes")
    check("fairwayd " in machine.says("fairwayctl", "version"), "fairwayctl reaches it")
    for page in ("man8/fairwayd.8.gz", "man1/fairwayctl.1.gz", "man5/fairway.yaml.5.gz"):
        check((machine.root / "usr/share/man" / page).exists(), page)
    equal(machine.says("dpkg-query", "-W", "-f", "${Conffiles}", "fairway").split()[0], "/etc/fairway/fairway.yaml", "conffile")


@story("systemd rates the running unit at most 1.5 of 10")
def _(world):
    text = world.machine.says("systemd-analyze", "security", "--no-pager", "fairwayd")
    exposed = float(re.search(r"Overall exposure level for .*: ([\d.]+)", text)[1])
    print(f"  exposure level {exposed} of 10, at most 1.5")
    check(exposed <= 1.5, text)


@story("systemctl reload takes a new configuration into force before it returns, and it is answered on port 53", stop=True)
def _(world):
    world.configure(CONFIG)
    before = world.pid()
    world.machine.run("systemctl", "reload", "fairwayd")
    equal(world.answer(WWW), "192.0.2.10", "www")
    equal(world.answer(SHOP), "192.0.2.20", "shop")
    equal(world.pid(), before, "the process")


@story("systemctl reload of a broken configuration fails, says why, and changes nothing")
def _(world):
    world.configure(CONFIG.replace("policy: weighted", "policy: wieghted"))
    equal(world.machine.run("systemctl", "reload", "fairwayd", expect=None).returncode, 1, "systemctl reload")
    check("wieghted" in world.machine.says("journalctl", "-u", "fairwayd", "-n", "40", "--no-pager"), "the journal says why")
    equal(world.answer(WWW), "192.0.2.10", "www")
    equal(world.active(), "active", "the service")
    world.configure(CONFIG)
    world.machine.run("systemctl", "reload", "fairwayd")


@story("a hook runs in the cage: as fairway, able to write its state, and nothing else")
def _(world):
    machine = world.machine
    machine.write("/etc/fairway/promote.sh", HOOK, 0o755)
    machine.run("fairwayctl", "failover", SHOP, "--to", "west")
    equal(world.answer(SHOP), "198.51.100.20", "shop")
    equal(machine.says("cat", "/var/lib/fairway/who"), "fairway", "who ran it")
    check('"to":"west"' in machine.says("cat", "/var/lib/fairway/json").replace(" ", ""), "it got its JSON")
    errors = machine.says("cat", "/var/lib/fairway/errors")
    check(errors.count("Read-only file system") == 2, f"it could not write elsewhere: {errors}")
    check("Permission denied" in errors, f"nor see home directories: {errors}")


@story("an icmp check needs the group in net.ipv4.ping_group_range, and no more")
def _(world):
    machine = world.machine
    world.configure(CONFIG + PING)
    machine.run("systemctl", "reload", "fairwayd")
    wait_until("it says what is missing", lambda: "net.ipv4.ping_group_range" in machine.says("fairwayctl", "status"), 15)
    group = machine.says("id", "-g", "fairway")
    machine.run("sysctl", "-w", f"net.ipv4.ping_group_range={group} {group}")
    machine.run("systemctl", "restart", "fairwayd")
    wait_until("it is answered because it passes", lambda: "ping_group_range" not in machine.says("fairwayctl", "status")
               and world.answer("ping.gtm.example.com") == "127.0.0.1", 30)
    world.configure(CONFIG)
    machine.run("systemctl", "reload", "fairwayd")


@story("killed, it is back within seconds and answers as before")
def _(world):
    before = world.pid()
    world.machine.run("kill", "-KILL", before)
    wait_until("it is back", lambda: world.pid() not in ("0", before) and world.active() == "active", 15)
    equal(world.answer(SHOP), "198.51.100.20", "shop, which was moved by hand")


@story("standing still, it is replaced by the watchdog")
def _(world):
    before = world.pid()
    world.machine.run("kill", "-STOP", before)
    wait_until("it is replaced", lambda: world.pid() not in ("0", before) and world.active() == "active", 90, every=1)
    equal(world.answer(SHOP), "198.51.100.20", "shop")


@story("an upgrade with a configuration that has errors leaves what runs alone")
def _(world):
    before = world.pid()
    world.configure(CONFIG + "nonsense: true\n")
    said = world.machine.install(world.newer)
    check("not (re)started" in said, f"it says so: {said}")
    equal((world.pid(), world.answer(WWW)), (before, "192.0.2.10"), "the process and its answer")
    world.configure(CONFIG)
    world.machine.run("dpkg", "-i", "--force-confold", f"/root/{world.package.name}")


@story("an upgrade restarts it and forgets nothing")
def _(world):
    machine, before = world.machine, world.pid()
    machine.run("fairwayctl", "drain", "--datacenter", "west", "--service", WWW, "--reason", "before the upgrade")
    machine.install(world.newer)
    check(world.pid() not in ("0", before), "another process")
    equal(world.active(), "active", "the service")
    check("before the upgrade" in machine.says("fairwayctl", "status"), "the drain is still there")
    equal(world.answer(SHOP), "198.51.100.20", "shop, which was moved by hand")
    check("promote.sh" in machine.says("cat", "/etc/fairway/fairway.yaml"), "the configuration is the operator's")


@story("removed, it is stopped and keeps what is the operator's; purged, nothing is left")
def _(world):
    machine = world.machine
    before = world.pid()
    machine.run("apt-get", "remove", "-qy", "fairway")
    check(not (machine.root / f"proc/{before}").exists() and machine.run("pgrep", "-x", "fairwayd", expect=None).returncode == 1, "it has ended")
    equal(world.active(), "inactive", "its end in order, " + machine.says("journalctl", "--no-pager", "--lines=40", "--unit=fairwayd"))
    check((machine.root / "etc/fairway/fairway.yaml").exists() and (machine.root / "var/lib/fairway/state.db").exists(), "what stays")
    (machine.root / "etc/fairway/promote.sh").unlink()
    machine.run("apt-get", "purge", "-qy", "fairway")
    left = [p for p in ("etc/fairway", "var/lib/fairway", "run/fairway", "usr/sbin/fairwayd", "lib/systemd/system/fairwayd.service")
            if (machine.root / p).exists()]
    equal(left, [], "what is left")


@story("installed beside a configuration that has errors, it is not started and says so")
def _(world):
    machine = world.machine
    (machine.root / "etc/fairway").mkdir()
    world.configure("nonsense: true\n")
    said = machine.install(world.package)
    check("unknown key `nonsense`" in said and "not (re)started" in said, f"it says why: {said}")
    equal(world.active(), "inactive", "the service")
    equal(machine.says("dpkg-query", "-W", "-f", "${Status}", "fairway"), "install ok installed", "the package")


@story("the machine shuts down in order, and the service with it")
def _(world):
    equal(world.machine.process.stop(within=60), 0, "systemd-nspawn's status")


tell(World)
