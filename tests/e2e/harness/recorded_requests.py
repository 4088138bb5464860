"""The requests that were recorded of providers' real clients, and how to put them to a gateway in
front of the simulated provider."""

import json
import re
from dataclasses import dataclass

from harness.oracle import body_of, upstream_of
from harness.recorded import DIALECTS, recordings
from harness.simulated import KEY
from harness.wire import Answer, ask

PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "anthropic": "/v1/messages"}
# Of the recorded headers, those that change what a request means.
HEADERS = ("anthropic-version", "anthropic-beta")


@dataclass(frozen=True)
class Recorded:
    name: str  # "gemini/simonw__gemini.tools.json 2"
    dialect: str
    url: str
    headers: tuple
    text: str

    @property
    def body(self) -> dict:
        return json.loads(self.text)

    @property
    def streamed(self) -> bool:
        return ":stream" in self.url or self.body.get("stream") is True

    def for_model(self, model: str) -> tuple:
        """(path, body) that ask this of another model; all other bytes are those of the client."""
        if self.dialect == "gemini":
            method = self.url.rpartition(":")[2]
            return f"/v1beta/models/{model}:{method}", self.text.encode()
        text = re.sub(r'("model"\s*:\s*)"[^"]*"', lambda found: found[1] + json.dumps(model),
                      self.text, count=1)
        assert json.loads(text) == {**self.body, "model": model}, self.name
        return PATHS[self.dialect], text.encode()


def recorded_requests() -> list:
    """All in the four dialects, whatever the provider that was asked."""
    found = []
    for one in recordings(*DIALECTS):
        if one.request:
            headers = tuple((name, value) for name, value in one.asked["headers"].items()
                            if name.lower() in HEADERS)
            found.append(Recorded(f"{one.provider}/{one.name}", one.dialect, one.asked["url"],
                                  headers, one.asked["body"]))
    return found


@dataclass
class Sent:
    """What the simulated provider got."""
    dialect: str
    target: str
    body: dict

    @property
    def streamed(self) -> bool:
        return "stream" in self.target or self.body.get("stream") is True


def credentials(dialect: str) -> str:
    """The key in the header in which a client of the dialect sends it."""
    name = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}.get(dialect)
    return f"{name}: {KEY}" if name else f"Authorization: Bearer {KEY}"


def put(gateway, simulator, request: Recorded, model: str) -> tuple[Answer, list]:
    """The answer, and all that was Sent for it."""
    path, body = request.for_model(model)
    headers = [credentials(request.dialect)]
    headers += [f"{name}: {value}" for name, value in request.headers]
    simulator.ask("/_simulator/reset", "POST")
    answer = ask(gateway, body, path=path, key=None, headers=headers)
    got = simulator.ask("/_simulator/requests")
    return answer, [Sent(upstream_of(one["target"]), one["target"], body_of(one)) for one in got]
