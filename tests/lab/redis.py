"""Redis servers and the Sentinels that watch them."""

import subprocess

from .world import Failure, Process, wait_until

SENTINEL = """
bind {address}
port {port}
dir {home}
sentinel announce-ip {address}
sentinel monitor shop {master} {master_port} 2
sentinel down-after-milliseconds shop 700
sentinel failover-timeout shop 3000
"""


class Redis:
    """A server; `sentinel` is one of its kind that is a Sentinel."""

    def __init__(self, lab, name, address, port):
        self.lab, self.name, self.address, self.port, self.process = lab, name, address, port, None
        self.home = lab.directory / name
        self.home.mkdir(parents=True, exist_ok=True)

    def start(self, master=None, **settings):
        """With settings of redis.conf; `_` in a name is a hyphen."""
        everything = {"bind": self.address, "port": self.port, "dir": self.home, "save": "", "repl_ping_replica_period": 1,
                      "repl_timeout": 3, "repl_diskless_sync_delay": 0,
                      "replica_announce_ip": self.address, **settings}  # on loopback all come from 127.0.0.1
        options = [part for key, value in everything.items() for part in (f"--{key.replace('_', '-')}", str(value))]
        if master:
            options += ["--replicaof", master.address, str(master.port)]
        return self._run(["/usr/bin/redis-server", *options])

    def start_sentinel(self, master):
        """Its configuration is a file, because it is the Sentinel that writes it."""
        file = self.home / "sentinel.conf"
        file.write_text(SENTINEL.format(address=self.address, port=self.port, home=self.home, master=master.address, master_port=master.port))
        return self._run(["/usr/bin/redis-server", str(file), "--sentinel"])

    def _run(self, command):
        self.process = Process(self.lab, self.name, command)
        wait_until(f"{self.name} answers\n{self.process.tail()}", self._answers, 20)
        return self

    def _answers(self):
        if not self.process.alive():
            raise Failure(f"{self.name} ended:\n{self.process.tail()}")
        return self.try_ask("PING").stdout.strip() != ""

    def ask(self, *words):
        result = self.try_ask(*words)
        if result.returncode or result.stderr:
            raise Failure(f"{self.name}: {' '.join(words)}: {result.stdout}{result.stderr}")
        return result.stdout.splitlines()

    def try_ask(self, *words):
        return subprocess.run(["/usr/bin/redis-cli", "-h", self.address, "-p", str(self.port), *map(str, words)],
                              capture_output=True, text=True, timeout=10)

    def is_master(self):
        return self.ask("ROLE")[0] == "master"

    def kill(self):
        self.process.kill()
