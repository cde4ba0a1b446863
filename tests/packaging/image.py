#!/usr/bin/python3
"""The OCI image: built from its recipe on a fresh Debian 12, it serves as its own user, reloads, and remembers.

Takes the package that FAIRWAY_DEB names, or builds it. Needs root, buildah and a Debian mirror; Docker's Debian is not to be had
everywhere, so the base is debootstrap's. No container engine is asked: it runs in a network of its own, by buildah.
"""

import json
import os
import pathlib
import signal

from packages import PACKAGING, Process, built_package, check, equal, run, story, tell, wait_until

CONFIG = """
dns: {listen: ["127.0.0.1:53"]}
zones: {gtm.example.com: {nameservers: {ns1: [127.0.0.1]}}}
datacenters: {east: {region: us-east}, west: {region: us-west}}
services:
  www.gtm.example.com:
    policy: {type: active_passive, order: [east, west]}
    failback: manual
    unchecked: true
    endpoints: {east: {addresses: [192.0.2.10]}, west: {addresses: [198.51.100.10]}}
"""
# What an engine does: a network with a loopback, whose low ports are for everybody.
OWN_NETWORK = ["unshare", "--net", "sh", "-c", 'ip link set lo up && sysctl -qw net.ipv4.ip_unprivileged_port_start=0 && exec "$@"', "sh"]


class World:
    def __init__(self, lab):
        check(os.geteuid() == 0, "this test needs root: it builds an image")
        self.lab = lab
        self.buildah = ["buildah", "--root", lab.directory / "images", "--runroot", lab.directory / "containers", "--storage-driver", "vfs"]
        packages = lab.directory / "packages"
        packages.mkdir()
        run("cp", built_package(lab), packages)
        run("debootstrap", "--variant=minbase", "bookworm", lab.directory / "debian")
        base = self.run("from", "scratch")
        self.run("add", base, lab.directory / "debian", "/")
        self.run("commit", base, "localhost/base")
        self.run("build", "--isolation=chroot", "--build-arg=BASE=localhost/base", "--tag=fairway", f"--file={PACKAGING}/oci/Containerfile", packages)
        self.image = json.loads(self.run("inspect", "--type=image", "localhost/fairway"))["OCIv1"]["config"]
        equal(list(self.image["Volumes"]), ["/var/lib/fairway"], "volumes")
        self.state, self.config = lab.directory / "volume", lab.directory / "fairway.yaml"
        self.config.write_text(CONFIG)
        self.container = self.new_container()
        self.mounted = pathlib.Path(self.run("mount", self.container))
        run("cp", "-a", self.mounted / "var/lib/fairway", self.state)  # as an engine fills a new volume
        self.start()

    def run(self, *arguments):
        return run(*self.buildah, *arguments).stdout.strip()

    def new_container(self):
        """Without the volume that buildah would make for it: it takes that one now and then for the one it is given."""
        container = self.run("from", "localhost/fairway")
        self.run("config", "--volume=/var/lib/fairway-", container)
        return container

    def start(self):
        self.process = Process(self.lab, "container", [*OWN_NETWORK, *self.buildah, "run", "--isolation=chroot", f"--user={self.image['User']}",
                                                       f"--volume={self.config}:/etc/fairway/fairway.yaml:ro", f"--volume={self.state}:/var/lib/fairway",
                                                       self.container, "--", *self.image["Entrypoint"]])
        wait_until("it answers", lambda: self.process.alive() and self.fairwayd() and self.asks("www.gtm.example.com"), 30)

    def fairwayd(self):
        for pid in self.process.tree():
            try:
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "fairwayd":
                    return pid
            except OSError:
                continue  # it ended while we looked
        return None

    def inside(self, *command, expect=0):
        """In its network and its files, as its user."""
        pid = self.fairwayd()
        user = pathlib.Path(f"/proc/{pid}").stat().st_uid
        return run("nsenter", f"--target={pid}", "--net", f"--root=/proc/{pid}/root", f"--setuid={user}", *command, expect=expect).stdout.strip()

    def asks(self, name):
        return run("nsenter", f"--target={self.fairwayd()}", "--net", "dig", "+short", "+time=1", "+tries=1", "@127.0.0.1", name, "A", expect=None).stdout.strip()

    def end(self):
        os.kill(self.fairwayd(), signal.SIGTERM)
        self.process.ended_by_us = True
        equal(self.process.popen.wait(30), 0, "its end")


@story("built from the recipe, it answers on port 53, as its own user, and the operator's hand reaches it")
def _(world):
    equal(world.asks("www.gtm.example.com"), "192.0.2.10", "www")
    passwd = dict(line.split(":")[:3:2] for line in (world.mounted / "etc/passwd").read_text().splitlines())
    equal(str(pathlib.Path(f"/proc/{world.fairwayd()}").stat().st_uid), passwd["fairway"], "its user")
    equal(sorted(world.image["ExposedPorts"]), ["53/tcp", "53/udp"], "ports")
    check("www.gtm.example.com" in world.inside("fairwayctl", "status"), "fairwayctl status")


@story("HUP takes a new configuration into force")
def _(world):
    world.config.write_text(CONFIG.replace("192.0.2.10", "192.0.2.11"))
    os.kill(world.fairwayd(), signal.SIGHUP)
    wait_until("the new address is answered", lambda: world.asks("www.gtm.example.com") == "192.0.2.11", 10)


@story("replaced, it remembers what is in its volume")
def _(world):
    world.inside("fairwayctl", "drain", "--service", "www.gtm.example.com", "--datacenter", "east", "--reason", "test")
    equal(world.asks("www.gtm.example.com"), "198.51.100.10", "drained")
    world.end()
    world.container = world.new_container()
    world.start()
    equal(world.asks("www.gtm.example.com"), "198.51.100.10", "in the next container")
    world.end()


tell(World)
