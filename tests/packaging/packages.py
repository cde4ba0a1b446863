"""What the stories of packaging share: those of the integration stories, and where things are."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from world import *  # noqa: E402,F401,F403
from world import CHECKS, HEAD, SHOP, shop, words  # noqa: E402,F401

PACKAGING = ROOT / "packaging"
BUILT = pathlib.Path(os.environ.get("FAIRWAY_BUILD", ROOT / "build")) / "packaging"  # manual pages, schema, unit


def run(*command, expect=0, within=900, **more):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=within, stdin=subprocess.DEVNULL,
                            env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **more})
    if expect is not None and result.returncode != expect:
        raise Failure(f"{' '.join(map(str, command))}: status {result.returncode}\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    return result


def built_package(lab):
    """The package that FAIRWAY_DEB names, or a new one."""
    if given := os.environ.get("FAIRWAY_DEB"):
        return pathlib.Path(given)
    out = lab.directory / "deb"
    out.mkdir()
    return pathlib.Path(run(ROOT / "packaging" / "build-deb", out, within=3600).stdout.split()[-1])
