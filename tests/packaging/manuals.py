#!/usr/bin/python3
"""What is installed beside the programs: manual pages, schema, completions, unit, examples; each said to be right by
whoever reads it in the end (man, a JSON Schema validator, bash, systemd, fairwayctl)."""

import json
import os
import re
import shlex
import subprocess
import sys

import jsonschema  # Debian's python3-jsonschema and python3-yaml: the judges of the editors' schema
import yaml

from packages import BUILT, PACKAGING, ROOT, HEAD, Fairwayd, check, equal, story, tell
from lab.fairwayd import SANITIZERS, program

EXAMPLES = PACKAGING / "examples"
PAGES = ["fairwayd.8", "fairwayctl.1", "fairway.yaml.5"]
SITUATIONS = {"s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"}
MOST_EXPOSED = 1.5  # systemd-analyze security; 10 is a process without any fence


def fairwayctl(*arguments):
    return subprocess.run([program("fairwayctl"), *map(str, arguments)], capture_output=True, text=True, timeout=60, env={**os.environ, **SANITIZERS})


class World:
    def __init__(self, lab):
        self.lab = lab
        self.keys = json.loads(fairwayctl("--json", "check-config", "--keys").stdout)
        self.schema = json.loads((BUILT / "fairway.schema.json").read_text())
        self.commands = re.findall(r"^  ([a-z-]+) ", fairwayctl("--help").stdout.partition("Subcommands:")[2].partition("\n\n")[0], re.M)


@story("every key has its text, and its place in the manual page")
def _(world):
    check(len(world.keys) > 100, "keys were found")
    equal([k["key"] for k in world.keys if len(k["meaning"]) < 3], [], "keys without a text")
    page = (BUILT / "fairway.yaml.5").read_text().replace("\\-", "-").replace("\\&", "")
    equal([k["key"] for k in world.keys if f"\n.B {k['key']}\n" not in page], [], "keys that the manual page lacks")


@story("the manual pages render without a warning, and name every command")
def _(world):
    for page in PAGES:
        result = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", BUILT / page], capture_output=True, text=True, timeout=60,
                                env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"})
        equal((result.returncode, result.stderr), (0, ""), page)
        unfilled = re.findall(r"@[A-Z]+@", (BUILT / page).read_text())
        equal(unfilled, [], f"{page}: what was not filled in")
    text = (BUILT / "fairwayctl.1").read_text()
    check(len(world.commands) >= 10, f"commands: {world.commands}")
    equal([c for c in world.commands if f"\n.SS {c}\n" not in text], [], "commands that the manual page lacks")


@story("every message of the log has its word in the manual page, and none that there is not")
def _(world):
    words = re.search(r"to_string\(Change c\) \{(.*?)\}\)?;", (ROOT / "policies" / "words.cpp").read_text(), re.S)[1]
    ids = set(re.findall(r'"([a-z-]+)"', words)) | {"messages-left-out"}
    for file in (ROOT / "daemon").rglob("*.cpp"):
        for call in re.findall(r"\blog_?\.write\(\s*Severity::\w+,\s*([^;{]*)", file.read_text()):
            ids.update(re.findall(r'"([a-z-]+)"', call))
    page = (BUILT / "fairwayd.8").read_text().partition(".SH MESSAGES")[2].partition("\n.SH ")[0].replace("\\-", "-")
    check(len(ids) > 55, f"messages: {len(ids)}")
    equal(set(re.findall(r"^\.TP\n\.B ([a-z-]+)$", page, re.M)), ids, "messages")


@story("the JSON Schema accepts the examples and the recipes, and refuses what is misspelt or of the wrong kind")
def _(world):
    jsonschema.Draft7Validator.check_schema(world.schema)
    judge = jsonschema.Draft7Validator(world.schema)
    for file in sorted([*EXAMPLES.glob("*.yaml"), *PACKAGING.glob("recipes/*.yaml")]):
        equal([f"{list(e.absolute_path)}: {e.message}" for e in judge.iter_errors(yaml.safe_load(file.read_text()))], [], file.name)
    text = (EXAMPLES / "quickstart.yaml").read_text()
    for good, bad in {"listen:": "lisen:", "failover: automatic": "failover: automatically", "path: /healthz": "paht: /healthz",
                      "timeout: 10s": "timeout: 10", "follow: primary": "folow: primary", "weight: 70": "weight: -70",
                      "policy: weighted": "polcy: weighted", "region: us-east": "regoin: us-east"}.items():
        check(good in text, f"the example has {good}")
        check(not judge.is_valid(yaml.safe_load(text.replace(good, bad))), f"`{bad}` is refused")


@story("the generator of the schema knows every kind of value, and every mapping that has a short form")
def _(world):
    sys.path.insert(0, str(PACKAGING / "manual"))
    from manual import SCALARS, TAKES
    kinds = {k["takes"] for k in world.keys if re.match("(a|an|true) ", k["takes"])}  # the others are closed lists of words
    check(len(kinds) > 10, f"kinds: {kinds}")
    equal(kinds - set(TAKES), set(), "kinds that manual.py does not know")
    readers = "".join(file.read_text() for file in (ROOT / "config" / "load").glob("*.cpp"))
    short = dict(re.findall(r'"([\w.*]+)",\s*[\w.]*problems(?:\(\))?,\s*"(\w+)"\)', readers))
    check(len(short) >= 5, f"short forms: {short}")
    equal({path: field for path, field in short.items() if SCALARS.get(path) != field}, {}, "short forms that manual.py does not know")


@story("there is an example for each situation of an installation, and each loads")
def _(world):
    found = set()
    for file in sorted(EXAMPLES.glob("s*.yaml")):
        found.update(re.findall(r"s\d", file.name))
        result = fairwayctl("check-config", file)
        equal(result.returncode, 0, f"{file.name}: {result.stdout}{result.stderr}")
        warnings = re.findall(r"warning: (.*)", result.stderr)
        if file.name.startswith("s9"):
            check(len(warnings) == 1 and "third failure domain" in warnings[0], f"S9 is warned of: {result.stderr}")
        else:
            equal(warnings, [], file.name)
    equal(found, SITUATIONS, "situations")


@story("the configuration in the package loads")
def _(world):
    result = fairwayctl("check-config", PACKAGING / "debian" / "fairway.yaml")
    equal(result.returncode, 0, result.stdout + result.stderr)


@story("YAML in the guide loads, and what it links to is there")
def _(world):
    for page in sorted((PACKAGING / "guide").glob("*.md")):
        text = page.read_text()
        for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", text, re.S)):
            file = world.lab.directory / f"{page.stem}-{number}.yaml"
            file.write_text(block)
            result = fairwayctl("check-config", file)
            equal(result.returncode, 0, f"{page.name}, block {number}: {result.stdout}{result.stderr}")
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            check((page.parent / link).exists(), f"{page.name}: there is no {link}")
        for command in re.findall(r"^\s*(?:\$ )?fairwayctl ([a-z-]+)", text, re.M):
            check(command in world.commands, f"{page.name}: there is no command {command}")


@story("shellcheck finds nothing in the scripts")
def _(world):
    scripts = [*EXAMPLES.glob("runbook/*/*.sh"), *EXAMPLES.glob("push/*.sh"), *EXAMPLES.glob("runbook/*/sites.conf"), PACKAGING / "build-deb"]
    check(len(scripts) >= 10, f"scripts: {scripts}")
    for script in scripts:
        result = subprocess.run(["shellcheck", "-x", script.name], cwd=script.parent, capture_output=True, text=True, timeout=60)
        equal((result.returncode, result.stdout), (0, ""), f"shellcheck {script}")


@story("systemd finds the unit in order, and a process in it exposed by at most 1.5 of 10")
def _(world):
    unit = world.lab.directory / "fairwayd.service"
    text = (BUILT / "fairwayd.service").read_text()
    unit.write_text(re.sub(r"^(Exec\w+=)\S+", r"\1/bin/true", text, flags=re.M).replace("Documentation=", "#"))
    result = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60)
    equal((result.returncode, result.stderr), (0, ""), "systemd-analyze verify")
    result = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit], capture_output=True, text=True, timeout=60)
    exposed = float(re.search(r"Overall exposure level for .*: ([\d.]+)", result.stdout)[1])
    print(f"  exposure level {exposed} of 10, at most {MOST_EXPOSED}")
    check(exposed <= MOST_EXPOSED, result.stdout)
    bare, explained = [], False
    for line in text.splitlines():
        key = line.partition("=")[0]
        if line.startswith("#"):
            explained = True
        elif not line:
            explained = False
        elif not line.startswith("[") and not explained:
            bare.append(key)
    equal(set(bare) - {"Description", "Documentation", "WantedBy"}, set(), "lines without a reason above them")


# ---- completions

class Shell:
    """bash with the completion loaded, asked what it would offer."""

    def __init__(self, socket):
        self.socket = socket
        place = program("fairwayctl").parent
        self.setup = f"PATH={place}:$PATH; . {PACKAGING}/completions/fairwayctl; "

    def offers(self, *words):
        line = " ".join(map(shlex.quote, words))
        script = (self.setup + f"COMP_WORDS=({line}); COMP_CWORD=$(({len(words)} - 1)); _fairwayctl; "
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        result = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, timeout=60,
                                env={**os.environ, **SANITIZERS, "FAIRWAY_SOCKET": str(self.socket)})
        equal(result.stderr, "", f"what completing {line} says")
        return set(result.stdout.split())


@story("bash completes commands and options, and without a daemon nothing that it knows")
def _(world):
    bash = Shell(world.lab.directory / "nobody.sock")
    equal(bash.offers("fairwayctl", ""), set(world.commands), "commands")
    equal(bash.offers("fairwayctl", "und"), {"undrain"}, "und")
    equal(bash.offers("fairwayctl", "drain", "--f"), {"--for", "--force"}, "drain --f")
    check({"--json", "--socket", "--reason"} <= bash.offers("fairwayctl", "drain", "--"), "options of all and of drain")
    equal(bash.offers("fairwayctl", "drain", "--reason", ""), set(), "a reason is the operator's own")
    equal(bash.offers("fairwayctl", "drain", "--service", ""), set(), "services without a daemon")
    equal(bash.offers("fairwayctl", "check-config", f"{ROOT}/meson."), {f"{ROOT}/meson.build"}, "a file")


@story("bash completes the names that the daemon knows")
def _(world):
    fairway = Fairwayd(world.lab, HEAD + """
services:
  one.gtm.example.com: {policy: weighted, unchecked: true, endpoints: {east: {addresses: [192.0.2.1]}}}
  two.gtm.example.com: {policy: weighted, unchecked: true, endpoints: {west: {addresses: [192.0.2.2]}}}
""").start()
    bash = Shell(fairway.socket)
    equal(bash.offers("fairwayctl", "explain", ""), {"one.gtm.example.com", "two.gtm.example.com"}, "explain")
    equal(bash.offers("fairwayctl", "zone", "g"), {"gtm.example.com"}, "zone g")
    equal(bash.offers("fairwayctl", "--json", "drain", "--force", "--service", "t"), {"two.gtm.example.com"}, "--service t")
    equal(bash.offers("fairwayctl", "drain", "--datacenter", ""), {"east", "west"}, "--datacenter")
    elsewhere = Shell(world.lab.directory / "nobody.sock")
    equal(elsewhere.offers("fairwayctl", "--socket", str(fairway.socket), "failover", ""),
          {"one.gtm.example.com", "two.gtm.example.com"}, "--socket says which daemon")


tell(World)
