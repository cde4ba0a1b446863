#!/usr/bin/python3
"""The status page without a browser: well-formed, escaped, complete, and nothing in it from elsewhere (O1)."""

import html.parser
import urllib.parse
import urllib.request

from page_world import EVIL, SERVICES, PageWorld
from world import check, equal, story, tell

VOID = {"meta", "link", "img", "input", "br"}


class Page(html.parser.HTMLParser):
    """Elements in order with their attributes and text; every tag has to be closed by its own."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.text = [], [], ""
        self.feed(text)
        self.close()
        equal(self.open, [], "what is left open")

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        names = [name for name, _ in attributes]
        equal(len(names), len(set(names)), f"attributes of {tag}, each once")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        equal(self.open.pop() if self.open else None, tag, "what is closed")

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


class World(PageWorld):
    def page(self, path):
        return Page(self.fairway.get(path))


PAGES = ["/", "/timeline", f"/service/{SERVICES['www']}?client=192.0.2.7", "/datacenter/east"]


@story("every page is well-formed, has its landmarks and headings, and its tables say what their cells are")
def _(world):
    for path in PAGES:
        page = world.page(path)
        for landmark in ("header", "nav", "main", "footer", "h1", "title"):
            equal(len(page.all(landmark)), 1, f"{path}: {landmark}")
        equal(page.all("html")[0].get("lang"), "en", "language")
        check(all(h.get("scope") in ("col", "row") for h in page.all("th")), f"{path}: heads of tables have their scope")
        check(len(page.all("table")) == len(page.all("caption")), f"{path}: each table has its caption")
        ids = [a["id"] for _, a in page.elements if "id" in a]
        equal(len(ids), len(set(ids)), f"{path}: ids, each once")
        check(all(a["aria-labelledby"] in ids for _, a in page.elements if "aria-labelledby" in a), f"{path}: labels are there")
        check(any("aria-live" in a for _, a in page.elements), f"{path}: what changes is announced")


@story("nothing is loaded from elsewhere, no script or style stands in a page, and the policy says so")
def _(world):
    for path in PAGES:
        page = world.page(path)
        for _, attributes in page.elements:
            for name, value in attributes.items():
                check(not name.startswith("on") and name != "style", f"{path}: {name}={value}")
                if name in ("href", "src", "action"):
                    check(not urllib.parse.urlparse(value).netloc and not value.startswith("javascript"), f"{path}: {name}={value}")
                    if name != "action" and not value.startswith(("#", "/v1/")):
                        equal(world.fairway.http_status(value), 200, f"{path}: {value}")
        equal([a.get("src") for a in page.all("script")], ["/live.js"], f"{path}: scripts")
    with urllib.request.urlopen(f"http://{world.fairway.http[0]}:{world.fairway.http[1]}/", timeout=5) as reply:
        policy = reply.headers["Content-Security-Policy"]
        equal(reply.headers["X-Content-Type-Options"], "nosniff", "nosniff")
    check("default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy, policy)


@story("what others said stays text: a reason, a typed address, a name that is asked for")
def _(world):
    for path in ["/", f"/service/{SERVICES['www']}", "/timeline"]:
        text = world.fairway.get(path)
        check("<script>alert" not in text and EVIL in Page(text).text, f"{path} shows the reason and escapes it")
    typed = world.page(f"/service/{SERVICES['www']}?client=" + urllib.parse.quote(EVIL))
    equal(typed.all("input")[0]["value"], EVIL, "what was typed stays in its field")
    check("is not an address" in typed.text, "and is said to be wrong")
    equal((world.fairway.http_status("/service/" + urllib.parse.quote(EVIL, safe="")), world.fairway.http_status("/datacenter/north"),
           world.fairway.http_status("/%2e%2e/etc/passwd")), (404, 404, 404), "what is not there")


@story("the overview says what status says: state, reason, active and preferred site, redundancy, TTL, shares, alarms (O1)")
def _(world):
    page, status = world.page("/"), world.fairway.status()
    for service in status["services"]:
        check(service["name"] in page.text and service["reason"] in page.text and f"{service['ttl']}\xa0s" in page.text, service["name"])
        check(f"{service['survives']}\xa0of\xa0{service['designed_to_survive']}" in page.text, f"redundancy of {service['name']}")
    for alarm in status["alarms"]:
        check(alarm["text"] in page.text, f"alarm {alarm}")
    for word in ("active", "preferred", "unfit", "excluded", "serving", "100\xa0%"):
        check(word in page.text, word)
    names = [a["href"] for a in page.all("a") if a["href"].startswith("/service/")]
    check(names.index("/service/" + SERVICES["shop"]) >= 0, "services are linked")


@story("a service's page has its checks and explains an answer; a datacenter's page has its services")
def _(world):
    fairway = world.fairway
    page = world.page(f"/service/{SERVICES['shop']}?client=192.0.2.7")
    targets = [m["target"] for m in fairway.status()["members"]]
    equal(page.text.count(f"{fairway.words['east']}:{fairway.words['web_port']} web (http)"), 1, "its check in east, once")
    check(all(target in page.text for target in targets), "all its checks")
    check("192.0.2.7 is answered" in page.text and fairway.words["west"] in page.text and "100\xa0%" in page.text, "an explanation")
    east = world.page("/datacenter/east")
    check(SERVICES["shop"] in east.text and SERVICES["api"] not in east.text and "Fit here: 1 of 3 services" in east.text, "services of east")
    check("member down" in east.text, "what happened there")


@story("many services are found by name, and the page stays bounded")
def _(world):
    page = world.page("/?find=api")
    check(SERVICES["api"] in page.text and f"/service/{SERVICES['static']}" not in str(page.all("a")), "only what has it in its name")
    check("No service has that in its name" in world.page("/?find=nothing&page=7").text, "nothing found")


tell(World)
