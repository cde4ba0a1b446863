"""What the stories of the stateful tier share: waiting until the daemon has seen of a server what there is to see."""

from world import Failure, wait_until


def ready(member):
    """Works, and its facts satisfy the check: "ready", "unready", or neither of them yet."""
    both = {member["verdict"], member["requirements"]}
    return "unready" if "unready" in both else "ready" if both == {"ready"} else "undecided"


class Sees:
    """A world with a `fairway`; its servers have a `name` and an `address`."""

    def member(self, check, server):
        """What the daemon knows of that check of that server."""
        return next(m for m in self.fairway.status()["members"] if m["check"] == check and m["target"].startswith(server.address + ":"))

    def sees(self, check, server, outcome, reason, *facts, verdict=None, within=40):
        """Waits until a look came to this, and until the member's verdict is this one."""
        last = {}

        def seen():
            last.update(self.member(check, server))
            look = last["last"] or {}
            right = (look.get("outcome"), look.get("reason")) == (outcome, reason) and all(f in look["facts"].split() for f in facts)
            return right and verdict in (None, ready(last))
        try:
            wait_until("", seen, within, every=0.1)
        except Failure:
            wanted = " ".join([outcome, reason, *facts, verdict or ""])
            raise Failure(f"{check} at {server.name}: expected {wanted}; seen {last['last']}, {ready(last)}") from None


def fact(member, key):
    """The value of one fact of the member's last look, or None."""
    return dict(f.split("=", 1) for f in member["last"]["facts"].split()).get(key)
