"""A ZooKeeper ensemble on loopback, one Java process a server."""

import socket

from .world import Process

CONFIG = """
tickTime=500
initLimit=20
syncLimit=6
dataDir={home}
clientPortAddress={address}
clientPort={port}
admin.enableServer=false
{servers}
"""
LOG = """
log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %m%n
"""
CLASSES = "/etc/zookeeper/conf:/usr/share/java/zookeeper.jar"


class ZooKeeper:
    def __init__(self, lab, number, address, port):
        self.lab, self.number, self.address, self.port, self.process = lab, number, address, port, None
        self.name = f"zookeeper{number}"
        self.home = lab.directory / self.name
        self.peer, self.election = lab.free_port(address), lab.free_port(address)

    def start(self, ensemble=()):
        """As one of an ensemble; alone without."""
        if not self.home.exists():
            self.home.mkdir()
            (self.home / "myid").write_text(str(self.number))
        (self.home / "log4j.properties").write_text(LOG)
        servers = "\n".join(f"server.{z.number}={z.address}:{z.peer}:{z.election}" for z in ensemble)
        config = self.home / "zoo.cfg"
        config.write_text(CONFIG.format(home=self.home, address=self.address, port=self.port, servers=servers))
        self.process = Process(self.lab, self.name, [
            "/usr/bin/java", "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", f"{self.home}:{CLASSES}",
            "-Dzookeeper.jmx.log4j.disable=true", "org.apache.zookeeper.server.quorum.QuorumPeerMain", config])
        return self

    def serves(self):
        """Is it in a quorum, or alone by choice?"""
        try:
            with socket.create_connection((self.address, self.port), timeout=2) as connection:
                connection.sendall(b"srvr")
                return b"Mode: " in connection.makefile("rb").read()
        except OSError:
            return False

    def kill(self):
        self.process.kill()
