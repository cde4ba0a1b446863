"""etcd members on addresses of the lab's own: stopped, frozen, filled until they raise an alarm."""

import base64
import json
import urllib.error
import urllib.request

from .world import Process, wait_until


class EtcdMember:
    def __init__(self, cluster, number):
        self.cluster, self.lab, self.name = cluster, cluster.lab, f"etcd{cluster.first + number}"
        self.address, self.port = cluster.lab.address(cluster.first + number), cluster.port
        self.home = cluster.lab.directory / self.name
        self.process = None

    def start(self):
        peer, client = f"http://{self.address}:{self.cluster.peer_port}", f"http://{self.address}:{self.port}"
        self.process = Process(self.lab, self.name, [
            "/usr/bin/etcd", "--name", self.name, "--data-dir", self.home, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--listen-client-urls", client, "--advertise-client-urls", client,
            "--initial-cluster", ",".join(f"{m.name}=http://{m.address}:{self.cluster.peer_port}" for m in self.cluster.members),
            "--heartbeat-interval", "50", "--election-timeout", "500",  # a tenth of the defaults
            *self.cluster.options])
        return self

    def post(self, path, **question):
        """Its JSON gateway; an answer that says no is an answer."""
        request = urllib.request.Request(f"http://{self.address}:{self.port}{path}", data=json.dumps(question).encode())
        try:
            with urllib.request.urlopen(request, timeout=5) as reply:
                return json.loads(reply.read())
        except urllib.error.HTTPError as problem:
            return json.loads(problem.read())
        except OSError:
            return {}

    def status(self):
        return self.post("/v3/maintenance/status")

    def leads(self):
        status = self.status()
        return bool(status.get("leader")) and status["leader"] == status["header"]["member_id"]

    def put(self, key, value):
        return self.post("/v3/kv/put", key=base64.b64encode(key.encode()).decode(), value=base64.b64encode(value.encode()).decode())


class Etcd:
    """A cluster at addresses from `first` + 1; `options` are further words of each member's command line."""

    def __init__(self, lab, size=3, first=20, options=()):
        self.lab, self.first, self.options, self.members = lab, first, list(options), []
        addresses = [lab.address(first + number) for number in range(1, size + 1)]
        self.port, self.peer_port = lab.free_port(*addresses), lab.free_port(*addresses)
        self.members = [EtcdMember(self, number) for number in range(1, size + 1)]

    def start(self):
        for member in self.members:
            member.start()
        wait_until("etcd has a leader", self.leader, 30)
        return self

    def leader(self):
        return next((m for m in self.members if m.process.alive() and not m.process.frozen and m.leads()), None)

    def fill(self):
        """Writes until the quota is reached and the alarm NOSPACE is raised."""
        wait_until("etcd is full", lambda: self.leader() and "space exceeded" in self.leader().put("filler", "x" * 4000).get("error", ""), 20,
                   every=0)
