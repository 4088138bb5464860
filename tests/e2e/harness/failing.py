"""A gateway in front of simulated providers that can be told to fail, and to recover."""

import http.client
import json
import urllib.error
import urllib.request
from contextlib import contextmanager

from harness.conf import CLIENT_KEY, PROVIDER_KEY
from harness.gateway import Gateway
from harness.simulator import Simulator
from harness.waiting import DEADLINE_S

QUESTION = [{"role": "user", "content": "Say hello."}]
# What is tested of breakers stays within seconds.
BREAKER = {"open_ms": 600, "open_max_ms": 2000, "window_ms": 2000, "consecutive_failures": 3}
KEYS = {"KEY_A": "made-up-key-a", "KEY_B": "made-up-key-b"}


def fetch(url, body=None, method=None, key=CLIENT_KEY):
    request = urllib.request.Request(
        url, None if body is None else json.dumps(body).encode(),
        {"authorization": "Bearer " + key, "content-type": "application/json"}, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=DEADLINE_S)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.headers, answer.read().decode()


class World:
    """A gateway in front of simulated providers that can be told to fail."""

    def __init__(self, gateway, simulator):
        self.gateway = gateway
        self.simulator = simulator
        self.schedule = simulator.url + "/_simulator/outages"

    def ask(self, model="gpt-4o", **body):
        return fetch(self.gateway.url + "/v1/chat/completions",
                     {"model": model, "messages": QUESTION, **body})

    def fail(self, **outage):
        status, _, text = fetch(self.schedule, outage)
        assert status == 200, text

    def recover(self):
        assert fetch(self.schedule, method="DELETE")[0] == 200

    def received(self):
        return self.simulator.ask("/_simulator/bill")["received"]

    def metric(self, name, **labels):
        text = fetch(f"http://127.0.0.1:{self.gateway.admin_port}/metrics")[2]
        wanted = "".join(f'{key}="{value}"' for key, value in labels.items())
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith(name) and wanted in line and not line.startswith("#"))


def provider(port, name, root="/v1", **facts):
    return {"name": name, "base_url": f"http://127.0.0.1:{port}{root}",
            "api_key_env": "HYPERION_TEST_PROVIDER_KEY", **facts}


@contextmanager
def world(folder, make_changes=None, **sections):
    with Simulator() as simulator:
        port = simulator.port
        changes = {"breaker": BREAKER,
                   "providers": [provider(port, "openai"), provider(port, "anthropic"),
                                 provider(port, "gemini", "/v1beta")], **sections}
        if make_changes:
            changes |= make_changes(port)
        environment = {"HYPERION_TEST_PROVIDER_KEY": PROVIDER_KEY, **KEYS}
        with Gateway(folder, port, changes, environment) as gateway:
            yield World(gateway, simulator)


def read_to_the_end(url, body):
    """The text of a stream, however it ends."""
    request = urllib.request.Request(
        url + "/v1/chat/completions", json.dumps(body).encode(),
        {"authorization": "Bearer " + CLIENT_KEY, "content-type": "application/json"})
    answer = urllib.request.urlopen(request, timeout=DEADLINE_S)
    try:
        return answer.read().decode()
    except http.client.IncompleteRead as broken:
        return broken.partial.decode()
