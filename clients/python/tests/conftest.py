"""A real HTTP server that answers as the gateway does, and remembers what it was asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

KEY = "sk_test_client"
HEADERS = {
    "x-request-id": "req_1",
    "x-cache-status": "miss",
    "x-hyperion-provider": "anthropic",
    "x-hyperion-model": "claude-haiku-4-5-20251001",
    "x-hyperion-requested-model": "gpt-4o",
    "x-hyperion-route": "auto",
    "x-hyperion-route-intent": "balanced",
    "x-hyperion-route-decision":
        "tier=2 score=0.43 from=gpt-4o to=claude-haiku-4-5 saved=$0.0021 pressure=0.1",
    "x-hyperion-attempts": "3",
    "x-hyperion-fallback-index": "2",
    "x-hyperion-fallback-reason": "rate_limited",
    "x-hyperion-cost-reserved": "0.0120",
    "x-hyperion-cost": "0.000345",
    "x-hyperion-overhead-us": "41",
    "x-hyperion-dropped-params": "logit_bias, seed",
    "x-hyperion-adjusted": "max_tokens",
}
EXPLAINED = {"requested": "auto", "model": "gpt-4o-mini", "provider": "openai", "route": "auto",
             "intent": "cheap_fast", "class": "simple_qa", "score": 0.1, "tier": 1,
             "tokens_estimated": 12, "ns": 900, "plan": ["gpt-4o-mini"],
             "candidates": [{"model": "gpt-4o-mini", "provider": "openai", "p": 0.9,
                             "expected_nano_usd": 12, "worst_nano_usd": 400, "excluded": None}]}


def completion(content):
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "finish_reason": "stop",
         "message": {"role": "assistant", "content": content}}]}


def chunk(delta, finish=None):
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers["content-length"])
        body = json.loads(self.rfile.read(length))
        self.server.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        if self.server.status != 200:
            error = {"message": "wrong", "type": "t", "param": "hyperion.x", "code": "c"}
            return self.answer({"error": error})
        if self.path == "/v1/chat/completions":
            return self.stream(body) if body.get("stream") else self.answer(self.chat(body))
        if self.path == "/v1/embeddings":
            return self.answer({"object": "list", "model": "e", "usage": {
                "prompt_tokens": 1, "total_tokens": 1}, "data": [
                    {"object": "embedding", "index": 0, "embedding": [0.5]}]})
        if self.path == "/v1/route/explain":
            return self.answer(EXPLAINED)
        return self.answer({"ok": True})

    @staticmethod
    def chat(body):
        answer = completion('{"name": "Paris"}')
        if body.get("hyperion", {}).get("explain"):
            answer["hyperion"] = EXPLAINED
        return answer

    def head(self, content_type, length=None):
        self.send_response(self.server.status)
        self.send_header("content-type", content_type)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        if length is None:
            self.send_header("connection", "close")
        else:
            self.send_header("content-length", str(length))
        self.end_headers()

    def answer(self, document):
        body = json.dumps(document).encode()
        self.head("application/json", len(body))
        self.wfile.write(body)

    def stream(self, body):
        self.head("text/event-stream")
        self.wfile.flush()
        self.server.go_on.wait(20)
        for one in (chunk({"role": "assistant", "content": '{"name": '}),
                    chunk({"content": '"Paris"}'}), chunk({}, "stop")):
            self.wfile.write(b"data: " + json.dumps(one).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def log_message(self, *unused):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.headers = dict(HEADERS)
        self.status = 200
        self.go_on = threading.Event()  # Streams wait for it after their head.
        self.go_on.set()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def body(self):
        return self.asked[-1][2]


@pytest.fixture
def server():
    running = Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.go_on.set()
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture(autouse=True)
def environment(monkeypatch, server):
    """What a machine of a user of OpenAI's may hold, and what the client is to read."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai-secret")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-openai-admin-secret")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/openai-secret")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-custom: custom-secret")
    monkeypatch.setenv("HYPERION_API_KEY", KEY)
    monkeypatch.setenv("HYPERION_BASE_URL", server.url)
