#!/usr/bin/python3
"""zsh and fish, each with its completion loaded as the package installs it, complete what bash does."""

import os
import pty
import re
import select
import shlex
import subprocess
import time

from packages import BUILT, HEAD, PACKAGING, Failure, Fairwayd, check, equal, story, tell
from lab.fairwayd import program

PATH = f"{program('fairwayctl').parent}:{os.environ['PATH']}"
CASES = {  # what is typed before Tab: what stands there after it
    "fairwayctl und": "fairwayctl undrain",
    "fairwayctl drain --reas": "fairwayctl drain --reason",
    "fairwayctl --json what": "fairwayctl --json what-if",
    "fairwayctl zone g": "fairwayctl zone gtm.example.com",
    "fairwayctl drain --force --service t": "fairwayctl drain --force --service two.gtm.example.com",
    "fairwayctl drain --datacenter ea": "fairwayctl drain --datacenter east",
    "fairwayctl check-config {home}/fair": "fairwayctl check-config {home}/fairway.yaml",
}


class World:
    def __init__(self, lab):
        self.lab = lab
        self.fairway = Fairwayd(lab, HEAD + """
services:
  one.gtm.example.com: {policy: weighted, unchecked: true, endpoints: {east: {addresses: [192.0.2.1]}}}
  two.gtm.example.com: {policy: weighted, unchecked: true, endpoints: {west: {addresses: [192.0.2.2]}}}
""").start()
        self.cases = {t.format(home=self.fairway.home): a.format(home=self.fairway.home) for t, a in CASES.items()}
        self.env = {**os.environ, "PATH": PATH, "FAIRWAY_SOCKET": str(self.fairway.socket), "HOME": str(lab.directory), "TERM": "dumb"}
        self.place = lab.directory / "completions"
        self.place.mkdir()
        for file in ("_fairwayctl", "fairwayctl.fish"):
            text = (BUILT / file).read_text()
            installed = re.search(r"\. (/\S*/bash-completion/completions/fairwayctl)", text)
            check(installed, f"{file} says where bash's completion is: {text}")
            (self.place / file).write_text(text.replace(installed[1], str(PACKAGING / "completions" / "fairwayctl")))


class Typist:
    """A zsh at a terminal of its own, which says what each line has become instead of running it."""

    SETUP = ("PS1=; unsetopt prompt_sp prompt_cr beep; fpath=({place} $fpath); autoload -Uz compinit; compinit -u -D; "
             "say() {{ print -r -- \"<$BUFFER>\"; BUFFER=; zle accept-line; }}; zle -N say; bindkey '^X' say; print ready\n")

    def __init__(self, world):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe("zsh", ["zsh", "--no-rcs", "--interactive"], world.env)
        os.write(self.fd, self.SETUP.format(place=world.place).encode())
        self.until(r"\nready")

    def until(self, pattern):
        text, deadline = "", time.monotonic() + 20
        while not (found := re.search(pattern, text)):
            if not select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]:
                raise Failure(f"zsh did not say {pattern}: {text!r}")
            text += os.read(self.fd, 4096).decode(errors="replace")
        return found

    def types(self, text):
        os.write(self.fd, text.encode() + b"\t\x18")
        return self.until(r"<([^>\r\n]*)>")[1].rstrip()

    def end(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


@story("zsh completes commands, options, files and the names that the daemon knows")
def _(world):
    zsh = Typist(world)
    try:
        equal({typed: zsh.types(typed) for typed in world.cases}, world.cases, "what becomes of it")
        equal(zsh.types("fairwayctl drain --reason o"), "fairwayctl drain --reason o", "a reason is the operator's own")
    finally:
        zsh.end()


@story("fish completes commands, options, files and the names that the daemon knows")
def _(world):
    def offers(typed):
        script = f"source {world.place}/fairwayctl.fish; complete --do-complete {shlex.quote(typed)}"
        result = subprocess.run(["fish", "--no-config", "--command", script], env=world.env, capture_output=True, text=True, timeout=60)
        equal(result.stderr, "", f"what completing {typed} says")
        return result.stdout.split()

    for typed, after in world.cases.items():
        equal(offers(typed), [after.rpartition(" ")[2]], typed)
    equal(offers("fairwayctl explain "), ["one.gtm.example.com", "two.gtm.example.com"], "explain")
    equal(offers("fairwayctl drain --reason o"), [], "a reason is the operator's own")


tell(World)
