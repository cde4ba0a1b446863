"""The steady load of a drill, and what is measured of it.

A client in a place of its own asks a resolver that honours TTLs, ten times a second, writes a numbered record at the site it
was told, and remembers which were acknowledged. Beside it every site is written to directly, so that at each moment it is
known which could: that is the truth that answers are held against.
"""

import bisect
import dataclasses
import http.client
import itertools
import threading
import time

from places import wait_until
from lab.dns import Silence

EVERY = 0.1      # s between requests
PATIENCE = 1.0   # s that a client waits
DIRECT = 1_000_000_000  # numbers of the records that are written directly begin here


@dataclasses.dataclass
class Request:
    at: float
    address: str
    number: int
    ok: bool


def put(address, port, number, patience=PATIENCE):
    """Is the record acknowledged?"""
    connection = http.client.HTTPConnection(address, port, timeout=patience)
    try:
        connection.request("PUT", f"/records/{number}")
        return connection.getresponse().status == 200
    except OSError:
        return False
    except http.client.HTTPException:
        return False
    finally:
        connection.close()


def has(address, port, number):
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", f"/records/{number}")
        return {200: True, 404: False}.get(connection.getresponse().status)
    except OSError:
        return None
    finally:
        connection.close()


class Load:
    """`sites` are addresses by name; everything runs until end(). `writable`: those that take writes at the start, if not all."""

    def __init__(self, place, fairway, resolver, name, sites, port, writable=()):
        self.place, self.fairway, self.resolver, self.name, self.sites, self.port = place, fairway, resolver, name, sites, port
        self.requests, self.answers, self.resolved = [], [], []    # (time, addresses) of the latter two
        self.could = {address: [] for address in sites.values()}   # (time, could it be written to)
        self._end = threading.Event()
        self._numbers = itertools.count(1)
        self._threads = [threading.Thread(target=self._inside, args=(work,), daemon=True) for work in (
            self._client, self._ask_fairway, self._ask_resolver, *(lambda a=a: self._write_directly(a) for a in sites.values()))]
        for thread in self._threads:
            thread.start()
        taking = [self.could[sites[site]] for site in writable or sites]
        wait_until("every site takes writes that should", lambda: all(c and c[-1][1] for c in taking), 60)
        wait_until("a client's write is acknowledged", lambda: any(r.ok for r in self.requests), 20)

    def end(self):
        self._end.set()
        for thread in self._threads:
            thread.join(10)

    # ---- what happened

    def address_of(self, site):
        return self.sites[site]

    def last_named(self, site, where):
        """When the site was last in an answer, or None."""
        return next((t for t, addresses in reversed(where) if self.sites[site] in addresses), None)

    def named_since(self, site, since):
        return next((t for t, addresses in self.answers if t > since and self.sites[site] in addresses), None)

    def could_write(self, address, at):
        """As the last attempt before that moment found it."""
        tries = self.could[address]
        i = bisect.bisect_right(tries, at, key=lambda entry: entry[0])
        return tries[i - 1][1] if i else True

    def wrong_answers(self, since):
        """Of Fairway's answers: how many named a site that could not be written to at that moment, and of how many."""
        later = [(t, addresses) for t, addresses in self.answers if t > since]
        return sum(any(not self.could_write(a, t) for a in addresses if a in self.could) for t, addresses in later), len(later)

    def first_success(self, since):
        return next((r.at for r in self.requests if r.ok and r.at > since), None)

    def failed(self, since):
        later = [r for r in self.requests if r.at > since]
        return sum(not r.ok for r in later), len(later)

    def lost(self, site):
        """Acknowledged records that this site does not have."""
        acknowledged = [r.number for r in self.requests if r.ok]
        missing = [n for n in acknowledged if not has(self.sites[site], self.port, n)]
        return [n for n in missing if not has(self.sites[site], self.port, n)], len(acknowledged)

    # ---- the threads

    def _inside(self, work):
        with self.place:
            while not self._end.is_set():
                begun = time.monotonic()
                work()
                self._end.wait(max(0.0, EVERY - (time.monotonic() - begun)))

    def _client(self):
        at, addresses = time.monotonic(), self._asked(self.resolver)
        number = next(self._numbers)
        ok = bool(addresses) and put(addresses[0], self.port, number)
        self.requests.append(Request(at, addresses[0] if addresses else "", number, ok))

    def _ask_fairway(self):
        at, addresses = time.monotonic(), self._asked(self.fairway)
        if addresses is not None:
            self.answers.append((at, addresses))

    def _ask_resolver(self):
        at, addresses = time.monotonic(), self._asked(self.resolver)
        if addresses is not None:
            self.resolved.append((at, addresses))

    def _asked(self, server):
        try:
            answer = server.ask(self.name, timeout=0.5)
        except (Silence, OSError):
            return None
        return answer.addresses

    def _write_directly(self, address):
        at = time.monotonic()
        self.could[address].append((at, put(address, self.port, DIRECT + next(self._numbers))))
