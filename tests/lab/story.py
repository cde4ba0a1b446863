"""Stories: the cases of a test file, told in order, each named by the promise it keeps.

    @story("a drained site is not answered")
    def _(world): ...

    tell(setup)      # at the end of the file; setup(lab) makes the world the stories share

A story that fails does not stop the ones after it, unless it says that they stand on it (`@story(..., stop=True)`).
The last line is what tests/run counts: `[stories] N passed, M failed`.
"""

import sys
import time
import traceback

from .world import Failure, Lab

_stories = []


def story(name, stop=False):
    def add(function):
        _stories.append((name, function, stop))
        return function
    return add


def check(condition, what):
    if not condition:
        raise Failure(what)


def equal(found, expected, what):
    if found != expected:
        raise Failure(f"{what}: expected {expected!r}, found {found!r}")


def within_points(counts, shares, points, what):
    """Each share, in percent of all that was counted, is as expected within so many points."""
    total = sum(counts.values())
    for key, share in shares.items():
        found = 100 * counts.get(key, 0) / total
        if abs(found - share) > points:
            raise Failure(f"{what}: {key} has {found:.2f} % of {total}, expected {share} % within {points} points")
    strangers = set(counts) - set(shares)
    check(not strangers, f"{what}: {strangers} were answered too")


class Timings:
    """Measured times beside what was promised, printed as a table."""

    def __init__(self):
        self.rows = []

    def add(self, what, seconds, promised=None):
        self.rows.append((what, list(seconds) if isinstance(seconds, (list, tuple)) else [seconds], promised))

    def print(self, out=sys.stdout):
        width = max((len(what) for what, _, _ in self.rows), default=0)
        out.write(f"  {'measured':{width}}      best    median     worst   promised\n")
        for what, seconds, promised in self.rows:
            s = sorted(seconds)
            bound = f"{promised:8.2f} s" if promised else ""
            out.write(f"  {what:{width}}  {s[0]:6.2f} s  {s[len(s) // 2]:6.2f} s  {s[-1]:6.2f} s {bound}\n")
        out.flush()


def tell(setup=None):
    """Runs the stories of this file in one Lab and exits: 0 if all passed."""
    passed, failed = 0, []
    with Lab() as lab:
        world = None
        try:
            world = setup(lab) if setup else lab
        except Exception as problem:
            _report(lab, "the stage is set", problem, 0)
            failed = [name for name, _, _ in _stories]
        else:
            for number, (name, function, stop) in enumerate(_stories):
                start = time.monotonic()
                try:
                    function(world)
                    _sanitizers_are_quiet(lab)
                    passed += 1
                    print(f"ok      {name} ({time.monotonic() - start:.1f} s)", flush=True)
                except Exception as problem:
                    failed.append(name)
                    _report(lab, name, problem, time.monotonic() - start)
                    if stop:
                        left = [n for n, _, _ in _stories[number + 1:]]
                        for n in left:
                            print(f"FAILED  {n}: not told, it stands on the story above", flush=True)
                        failed += left
                        break
        problem = _leave(lab)
        if problem:
            failed.append("everything ends in order")
            print(f"FAILED  everything ends in order: {problem}", flush=True)
    print(f"[stories] {passed} passed, {len(failed)} failed", flush=True)
    sys.exit(1 if failed else 0)


def _report(lab, name, problem, seconds):
    print(f"FAILED  {name} ({seconds:.1f} s)\n    {problem if isinstance(problem, Failure) else repr(problem)}", flush=True)
    for line in traceback.format_tb(problem.__traceback__):
        print("    " + line.rstrip().replace("\n", "\n    "))
    for process in {p.name: p for p in lab.processes}.values():  # the latest of each name: they share a log
        if process.name.startswith("fairway"):
            state = "runs" if process.alive() else f"ended with {process.popen.returncode}"
            print(f"    --- {process.name} ({state}): {process.log}\n    " + process.tail(40).replace("\n", "\n    "), flush=True)


def _sanitizers_are_quiet(lab):
    for process in lab.processes:
        if process.name.startswith("fairway"):
            if not process.alive() and not process.ended_by_us:
                raise Failure(f"{process.name} ended by itself with status {process.popen.returncode}")
            text = process.log.read_text(errors="replace")
            for mark in ("ERROR: AddressSanitizer", "runtime error:", "WARNING: ThreadSanitizer", "ERROR: LeakSanitizer"):
                if mark in text:
                    raise Failure(f"{process.name}: {text[text.index(mark):][:2000]}")


def _leave(lab):
    """Ends the daemons politely, so that the leak checker has its say; what is wrong, or nothing."""
    try:
        for process in lab.running():
            if process.name.startswith("fairway"):
                status = process.stop(within=20)
                if status != 0:
                    return f"{process.name} ended with status {status} after SIGTERM\n{process.tail(40)}"
        _sanitizers_are_quiet(lab)
    except Failure as problem:
        return str(problem)
    return None
