"""The matrix of dialects: what is asked of every client of every provider, and how it is judged.

A cell is one client's dialect against one provider's dialect in one column. It is sound when all
its scenarios are: the client saw what the simulated provider said (harness/oracle.py), in the words
of its own dialect, and the provider was asked for what the client asked.
"""

import base64
import json
import re
import zlib

from harness.oracle import body_of, repeated, upstream_of
from harness.simulated import RESPONSES_MODEL

COLUMNS = ("plain", "streamed", "cut short", "tools", "tools streamed", "image", "JSON schema",
           "thinking", "thinking with tools", "error", "in-stream error")

TOOLS = [
    {"name": "weather", "description": "The weather of the coming days in a city.",
     "parameters": {"type": "object", "required": ["city", "days"], "additionalProperties": False,
                    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}},
    {"name": "clock", "description": "What time it is.",
     "parameters": {"type": "object", "properties": {}, "additionalProperties": False}},
]
RESULTS = [{"celsius": 21, "sky": "canary sky"}, {"time": "half past canary"}]


def png() -> str:
    """A picture of one red pixel, in base64."""
    def part(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return len(data).to_bytes(4, "big") + checked + zlib.crc32(checked).to_bytes(4, "big")

    size = (1).to_bytes(4, "big")
    head = size + size + b"\x08\x02\x00\x00\x00"
    pixels = zlib.compress(b"\x00\xff\x00\x00")
    whole = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", pixels) + part(b"IEND", b"")
    return base64.b64encode(whole).decode()


IMAGE = png()

# Of the answer's tokens: fewer than it would have.
LIMIT = 20

# Scenarios by column: the requests of a conversation, of which those with results go on from the
# answer before.
SCENARIOS = {
    "plain": [[{}]],
    "streamed": [[{"stream": True}]],
    "cut short": [[{"limit": LIMIT}], [{"limit": LIMIT, "stream": True}]],
    "tools": [[{"tools": TOOLS, "fault": "calls:2"}, {"tools": TOOLS, "results": RESULTS}]],
    "tools streamed": [[{"tools": TOOLS, "fault": "calls:2", "stream": True},
                        {"tools": TOOLS, "results": RESULTS, "stream": True}]],
    "image": [[{"image": IMAGE}]],
    "JSON schema": [[{"schema": True}]],
    "thinking": [[{"effort": "high"}], [{"effort": "high", "stream": True}]],
    "thinking with tools": [
        [{"effort": "high", "tools": TOOLS, "fault": "calls:2"},
         {"effort": "high", "tools": TOOLS, "results": RESULTS}],
        [{"effort": "high", "tools": TOOLS, "fault": "calls:2", "stream": True},
         {"effort": "high", "tools": TOOLS, "results": RESULTS, "stream": True}]],
    "error": [[{"fault": "429"}], [{"fault": "400"}], [{"fault": "529", "stream": True}],
              [{"fault": "halfjson"}], [{"fault": "html:500"}]],
    "in-stream error": [[{"fault": fault, "stream": True}]
                        for fault in ("streamerror:12", "cut:12", "cutbytes:4000")],
}

# How an answer ends that is whole, that calls tools, and that was cut short.
FINISHES = {
    "chat": ("stop", "tool_calls", "length"),
    "responses": ("completed", "completed", "incomplete"),
    "anthropic": ("end_turn", "tool_use", "max_tokens"),
    "gemini": ("STOP", "STOP", "MAX_TOKENS"),
    "vercel": ("stop", "tool-calls", "length"),
}
# Of each client: the dialect it speaks, and the words it has for how answers end.
CLIENTS = {
    "openai python, chat": ("chat", "chat"),
    "openai python, responses": ("responses", "responses"),
    "openai node, chat": ("chat", "chat"),
    "openai node, responses": ("responses", "responses"),
    "@anthropic-ai/sdk": ("anthropic", "anthropic"),
    "@google/genai": ("gemini", "gemini"),
    "ai, openai-compatible": ("chat", "vercel"),
    "ai, anthropic": ("anthropic", "vercel"),
}
UPSTREAMS = {"chat": "matrix-chat", "responses": RESPONSES_MODEL, "anthropic": "claude-haiku-4-5",
             "gemini": "gemini-3.5-flash"}
PROVIDERS = {"chat": "chat-only", "responses": "openai", "anthropic": "anthropic",
             "gemini": "gemini"}
# What the client is told of a provider's fault: the status, where the answer is passed through and
# where it is translated (None: bytes of the provider's that the client itself cannot read), and the
# word that its dialect has for it.
ERRORS = {
    "429": (429, 429, {"chat": "rate_limit", "responses": "rate_limit",
                       "anthropic": "rate_limit_error", "gemini": "RESOURCE_EXHAUSTED"}),
    "400": (400, 400, {"chat": "invalid_request", "responses": "invalid_request",
                       "anthropic": "invalid_request_error", "gemini": "INVALID_ARGUMENT"}),
    "529": (529, 503, {"chat": "overloaded", "responses": "overloaded",
                       "anthropic": "overloaded_error", "gemini": "UNAVAILABLE"}),
    "halfjson": (None, 502, {"chat": "upstream_error", "responses": "upstream_error",
                             "anthropic": "api_error", "gemini": "INTERNAL"}),
    "html:500": (500, 502, {"chat": "upstream_error", "responses": "upstream_error",
                            "anthropic": "api_error", "gemini": "INTERNAL"}),
}
# The exceptions that clients raise for a status; the others have one for all.
EXCEPTIONS = {
    "openai": {429: "RateLimitError", 400: "BadRequestError"},
    "@anthropic-ai": {429: "RateLimitError", 400: "BadRequestError", 529: "OverloadedError",
                      503: "ServiceUnavailableError"},
}
EXCEPTION_OF_ALL = {"openai": "InternalServerError", "@anthropic-ai": "InternalServerError",
                    "@google": "ApiError", "ai": "APICallError"}
# How the clients for Node say that the bytes of an answer ended before its framing did.
CUT = ("terminated", "premature")
NOT_ABOUT_ANSWERS = ("TypeError", "SyntaxError", "AttributeError", "KeyError")


def all_scenarios() -> list:
    """{upstream, scenario, requests} of every scenario of every upstream, ready to be put."""
    found = []
    for upstream, model in UPSTREAMS.items():
        for column, scenarios in SCENARIOS.items():
            for number, requests in enumerate(scenarios):
                prompt = f"Tell me about the {column} case {number}, please."
                found.append({
                    "upstream": upstream, "scenario": f"{column}/{number}",
                    "requests": [{"model": model, "prompt": prompt, **one} for one in requests],
                })
    return found


class Judge:
    """Complains of one line, which says what one client saw in one scenario."""

    def __init__(self, line: dict, simulator_url: str):
        self.line = line
        self.column, _, number = line["scenario"].partition("/")
        self.requests = SCENARIOS[self.column][int(number)]
        self.url = simulator_url
        self.complaints = []

    def expect(self, what: str, seen, wanted) -> None:
        if seen != wanted:
            self.complaints.append(f"{what}: saw {shortened(seen)}, not {shortened(wanted)}")

    def judged(self) -> list:
        if self.column in ("error", "in-stream error"):
            self.judge_error()
        elif "thrown" in self.line:
            self.complaints.append(f"thrown: {shortened(self.line['thrown'])}")
        else:
            self.judge_answers()
        return self.complaints

    def judge_answers(self) -> None:
        got = self.line["requests"]
        self.expect("requests at the provider", len(got), len(self.requests))
        said = [repeated(self.url, request) for request in got]
        for request, answer, one in zip(self.requests, self.line["answers"], said):
            self.judge_answer(request, answer, one)
        for request, sent in zip(self.requests, got):
            self.judge_request(request, sent)
        for count in ("input_tokens", "output_tokens"):
            self.expect(f"billed {count}", sum(getattr(one, count) for one in said),
                        self.line["bill"][count])

    def judge_answer(self, request: dict, answer: dict, said) -> None:
        if "schema" in request:
            self.judge_object(answer, said)
        else:
            self.expect("text", answer["text"], said.text)
            calls = [{"name": call["name"], "arguments": call["arguments"]}
                     for call in answer["calls"]]
            self.expect("calls", calls, said.calls)
            if request.get("fault") == "calls:2":
                self.expect("names of calls", sorted(call["name"] for call in calls),
                            ["clock", "weather"])
        # Asked for an object, a client may call a tool for it, and says nothing of that.
        called = said.calls and "schema" not in request
        end = 2 if "limit" in request else 1 if called else 0
        finish = FINISHES[CLIENTS[self.line["row"]][1]][end]
        self.expect("finish", answer["finish"], finish)
        self.expect("input tokens", answer["usage"]["input"], said.input_tokens)
        self.expect("output tokens", answer["usage"]["output"], said.output_tokens)
        if "limit" in request:
            self.expect("tokens within the limit", said.output_tokens, LIMIT)
        if "effort" in request:
            self.expect("thinking", answer["thinking"], said.thinking)
            self.expect("there was thinking", bool(said.thinking), self.shows_thinking())
            if answer["usage"].get("reasoning") is not None:
                self.expect("reasoning tokens", answer["usage"]["reasoning"],
                            said.reasoning_tokens or 0)

    def shows_thinking(self) -> bool:
        """Whether this client's way of asking has the provider show it."""
        upstream = self.line["upstream"]
        if upstream == "responses":
            # A summary must be asked for, which in Chat Completions nothing says.
            return CLIENTS[self.line["row"]][0] != "chat"
        return upstream in ("anthropic", "gemini")

    def judge_object(self, answer: dict, said) -> None:
        written = said.calls[0]["arguments"] if said.calls else json.loads(said.text)
        self.expect("object", answer["object"], written)
        self.expect("members of the object", {name: type(value).__name__
                                              for name, value in answer["object"].items()},
                    {"title": "str", "pages": "int", "shelf": "dict", "words": "list"})

    def judge_request(self, request: dict, sent: dict) -> None:
        """That the provider was asked for what the client asked, wherever its dialect says so."""
        self.expect("upstream", upstream_of(sent["target"]), self.line["upstream"])
        body = json.dumps(body_of(sent))
        wanted = []
        if "tools" in request:
            wanted += [tool["description"] for tool in TOOLS]
        if "results" in request:
            wanted += ["canary sky", "half past canary"]
        if "image" in request:
            wanted += [IMAGE, "image/png"]
        if "schema" in request:
            wanted += ["shelf", "integer"]
        if "effort" in request:
            wanted.append({"chat": '"reasoning_effort": "', "responses": '"effort": "',
                           "anthropic": '"budget_tokens": ', "gemini": '"thinkingLevel": "'}[
                               self.line["upstream"]])
        for text in wanted:
            if text not in body:
                self.complaints.append(f"the provider was not sent {text!r}: {shortened(body)}")

    def judge_error(self) -> None:
        thrown = self.line.get("thrown")
        if thrown is None:
            self.complaints.append(f"ended clean: {shortened(self.line['answers'])}")
            return
        passed_through = CLIENTS[self.line["row"]][0] == self.line["upstream"]
        if self.column == "error":
            status, translated, words = ERRORS[self.requests[0]["fault"]]
            if passed_through and status is None:
                return
            self.expect("status", thrown["status"], status if passed_through else translated)
            client = re.split("[ /,]", self.line["row"])[0]
            raised = EXCEPTIONS.get(client, {}).get(thrown["status"], EXCEPTION_OF_ALL[client])
            self.expect("exception", thrown["class"], raised)
            word = words[CLIENTS[self.line["row"]][0]]
            wanted = [] if passed_through else [word]
            if translated == 502 and not passed_through:
                wanted.append(f"Provider {PROVIDERS[self.line['upstream']]} ")
            for text in wanted:
                if text not in thrown["text"]:
                    self.complaints.append(f"no {text!r} in {shortened(thrown)}")
            return
        # It came within a stream, not as the answer's status.
        if thrown["class"] != "ApiError":
            self.expect("status", thrown["status"], None)
        if thrown["class"] in NOT_ABOUT_ANSWERS and thrown["text"].split()[0] not in CUT:
            self.complaints.append(f"the client did not understand: {shortened(thrown)}")


def shortened(value) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 400 else text[:250] + " … " + text[-140:]


def verdict(complaints: dict, allowed: set) -> str:
    """What is wrong with a client and a provider: complaints by column, columns that may be holes.

    Empty where the holes are just those that may be.
    """
    found = {column for column, texts in complaints.items() if texts}
    lines = [f"a hole that is not in dialect_holes.toml: {column}, {text}"
             for column in complaints if column in found - allowed for text in complaints[column]]
    lines += [f"in dialect_holes.toml, but it works: {column}" for column in allowed - found]
    return "\n".join(lines)


def table(rows: list) -> str:
    """The matrix as text; each row is (client, upstream, [sound for each column])."""
    places = {cell: place for place, cell in enumerate(
        (client, upstream) for client in CLIENTS for upstream in UPSTREAMS)}
    lines = [f"{'':26} {'':10} " + " | ".join(COLUMNS)]
    for client, upstream, sound in sorted(rows, key=lambda row: places[row[0], row[1]]):
        cells = [("ok" if one else "hole").ljust(len(column))
                 for one, column in zip(sound, COLUMNS)]
        lines.append(f"{client:26} {upstream:10} " + " | ".join(cells))
    holes = sum(sound.count(False) for _, _, sound in rows)
    return "\n".join([*lines, f"{len(rows) * len(COLUMNS) - holes} ok, {holes} holes"])
