"""A client that sends the bytes it is told to and judges the framing of what comes back.

It never repairs anything: an answer is complete only if its framing says so, and what arrives
behind it stays visible.
"""

import json
import socket
from dataclasses import dataclass, field

from harness.conf import CLIENT_KEY, MODEL
from harness.waiting import DEADLINE_S

CHAT = "/v1/chat/completions"


@dataclass
class Answer:
    status: int
    headers: list
    body: bytes = b""
    complete: bool = False
    raw_body: bytes = b""  # with its framing
    interim: list = field(default_factory=list)  # statuses of 1xx answers before it

    def header(self, name: str):
        """The one value of a header, or None; more than one is a failure."""
        values = self.headers_named(name)
        assert len(values) <= 1, f"{name} appears {len(values)} times"
        return values[0] if values else None

    def headers_named(self, name: str) -> list:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self):
        return json.loads(self.body)

    @property
    def request_id(self) -> str:
        return self.header("x-request-id")

    @property
    def code(self):
        return self.error()["code"]

    def error(self) -> dict:
        """The error of an OpenAI-shaped answer, asserted to be one."""
        assert self.complete, "the error answer is not complete"
        assert self.header("content-type") == "application/json"
        return check_error(self.json())


def check_error(document) -> dict:
    assert set(document) == {"error"}, document
    error = document["error"]
    assert set(error) == {"message", "type", "param", "code"}, error
    assert isinstance(error["message"], str) and len(error["message"]) > 10, error
    assert isinstance(error["type"], str) and isinstance(error["code"], str), error
    assert error["param"] is None or isinstance(error["param"], str), error
    return error


class Closed(Exception):
    """The gateway closed (or reset) before an answer's head was whole."""


class Connection:
    def __init__(self, port: int, receive_buffer: int = 0, context=None, name: str = "localhost"):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname=name)
        self.buffer = b""
        self.ended = False
        self.was_reset = False

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_quietly(self, data: bytes) -> None:
        """Sends what the other side still takes: it may have answered and closed."""
        try:
            self.socket.sendall(data)
        except (ConnectionError, socket.timeout):
            pass

    def end_sending(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def receive(self) -> bool:
        """Reads once more; False at the end of the connection."""
        if self.ended:
            return False
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError:
            self.was_reset = True
            data = b""
        self.ended = not data
        self.buffer += data
        return bool(data)

    def read_until(self, mark: bytes) -> bytes:
        """All up to and including `mark`."""
        while mark not in self.buffer:
            if not self.receive():
                raise Closed(self.buffer)
        at = self.buffer.index(mark) + len(mark)
        data, self.buffer = self.buffer[:at], self.buffer[at:]
        return data

    def read_rest(self) -> bytes:
        """All up to the end of the connection."""
        while self.receive():
            pass
        data, self.buffer = self.buffer, b""
        return data

    def read_head(self) -> Answer:
        head = self.read_until(b"\r\n\r\n").decode("latin-1")
        lines = head[:-4].split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1", lines[0]
        assert not any("\r" in line or "\n" in line or "\0" in line for line in lines), lines
        headers = [tuple(line.split(": ", 1)) for line in lines[1:]]
        assert all(len(header) == 2 for header in headers), lines
        return Answer(int(status), headers)

    def read_answer(self, method: str = "POST") -> Answer:
        interim = []
        answer = self.read_head()
        while answer.status < 200:
            interim.append(answer.status)
            answer = self.read_head()
        answer.interim = interim
        length = answer.header("content-length")
        if answer.header("transfer-encoding") is not None:
            assert length is None
        if method == "HEAD" or answer.status in (204, 304):
            answer.complete = True
        elif length is not None:
            self.read_sized(answer, int(length))
        elif answer.header("transfer-encoding") == "chunked":
            self.read_chunks(answer)
        else:
            answer.body = answer.raw_body = self.read_rest()
            answer.complete = not self.was_reset
        return answer

    def read_sized(self, answer: Answer, length: int) -> None:
        while len(self.buffer) < length and self.receive():
            pass
        answer.body = answer.raw_body = self.buffer[:length]
        self.buffer = self.buffer[length:]
        answer.complete = len(answer.body) == length

    def read_chunks(self, answer: Answer) -> None:
        body = []
        raw = []
        try:
            while True:
                line = self.read_until(b"\r\n")
                raw.append(line)
                size = int(line, 16)
                while len(self.buffer) < size + 2 and self.receive():
                    pass
                data, self.buffer = self.buffer[: size + 2], self.buffer[size + 2 :]
                raw.append(data)
                body.append(data[:size])
                if len(data) < size + 2:
                    break
                assert data.endswith(b"\r\n")
                if size == 0:
                    answer.complete = True
                    break
        except Closed:
            pass
        answer.body = b"".join(body)
        answer.raw_body = b"".join(raw)


def chat_body(**members) -> bytes:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Say hello."}], **members}
    return json.dumps(body).encode()


def request_bytes(
    body: bytes = b"",
    path: str = CHAT,
    method: str = "POST",
    headers=(),
    key=CLIENT_KEY,
    sized: bool = True,
) -> bytes:
    """A well-formed request, but for what `headers` (raw lines) add."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if key is not None:
        lines.append(f"Authorization: Bearer {key}")
    if sized and (body or method == "POST"):
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += headers
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def ask(gateway, body: bytes = b"", method: str = "POST", **options) -> Answer:
    """One request on a connection of its own."""
    with Connection(gateway.port) as connection:
        connection.send(request_bytes(body, method=method, **options))
        return connection.read_answer(method)


def chunked(body: bytes, *sizes: int) -> bytes:
    """The body as chunks of these sizes, repeated as long as there is something to send."""
    parts = []
    at = 0
    turn = 0
    while at < len(body):
        piece = body[at : at + sizes[turn % len(sizes)]]
        parts.append(b"%x\r\n%s\r\n" % (len(piece), piece))
        at += len(piece)
        turn += 1
    return b"".join(parts) + b"0\r\n\r\n"
