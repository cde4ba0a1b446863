"""S9: what a configuration is warned of."""

import subprocess

from places import pathlib
from report import Row, check
from lab.fairwayd import program

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "examples" / "s9-strong-with-two.yaml"


def s9():
    """two datacenters, strongly consistent and always available: the warning, and what it recommends"""
    row = Row("S9", s9.__doc__)
    said = subprocess.run([program("fairwayctl"), "check-config", EXAMPLE], capture_output=True, text=True, timeout=60)
    text = said.stdout + said.stderr
    check(said.returncode == 0, f"it does not load: {text}")
    check("warning" in text and "third failure domain" in text, f"no advice: {text}")
    row.note("warned: needs a third failure domain")
    return row
