"""NATS servers with JetStream, clustered, each with its monitoring port."""

import json
import urllib.request

from .world import Process, wait_until

CONFIG = """
server_name: {name}
listen: {address}:{port}
http: {address}:{monitor}
jetstream {{ store_dir: "{home}", max_mem: 16M, max_file: 64M }}
cluster {{ name: lab, listen: {address}:{route}, routes: [{routes}] }}
"""


class NatsServer:
    def __init__(self, cluster, number):
        self.cluster, self.lab, self.name = cluster, cluster.lab, f"nats{number}"
        self.address = cluster.lab.address(30 + number)
        self.home = cluster.lab.directory / self.name
        self.process = None

    def start(self):
        self.home.mkdir(exist_ok=True)
        c = self.cluster
        routes = ", ".join(f'"nats://{s.address}:{c.route}"' for s in c.servers)
        config = self.home / "nats.conf"
        config.write_text(CONFIG.format(name=self.name, address=self.address, port=c.port, monitor=c.monitor, route=c.route,
                                        home=self.home, routes=routes))
        self.process = Process(self.lab, self.name, ["/usr/sbin/nats-server", "-c", config])
        return self

    def meta(self):
        """What it says of the meta group; empty where it says nothing."""
        try:
            with urllib.request.urlopen(f"http://{self.address}:{self.cluster.monitor}/jsz", timeout=5) as reply:
                return json.loads(reply.read()).get("meta_cluster", {})
        except OSError:
            return {}


class Nats:
    def __init__(self, lab, size=3):
        self.lab, self.servers = lab, []
        addresses = [lab.address(30 + number) for number in range(1, size + 1)]
        self.port, self.monitor, self.route = (lab.free_port(*addresses) for _ in range(3))
        self.servers = [NatsServer(self, number) for number in range(1, size + 1)]

    def start(self):
        for server in self.servers:
            server.start()
        return self

    def wait(self):
        wait_until("JetStream has a meta leader that hears all", lambda: self.leader() and len(self.leader().meta()["replicas"]) == 2, 30)
        return self

    def leader(self):
        return next((s for s in self.servers if s.process.alive() and not s.process.frozen and s.meta().get("replicas")), None)
