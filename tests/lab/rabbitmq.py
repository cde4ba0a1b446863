"""RabbitMQ nodes of one cluster with the management plugin, and the port mapper they find each other by."""

import base64
import json
import os
import urllib.error
import urllib.request

from .world import Process, accepts, wait_until

CONFIG = """
listeners.tcp.1 = {address}:{port}
management.tcp.ip = {address}
management.tcp.port = {management}
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = lab1@localhost
cluster_formation.classic_config.nodes.2 = lab2@localhost
cluster_formation.classic_config.nodes.3 = lab3@localhost
cluster_formation.randomized_startup_delay_range.min = 0
cluster_formation.randomized_startup_delay_range.max = 1
loopback_users = none
default_user = {user}
default_pass = {password}
default_user_tags.monitoring = true
vm_memory_high_watermark.absolute = {memory}
"""


class RabbitmqNode:
    def __init__(self, cluster, number):
        self.cluster, self.lab, self.number, self.name = cluster, cluster.lab, number, f"rabbitmq{number}"
        self.address = cluster.lab.address(60 + number)
        self.home = cluster.lab.directory / self.name
        self.process = None

    def start(self, memory="1GB"):
        c, home = self.cluster, self.home
        home.mkdir(exist_ok=True)
        (home / "rabbit.conf").write_text(CONFIG.format(address=self.address, port=c.port, management=c.management, user=c.user,
                                                        password=c.password, memory=memory))
        (home / "plugins").write_text("[rabbitmq_management].\n")
        cookie = home / ".erlang.cookie"
        if not cookie.exists():
            cookie.touch(mode=0o600)
            cookie.write_text("LABCOOKIE")
        env = {"HOME": home, "ERL_EPMD_PORT": c.mapper, "RABBITMQ_NODENAME": f"lab{self.number}@localhost",
               "RABBITMQ_DIST_PORT": c.distribution[self.number - 1], "RABBITMQ_BASE": home, "RABBITMQ_CONFIG_FILE": home / "rabbit.conf",
               "RABBITMQ_ADVANCED_CONFIG_FILE": home / "none.config", "RABBITMQ_CONF_ENV_FILE": home / "none",
               "RABBITMQ_MNESIA_BASE": home / "mnesia", "RABBITMQ_LOG_BASE": home / "log", "RABBITMQ_PID_FILE": home / "pid",
               "RABBITMQ_GENERATED_CONFIG_DIR": home / "generated", "RABBITMQ_ENABLED_PLUGINS_FILE": home / "plugins",
               "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}"}
        self.process = Process(self.lab, self.name, ["/usr/lib/rabbitmq/bin/rabbitmq-server"], env={k: str(v) for k, v in env.items()})
        return self

    def ask(self, path, method="GET", **question):
        """The status of its management interface and what it says; (0, None) without an answer."""
        login = base64.b64encode(f"{self.cluster.user}:{self.cluster.password}".encode()).decode()
        request = urllib.request.Request(f"http://{self.address}:{self.cluster.management}/api/{path}", method=method,
                                         data=json.dumps(question).encode() if question else None,
                                         headers={"Authorization": f"Basic {login}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, json.loads(reply.read() or b"null")
        except urllib.error.HTTPError as problem:
            return problem.code, None
        except OSError:
            return 0, None

    def sees(self):
        """How many nodes it sees running."""
        nodes = self.ask("nodes?columns=running")[1]
        return sum(n["running"] for n in nodes or [])


class Rabbitmq:
    user, password = "fairway", "lab"

    def __init__(self, lab, size=3):
        self.lab = lab
        addresses = [lab.address(60 + number) for number in range(1, size + 1)]
        self.port, self.management = lab.free_port(*addresses), lab.free_port(*addresses)
        self.mapper = lab.free_port("127.0.0.1")
        self.distribution = [lab.free_port("127.0.0.1") for _ in addresses]
        self.nodes = [RabbitmqNode(self, number) for number in range(1, size + 1)]

    def start(self):
        """A minute, on two cores."""
        Process(self.lab, "epmd", ["/usr/bin/epmd", "-port", self.mapper], env={"ERL_EPMD_ADDRESS": "127.0.0.1"})
        wait_until("epmd listens", lambda: accepts("127.0.0.1", self.mapper), 10)
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            wait_until(f"{node.name} sees all nodes\n{node.process.tail()}", lambda n=node: n.sees() == len(self.nodes), 300, every=0.5)
        return self
