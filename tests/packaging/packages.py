"""What the stories of packaging share: those of the integration stories, and where things are."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from world import *  # noqa: E402,F401,F403
from world import CHECKS, HEAD, SHOP, shop, words  # noqa: E402,F401

PACKAGING = ROOT / "packaging"
BUILT = pathlib.Path(os.environ.get("FAIRWAY_BUILD", ROOT / "build")) / "packaging"  # manual pages, schema, unit
