"""What a drill found, a row of the table."""

import json
import math
import time

from lab.story import check  # noqa: F401

HEAD = ["drill", "left", "last stale", "first success", "failed", "lost", "wrong answers", "back", "what else"]


def seconds(value):
    return "-" if value is None else f"{value:.1f} s"


class Row:
    def __init__(self, name, what):
        self.name, self.what, self.notes = name, what, []
        self.fault = self.left = self.stale = self.back = self.success = None
        self.failed = self.lost = self.wrong = "-"
        self.history = ""  # what fairwayctl says has happened since the fault

    def begin(self):
        self.fault = time.monotonic()

    def note(self, text):
        self.notes.append(text)

    def tell_history(self, world):
        """Keeps what the journal says, and holds its order: who was lost was left, and who came back was so later."""
        since = f"{math.ceil(time.monotonic() - self.fault) + 1}s"
        self.history = world.fairway.ctl("history", "--since", since, "--limit", "200")
        entries = json.loads(world.fairway.ctl("--json", "history", "--since", since, "--limit", "1000", "--kind", "transition"))["entries"]
        said = [entry["record"]["change"] for entry in reversed(entries)]
        if self.left:
            check("plan-changed" in said, f"no change of an answer in the journal: {said}")
            first = min(said.index(word) for word in ("endpoint-unfit", "no-primary", "primary-followed", "partial-failure") if word in said)
            check(first < said.index("plan-changed"), f"the answer changed before anything was wrong: {said}")
            if self.back and "endpoint-unfit" in said:
                back = said[said.index("endpoint-unfit"):]
                check("endpoint-fit" in back or "endpoint-pressed" in back, f"nobody came back: {self.history}")

    def measured(self, world, *, strong, readers, unharmed=False):
        """What the load says of the time since the fault. A strong store must not have lost an acknowledged write."""
        time.sleep(1)
        load = world.load
        load.end()
        self.tell_history(world)
        success = load.first_success(self.fault)
        self.success = None if success is None else success - self.fault
        self.failed = "%d of %d" % load.failed(self.fault)
        self.wrong = "%d of %d" % load.wrong_answers(self.fault)
        for site in readers:
            lost, acknowledged = load.lost(site)
            self.lost = f"{len(lost)} of {acknowledged}"
            if strong:
                check(not lost, f"acknowledged records that {site} does not have: {lost[:10]}")
        if unharmed:
            check(load.failed(self.fault)[0] == 0, f"requests failed: {self.failed}")
            check(load.wrong_answers(self.fault)[0] == 0, f"wrong answers: {self.wrong}")
        return self

    def cells(self):
        return [self.name, seconds(self.left), seconds(self.stale), seconds(self.success), self.failed, self.lost, self.wrong,
                seconds(self.back), ", ".join(self.notes)]
