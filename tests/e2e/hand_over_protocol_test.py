"""The new process's part of a hand-over, with a test in the old process's part."""

import os
import signal
import socket
import subprocess

import pytest

from harness.conf import PROVIDER_KEY, PROVIDER_KEY_VARIABLE, base_conf, conf_text, merged
from harness.gateway import BINARY
from harness.waiting import DEADLINE_S
from harness.wire import Connection, chat_body, request_bytes


class OldProcess:
    """Listens, and hands its sockets to a gateway as src/server/hand_over.h says."""

    def __init__(self, folder, upstream_port: int, sockets: int = 1):
        self.listeners = []
        self.port = 0
        for _ in range(sockets):
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(("127.0.0.1", self.port))
            listener.listen()
            self.port = listener.getsockname()[1]
            self.listeners.append(listener)
        changes = {"server": {"listen": [f"127.0.0.1:{self.port}"]}, "admin": {"listen": "off"}}
        conf = folder / "hyperion.toml"
        conf.write_text(conf_text(merged(base_conf(upstream_port, "off"), changes)))
        self.channel, far_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel.settimeout(DEADLINE_S)
        environment = {"PATH": os.environ["PATH"], PROVIDER_KEY_VARIABLE: PROVIDER_KEY,
                       "HYPERION_HAND_OVER": str(far_end.fileno())}
        self.process = subprocess.Popen([BINARY, "serve", "-c", conf], env=environment, text=True,
                                        pass_fds=[far_end.fileno()], stderr=subprocess.PIPE)
        far_end.close()

    def give_sockets(self, version: bytes = b"1") -> None:
        self.channel.send(b"h" + version)
        self.channel.send(b"ap127.0.0.1:%d" % self.port)
        for listener in self.listeners:
            socket.send_fds(self.channel, [b"s"], [listener.fileno()])
        self.channel.send(b"e")

    def end(self) -> None:
        """What the kernel does when the process dies."""
        self.channel.close()
        for listener in self.listeners:
            listener.close()

    def wait_for_refusal(self) -> str:
        said = self.process.communicate(timeout=DEADLINE_S)[1]
        assert self.process.returncode == 1, said
        return said.splitlines()[-1]

    def stop(self) -> str:
        """Ends the new process; what it said."""
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=DEADLINE_S)[1]
        assert self.process.returncode == 0, said
        return said


@pytest.fixture
def start_old(tmp_path, upstream):
    started = []

    def start(**options):
        started.append(OldProcess(tmp_path, upstream.port, **options))
        return started[-1]

    yield start
    for old in started:
        old.end()
        old.process.kill()
        old.process.communicate()


def answer_on(old, connection) -> int:
    connection.send(request_bytes(chat_body()))
    return connection.read_answer().status


@pytest.mark.parametrize("sockets", [1, 3])
def test_it_takes_no_connection_before_it_has_the_state(start_old, sockets):
    old = start_old(sockets=sockets)
    # As many as it takes for each of the queues to have some.
    waiting = [Connection(old.port) for _ in range(8 * sockets)]
    old.give_sockets()
    assert old.channel.recv(4096) == b"r1"
    for connection in waiting:
        connection.send(request_bytes(chat_body()))
    waiting[0].socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        waiting[0].receive()
    waiting[0].socket.settimeout(DEADLINE_S)
    old.channel.send(b"t")
    assert old.channel.recv(4096) == b"g"
    old.end()
    assert [connection.read_answer().status for connection in waiting] == [200] * len(waiting)
    old.stop()


def test_when_the_old_process_dies_it_serves_with_what_it_has(start_old):
    old = start_old()
    old.give_sockets()
    assert old.channel.recv(4096) == b"r1"
    with Connection(old.port) as waiting:
        old.end()
        assert answer_on(old, waiting) == 200
        with Connection(old.port) as fresh:
            assert answer_on(old, fresh) == 200
    assert "serving without it" in old.stop()


def test_without_all_the_sockets_it_does_not_start(start_old):
    old = start_old()
    old.channel.send(b"h1")
    old.end()
    assert "ended during the hand-over" in old.wait_for_refusal()


def test_another_version_and_nonsense_are_refused(start_old):
    old = start_old()
    old.give_sockets(version=b"2")
    assert "does not know" in old.wait_for_refusal()
    old = start_old()
    old.channel.send(b"?")
    assert "unexpected" in old.wait_for_refusal()
    old = start_old()
    socket.send_fds(old.channel, [b"s"], [old.listeners[0].fileno()])
    assert "unexpected" in old.wait_for_refusal()
