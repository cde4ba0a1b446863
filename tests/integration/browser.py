#!/usr/bin/python3
"""The status page in a browser: live without a reload, legible in light and dark, whole on a phone, useful without JavaScript and
without a mouse (O1). With FAIRWAY_PICTURES=DIRECTORY it leaves pictures there."""

import os
import pathlib

from page_world import SERVICES, PageWorld
from world import check, equal, story, tell, wait_until
from lab.chromium import Chromium

PAGES = ["/", "/timeline", f"/service/{SERVICES['www']}?client=192.0.2.7", "/datacenter/east"]

# WCAG 2.1, 1.4.3: the contrast of every text with what is behind it; what is below 4.5, each with its words.
CONTRAST = """(() => {
  const rgb = (text) => text.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; }
                          return [255, 255, 255]; };
  const weak = [];
  for (const e of document.querySelectorAll("body *")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    if (e.closest(".unseen, .skip, script")) continue;
    const a = light(rgb(getComputedStyle(e).color)), b = light(ground(e));
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) weak.push(`${contrast.toFixed(2)} ${e.textContent.trim().slice(0, 40)}`);
  }
  return [...new Set(weak)];
})()"""


class World(PageWorld):
    def __init__(self, lab):
        super().__init__(lab)
        self.browser = Chromium(lab)
        self.base = "http://{}:{}".format(*self.fairway.http)

    def go(self, path, **how):
        self.browser.go(self.base + path, **how)

    def picture(self, name):
        if directory := os.environ.get("FAIRWAY_PICTURES"):
            self.browser.picture(pathlib.Path(directory) / f"{name}.png")


@story("an open page shows what happens without being loaded again, says it, and keeps the keyboard's place")
def _(world):
    browser, fairway = world.browser, world.fairway
    world.go("/")
    wait_until("it is live", lambda: browser.js("document.getElementById('live').textContent") == "live", 10)
    browser.js(f"window.mark = 7; document.querySelector('#services a[href=\"/service/{SERVICES['shop']}\"]').focus()")
    check("force-down" not in browser.js("document.body.innerText"), "before")
    fairway.ctl("force", "down", "--service", SERVICES["shop"], "--datacenter", "west", "--reason", "seen in the browser")
    wait_until("it is shown", lambda: "seen in the browser" in browser.js("document.getElementById('overrides').innerText"), 10)
    wait_until("eu answers", lambda: "eu" in browser.js("document.getElementById('timeline').innerText.slice(0, 2000)"), 10)
    wait_until("it is said", lambda: SERVICES["shop"] in browser.js("document.getElementById('announcer').textContent"), 10)
    equal(browser.js("window.mark"), 7, "it was not loaded again")
    equal(browser.js("document.activeElement.getAttribute('href')"), f"/service/{SERVICES['shop']}", "where the keyboard is")
    fairway.ctl("force", "off", "--service", SERVICES["shop"], "--datacenter", "west")


@story("what is typed into a service's page is not lost while it lives")
def _(world):
    browser = world.browser
    world.go(f"/service/{SERVICES['shop']}")
    browser.js("document.querySelector('input').value = '2001:db8::7'")
    world.fairway.ctl("drain", "--datacenter", "eu", "--service", SERVICES["shop"], "--reason", "while typing")
    wait_until("it is shown", lambda: "while typing" in browser.js("document.getElementById('sites').innerText"), 10)
    equal(browser.js("document.querySelector('input').value"), "2001:db8::7", "what was typed")
    world.fairway.ctl("undrain", "--datacenter", "eu", "--service", SERVICES["shop"])


@story("every text has contrast, in light and in dark")
def _(world):
    for dark in (False, True):
        for path in PAGES:
            world.go(path, dark=dark)
            equal(world.browser.js(CONTRAST), [], f"{path}, {'dark' if dark else 'light'}: below 4.5")
            world.picture(f"{path.strip('/').split('?')[0].replace('/', '-') or 'overview'}-{'dark' if dark else 'light'}")


@story("on a phone nothing is wider than the screen")
def _(world):
    for path in PAGES:
        world.go(path, width=390, height=844)
        width = world.browser.js("document.documentElement.scrollWidth")
        check(width <= 390, f"{path} is {width} px wide")
        hidden = world.browser.js("""[...document.querySelectorAll('.wide')].filter((b) => b.scrollWidth > b.clientWidth + 1).length""")
        equal(hidden, 0, f"{path}: tables that have to be scrolled sideways")
        world.picture(f"{path.strip('/').split('?')[0].replace('/', '-') or 'overview'}-phone")


@story("without JavaScript it is all there")
def _(world):
    world.go("/", scripts=False)
    text = world.fairway.get("/")
    check(all(name in text for name in SERVICES.values()) and 'http-equiv="refresh"' in text, "services, and the page asks again by itself")


@story("the first key of the keyboard leads to the content; the console has nothing to say")
def _(world):
    browser = world.browser
    world.go("/")
    for kind in ("keyDown", "keyUp"):
        browser.ask("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    equal(browser.js("document.activeElement.className"), "skip", "the first stop")
    equal([p for p in browser.problems if "favicon" not in p], [], "complaints in the console")


tell(World)
