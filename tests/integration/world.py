"""What the integration stories share: two datacenters, and configurations in pieces."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import *  # noqa: E402,F401,F403

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUNBOOK = ROOT / "packaging" / "examples" / "demo"  # fence.sh and promote.sh act on the lab's databases
ZONE, SHOP, WWW, BATCH = "gtm.example.com", "shop.gtm.example.com", "www.gtm.example.com", "batch.gtm.example.com"

HEAD = """
dns: {listen: ["$dns"]}
http: {listen: "$http"}
control: {socket: "$socket"}
state: {directory: "$state"}
zones: {gtm.example.com: {nameservers: {ns1: [$dns_address]}}}
datacenters: {east: {region: us-east}, west: {region: us-west}}
"""
CHECKS = """
checks:
  web: {type: http, port: $web_port, path: /healthz}
  db:  {type: postgres, port: $database_port, user: fairway, dbname: postgres, max_lag: 10s}
services:
"""
WEB_CHECKS = """
checks:
  web: {type: http, port: $web_port, path: /healthz}
services:
"""


def shop(more=""):
    """Active/passive, following the database; `more` are further keys of the service, as YAML flow pairs."""
    return f"""
  shop.gtm.example.com:
    policy: {{type: active_passive, follow: primary}}
    application: web
    stateful: db
    endpoints: {{east: {{addresses: [$east]}}, west: {{addresses: [$west]}}}}
""" + "".join(f"    {line}\n" for line in more.strip().splitlines())


RUN_HOOKS = """
failover: automatic
hooks:
  fence:   {exec: ["$runbook/fence.sh"], timeout: 10s}
  promote: {exec: ["$runbook/promote.sh"], timeout: 30s}
"""

WWW_SERVICE = """
  www.gtm.example.com:
    policy: weighted
    application: web
    endpoints: {east: {addresses: [$east], weight: 70}, west: {addresses: [$west], weight: 30}}
"""


def batch(more=""):
    """Active/passive by priority, no database."""
    return """
  batch.gtm.example.com:
    policy: {type: active_passive, order: [east, west]}
    application: web
    endpoints: {east: {addresses: [$east]}, west: {addresses: [$west]}}
""" + "".join(f"    {line}\n" for line in more.strip().splitlines())


def words(east, west):
    """What the configurations above leave open."""
    ports = {"web_port": east.web.port}
    if east.database:
        ports["database_port"] = east.database.port
    return {"east": east.address, "west": west.address, "runbook": RUNBOOK, **ports}
