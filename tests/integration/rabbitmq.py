#!/usr/bin/python3
"""RabbitMQ, three nodes of it: told apart from the other stores because it takes a minute to start (tests/run --all)."""

from world import HEAD, Fairwayd, equal, story, tell
from stores_world import Sees
from lab.rabbitmq import Rabbitmq

CHECKS = """
defaults: {check: {interval: 500ms, rise: 2, hold_down: 1s}}
checks:
  rabbitmq: {type: rabbitmq, port: $management, user: fairway, password_file: rabbitmq.password}
  stranger: {type: rabbitmq, port: $management}
services:
  queue.gtm.example.com:
    policy: weighted
    stateful: {all: [rabbitmq, {check: stranger, required: false}]}
    endpoints: {east: {addresses: [$nodes]}}
"""


class World(Sees):
    def __init__(self, lab):
        self.rabbitmq = Rabbitmq(lab).start()
        nodes = self.rabbitmq.nodes
        self.fairway = Fairwayd(lab, HEAD + CHECKS, management=self.rabbitmq.management,
                                nodes=", ".join(n.address for n in nodes))
        (self.fairway.home / "rabbitmq.password").write_text("lab\n")
        self.fairway.start()


@story("RabbitMQ: every node sees a majority and accepts publishing; who has no user is told so")
def _(world):
    for node in world.rabbitmq.nodes:
        world.sees("rabbitmq", node, "pass", "ok", "quorum=yes", "read_only=no", verdict="ready", within=60)
    world.sees("stranger", world.rabbitmq.nodes[0], "fail", "auth_failure")


@story("D2: an alarm at one node stops publishing at all of them: none is ready")
def _(world):
    first, second, third = world.rabbitmq.nodes
    third.process.kill()
    world.sees("rabbitmq", third, "fail", "refused", verdict="unready")
    third.start(memory="1MB")  # the alarm is raised at once
    world.sees("rabbitmq", first, "fail", "read_only", "read_only=yes", verdict="unready", within=180)
    world.sees("rabbitmq", second, "fail", "read_only", "read_only=yes", verdict="unready")
    third.process.kill()
    world.sees("rabbitmq", first, "pass", "ok", "read_only=no", verdict="ready", within=60)


@story("a node that a quorum queue cannot lose any more is degraded, and still ready")
def _(world):
    first, second, third = world.rabbitmq.nodes
    third.start()
    world.sees("rabbitmq", third, "pass", "ok", verdict="ready", within=180)
    equal(first.ask("queues/%2F/orders", "PUT", durable=True, arguments={"x-queue-type": "quorum"})[0], 201, "the queue is made")
    third.process.kill()
    world.sees("rabbitmq", first, "degraded", "no_quorum", "quorum=yes", verdict="ready", within=60)


@story("D2: a node that is left alone has no quorum, though it answers")
def _(world):
    first, second, _ = world.rabbitmq.nodes
    second.process.kill()
    world.sees("rabbitmq", first, "degraded", "no_quorum", "quorum=no", verdict="unready", within=60)


tell(World)
