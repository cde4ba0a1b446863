"""What a drill found, a row of the table."""

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

    def begin(self):
        self.fault = time.monotonic()

    def note(self, text):
        self.notes.append(text)

    def measured(self, world, *, strong, readers, unharmed=False):
        """What the load says of the time since the fault. A strong store must not have lost an acknowledged write."""
        time.sleep(1)
        load = world.load
        load.end()
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
