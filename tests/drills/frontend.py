#!/usr/bin/python3
"""The stateless application of a drill: it writes numbered records to its site's store and reads them back.

    frontend.py ADDRESS PORT STORE      STORE is etcd:ADDRESS:PORT, postgres:CONNINFO or mariadb:ADDRESS:PORT

    PUT /records/N      200 once the store has acknowledged it
    GET /records/N      200 if the store has it, 404 if not
    GET /healthz        200 while this program runs, whatever the store says
    GET /ready          200 if the store takes writes: what an application says that tells its database's state
"""

import base64
import http.server
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request

PATIENCE = 2  # seconds that a request may wait for the store


class Etcd:
    def __init__(self, place):
        self.url = f"http://{place}/v3/kv/"

    def _post(self, what, **question):
        request = urllib.request.Request(self.url + what, data=json.dumps(question).encode())
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return json.loads(reply.read())

    @staticmethod
    def _coded(text):
        return base64.b64encode(str(text).encode()).decode()

    def write(self, n):
        self._post("put", key=self._coded(f"record/{n}"), value=self._coded("x"))

    def has(self, n):
        return self._post("range", key=self._coded(f"record/{n}")).get("count") == "1"

    def takes_writes(self):
        self.write("ready")


class Sql:
    """Through the client program: a connection for each request, as a simple front end does it."""

    table = "rows"

    def __init__(self, *command):
        self.command = command

    def _run(self, statement):
        return subprocess.run([*self.command, statement], check=True, capture_output=True, text=True, timeout=PATIENCE).stdout.strip()

    def write(self, n):
        self._run(f"INSERT INTO {self.table} VALUES ({int(n)})")

    def has(self, n):
        return self._run(f"SELECT count(*) FROM {self.table} WHERE id = {int(n)}") == "1"


class Postgres(Sql):
    def __init__(self, conninfo):
        super().__init__("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", conninfo, "-c")

    def takes_writes(self):
        if self._run("SELECT pg_is_in_recovery()") != "f":
            raise OSError("in recovery")


class MariaDB(Sql):
    table = "shop.rows"

    def __init__(self, place):
        address, _, port = place.partition(":")
        super().__init__("mariadb", "--no-defaults", "--protocol=tcp", "-h", address, "-P", port, "-u", "lab", "-plab", "-NB",
                         "--connect-timeout=2", "-e")

    def takes_writes(self):
        if self._run("SELECT @@read_only") != "0":
            raise OSError("read only")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store = None

    def do_GET(self):
        if self.path == "/healthz":
            return self._answer(200)
        if self.path == "/ready":
            return self._attempt(lambda: self.store.takes_writes() or 200)
        return self._record(lambda n: 200 if self.store.has(n) else 404)

    def do_PUT(self):
        return self._record(lambda n: self.store.write(n) or 200)

    def _record(self, act):
        match = re.fullmatch(r"/records/(\d+)", self.path)
        return self._attempt(lambda: act(match[1])) if match else self._answer(404)

    def _attempt(self, act):
        try:
            self._answer(act())
        except (OSError, ValueError, subprocess.SubprocessError) as problem:
            self._answer(503, str(problem))

    def _answer(self, status, text=""):
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    address, port, store = sys.argv[1:]
    kind, _, where = store.partition(":")
    Handler.store = {"etcd": Etcd, "postgres": Postgres, "mariadb": MariaDB}[kind](where)
    http.server.ThreadingHTTPServer((address, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
