"""A browser without a screen: Debian's chromium, spoken to by the DevTools protocol over a pipe."""

import base64
import json
import os
import select
import subprocess
import time

from .world import Failure


class Chromium:
    """One page. `problems` are what its console complained of."""

    def __init__(self, lab):
        to_it, ours = os.pipe()
        theirs, from_it = os.pipe()

        def descriptors():  # chromium reads 3 and writes 4
            read_end, write_end = os.dup(to_it), os.dup(from_it)
            os.dup2(read_end, 3)
            os.dup2(write_end, 4)
        home = lab.directory / "chromium"
        home.mkdir(exist_ok=True)
        with open(lab.directory / "chromium.log", "ab") as log:
            self.process = subprocess.Popen(
                ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe",
                 f"--user-data-dir={home}", "about:blank"], preexec_fn=descriptors, close_fds=False, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "HOME": str(home)})
        os.close(to_it)
        os.close(from_it)
        self.to, self.replies, self.buffer, self.number, self.session = ours, theirs, b"", 0, None
        self.problems = []
        lab.at_close.append(self.close)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(domain + ".enable")

    def ask(self, method, within=30, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters, **({"sessionId": self.session} if self.session else {})}
        os.write(self.to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + within
        while True:
            reply = self._next(deadline, method)
            if reply.get("id") == self.number:
                if "error" in reply:
                    raise Failure(f"chromium, {method}: {reply['error']}")
                return reply["result"]

    def _next(self, deadline, what):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.replies], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self.replies, 65536) if ready else b""
            if not data:
                raise Failure(f"chromium did not answer {what}")
            self.buffer += data
        text, _, self.buffer = self.buffer.partition(b"\0")
        message = json.loads(text)
        if message.get("method") == "Log.entryAdded":
            self.problems.append(message["params"]["entry"].get("text", ""))
        elif message.get("method") == "Runtime.exceptionThrown":
            self.problems.append(str(message["params"]["exceptionDetails"]))
        return message

    def js(self, expression):
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise Failure(f"in the page: {result['exceptionDetails']}")
        return result["result"].get("value")

    def go(self, url, width=1280, height=1000, dark=False, scripts=True):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.ask("Page.navigate", url=url)
        deadline = time.monotonic() + 30
        while self.js("document.readyState + location.href") != "complete" + url:
            if time.monotonic() > deadline:
                raise Failure(f"{url} does not load")
            time.sleep(0.05)

    def picture(self, file):
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        data = self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip={**size, "x": 0, "y": 0, "scale": 1})["data"]
        file.write_bytes(base64.b64decode(data))

    def close(self):
        os.close(self.to)
        os.close(self.replies)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
