"""Streams that are in the middle for as long as a test wants."""

import threading

from harness.upstream import DONE, FINISH, LAST_CHUNK, chunk, event, stream_head
from harness.waiting import DEADLINE_S
from harness.wire import Connection, chat_body, request_bytes


def held_by(gate: threading.Event):
    """A provider's handler: one event, and the rest once the gate is open."""

    def handle(connection):
        connection.send(stream_head() + chunk(event("One")))
        assert gate.wait(DEADLINE_S)
        connection.send(chunk(FINISH + DONE) + LAST_CHUNK)

    return handle


class RunningStream:
    """A stream of which the client has the first event, and the provider waits to send the rest."""

    def __init__(self, gateway, upstream, name: str = "running"):
        self.gate = threading.Event()
        upstream.handlers[name] = held_by(self.gate)
        self.connection = Connection(gateway.port)
        self.connection.send(request_bytes(chat_body(stream=True, user=name)))
        assert self.connection.read_head().status == 200
        self.connection.read_until(b"\n\n")

    def finish(self) -> bytes:
        self.gate.set()
        return self.connection.read_until(LAST_CHUNK)
