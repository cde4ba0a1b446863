#!/usr/bin/python3
"""The HTTP API held against its description: every path there answers as it says, and every path of the server is there."""

import http.client
import json
import re
import socket

import jsonschema  # Debian's python3-jsonschema and python3-yaml, as in tests/packaging/manuals.py
import yaml

from world import BATCH, HEAD, ROOT, WEB_CHECKS, WWW, WWW_SERVICE, Fairwayd, batch, check, equal, story, tell, two_sites, wait_until, words


def nullable(part):
    """OpenAPI 3.0 says nullable where JSON Schema lists null."""
    if isinstance(part, dict):
        if part.get("nullable"):
            part["type"] = [part["type"], "null"]
        for value in part.values():
            nullable(value)
    elif isinstance(part, list):
        for value in part:
            nullable(value)
    return part


API = nullable(yaml.safe_load((ROOT / "packaging" / "openapi" / "fairway.yaml").read_text()))


def resolved(part):
    while "$ref" in part:
        node = API
        for key in part["$ref"].removeprefix("#/").split("/"):
            node = node[key]
        part = node
    return part


class Socket(http.client.HTTPConnection):
    """HTTP over the control socket."""

    def __init__(self, path):
        super().__init__("fairwayd", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


class World:
    def __init__(self, lab):
        self.east, self.west = two_sites(lab, database=False)
        self.fairway = Fairwayd(lab, HEAD + WEB_CHECKS + batch("failback: auto") + WWW_SERVICE, **words(self.east, self.west)).start()
        wait_until("both are fit", lambda: all(e["fit"] for n in (WWW, BATCH) for e in self.fairway.service(n)["endpoints"]), 20)
        self.fairway.ctl("drain", "--datacenter", "east", "--reason", "so that there is one")

    def ask(self, method, path, body=None, control=False, **headers):
        """(status, type, text); a stream's text is its first line."""
        connection = Socket(self.fairway.socket) if control else http.client.HTTPConnection(*self.fairway.http, timeout=20)
        connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        reply = connection.getresponse()
        kind = reply.getheader("Content-Type", "").partition(";")[0]
        text = reply.readline() if kind == "text/event-stream" else reply.read()
        connection.close()
        return reply.status, kind, text.decode()

    def holds(self, path, operation, reply, what):
        """The reply is one that the operation lists, of its type and by its schema."""
        status, kind, text = reply
        check(str(status) in operation["responses"], f"{what} {path}: {status} is not described: {text[:300]}")
        content = resolved(operation["responses"][str(status)]).get("content")
        if content is None:
            return
        check(kind in content, f"{what} {path}: {kind}, described is {list(content)}")
        schema = content[kind].get("schema")
        if schema:
            jsonschema.Draft7Validator(schema, resolver=jsonschema.RefResolver.from_schema(API)).validate(json.loads(text))


@story("every read that is described answers as described, where it says")
def _(world):
    read = 0
    for path, operations in API["paths"].items():
        operation = operations.get("get")
        if not operation:
            continue
        known = [resolved(p) for p in operation.get("parameters", [])]
        url = path
        for p in known:
            if p["in"] == "path":
                url = url.replace("{%s}" % p["name"], p["example"])
        query = "&".join(f"{p['name']}={p['example']}" for p in known if p["in"] == "query" and "example" in p)
        url += "?" + query if query else ""
        for control in (False, True) if "read" in operation["tags"] else (False,):
            reply = world.ask("GET", url, control=control)
            equal(reply[0], 200, f"GET {url}: {reply[2][:200]}")
            world.holds(path, operation, reply, "GET")
            read += 1
        if "read" in operation["tags"] and "400" in operation["responses"]:
            world.holds(path, operation, world.ask("GET", path + "?limit=x&client=x"), "a wrong GET")
    check(read > 15, f"reads: {read}")


@story("every write that is described understands what is described, answers as described, and only on the control socket")
def _(world):
    values = {"service": WWW, "datacenter": "west", "tag": "none", "reason": "said by a test", "for": "1m", "to": "west", "id": "none/1/west"}
    for path, operations in API["paths"].items():
        operation = operations.get("post")
        if not operation:
            continue
        check(operation["tags"] == ["write"], path)
        url = re.sub(r"\{\w+\}", "says", path)
        equal(world.ask("POST", url, "{}")[0], 405, f"POST {url} at http.listen")
        if path == "/v1/upgrade":
            continue  # it ends the process that is asked: upgrade.py
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        world.holds(path, operation, world.ask("POST", url, "[]", control=True), "a wrong POST")
        body = {name: values.get(name, False) for name in schema.get("properties", {}) if name not in ("tag", "measurements")}
        reply = world.ask("POST", url, json.dumps(body), control=True)
        world.holds(path, operation, reply, f"POST {body}")
        if "additionalProperties" in schema:
            check("unknown field" not in reply[2] and "is needed" not in reply[2], f"POST {url} {body}: {reply}")
        if schema.get("additionalProperties") is False:
            reply = world.ask("POST", url, json.dumps({**body, "bogus": 1}), control=True)
            equal((reply[0], "unknown field bogus" in reply[2]), (400, True), f"POST {url} with a field that is not described: {reply}")
            for name in schema.get("required", []):
                left = {k: v for k, v in body.items() if k != name}
                equal(world.ask("POST", url, json.dumps(left), control=True)[0], 400, f"POST {url} without {name}")


@story("every path that the server knows is described")
def _(world):
    source = {name: (ROOT / "daemon" / name).read_text() for name in ("control_api.cpp", "pages.cpp", "requests.cpp")}
    served = {"/v1/" + p for p in re.findall(r'what == "([a-z-]+)"', source["control_api.cpp"])}
    served |= {"/v1/" + p for p in re.findall(r'\{"([a-z-]+)",\s*(?:set|end|[a-z_]+)[<}]', source["requests.cpp"])}
    served |= set(re.findall(r'path == "(/[^"]*)"', source["pages.cpp"]))
    check(len(served) > 25, f"paths found in the sources: {sorted(served)}")
    equal(served - set(API["paths"]), set(), "paths that are not described")
    equal({p for p in API["paths"] if "{" not in p} - served, set(), "described paths that are not served")


@story("the same request with one Idempotency-Key is done once; another request with it is refused")
def _(world):
    fairway = world.fairway
    body = json.dumps({"service": WWW, "datacenter": "west", "reason": "once", "force": True})

    def drains():
        return len(json.loads(fairway.get("/v1/history?kind=drain&limit=1000"))["entries"])
    before = drains()
    first = world.ask("POST", "/v1/drain", body, control=True, Idempotency_Key="a-key")
    equal(first[0], 200, f"the first: {first}")
    wait_until("it is in the history", lambda: drains() == before + 1, 10)
    world.ask("POST", "/v1/undrain", json.dumps({"service": WWW, "datacenter": "west"}), control=True)
    equal(world.ask("POST", "/v1/drain", body, control=True, Idempotency_Key="a-key"), first, "the same again")
    check(not [o for o in fairway.status()["overrides"] if o["reason"] == "once"], "it was not done again")
    equal(world.ask("POST", "/v1/drain", body.replace("once", "twice"), control=True, Idempotency_Key="a-key")[0], 422, "another with it")
    equal(drains(), before + 1, "in the history")


tell(World)
