#!/usr/bin/python3
"""The worked runbook for PostgreSQL, as it is installed, on a real primary and standby with fairwayd in front."""

import os
import subprocess

from packages import PACKAGING, CHECKS, HEAD, SHOP, Fairwayd, check, equal, shop, story, tell, two_sites, wait_until, words

SCRIPTS = PACKAGING / "examples" / "runbook" / "postgresql"
QUICK = "defaults: {check: {rise: 2, hold_down: 1s}}\n"  # the rejoined standby may take over soon
HOOKS = """
failover: approval
hooks:
  fence:    {exec: ["$scripts/fence.sh"], timeout: 60s}
  promote:  {exec: ["$scripts/promote.sh"], timeout: 60s}
  failback: {exec: ["$scripts/failback.sh"], timeout: 120s}
"""
# What stands for ssh: the machines are this one, and one that "is off" does not answer.
REMOTE = """#!/bin/bash
[ ! -e "{directory}/off-$1" ] || exit 255
cd / && exec {as_user} bash -c "$2"
"""


class World:
    def __init__(self, lab):
        self.lab = lab
        self.east, self.west = two_sites(lab)
        self.sites = {site.name: site for site in (self.east, self.west)}
        remote = lab.directory / "remote"
        as_user = f"runuser -u {self.east.database.user} --" if os.geteuid() == 0 else ""
        remote.write_text(REMOTE.format(directory=lab.directory, as_user=as_user))
        remote.chmod(0o755)
        lines = [f"remote=({remote})", f"bin={self.east.database.bin}"]
        for name, site in self.sites.items():
            d = site.database
            settings = lab.directory / f"{name}.conf"  # what the lab says on PostgreSQL's command line
            settings.write_text(f"include '{d.home}/postgresql.conf'\nlisten_addresses = '{d.address}'\nport = {d.port}\n")
            lines += [f"host[{name}]={name}", f"data[{name}]={d.home}", f"settings[{name}]={settings}",
                      f"conninfo[{name}]={repr(d.conninfo(application='runbook'))}"]
        self.configuration = lab.directory / "sites.conf"
        self.configuration.write_text("\n".join(lines) + "\n")
        lab.at_close.append(self.stop_all)
        self.fairway = Fairwayd(lab, HEAD + QUICK + CHECKS + shop(HOOKS), scripts=SCRIPTS, **words(self.east, self.west))
        self.fairway.start(env=self.env())
        wait_until("both databases are seen", lambda: self.roles() == {"east": "primary", "west": "standby"}, 30)

    def env(self, **more):
        return {"FAIRWAY_POSTGRESQL": str(self.configuration), **more}

    def roles(self):
        return {e["datacenter"]: e.get("role") for e in self.fairway.service(SHOP)["endpoints"]}

    def step(self, script, from_, to, *arguments):
        return subprocess.run([SCRIPTS / script, *arguments], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                              env={**os.environ, **self.env(FAIRWAY_FROM=from_, FAIRWAY_TO=to)})

    def succeeds(self, script, from_, to, *arguments):
        result = self.step(script, from_, to, *arguments)
        check(result.returncode == 0, f"{script} {from_} {to}: {result.stdout}{result.stderr}")
        return result.stdout

    def stop_all(self):
        """Those that pg_ctl has started are not the lab's processes."""
        for name, site in self.sites.items():
            subprocess.run([self.lab.directory / "remote", name, f"{site.database.bin}/pg_ctl -D {site.database.home} stop -m immediate -s"],
                           capture_output=True)


@story("fairwayctl failover: fence.sh and promote.sh move the primary, and nothing that was committed is lost", stop=True)
def _(world):
    world.east.database.insert(1, acknowledged=False)
    world.fairway.ctl("failover", SHOP, "--to", "west", timeout=120)
    equal(world.fairway.addresses(SHOP), [world.west.address], "answer")
    check(world.west.database.is_primary() and not world.east.database.is_primary(), "west alone is primary")
    check(world.west.database.has(1), "what was committed in east is in west")


@story("each step succeeds again if it is run again", stop=True)
def _(world):
    check("does not run" in world.succeeds("fence.sh", "east", "west"), "fenced already")
    check("already" in world.succeeds("promote.sh", "east", "west"), "promoted already")


@story("rejoin.sh makes the former primary a standby that streams; run again it sees that", stop=True)
def _(world):
    world.succeeds("rejoin.sh", "", "east", "east", "west")
    wait_until("east streams from west", lambda: world.east.database.streams_from(world.west.database), 20)
    check("already" in world.succeeds("rejoin.sh", "", "east", "east", "west"), "a standby already")
    wait_until("fairwayd sees the standby", lambda: world.roles() == {"east": "standby", "west": "primary"}, 30)
    wait_until("east may take over", lambda: world.fairway.endpoint(SHOP, "east")["fit"], 30)


@story("fairwayctl failback: failback.sh returns it, loses nothing, and leaves a standby", stop=True)
def _(world):
    world.west.database.insert(2, acknowledged=False)
    world.fairway.ctl("failback", SHOP, timeout=180)
    equal(world.fairway.addresses(SHOP), [world.east.address], "answer")
    check(world.east.database.has(1) and world.east.database.has(2), "both rows are in east")
    wait_until("west streams from east", lambda: world.west.database.streams_from(world.east.database), 30)
    equal(world.roles()["east"], "primary", "east's role")


@story("a site that does not answer is fenced only by cutting it off; without that the step fails")
def _(world):
    (world.lab.directory / "off-east").touch()
    result = world.step("fence.sh", "east", "west")
    equal(result.returncode, 1, f"fence.sh: {result.stdout}{result.stderr}")
    check("cut_off" in result.stderr, f"it says what is missing: {result.stderr}")
    with open(world.configuration, "a") as file:
        file.write(f"cut_off() {{ touch {world.lab.directory}/power-$1; }}\n")
    check("cut off east" in world.succeeds("fence.sh", "east", "west"), "it says what it did")
    check((world.lab.directory / "power-east").exists(), "the power was cut")
    (world.lab.directory / "off-east").unlink()


@story("rejoin.sh does not touch a database that runs as a primary")
def _(world):
    result = world.step("rejoin.sh", "", "west", "east", "east")
    equal(result.returncode, 1, f"rejoin.sh: {result.stdout}{result.stderr}")
    check(world.east.database.is_primary(), "east goes on")


tell(World)
