"""Recorded traffic of providers, as one list of exchanges whatever form its files have."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from harness.shared_data import shared_folder

# The folders that hold an API, and the dialect that it is of. Bedrock's is none that we speak; its
# recordings are left out.
DIALECTS = {"chat.completions": "chat", "responses": "responses", "messages": "anthropic",
            "generateContent": "gemini"}


@dataclass
class Recording:
    name: str
    provider: str
    api: str
    status: int
    body: str
    headers: dict = field(default_factory=dict)
    request: dict = None  # its body, where it was recorded
    asked: dict = None  # all of it, its body as the text that was sent

    @property
    def dialect(self) -> str:
        return DIALECTS.get(self.api, "chat")

    @property
    def streamed(self) -> bool:
        kind = self.headers.get("content-type", "")
        return "event-stream" in kind or self.is_array

    @property
    def is_array(self) -> bool:
        """Gemini's stream without SSE."""
        return self.dialect == "gemini" and self.body.lstrip().startswith("[")

    def as_events(self) -> str:
        """The stream as SSE, if it was none: the same documents."""
        if not self.is_array:
            return self.body
        return events_of([json.dumps(item) for item in json.loads(self.body)], "gemini")


def events_of(documents: list, dialect: str) -> str:
    """A stream of these texts as the dialect's providers frame them."""
    if dialect == "gemini":
        return "".join(f"data: {text}\r\n\r\n" for text in documents)
    if dialect == "chat":
        return "".join(f"data: {text}\n\n" for text in [*documents, "[DONE]"])
    return "".join(f"event: {json.loads(text)['type']}\ndata: {text}\n\n" for text in documents)


def recordings(*apis: str) -> list:
    """All of these APIs, of every provider."""
    found = []
    for api in apis:
        files = sorted(shared_folder("recorded").glob(f"*/{api}/*"))
        assert files, api
        for file in files:
            found += read_file(file, file.parts[-3], api)
    return found


def read_file(file: Path, provider: str, api: str) -> list:
    text = file.read_bytes().decode()
    dialect = DIALECTS.get(api, "chat")
    stream = {"content-type": "text/event-stream"}
    plain = {"content-type": "application/json"}
    if file.name.endswith(".chunks.txt"):
        body = events_of([line for line in text.splitlines() if line.strip()], dialect)
        return [Recording(file.name, provider, api, 200, body, stream)]
    if file.suffix == ".txt":
        return [Recording(file.name, provider, api, 200, text, stream)]
    document = json.loads(text)
    if "exchanges" not in document:
        return [Recording(file.name, provider, api, status_of(document), text, plain)]
    return [of_exchange(f"{file.name} {number}", provider, api, exchange)
            for number, exchange in enumerate(document["exchanges"])
            if exchange["response"].get("body")]


def of_exchange(name: str, provider: str, api: str, exchange: dict) -> Recording:
    response, request = exchange["response"], exchange["request"]
    pairs = response["headers"]
    headers = {key.lower(): value[0] if isinstance(value, list) else value
               for key, value in (pairs.items() if isinstance(pairs, dict) else pairs)}
    body = json.loads(request["body"]) if request.get("body") else None
    return Recording(name, provider, api, response["status"], response["body"], headers, body,
                     request)


def status_of(document: dict) -> int:
    """Of a body that was kept without its status."""
    error = document.get("error")
    if not error:
        return 200
    if isinstance(error.get("code"), int):
        return error["code"]
    return 429 if error.get("type") == "insufficient_quota" else 400
