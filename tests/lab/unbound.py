"""unbound as the resolver that clients ask: it asks Fairway for the zone, caches by TTL and validates nothing."""

from .dns import Silence, ask
from .world import Process, wait_until

CONFIG = """
server:
  directory: "{home}"
  chroot: ""
  username: ""
  pidfile: "{home}/unbound.pid"
  use-syslog: no
  interface: {address}@{port}
  access-control: {network} allow
  do-not-query-localhost: no
  module-config: "iterator"
  num-threads: 1
  do-ip6: no
  target-fetch-policy: "0 0 0 0 0"
stub-zone:
  name: "{zone}"
  stub-addr: {upstream_address}@{upstream_port}
remote-control:
  control-enable: no
"""


class Unbound:
    def __init__(self, lab, fairway, zone):
        self.address = lab.address(60)
        self.port = lab.free_port(self.address)
        home = lab.directory / "unbound"
        home.mkdir()
        (home / "unbound.conf").write_text(CONFIG.format(
            home=home, network=lab.network, address=self.address, port=self.port, zone=zone,
            upstream_address=fairway.dns[0], upstream_port=fairway.dns[1]))
        self.process = Process(lab, "unbound", ["/usr/sbin/unbound", "-d", "-c", home / "unbound.conf"])
        wait_until(f"unbound answers\n{self.process.tail()}", lambda: self._answers(zone), 10)

    def ask(self, name, kind="A", **how):
        return ask((self.address, self.port), name, kind, rd=True, **how)

    def _answers(self, zone):
        try:
            return self.ask(zone, "SOA", timeout=0.3).rcode == "NOERROR"
        except (Silence, OSError):
            return False
