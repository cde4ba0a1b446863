"""PostgreSQL as the stateful tier of a datacenter: a primary, or a standby that streams from one.

What differs between the two databases stands on their command lines, because pg_rewind and pg_basebackup copy the
files of the data directory. A commit waits for nobody; `insert(acknowledged=True)` waits for the standby, so that such a
row must survive the loss of the primary.
"""

import glob
import os
import pwd
import secrets
import signal
import subprocess

from .world import Failure, Process, wait_until

SETTINGS = {
    "fsync": "off",                     # processes are killed here, machines are not
    "wal_keep_size": "256MB",           # enough for pg_rewind
    "wal_retrieve_retry_interval": "500ms",
    "synchronous_standby_names": "*",   # whoever streams can be waited for,
    "synchronous_commit": "local",      # but only a commit that says so waits
    "max_wal_senders": "10",
    "shared_buffers": "16MB",
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",  # in the data directory, so that a SIGKILL leaves nothing in /dev/shm
    "restart_after_crash": "off",
    "logging_collector": "off",
    "log_connections": "on",
}
HBA = "host all fairway {0} trust\nhost all all {0} scram-sha-256\nhost replication all {0} scram-sha-256\n"


class Postgres:
    def __init__(self, lab, site, address, port):
        self.lab, self.site, self.address, self.port, self.process = lab, site, address, port, None
        self.home = lab.directory / site / "postgres"
        self.home.parent.mkdir(parents=True, exist_ok=True)
        self.bin = max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]), default=None)
        if not self.bin:
            raise Failure("PostgreSQL is not installed: packaging/install-packages run")
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._own(self.home.parent)
        self.passfile = lab.directory / "pgpass"
        if not self.passfile.exists():
            self._secret(self.passfile, f"*:*:*:lab:{secrets.token_hex(16)}\n")
        lab.at_close.append(self._remove_interlock)

    # ---- as a primary or as a standby

    def start_primary(self):
        """A new, empty database with data checksums (for pg_rewind) and the role that the check logs in as."""
        password = self.home.parent / "password"
        self._secret(password, self.passfile.read_text().strip().rpartition(":")[2])
        self._run("initdb", "-D", self.home, "-U", "lab", "-k", "-N", "-A", "scram-sha-256", f"--pwfile={password}",
                  "-E", "UTF8", "--locale=C")
        password.unlink()
        (self.home / "pg_hba.conf").write_text(HBA.format(self.lab.network))
        with open(self.home / "postgresql.conf", "a") as settings:
            settings.writelines(f"{key} = '{value}'\n" for key, value in SETTINGS.items())
        self._start(upstream=None)
        self.sql("CREATE ROLE fairway LOGIN; GRANT pg_monitor TO fairway; CREATE TABLE rows (id int PRIMARY KEY)")
        return self

    def start_standby(self, primary):
        """A copy of the primary that streams from it."""
        self._run("pg_basebackup", "-d", primary.conninfo(), "-D", self.home, "-c", "fast", "-X", "stream", "--no-sync")
        return self._start_streaming(primary)

    def rejoin(self, primary):
        """Becomes a standby of `primary` after having been a primary itself: rewound, or copied anew if that fails."""
        if self.process and self.process.alive():
            self.process.stop()
        primary.sql("CHECKPOINT")  # until then its control file, which pg_rewind compares, has the old timeline
        try:
            self._run("pg_rewind", "-D", self.home, f"--source-server={primary.conninfo()}", "--no-sync")
            self.rejoined_by = "pg_rewind"
        except Failure as problem:
            with open(self.process.log, "a") as log:
                log.write(f"{problem}\n")
            subprocess.run(["rm", "-rf", str(self.home)], check=True)
            self.rejoined_by = "pg_basebackup"
            return self.start_standby(primary)
        return self._start_streaming(primary)

    def restart(self, primary=None):
        """Starts again as what it was when it died."""
        return self._start_streaming(primary) if primary else self._start(upstream=None)

    def promote(self):
        """Asks for promotion and returns at once; pg_ctl would look only ten times a second."""
        self.sql("SELECT pg_promote(false)")

    # ---- talking to it

    def conninfo(self, application="lab"):
        return (f"host={self.address} port={self.port} user=lab dbname=postgres passfile={self.passfile} "
                f"application_name={application} connect_timeout=3")

    def sql(self, text):
        """Runs statements as superuser and returns the output as lines."""
        result = subprocess.run([f"{self.bin}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.conninfo(), "-c", text],
                                capture_output=True, text=True, timeout=30)
        if result.returncode:
            raise Failure(f"{self.site}: {text}: {result.stderr.strip()}")
        return result.stdout.splitlines()

    def insert(self, row, acknowledged=True):
        """Commits a row; acknowledged: only once the standby has it too."""
        level = "on" if acknowledged else "local"
        self.sql(f"SET synchronous_commit = '{level}'; INSERT INTO rows VALUES ({row})")

    def has(self, row):
        return self.sql(f"SELECT count(*) FROM rows WHERE id = {row}") == ["1"]

    def is_primary(self):
        try:
            return self.sql("SELECT pg_is_in_recovery()") == ["f"]
        except Failure:
            return False

    def streams_from(self, primary):
        return primary.sql(f"SELECT count(*) FROM pg_stat_replication WHERE application_name = '{self.site}' "
                           "AND state = 'streaming'") == ["1"]

    # ---- what happens to it

    def kill(self):
        self.process.kill()

    def freeze(self):
        self.process.freeze()

    def thaw(self):
        self.process.thaw()

    # ---- how

    def _start_streaming(self, primary):
        (self.home / "standby.signal").touch()
        self._own(self.home / "standby.signal")
        self._start(upstream=primary)
        wait_until(f"{self.site} streams from {primary.site}\n{self.process.tail()}", lambda: self.streams_from(primary), 30)
        return self

    def _start(self, upstream):
        settings = {"listen_addresses": self.address, "port": self.port}
        if upstream:
            settings["primary_conninfo"] = upstream.conninfo(application=self.site)
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        self.process = Process(self.lab, f"{self.site}-postgres", [f"{self.bin}/postgres", "-D", self.home, *options],
                               user=self.user, end_signal=signal.SIGINT)  # SIGINT is the fast shutdown
        wait_until(f"PostgreSQL of {self.site} accepts connections\n{self.process.tail()}", self._ready, 30)
        return self

    def _ready(self):
        if not self.process.alive():
            raise Failure(f"PostgreSQL of {self.site} ended:\n{self.process.tail()}")
        return subprocess.run([f"{self.bin}/pg_isready", "-q", "-h", self.address, "-p", str(self.port)]).returncode == 0

    def _own(self, path):
        if os.geteuid() == 0:
            os.chown(path, pwd.getpwnam(self.user).pw_uid, -1)

    def _secret(self, path, text):
        path.touch(mode=0o600)
        path.write_text(text)
        self._own(path)

    def _remove_interlock(self):
        """A killed PostgreSQL leaves a System V segment, which its next start would remove."""
        try:
            key_and_id = (self.home / "postmaster.pid").read_text().splitlines()[6].split()
        except (OSError, IndexError):
            return
        subprocess.run(["ipcrm", "-m", key_and_id[1]], capture_output=True)

    def _run(self, program, *arguments):
        command = [f"{self.bin}/{program}", *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", self.user, "--", *command]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd="/", env={**os.environ, "LC_ALL": "C"})
        if result.returncode:
            raise Failure(f"{self.site}: {program}: {result.stderr.strip()}")
