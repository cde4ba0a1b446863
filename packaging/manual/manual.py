#!/usr/bin/python3
"""Writes what is made from the one description of the configuration and from fairwayctl's own help:

    manual.py FAIRWAYCTL VERSION schema                               the JSON Schema for editors
    manual.py FAIRWAYCTL VERSION yaml    fairway.yaml.5.in EXAMPLE    the manual page of the configuration
    manual.py FAIRWAYCTL VERSION ctl     fairwayctl.1.in              the manual page of the commands
    manual.py FAIRWAYCTL VERSION daemon  fairwayd.8.in                the manual page of the daemon

A page's text is man(7) with @NAME@ where something generated belongs. The result goes to standard output.
"""

import json
import pathlib
import re
import subprocess
import sys

# Mappings of which a scalar stands for one field (the readers' scalar_key).
SCALARS = {"alerts.alertmanager.[]": "url", "alerts.webhooks.[]": "url", "services.*.policy": "type", "services.*.policy.margin": "absolute", "services.*.failover": "mode",
           "services.*.failback": "mode", "services.*.ttl": "min", "defaults.ttl": "min",
           "checks.*.tls": "mode", "checks.*.facts.role": "at", "checks.*.facts.quorum": "at",
           "checks.*.facts.read_only": "at", "checks.*.facts.lag": "at", "dns.rate_limit": "responses_per_second"}

DURATION = {"type": "string", "pattern": r"^[0-9]+(d|h|m|s|ms|us|ns)$"}
SCALAR = {"type": ["string", "number", "boolean"]}  # YAML makes a number of 443 where a text is meant
EXPRESSION = {"$ref": "#/definitions/expression"}

# What a key takes, as `check-config --keys` says it, in the words of JSON Schema.
TAKES = {
    "a mapping": {"type": "object"},
    "a list": {"type": "array"},
    "a text": SCALAR,
    "a path": {"type": "string"},
    "true or false": {"type": "boolean"},
    "a whole number": {"type": "integer"},
    "a number": {"type": "number"},
    "a percentage such as 50%": {"anyOf": [{"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$"}, {"const": 0}]},
    "a duration such as 2s": DURATION,
    "a duration in whole seconds such as 10s": DURATION,
    "a port, 1 to 65535": {"type": "integer"},
    "an IP address": {"type": "string", "pattern": r"^[0-9A-Fa-f:.]+$"},
    "an address and a port such as 127.0.0.1:53 or [::1]:53": {"type": "string", "pattern": r"^(\[[0-9A-Fa-f:.]+\]|[0-9.]+):[0-9]+$"},
    "a network such as 203.0.113.0/24": {"type": "string", "pattern": r"^[0-9A-Fa-f:.]+/[0-9]+$"},
    "a domain name": {"type": "string"},
    "a URL": {"type": "string", "pattern": r"^[a-z]+://"},
    "a check, or all, any, at_least, not": EXPRESSION,
    "a value": {},
}


def ask(fairwayctl, *arguments):
    return subprocess.run([fairwayctl, *arguments], check=True, capture_output=True, text=True).stdout


def keys_of(fairwayctl):
    return json.loads(ask(fairwayctl, "--json", "check-config", "--keys"))


# ---- the JSON Schema

class Schema:
    def __init__(self, keys):
        self.keys = [key for key in keys if key["supported"]]

    def children(self, path):
        """Keys one level below; those of `hooks.*` for `hooks.fence`, which has none of its own."""
        return self.below(path) or self.below(path.rpartition(".")[0] + ".*")

    def below(self, path):
        depth = path.count(".") + 1 if path else 0
        inside = path + "." if path else ""
        return [k for k in self.keys if k["key"].startswith(inside) and k["key"].count(".") == depth]

    def mapping(self, path, whole=True):
        """An object with the children of `path`: named ones, and `*` for names of the user's."""
        children = {k["key"].rpartition(".")[2]: k for k in self.children(path)}
        out = {"type": "object", "additionalProperties": self.of(children["*"]) if "*" in children else False}
        named = {name: self.of(key) for name, key in children.items() if name not in ("*", "[]")}
        if named:
            out["properties"] = named
        required = [name for name, key in children.items() if key["required"]]
        if required and whole:
            out["required"] = required
        return out

    def simple(self, key):
        """What stands there when it is neither a list nor a mapping."""
        takes = key["takes"]
        if takes not in TAKES:  # a closed list of words
            return {"enum": [word for word in takes.split(" | ") if not word.startswith("{")]}
        out = dict(TAKES[takes])
        if takes in ("a whole number", "a number"):
            out["minimum"] = key["least"]
            if key["most"] is not None:
                out["maximum"] = key["most"]
        return out

    def of(self, key):
        path, takes = key["key"], key["takes"]
        if path == "checks.*":
            out = {"$ref": "#/definitions/check"}
        elif path == "templates.*":
            out = self.mapping("services.*", whole=False)
        elif path == "services.*":  # what is required may come from a template
            needed = [k["key"].rpartition(".")[2] for k in self.below(path) if k["required"]]
            out = {**self.mapping(path, whole=False), "anyOf": [{"required": ["use"]}, {"required": needed}]}
        elif path == "services.*.policy.branches.[].policy":
            out = {"$ref": "#/definitions/policy"}
        elif takes == "a check, or all, any, at_least, not":
            out = dict(EXPRESSION)
        elif takes == "a list":
            out = self.list(path)
        elif takes == "a mapping":
            out = self.either(self.mapping(path), self.scalar_for(path))
        elif self.children(path):  # a scalar that has a longer form
            out = self.either(self.simple(key), self.mapping(path))
        else:
            out = self.simple(key)
        word = key["default"]
        if takes == "a whole number" and word and re.fullmatch("[a-z]+", word):
            out = self.either(out, {"const": word})  # dns.threads: auto
        text = key["meaning"] + (f"; default: {word}" if word else "")
        return {"allOf": [out], "description": text} if "$ref" in out else {"description": text, **out}

    @staticmethod
    def either(one, other):
        return {"anyOf": [one, other]} if other else one

    def scalar_for(self, path):
        """What may stand there instead of the mapping; None where it has no short form."""
        field = f"{path}.{SCALARS.get(path)}"
        return next((self.simple(k) for k in self.children(path) if k["key"] == field), None)

    def list(self, path):
        element = next((self.of(k) for k in self.children(path) if k["key"].endswith("[]")), None)
        if element is None:
            element = EXPRESSION if re.search(r"\.application\.(all|any|of)$", path) else SCALAR
        options = [{"type": "array", "items": element}, element]  # a scalar stands for a list of one
        longer = [k for k in self.children(path) if not k["key"].endswith("[]")]
        if longer:
            options.append({"type": "object", "additionalProperties": False,
                            "properties": {k["key"].rpartition(".")[2]: self.of(k) for k in longer}})
        return {"anyOf": options}

    def document(self):
        check = self.mapping("checks.*")
        combination = self.mapping("services.*.application")
        policy = self.either(self.mapping("services.*.policy"), self.scalar_for("services.*.policy"))
        return {"$schema": "http://json-schema.org/draft-07/schema#",
                "title": "fairway.yaml: the configuration of fairwayd",
                **self.mapping(""),
                "definitions": {"check": check, "policy": policy, "expression": {"anyOf": [SCALAR, combination, {"$ref": "#/definitions/check"}]}}}


# ---- manual pages

def escaped(text):
    """For roff: no escape, no request at the start of a line, hyphens that can be copied."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def code_spans(text):
    """`word` becomes bold."""
    return re.sub(r"`([^`]+)`", r"\\fB\1\\fP", escaped(text))


def bounds(key):
    if key["takes"] not in ("a whole number", "a number", "a duration such as 2s", "a duration in whole seconds such as 10s"):
        return ""
    unit = "s" if "duration" in key["takes"] else ""
    most = key["most"]
    if most is None:
        return f"at least {key['least']:g}{unit}" if key["least"] else ""
    return f"{key['least']:.10g}{unit} to {most:.10g}{unit}"


def sentence(text):
    """With a capital, unless it begins with something literal; and a full stop."""
    first = text.partition(" ")[0].rstrip(":,;")
    if first not in ("true", "false") and not re.search(r"[._`]", first):
        text = text[:1].upper() + text[1:]
    return code_spans(text + ("" if text.endswith(".") else "."))


def entry(key):
    takes = "one of " + key["takes"] if " | " in key["takes"] else key["takes"]
    takes += f", {bounds(key)}" if bounds(key) else ""
    said = f"Takes {takes}." + (" Required." if key["required"] else "") + (f" Default: {key['default']}." if key["default"] else "")
    return f".TP\n.B {escaped(key['key'])}\n{sentence(key['meaning'])}\n{code_spans(said)}\n"


def groups(keys):
    """Keys by their first word, in the order of the table."""
    out = {}
    for key in keys:
        out.setdefault(key["key"].partition(".")[0], []).append(key)
    return out


def yaml_page(keys, example):
    supported = [k for k in keys if k["supported"]]
    later = [k for k in keys if not k["supported"]]
    text = "".join(f".SS {name}\n" + "".join(entry(k) for k in group) for name, group in groups(supported).items())
    unsupported = "".join(f".TP\n.B {escaped(k['key'])}\n{sentence(k['meaning'])}\n" for k in later)
    return {"KEYS": text.rstrip(), "LATER": unsupported.rstrip() or "There are none.",
            "EXAMPLE": "\n".join(escaped(line) for line in example.splitlines())}


def help_of(fairwayctl, *command):
    """(what it does, {section: [(words, text)]}) from --help."""
    lines = ask(fairwayctl, *command, "--help").splitlines()
    sections, rows = {}, None
    for line in lines[2:]:
        if re.fullmatch(r"[A-Z][A-Za-z ]*:", line):
            rows = sections.setdefault(line[:-1], [])
        elif rows is not None and (found := re.fullmatch(r"  (\S.*?)(?:  +(.*))?", line)):
            rows.append((found[1], found[2] or ""))
        elif rows and line.strip():  # a text that did not fit beside its option
            words, text = rows[-1]
            rows[-1] = (words, (text + " " + line.strip()).strip())
    return lines[0], sections


def option(words):
    """CLI11's "--socket TEXT=/run/... REQUIRED" in roff: names bold, the value's name in italics."""
    names, _, rest = words.partition(" ")
    value = re.sub(r"\b(TEXT|REQUIRED)\b", "", rest).strip().lstrip("=")
    takes = "TEXT" in rest and not words.startswith(("-h", "--help"))
    placeholder = " \\fIVALUE\\fP" if takes and names.startswith("-") else ""
    return f"\\fB{escaped(names).replace(',', ', ')}\\fP{placeholder}" + (f" (default {escaped(value)})" if value else "")


def positional(words):
    """CLI11's "service TEXT REQUIRED"; in brackets what may be left out."""
    name = f"\\fI{escaped(words.split()[0])}\\fP"
    return name if "REQUIRED" in words else f"[{name}]"


def rows_of(sections, name):
    return [(words, text) for words, text in sections.get(name, []) if not words.startswith("-h")]


def ctl_page(fairwayctl):
    _, top = help_of(fairwayctl)
    commands = []
    for name, _ in top["Subcommands"]:
        what, sections = help_of(fairwayctl, name)
        positionals = rows_of(sections, "Positionals")
        said = "".join(" " + positional(words) for words, _ in positionals)
        text = f".SS {name}\n\\fBfairwayctl {escaped(name)}\\fP{said}\n.PP\n{sentence(what)}\n"
        text += "".join(f".TP\n\\fI{escaped(words.split()[0])}\\fP\n{sentence(meaning)}\n" for words, meaning in positionals)
        text += "".join(f".TP\n{option(words)}\n{sentence(meaning)}" + (" Required." if "REQUIRED" in words else "") + "\n"
                        for words, meaning in rows_of(sections, "Options"))
        commands.append(text)
    options = "".join(f".TP\n{option(words)}\n{sentence(text)}\n" for words, text in rows_of(top, "Options"))
    codes = "".join(f".TP\n.B {words}\n{sentence(text)}\n" for words, text in top["Exit codes"])
    return {"OPTIONS": options.rstrip(), "COMMANDS": "".join(commands).rstrip(), "CODES": codes.rstrip()}


def filled(page, parts):
    for name, text in parts.items():
        page = page.replace(f"@{name}@", text)
    return page


def main():
    fairwayctl, version, what, *files = sys.argv[1:]
    if what == "schema":
        print(json.dumps(Schema(keys_of(fairwayctl)).document(), indent=1))
        return
    page, *example = [pathlib.Path(file).read_text() for file in files]
    parts = {"VERSION": version}
    if what == "ctl":
        parts |= ctl_page(fairwayctl)
    elif what == "yaml":
        parts |= yaml_page(keys_of(fairwayctl), *example)
    print(filled(page, parts), end="")


if __name__ == "__main__":
    main()
