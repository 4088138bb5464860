"""A provider that records the bytes it gets and answers as each test tells it to.

One thread for each connection. A handler is called with the connection once a request is whole;
it writes raw bytes, waits on events, resets or closes. Handlers are found by the `user` member of
the request's body, so that several cases can run side by side; otherwise `handler` answers.
"""

import base64
import json
import socket
import struct
import threading
from dataclasses import dataclass, field

from harness.waiting import DEADLINE_S, wait_until


@dataclass
class Request:
    line: str
    headers: list
    body: bytes
    connection: "UpstreamConnection"

    def header(self, name: str):
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} appears {len(values)} times"
        return values[0] if values else None

    def names(self) -> set:
        return {key.lower() for key, _ in self.headers}

    def json(self):
        return json.loads(self.body)


class UpstreamConnection:
    """The provider's side of a connection, for handlers."""

    def __init__(self, plain: socket.socket):
        self.socket = plain
        self.received = b""
        self.closed = threading.Event()
        self.request = None

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # The gateway hung up, which the test looks at elsewhere.

    def send_pieces(self, data: bytes, sizes) -> None:
        at = 0
        for size in sizes:
            if at >= len(data):
                return
            self.send(data[at : at + size])
            at += size
        self.send(data[at:])

    def close(self) -> None:
        """An orderly end."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def wait_until_peer_closes(self) -> bool:
        """True once the gateway has closed its side."""
        try:
            self.socket.settimeout(DEADLINE_S)
            while self.socket.recv(1 << 16):
                pass
        except ConnectionError:
            pass
        except OSError:
            return False
        self.closed.set()
        return True


@dataclass
class Upstream:
    context: object = None  # ssl.SSLContext of a TLS provider
    greeting: bytes = b""  # sent to every connection before it says anything
    receive_buffer: int = 0
    requests: list = field(default_factory=list)
    connections: list = field(default_factory=list)
    handlers: dict = field(default_factory=dict)
    handler: object = None

    def __post_init__(self):
        self.lock = threading.Lock()
        self.listener = socket.socket()
        if self.receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def reset(self) -> None:
        """Forgets what was recorded and every handler."""
        self.requests.clear()
        self.connections[:] = [item for item in self.connections if not item.closed.is_set()]
        for connection in self.connections:
            connection.received = b""
        self.handlers.clear()
        self.handler = None

    def stop(self) -> None:
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def accept(self) -> None:
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(plain,), daemon=True).start()

    def serve(self, plain: socket.socket) -> None:
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context is not None:
                plain = self.context.wrap_socket(plain, server_side=True)
            connection = UpstreamConnection(plain)
            connection.send(self.greeting)
            self.connections.append(connection)
            while request := self.read_request(connection):
                self.requests.append(request)
                self.handler_of(request)(connection)
        except (OSError, ValueError):
            pass
        finally:
            plain.close()

    def handler_of(self, request: Request):
        try:
            user = request.json().get("user")
        except (ValueError, AttributeError):
            user = None
        return self.handlers.get(user) or self.handler or answer_like_openai

    def read_request(self, connection: UpstreamConnection):
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.socket.recv(1 << 16)
            if not more:
                connection.closed.set()
                return None
            connection.received += more
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = [tuple(text.split(": ", 1)) for text in lines]
        length = next(
            (int(value) for name, value in headers if name.lower() == "content-length"), 0)
        parts = [body]
        missing = length - len(body)
        while missing > 0:
            more = connection.socket.recv(min(missing, 1 << 20))
            if not more:
                connection.closed.set()
                return None
            parts.append(more)
            missing -= len(more)
        body = b"".join(parts)
        if len(body) < 1 << 16:
            connection.received = head + b"\r\n\r\n" + body
        assert len(body) == length, "bytes behind the request"
        connection.request = Request(line, headers, body, connection)
        return connection.request

    def wait_for_request(self) -> Request:
        return wait_until(lambda: self.requests and self.requests[-1], "a request at the provider")

    def saw(self, text: bytes) -> bool:
        """True if the bytes stand in anything that arrived."""
        return any(text in connection.received for connection in self.connections)


def head_of(
    status: str = "200 OK", content_type: str = "application/json", length=None, headers=()
) -> bytes:
    """The head of an answer; without a length it is chunked."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", framing, *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def plain_answer(body: bytes, status: str = "200 OK", **options) -> bytes:
    return head_of(status, length=len(body), **options) + body


def stream_head(**options) -> bytes:
    return head_of(content_type="text/event-stream", **options)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"


def event(content: str = "", **members) -> bytes:
    """One event of a chat stream."""
    delta = {"content": content} if content else {}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "gpt-4o-2024-11-20",
        "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
        **members,
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
FINISH = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])


def completion(content: str = "Hello.", model: str = "gpt-4o-2024-11-20") -> bytes:
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 2, "total_tokens": 13},
    }
    return json.dumps(body).encode()


def answer_like_openai(connection: UpstreamConnection) -> None:
    """What a provider in good health does with a request."""
    request = connection.request
    path = request.line.split(" ")[1]
    body = request.json()
    if path.endswith("/embeddings"):
        vector = [0.25, -0.5]
        if body.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack("<2f", *vector)).decode()
        data = [{"object": "embedding", "index": 0, "embedding": vector}]
        usage = {"prompt_tokens": 3, "total_tokens": 3}
        answer = {"object": "list", "data": data, "model": body["model"], "usage": usage}
        connection.send(plain_answer(json.dumps(answer).encode()))
    elif path.endswith("/chat/completions") and body.get("stream"):
        parts = [event(role) for role in ("One", " two", " three.")] + [FINISH, DONE]
        connection.send(stream_head())
        for part in parts:
            connection.send(chunk(part))
        connection.send(LAST_CHUNK)
    elif path.endswith("/chat/completions"):
        connection.send(plain_answer(completion(model=body["model"])))
    else:
        choice = {"index": 0, "text": "Hello.", "logprobs": None, "finish_reason": "stop"}
        answer = {
            "id": "cmpl-1",
            "object": "text_completion",
            "created": 1700000000,
            "model": body["model"],
            "choices": [choice],
        }
        connection.send(plain_answer(json.dumps(answer).encode()))


def answering(data: bytes, close: bool = False):
    """A handler that sends these bytes."""

    def handle(connection: UpstreamConnection) -> None:
        connection.send(data)
        if close:
            connection.close()

    return handle


def streaming(*events: bytes):
    """A handler that sends these events as a chunked stream, each a chunk, to a clean end."""
    return answering(stream_head() + b"".join(chunk(part) for part in events) + LAST_CHUNK)
