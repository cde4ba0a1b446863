"""A steady load of questions, each asked once and not again: what is not answered in time is lost."""

import json
import pathlib
import selectors
import signal
import socket
import struct
import threading
import time

from .dns import exchange_tcp, parse, query, read_exactly, Silence
from .fairwayd import program
from .world import Failure, Process


class Load:
    """Asks `name` over UDP at `rate` a second from many ports, over new TCP connections, and over kept ones.

    `wrong` counts answers other than NOERROR with one of `right`; `lost` what was not answered within `patience`.
    """

    PORTS = 32  # the kernel spreads clients over sockets by their port

    def __init__(self, server, name, right, rate=400, patience=3.0):
        self.server, self.right, self.rate, self.patience = server, set(right), rate, patience
        self.packet = query(name)
        self.sent = self.answered = self.lost = self.wrong = 0
        self.tcp = self.tcp_lost = self.kept = self.kept_lost = self.closed_between = 0
        self.problems = []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=f, daemon=True) for f in (self._udp, self._tcp, self._kept)]
        for t in self._threads:
            t.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self._end.set()
        for t in self._threads:
            t.join()
        return self

    def summary(self):
        return (f"UDP {self.sent} asked, {self.lost} lost; TCP {self.tcp} asked, {self.tcp_lost} lost; "
                f"kept TCP {self.kept} asked, {self.kept_lost} lost; {self.wrong} wrong")

    def good(self):
        return self.sent and self.tcp and self.kept and not (self.lost or self.tcp_lost or self.kept_lost or self.wrong)

    def _judge(self, reply):
        answer = parse(reply)
        if answer.rcode != "NOERROR" or not set(answer.addresses) or not set(answer.addresses) <= self.right:
            self.wrong += 1
            self.problems.append(str(answer))

    def _udp(self):
        """Open loop: the next is asked whether the last was answered or not."""
        ports, waiting, chooser = [], {}, selectors.DefaultSelector()
        for _ in range(self.PORTS):
            s = socket.socket(type=socket.SOCK_DGRAM)
            s.setblocking(False)
            s.connect(self.server)
            chooser.register(s, selectors.EVENT_READ)
            ports.append(s)
        begin, number = time.monotonic(), 0
        while not self._end.is_set() or waiting:
            now = time.monotonic()
            while not self._end.is_set() and begin + number / self.rate <= now:
                s = ports[number % len(ports)]
                key = (s.fileno(), number >> 5 & 0xFFFF)
                try:
                    s.send(struct.pack("!H", key[1]) + self.packet[2:])
                except ConnectionRefusedError:
                    self.problems.append("refused")
                waiting[key] = now
                number += 1
            for chosen, _ in chooser.select(0.002):
                try:
                    reply = chosen.fileobj.recv(4096)
                except OSError as problem:
                    self.problems.append(repr(problem))
                    continue
                if waiting.pop((chosen.fd, struct.unpack("!H", reply[:2])[0]), None) is not None:
                    self.answered += 1
                    self._judge(reply)
            overdue = [k for k, t in waiting.items() if now - t > self.patience]
            for k in overdue:
                del waiting[k]
                self.lost += 1
        self.sent = number
        for s in ports:
            s.close()

    def _tcp(self):
        while not self._end.is_set():
            try:
                self._judge(exchange_tcp(self.server, self.packet, self.patience))
            except (Silence, OSError) as problem:
                self.tcp_lost += 1
                self.problems.append(f"tcp: {problem!r}")
            self.tcp += 1
            self._end.wait(0.02)

    def _kept(self):
        """One connection for as long as the server keeps it. One that is closed while nothing is asked is a close, no loss;
        what was asked at that very moment is asked once more over another, as RFC 7766 section 6.2.4 has it."""
        s = None
        while not self._end.is_set():
            retried = False
            while True:
                try:
                    s = s or socket.create_connection(self.server, self.patience)
                    s.sendall(struct.pack("!H", len(self.packet)) + self.packet)
                    self._judge(read_exactly(s, struct.unpack("!H", read_exactly(s, 2))[0]))
                    break
                except OSError as problem:
                    s = None
                    if retried:
                        self.kept_lost += 1
                        self.problems.append(f"kept: {problem!r}")
                        break
                    retried = True
                    self.closed_between += 1
            self.kept += 1
            self._end.wait(0.02)
        if s:
            s.close()


class Flood:
    """More than Python can ask: tests/bench/load, from when it is entered until it is left, and then what it has `found`."""

    SOCKETS = 32  # the kernel spreads clients over sockets by their port
    NAP = 200     # microseconds: bursts of four at 20,000 a second, and most of a core left for those who answer
    WARMUP = 0.3  # s

    def __init__(self, fairway, names, count, right, rate):
        self.fairway, self.words = fairway, [names, count, "right=" + ",".join(right), f"rate={rate}"]
        self.found = self.seconds = None

    def __enter__(self):
        self.drops = drops(self.fairway.dns)
        self.process = Process(self.fairway.lab, "flood", [program("load"), "{}:{}".format(*self.fairway.dns), *self.words,
                                                           f"sockets={self.SOCKETS}", f"nap={self.NAP}", f"warmup={self.WARMUP}", "seconds=86400"])
        self.written = self.process.log.stat().st_size
        time.sleep(self.WARMUP)
        self.begin = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.begin
        dropped = drops(self.fairway.dns)  # while its sockets are there
        self.process.popen.send_signal(signal.SIGTERM)
        self.process.popen.wait(30)
        said = self.process.log.read_text()[self.written:]
        if not said.startswith("{"):
            raise Failure(f"the load: {said}")
        self.found = {**json.loads(said), "drops": dropped - self.drops}


def drops(server):
    """Datagrams that found no room in a socket of the server's, or of one connected to it."""
    place = f"{struct.unpack('<I', socket.inet_aton(server[0]))[0]:08X}:{server[1]:04X}"
    rows = [line.split() for line in pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sum(int(row[-1]) for row in rows if place in row[1:3])
