#!/usr/bin/python3
"""Builds and runs the test suites and counts their cases. ./tests/run calls it; here is what it does, in this order:

    build-asan   everything with AddressSanitizer and UndefinedBehaviorSanitizer; suites unit, sim, wire, integration
    build-tsan   the unit tests that have threads, with ThreadSanitizer; built while wire and integration wait
    --all        build-clang: everything with clang, without a warning; the fuzzers for a while;
                 build: a release, etcd, Patroni, NATS, RabbitMQ, Galera, the drills and many random worlds before it, and the tour;
                 the Debian package, built and installed on a fresh Debian that boots for it, and the image made of it

A case is a doctest test case or a story of tests/lab. A program that crashes, times out or cannot be built is one
failed case and says why.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[1]
SUITES = ["unit", "sim", "wire", "integration"]
WAITING = ["wire", "integration"]       # suites that mostly wait; the others are run as one
THREADED = ["probes", "dns", "daemon"]  # unit tests that start threads
LONG_WITHOUT_THREADS = "H8*,redis*"     # cases among them that take minutes and have no threads but the fault server's
FUZZ_SECONDS = 60                       # for each fuzzer under --all
MUTATIONS = 1_000_000                   # packets under --all
CORPUS = "400,3000,60000"               # strange zones, plain zones and questions that NSD and Knot answer, too, under --all
SWARM_SEEDS = 4400                      # random worlds under --all, in a release build: 10,267 simulated hours
CORES = os.cpu_count() or 1

# Lines in stack traces, no more (-g1), and no optimizer between g++'s undefined-behaviour checks: with -O1 -g a file takes
# four times as long to compile. ThreadSanitizer's own calls cost little to optimize and much to run.
LINES = ["-Ddebug=false", "-Dcpp_args=-g1"]
COMMON = ["-Db_pch=true"]  # headers that most sources read are read once
ASAN = ["-Db_sanitize=address,undefined", "-Doptimization=0", *COMMON, *LINES]
# Of a precompiled header g++ 12 forgets that it was a system's: its false alarms about strings return when it optimizes.
TSAN = ["-Db_sanitize=thread", "-Doptimization=1", "-Ddebug=false", *COMMON,
        "-Dcpp_args=-g1 -Wno-array-bounds -Wno-stringop-overflow"]
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "second_deadlock_stack=1:halt_on_error=1",
}

started = time.monotonic()
rows = []  # (suite, program, passed, failed, seconds, why)


def say(text):
    seconds = int(time.monotonic() - started)
    print(f"[{seconds // 60:2}:{seconds % 60:02}] {text}", flush=True)


def add(suite, program, passed, failed, seconds, why=""):
    rows.append((suite, program, passed, failed, seconds, why))
    mark = "ok    " if not failed else "FAILED"
    say(f"  {mark} {suite:12} {program:32} {passed:4} passed {failed:3} failed {seconds:6.1f} s" + (f"  ({why})" if why else ""))


def run(command, what, env=None, within=7200):
    """Runs quietly, with a sign of life every 20 s; shows the output's end if it fails. True if it went well."""
    begin = last_word = time.monotonic()
    log = ROOT / ".cache" / f"{re.sub(r'[^a-z0-9]+', '-', what.lower())}.log"
    log.parent.mkdir(exist_ok=True)
    with open(log, "w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={**os.environ, **(env or {})})
        try:
            while process.poll() is None:
                time.sleep(0.2)
                now = time.monotonic()
                if now - begin > within:
                    process.kill()
                if now - last_word > 20:
                    last_word = now
                    steps = re.findall(r"^\[(\d+/\d+)\]", log.read_text(errors="replace"), re.M)
                    say(f"  {what}: {steps[-1] if steps else '...'}")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode != 0:
        text = log.read_text(errors="replace")
        errors = [line for line in text.splitlines() if re.search(r"error:|FAILED|ERROR", line)]
        print("\n".join(errors[:20] + ["    ..."] + text.splitlines()[-40:]), flush=True)
    return process.returncode == 0


def configure(directory, options, env=None):
    fresh = not (ROOT / directory / "build.ninja").exists()
    command = ["meson", "setup", directory, *options] + ([] if fresh else ["--reconfigure"])
    return run(command, f"configure {directory}", env)


def build(directory, options, targets=(), env=None):
    """Configures and builds; a failure is a failed case of its own. Targets are a list, or what tells them once it is configured."""
    begin = time.monotonic()
    say(f"{directory}: building")
    good = configure(directory, options, env) and run(
        ["ninja", "-C", directory, *(targets() if callable(targets) else targets)], f"build {directory}")
    if good:
        say(f"{directory}: built in {time.monotonic() - begin:.0f} s")
    else:
        add("build", directory, 0, 1, time.monotonic() - begin, "does not build")
    return good


def build_threaded():
    """The second build, at the lowest priority: it fills the cores while stories wait for their servers."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)  # of this thread; what it starts inherits it
    return build("build-tsan", TSAN, lambda: targets_of("build-tsan", THREADED))


def introspect(directory, what):
    out = subprocess.run(["meson", "introspect", f"--{what}", directory], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


def tests_of(directory):
    return introspect(directory, "tests")


def targets_of(directory, names):
    """Ninja's targets for these tests: their programs and what those run."""
    files = {target["id"]: target["filename"] for target in introspect(directory, "targets")}
    needed = {file for test in tests_of(directory) if test["name"] in names
              for file in [test["cmd"][0], *(f for id in test["depends"] for f in files[id])]}
    return sorted(os.path.relpath(file, ROOT / directory) for file in needed)


def counted(text):
    """Cases passed and failed by a program's own words, or None."""
    passed = failed = 0
    found = re.findall(r"\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed", text)
    found += re.findall(r"^\[stories\] (\d+) passed, (\d+) failed", text, re.M)
    for p, f in found:
        passed, failed = passed + int(p), failed + int(f)
    return (passed, failed) if found else None


def test(directory, suites, names=(), label=None, arguments=()):
    """Runs suites with `meson test` and counts what their programs say. Some units only wait: one more than there are cores."""
    label = label or "+".join(suites)
    say(f"{label}:")
    of = {t["name"]: next((s.split(":")[-1] for s in t["suite"] if s.split(":")[-1] in suites), None) for t in tests_of(directory)}
    wanted = [name for name, suite in of.items() if suite and (not names or name in names)]
    if not wanted:
        add(label, "-", 0, 1, 0, "there is no such test")
        return
    log = ROOT / directory / "meson-logs" / f"testlog-{label}.json"
    log.unlink(missing_ok=True)
    command = ["meson", "test", "-C", directory, "--no-rebuild", *(f"--suite={suite}" for suite in suites),
               "--num-processes", str(CORES + ("unit" in suites)), "--logbase", f"testlog-{label}", *(f"--test-args={a}" for a in arguments), *names]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, **SANITIZER_OPTIONS, "FAIRWAY_BUILD": str(ROOT / directory)})
    seen, last_word = set(), time.monotonic()
    try:
        while True:
            if time.monotonic() - last_word > 20:
                last_word = time.monotonic()
                say(f"  {label}: ...")
            ended = process.poll() is not None
            for line in log.read_text().splitlines() if log.exists() else []:
                try:
                    result = json.loads(line)
                except ValueError:
                    continue  # being written
                if result["name"] not in seen:
                    seen.add(result["name"])
                    judge(result, of.get(short(result["name"])) if len(suites) > 1 else label)
            if ended:
                break
            time.sleep(0.3)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    for name in wanted:
        if name not in set(map(short, seen)):
            add(label, name, 0, 1, 0, "did not run")


def short(name):
    """A test's own name, without its project and suites."""
    return name.split(" / ")[-1].split(":")[-1]


def judge(result, suite):
    text = (result.get("stdout") or "") + "\n" + (result.get("stderr") or "")
    passed, failed = counted(text) or (0, 0)
    why = ""
    if result["result"] != "OK":
        why = f"{result['result'].lower()}, status {result.get('returncode')}"
        failed = max(failed, 1)
    elif passed + failed == 0:
        passed = 1  # a program that counts nothing is one case
    add(suite, short(result["name"]), passed, failed, result["duration"], why)
    measured = re.findall(r"^  .*$", text, re.M) if not failed and suite in ("wire", "integration") else []
    if failed:
        print("\n".join("      | " + line for line in text.splitlines()[-120:]), flush=True)
    elif measured:
        print("\n".join("    " + line for line in measured), flush=True)


def script(suite, name, command, env=None, within=900):
    """One program that is one case."""
    begin = time.monotonic()
    say(f"{name}:")
    good = run(command, name, env, within)
    add(suite, name, int(good), int(not good), time.monotonic() - begin, "" if good else "failed")


def everything_longer():
    begin = time.monotonic()
    if build("build-clang", [*ASAN, "-Doptimization=1", "-Db_lundef=false", "-Db_pch=false"], ["all", "meson-test-prereq"], env={"CXX": "clang++-16"}):
        add("build", "clang, zero warnings", 1, 0, time.monotonic() - begin)
        fuzz("build-clang")
    if build("build", ["--buildtype=release"], ["all", "meson-test-prereq", "bench"]):
        script("fuzz", "10^6 mutated packets", ["build/tests/unit/dns/dns_test", "-tc=mutated packets*"], {"FAIRWAY_MUTATIONS": str(MUTATIONS)})
        script("wire", "peers, whole corpus", ["/usr/bin/python3", "-B", "tests/wire/peers.py"],
               {"FAIRWAY_CORPUS": CORPUS, "FAIRWAY_BUILD": str(ROOT / "build")})
        script("integration", "stores", ["/usr/bin/python3", "-B", "tests/integration/stores.py"], {"FAIRWAY_BUILD": str(ROOT / "build")})
        script("drills", "drills", ["tests/drills/run"], {"FAIRWAY_BUILD": str(ROOT / "build")}, within=1500)
        script("integration", "rabbitmq", ["/usr/bin/python3", "-B", "tests/integration/rabbitmq.py"], {"FAIRWAY_BUILD": str(ROOT / "build")})
        script("integration", "galera", ["/usr/bin/python3", "-B", "tests/integration/galera.py"], {"FAIRWAY_BUILD": str(ROOT / "build")})
        script("integration", "browser", ["/usr/bin/python3", "-B", "tests/integration/browser.py"], {"FAIRWAY_BUILD": str(ROOT / "build")})
        script("integration", "upgrade, hung ones", ["/usr/bin/python3", "-B", "tests/integration/upgrade.py"],
               {"FAIRWAY_LONG": "1", "FAIRWAY_BUILD": str(ROOT / "build")})
        script("integration", "faults", ["/usr/bin/python3", "-B", "tests/integration/faults.py"], {"FAIRWAY_BUILD": str(ROOT / "build")})
        script("integration", "1,000 reloads", ["/usr/bin/python3", "-B", "tests/integration/steady.py"], {"FAIRWAY_BUILD": str(ROOT / "build")})
        script("sim", "drills of whole days", ["build/tests/sim/sim"], {"FAIRWAY_LONG": "1"})
        script("sim", "shrink", ["build/tests/sim/shrink"])
        script("sim", "swarm", ["build/tests/sim/swarm"], {"FAIRWAY_SWARM_SEEDS": str(SWARM_SEEDS)}, within=3600)
        script("packaging", "zsh and fish", ["/usr/bin/python3", "-B", "tests/packaging/shells.py"], {"FAIRWAY_BUILD": str(ROOT / "build")})
    debs = ROOT / ".cache" / "deb"
    debs.mkdir(parents=True, exist_ok=True)
    script("packaging", "build-deb", ["packaging/build-deb", str(debs)], within=3600)
    package = {"FAIRWAY_DEB": str(max(debs.glob("*.deb"), key=os.path.getmtime, default="none was built"))}
    script("packaging", "package", ["/usr/bin/python3", "-B", "tests/packaging/package.py"], package)
    script("packaging", "image", ["/usr/bin/python3", "-B", "tests/packaging/image.py"], package)
    script("demonstration", "tour", ["packaging/quickstart", "--tour"], within=1500)


def fuzz(directory):
    """Every fuzzer for a while, from the tree's corpus; what it finds new stays in the build directory."""
    if not run(["ninja", "-C", directory, "fuzz"], "build the fuzzers"):
        add("fuzz", "fuzz", 0, 1, 0, "the fuzzers do not build")
        return
    for program in sorted((ROOT / directory / "tests" / "fuzz").glob("*_fuzz")):
        found = ROOT / directory / f"corpus-{program.name}"
        found.mkdir(exist_ok=True)
        seeds = ROOT / "tests" / "fuzz" / "corpus" / program.name.removesuffix("_fuzz")
        command = [program, f"-max_total_time={FUZZ_SECONDS}", f"-artifact_prefix={found}/", found, *([seeds] if seeds.exists() else [])]
        script("fuzz", program.name, command, within=FUZZ_SECONDS + 120)


def main():
    parser = argparse.ArgumentParser(prog="tests/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="add what is longer")
    parser.add_argument("--suite", action="append", default=[], help="only these, separated by commas: " + ", ".join(SUITES + ["tsan"]))
    options = parser.parse_args()
    chosen = [s for part in options.suite for s in part.split(",") if s] or SUITES + ["tsan"]
    unknown = set(chosen) - set(SUITES + ["tsan"])
    if unknown:
        parser.error(f"no suite {', '.join(sorted(unknown))}")

    ordinary = [suite for suite in SUITES if suite in chosen]
    with ThreadPoolExecutor(1) as beside:
        threaded = None
        if ordinary and build("build-asan", ASAN, ["all", "meson-test-prereq"]):
            busy = [suite for suite in ordinary if suite not in WAITING]
            for suites in ([busy] if busy else []) + [[suite] for suite in ordinary if suite in WAITING]:
                if "tsan" in chosen and suites[0] in WAITING:
                    threaded = threaded or beside.submit(build_threaded)
                test("build-asan", suites)
        if "tsan" in chosen and (threaded or beside.submit(build_threaded)).result():
            test("build-tsan", ["unit"], THREADED, label="tsan", arguments=[f"-tce={LONG_WITHOUT_THREADS}"])
    if options.all:
        everything_longer()

    passed, failed = sum(r[2] for r in rows), sum(r[3] for r in rows)
    print(f"\n{'suite':14} {'programs':>8} {'passed':>7} {'failed':>7} {'seconds':>8}")
    for suite in dict.fromkeys(r[0] for r in rows):
        mine = [r for r in rows if r[0] == suite]
        print(f"{suite:14} {len(mine):8} {sum(r[2] for r in mine):7} {sum(r[3] for r in mine):7} {sum(r[4] for r in mine):8.1f}")
    for suite, program, _, bad, _, why in rows:
        if bad:
            print(f"failed: {suite} {program}: {bad} {why}")
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
