"""What the stories of the status page share: three datacenters, services of several kinds, a site that has failed, and words that want to be markup."""

from world import HEAD, Fairwayd, wait_until
from lab.nginx import Nginx

EVIL = "<script>alert('x')</script> & \"quoted\""
SERVICES = {"shop": "shop.gtm.example.com", "www": "www.gtm.example.com", "api": "api.gtm.example.com", "static": "static.gtm.example.com"}
CONFIG = HEAD.replace("datacenters: {east: {region: us-east}, west: {region: us-west}}",
                      "datacenters: {east: {region: us-east}, eu: {region: eu-central}, west: {region: us-west}}") + """
checks:
  web: {type: http, port: $web_port, path: /healthz, interval: 1s, hold_down: 0s}
services:
  shop.gtm.example.com:
    policy: {type: active_passive, order: [east, west, eu]}
    application: web
    endpoints: {east: {addresses: [$east]}, west: {addresses: [$west]}, eu: {addresses: [$eu]}}
  www.gtm.example.com:
    policy: weighted
    application: web
    endpoints: {east: {addresses: [$east], weight: 50}, west: {addresses: [$west], weight: 30}, eu: {addresses: [$eu], weight: 20}}
  api.gtm.example.com:
    policy: {type: active_passive, order: [west, eu]}
    application: web
    endpoints: {west: {addresses: [$west]}, eu: {addresses: [$eu]}}
  static.gtm.example.com:
    policy: weighted
    unchecked: true
    endpoints: {east: {addresses: [192.0.2.1]}, west: {addresses: [192.0.2.2]}}
"""


class PageWorld:
    def __init__(self, lab):
        self.lab = lab
        self.sites = {}
        addresses = {name: lab.address(i) for i, name in enumerate(("east", "west", "eu"), 1)}
        port = lab.free_port(*addresses.values())
        for name, address in addresses.items():
            self.sites[name] = Nginx(lab, name, address, port).start()
        self.fairway = Fairwayd(lab, CONFIG, web_port=port, **addresses).start()
        wait_until("all are fit", lambda: all(e["fit"] for s in self.fairway.status()["services"] for e in s["endpoints"]), 20)
        self.sites["east"].kill()
        wait_until("east has failed", lambda: not any(self.fairway.endpoint(SERVICES[name], "east")["fit"] for name in ("shop", "www")), 20)
        self.fairway.ctl("drain", "--datacenter", "eu", "--service", SERVICES["www"], "--reason", EVIL, "--for", "4h")
