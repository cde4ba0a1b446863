"""Patroni over etcd: each member with its PostgreSQL, of one cluster or of a standby cluster that copies another."""

import glob
import json
import os
import pwd
import signal
import urllib.error
import urllib.request

from .world import Failure, Process, wait_until

CONFIG = {
    "bootstrap": {
        "dcs": {"ttl": 20, "loop_wait": 1, "retry_timeout": 3, "maximum_lag_on_failover": 1048576,
                "postgresql": {"use_pg_rewind": True, "parameters": {"wal_level": "replica", "hot_standby": "on"}}},
        "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "no-sync"],
    },
}
PARAMETERS = {"fsync": "off", "shared_buffers": "16MB", "unix_socket_directories": "", "dynamic_shared_memory_type": "mmap",
              "wal_keep_size": "64MB", "max_wal_senders": "10", "logging_collector": "off",
              # A primary that is being stopped waits until its standby has confirmed all, for 60 s by default.
              "wal_sender_timeout": "5s", "wal_receiver_status_interval": "1s"}
HBA = ["host all all {0} trust", "host replication all {0} trust"]


class PatroniMember:
    def __init__(self, cluster, number):
        self.cluster, self.lab, self.name = cluster, cluster.lab, f"{cluster.scope}{number}"
        self.address = cluster.lab.address(cluster.first + number)
        self.home = cluster.lab.directory / self.name
        self.process = None

    def start(self, **tags):
        c = self.cluster
        self.home.mkdir(exist_ok=True)
        user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            os.chown(self.home, pwd.getpwnam(user).pw_uid, -1)
        bootstrap = json.loads(json.dumps(CONFIG["bootstrap"]))
        if c.copies:
            bootstrap["dcs"]["standby_cluster"] = {"host": c.copies.address, "port": c.copies.cluster.postgres}
        config = {
            "scope": c.scope, "namespace": "/lab/", "name": self.name, "bootstrap": bootstrap,
            "restapi": {"listen": f"{self.address}:{c.api}", "connect_address": f"{self.address}:{c.api}"},
            "tags": tags,
            "etcd3": {"hosts": [f"{m.address}:{m.port}" for m in c.etcd.members]},
            "postgresql": {
                "listen": f"{self.address}:{c.postgres}", "connect_address": f"{self.address}:{c.postgres}",
                "data_dir": str(self.home / "data"), "pgpass": str(self.home / "pgpass"), "bin_dir": c.bin,
                "pg_hba": [line.format(self.lab.network) for line in HBA], "parameters": PARAMETERS,
                "authentication": {role: {"username": name, "password": "lab"}
                                   for role, name in (("superuser", "postgres"), ("replication", "replicator"), ("rewind", "rewinder"))},
            },
        }
        file = self.home / "patroni.yml"  # JSON is YAML
        file.write_text(json.dumps(config))
        self.process = Process(self.lab, self.name, ["/usr/bin/patroni", file], user=user, env={"HOME": str(self.home)})
        return self

    def get(self, path):
        """The status code of its REST API and what it says; (0, {}) without an answer."""
        try:
            with urllib.request.urlopen(f"http://{self.address}:{self.cluster.api}{path}", timeout=5) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as problem:
            return problem.code, json.loads(problem.read() or b"{}")
        except OSError:
            return 0, {}

    def postmaster(self):
        """The pid of its PostgreSQL, which is no child of Patroni's, or None."""
        try:
            pid = int((self.home / "data" / "postmaster.pid").read_text().splitlines()[0])
            os.kill(pid, 0)
            return pid
        except (OSError, ValueError, IndexError):
            return None

    def end_postmaster(self):
        """At once; it removes its shared memory itself."""
        pid = self.postmaster()
        if pid:
            os.kill(pid, signal.SIGQUIT)
            wait_until(f"PostgreSQL of {self.name} has ended", lambda: self.postmaster() != pid, 10)

    def kill(self):
        """Patroni and its PostgreSQL, as when the power goes."""
        self.process.kill()
        self.end_postmaster()

    def leads(self):
        return self.get("/leader")[0] == 200

    def streams(self):
        status, said = self.get("/health")
        return status == 200 and said.get("xlog", {}).get("received_location")


class Patroni:
    """`copies`: the member of another cluster that this one follows, as a standby cluster. It uses addresses from `first` + 1."""

    def __init__(self, lab, etcd, scope, size, first, copies=None):
        self.lab, self.etcd, self.scope, self.first, self.copies = lab, etcd, scope, first, copies
        binaries = glob.glob("/usr/lib/postgresql/*/bin")
        if not binaries:
            raise Failure("PostgreSQL is not installed: packaging/install-packages run")
        self.bin = max(binaries, key=lambda p: int(p.split("/")[4]))
        addresses = [lab.address(first + number) for number in range(1, size + 1)]
        self.api, self.postgres = lab.free_port(*addresses), lab.free_port(*addresses)
        self.members = [PatroniMember(self, number) for number in range(1, size + 1)]
        lab.at_close.append(lambda: [member.end_postmaster() for member in self.members])

    def start(self):
        self.members[0].start()
        wait_until(f"{self.members[0].name} leads", lambda: self.members[0].leads(), 60)
        for member in self.members[1:]:
            member.start()
        return self

    def wait_standbys(self):
        for member in self.members:
            if not member.leads():
                wait_until(f"{member.name} streams\n{member.process.tail()}", member.streams, 60)
        return self

    def switchover(self, to):
        """An orderly one, as `patronictl switchover` asks for it."""
        leader = next(m for m in self.members if m.leads())
        question = json.dumps({"leader": leader.name, "candidate": to.name}).encode()
        request = urllib.request.Request(f"http://{leader.address}:{self.api}/switchover", data=question, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.read().decode()
