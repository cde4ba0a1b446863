"""nginx as the web tier of a datacenter: one process that answers 200 to /healthz."""

from .world import Process, accepts, wait_until

CONFIG = """
daemon off;
master_process off;  # one process, so that to kill or freeze it is to kill or freeze the site
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 512; }}
http {{
    log_format looked '$msec $host $request_uri';
    access_log {home}/access.log looked;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    server {{
        {listen}
        location /healthz {{ default_type text/plain; return {status} "{site} says {status}\\n"; }}
        {behind}
    }}
}}
"""


class Nginx:
    """`behind`: the address and port of an application that everything but /healthz is passed to."""

    def __init__(self, lab, site, addresses, port, behind=None):
        self.lab, self.site, self.port, self.process = lab, site, port, None
        self.behind = f"location / {{ proxy_pass http://{behind}; proxy_next_upstream off; }}" if behind else ""
        self.addresses = [addresses] if isinstance(addresses, str) else list(addresses)
        self.home = lab.directory / site / "nginx"
        self.home.mkdir(parents=True, exist_ok=True)

    def start(self, status=200):
        listen = "\n        ".join(f"listen {address}:{self.port};" for address in self.addresses)
        (self.home / "nginx.conf").write_text(CONFIG.format(home=self.home, listen=listen, status=status, site=self.site, behind=self.behind))
        self.process = Process(self.lab, f"{self.site}-nginx", [
            "/usr/sbin/nginx", "-p", self.home, "-e", self.home / "error.log", "-c", self.home / "nginx.conf"])
        wait_until(f"nginx of {self.site} listens\n{self.process.tail()}", lambda: all(accepts(a, self.port) for a in self.addresses), 10)
        return self

    def kill(self):
        self.process.kill()

    def freeze(self):
        self.process.freeze()

    def thaw(self):
        self.process.thaw()

    def wait_until_asked(self, host, within=5):
        """Waits for the next request under this name: a known phase of that probe's rhythm."""
        seen = self._asked(host)
        wait_until(f"{self.site} is asked for {host}", lambda: self._asked(host) > seen, within, every=0.005)

    def _asked(self, host):
        log = self.home / "access.log"
        return log.read_text().count(f" {host} ") if log.exists() else 0
