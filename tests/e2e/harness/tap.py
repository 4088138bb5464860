"""Stands between clients and a gateway, and keeps the bytes that real clients hide.

It changes nothing: what one side sends the other side gets, its end and its reset included.
"""

import json
import socket
import struct
import threading
from dataclasses import dataclass, field

from harness.wire import Answer, Closed, Connection


class Kept(Connection):
    """Reads what was kept as if it came now."""

    def __init__(self, data: bytes):
        self.buffer = data
        self.ended = True
        self.was_reset = False

    def read_request(self) -> tuple:
        """(method, path, body) of the next request."""
        line, *lines = self.read_until(b"\r\n\r\n")[:-4].decode("latin-1").split("\r\n")
        method, path, _ = line.split(" ", 2)
        headers = [tuple(text.split(": ", 1)) for text in lines]
        request = Answer(0, [(name.lower(), value) for name, value in headers])
        if request.header("transfer-encoding") is not None:
            self.read_chunks(request)
        else:
            self.read_sized(request, int(request.header("content-length") or 0))
        return method, path, request.body


@dataclass
class Passage:
    client: socket.socket
    gateway: socket.socket
    asked: list = field(default_factory=list)
    answered: list = field(default_factory=list)

    def pump(self, source: socket.socket, target: socket.socket, kept: list) -> None:
        try:
            while data := source.recv(1 << 16):
                kept.append(data)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except ConnectionResetError:
            target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            target.close()
        except OSError:
            pass  # The other direction has ended both.

    def run(self) -> None:
        back = threading.Thread(target=self.pump, daemon=True,
                                args=(self.gateway, self.client, self.answered))
        back.start()
        self.pump(self.client, self.gateway, self.asked)
        back.join()
        self.client.close()
        self.gateway.close()


class Tap:
    def __init__(self, port: int):
        self.gateway_port = port
        self.passages = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            gateway = socket.create_connection(("127.0.0.1", self.gateway_port))
            for one in (client, gateway):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.passages.append(Passage(client, gateway))
            threading.Thread(target=self.passages[-1].run, daemon=True).start()

    def exchanges(self) -> list:
        """(path, request's JSON, answer) of every request so far that had a JSON body."""
        found = []
        for passage in self.passages:
            asked, answered = Kept(b"".join(passage.asked)), Kept(b"".join(passage.answered))
            try:
                while asked.buffer:
                    method, path, body = asked.read_request()
                    answer = answered.read_answer(method)
                    if body:
                        found.append((path, json.loads(body), answer))
            except (Closed, ValueError):
                pass  # Nothing came, or it was no JSON.
        return found

    def stop(self) -> None:
        self.listener.close()
