"""MariaDB: a server by itself, a replica of another, or a node of a Galera cluster.

All start from copies of one data directory that is made once in a lab, with two accounts: `lab` may do everything,
`fairway` what the manual of the mysql check grants.
"""

import contextlib
import os
import pwd
import subprocess

from .world import Failure, Process, wait_until

ACCOUNTS = """
FLUSH PRIVILEGES;
CREATE USER lab@'%' IDENTIFIED BY 'lab';
GRANT ALL ON *.* TO lab@'%' WITH GRANT OPTION;
CREATE USER fairway@'%' IDENTIFIED BY 'seen from afar';
GRANT SLAVE MONITOR ON *.* TO fairway@'%';
CREATE USER fairway_tls@'%' IDENTIFIED BY 'seen from afar' REQUIRE SSL;
GRANT SLAVE MONITOR ON *.* TO fairway_tls@'%';
CREATE USER fairway_blind@'%' IDENTIFIED BY 'seen from afar';
CREATE DATABASE shop;
CREATE TABLE shop.rows (id int PRIMARY KEY) ENGINE=InnoDB;
"""
PASSWORD = "seen from afar"
SETTINGS = {
    "skip-name-resolve": 1,
    "socket": "mariadbd.sock",  # in the data directory: paths of sockets have to be short
    "pid-file": "mariadbd.pid",
    "plugin-maturity": "unknown",
    "innodb-flush-log-at-trx-commit": 0,  # processes are killed here, machines are not
    "innodb-buffer-pool-size": "16M",
    "innodb-log-file-size": "8M",
    "innodb-flush-method": "fsync",       # O_DIRECT is not known to every temporary file system
    "performance-schema": 0,
    "log-bin": "binlog",
    "binlog-format": "ROW",
    "gtid-strict-mode": 1,
}
GALERA = "/usr/lib/galera/libgalera_smm.so"
# How soon a node that has fallen silent is left out; the defaults, 5 and 15 s, only take longer.
GALERA_TIMES = "evs.suspect_timeout=PT4S;evs.inactive_timeout=PT8S;pc.announce_timeout=PT1S"


class MariaDB:
    def __init__(self, lab, name, address, port, number):
        self.lab, self.name, self.address, self.port, self.number, self.process = lab, name, address, port, number, None
        self.home = lab.directory / name / "mariadb"
        self.user = "mysql" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

    # ---- being born

    def start(self, **settings):
        """With further settings, as on its command line."""
        if not self.home.exists():
            copy(template(self.lab, self.user), self.home)
        everything = {**SETTINGS, "bind-address": self.address, "port": self.port, "server-id": self.number,
                      "datadir": self.home, **settings}
        self.process = Process(self.lab, f"{self.name}-mariadb", [
            "/usr/sbin/mariadbd", "--no-defaults", *(f"--{key.replace('_', '-')}={value}" for key, value in everything.items())],
            user=self.user)
        wait_until(f"MariaDB of {self.name} answers\n{self.process.tail()}", self._answers, 60, every=0.1)
        return self

    def follow(self, primary):
        """Becomes a read-only replica."""
        self.sql(f"SET GLOBAL read_only = 1; CHANGE MASTER TO master_host='{primary.address}', master_port={primary.port}, "
                 "master_user='lab', master_password='lab', master_use_gtid=slave_pos, master_connect_retry=1; START SLAVE")
        return self

    def start_galera(self, nodes, first=False):
        """As a node of the cluster of all these; the first one founds it."""
        peers = ",".join(f"{n.address}:{n.galera}" for n in nodes)
        more = {"wsrep_new_cluster": 1} if first else {}
        return self.start(
            wsrep_on="ON", wsrep_provider=GALERA, wsrep_cluster_name=self.lab.directory.name, wsrep_cluster_address=f"gcomm://{peers}",
            wsrep_node_address=self.address, wsrep_node_name=self.name, innodb_autoinc_lock_mode=2, default_storage_engine="InnoDB",
            wsrep_sst_method="rsync",
            wsrep_provider_options=f"gmcast.listen_addr=tcp://{self.address}:{self.galera};base_host={self.address};base_port={self.galera};"
                                   f"ist.recv_addr={self.address}:{self.ist};gcache.size=8M;{GALERA_TIMES}", **more)

    # ---- talking to it

    def sql(self, text):
        """Runs statements as `lab` and returns the output as lines."""
        result = self.try_sql(text)
        if result.returncode:
            raise Failure(f"{self.name}: {text}: {result.stderr.strip()}")
        return result.stdout.splitlines()

    def try_sql(self, text):
        return subprocess.run(["/usr/bin/mariadb", "--no-defaults", "--protocol=tcp", "-h", self.address, "-P", str(self.port), "-u", "lab",
                               "-plab", "--connect-timeout=3", "-NB", "-e", text], capture_output=True, text=True, timeout=30)

    def status(self, name):
        return self.sql(f"SHOW GLOBAL STATUS LIKE '{name}'")[0].partition("\t")[2]

    # ---- what happens to it

    def kill(self):
        self.process.kill()

    # ---- how

    def _answers(self):
        if not self.process.alive():
            raise Failure(f"MariaDB of {self.name} ended:\n{self.process.tail()}")
        return self.try_sql("SELECT 1").returncode == 0


def template(lab, user):
    """The data directory that all others are copies of."""
    home = lab.directory / "mariadb-template"
    if home.exists():
        return home
    home.mkdir()
    accounts = lab.directory / "mariadb-accounts.sql"
    accounts.write_text(ACCOUNTS)
    settings = [f"--{key}={SETTINGS[key]}" for key in ("innodb-log-file-size", "innodb-flush-method", "innodb-buffer-pool-size")]
    result = subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={home}", f"--user={user}", "--skip-test-db",
                             "--auth-root-authentication-method=normal", f"--extra-file={accounts}", *settings],
                            capture_output=True, text=True, timeout=180, cwd="/")
    if result.returncode:
        raise Failure(f"mariadb-install-db: {result.stdout[-1500:]}{result.stderr[-1500:]}")
    return home


def copy(source, target):
    """Of a server that does not run; the owner stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def galera(lab, names, first_address, at=lambda node: contextlib.nullcontext()):
    """A cluster, all of it ready. Its nodes begin with one state, so that none has to be sent it. `at` is where a node runs."""
    nodes = []
    addresses = [lab.address(first_address + n) for n in range(len(names))]
    port = lab.free_port(*addresses)
    for number, (name, address) in enumerate(zip(names, addresses), 1):
        node = MariaDB(lab, name, address, port, number)
        node.galera, node.ist = lab.free_port(address), lab.free_port(address)
        nodes.append(node)
    founder = nodes[0]
    with at(founder):
        founder.start_galera(nodes, first=True)
    founder.process.stop(within=30)
    for node in nodes[1:]:
        copy(founder.home, node.home)
        (node.home / "gvwstate.dat").unlink(missing_ok=True)
    with at(founder):
        founder.start_galera(nodes, first=True)
    for node in nodes[1:]:
        with at(node):
            node.start_galera(nodes)
    wait_until("the cluster is whole and synced", lambda: all(n.status("wsrep_local_state") == "4" for n in nodes) and
               founder.status("wsrep_cluster_size") == str(len(nodes)), 30, every=0.2)
    return nodes
