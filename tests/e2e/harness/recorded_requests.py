"""The requests that were recorded of providers' real clients, and how to put them to a gateway in
front of the simulated provider."""

import json
import re
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from harness.oracle import body_of, upstream_of
from harness.recorded import DIALECTS, recordings
from harness.simulated import KEY
from harness.wire import Answer, ask

PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "anthropic": "/v1/messages"}
REFUSALS = Path(__file__).parent.parent / "recorded_refusals.toml"
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


def ask_recorded(gateway, request: Recorded, model: str) -> Answer:
    path, body = request.for_model(model)
    headers = [credentials(request.dialect)]
    headers += [f"{name}: {value}" for name, value in request.headers]
    return ask(gateway, body, path=path, key=None, headers=headers)


def put(gateway, simulator, request: Recorded, model: str) -> tuple[Answer, list]:
    """The answer, and all that was Sent for it."""
    simulator.ask("/_simulator/reset", "POST")
    answer = ask_recorded(gateway, request, model)
    got = simulator.ask("/_simulator/requests")
    return answer, [Sent(upstream_of(one["target"]), one["target"], body_of(one)) for one in got]


def refusals_expected() -> list:
    """The rows of the file."""
    return tomllib.loads(REFUSALS.read_text(encoding="utf-8"))["refusals"]


def is_of(request: Recorded, row: dict) -> bool:
    return fnmatchcase(request.name, row["requests"])


def refusal_named(dialect: str, answer: Answer) -> tuple:
    """(code, param) of a refusal of the gateway's, as the client's dialect has them."""
    error = json.loads(answer.body)["error"]
    if dialect == "anthropic":
        return error["details"]["error_code"], error["details"]["param"]
    if dialect == "gemini":
        detail = error["details"][0]  # Gemini's reasons are in capitals.
        return detail["reason"].lower(), detail["metadata"]["param"]
    return error["code"], error["param"]
