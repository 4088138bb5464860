"""SIGUSR2: a running gateway hands its sockets to a new binary, and no client notices."""

import os
import signal
import socket
import subprocess

import pytest

from harness.certificates import Authority
from harness.conf import OTHER_KEY, base_conf, conf_text, merged, sha256_of
from harness.gateway import BINARY
from harness.lineage import Lineage, adopt_orphans
from harness.load import CONF, Load
from harness.running_stream import RunningStream
from harness.simulator import Simulator
from harness.upstream import DONE, LAST_CHUNK
from harness.waiting import DEADLINE_S, wait_until
from harness.wire import Closed, Connection, ask, chat_body, request_bytes


@pytest.fixture(scope="module", autouse=True)
def orphans():
    adopt_orphans(True)
    yield
    adopt_orphans(False)


@pytest.fixture(scope="module")
def simulator():
    with Simulator() as running:
        yield running


@pytest.fixture
def start_lineage(tmp_path):
    running = []

    def start(port, changes=None, environment=None, **options):
        running.append(Lineage(tmp_path, port, changes, environment, **options))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def test_five_hand_overs_under_load_lose_nothing(start_lineage, simulator):
    gateway = start_lineage(simulator.port, CONF)
    with Load(gateway.port, gap_ms=50) as load:
        for shards in (2, 3, 1, 2, 1):
            load.wait_for_more(8)
            gateway.write_conf(merged(gateway.conf, {"server": {"shards": shards}}))
            gateway.hand_over()
        load.wait_for_more(8)
    assert not load.broken, (len(load.broken), load.broken[:10], load.counts)
    # Connections that were kept are told to open another one, after an answer.
    assert load.counts["closed"] >= 5 * 4, load.counts
    for pid in gateway.pids[:-1]:
        assert gateway.wait_for_end_of(pid) == 0
    # Every answer has its line, though several processes wrote them.
    answered = sum(load.counts[kind] for kind in ("keep", "open", "stream"))
    wait_until(lambda: len(gateway.log()) == answered, "the log lines")
    assert all(line["outcome"] == "answered" for line in gateway.log())


def test_a_stream_goes_on_in_the_old_process_while_the_new_one_serves(start_lineage, upstream):
    gateway = start_lineage(upstream.port)
    old = gateway.pid
    stream = RunningStream(gateway, upstream)
    gateway.hand_over()
    answer = ask(gateway, chat_body())
    assert answer.status == 200 and answer.header("connection") is None
    assert gateway.status_of(old) is None
    assert DONE in stream.finish()
    # Its head had promised another answer on this connection: that one takes it back.
    stream.connection.send(request_bytes(chat_body()))
    answer = stream.connection.read_answer()
    assert (answer.status, answer.header("connection")) == (200, "close")
    assert stream.connection.read_rest() == b""
    assert gateway.wait_for_end_of(old) == 0


def test_the_new_process_has_the_new_conf_and_the_old_environment(start_lineage, upstream):
    gateway = start_lineage(upstream.port)
    keys = [{"id": "other", "hash": sha256_of(OTHER_KEY)}]
    gateway.write_conf(merged(gateway.conf, {"keys": keys}))
    gateway.hand_over()
    assert ask(gateway, chat_body()).status == 401
    # The provider's key is in the environment alone.
    assert ask(gateway, chat_body(), key=OTHER_KEY).status == 200
    environment = open(f"/proc/{gateway.pid}/environ").read()
    assert environment.count("HYPERION_HAND_OVER") <= 1
    gateway.write_conf(gateway.conf)
    gateway.send_signal(signal.SIGHUP)
    wait_until(lambda: ask(gateway, chat_body()).status == 200, "the reload in the new process")


def test_connections_over_tls_go_on_and_the_new_process_shows_its_new_certificate(
    start_lineage, upstream, tmp_path
):
    authority = Authority(tmp_path)
    certificate, key = authority.issue("localhost")
    tls = {"listen": ["127.0.0.1:0"], "certificate_file": str(certificate), "key_file": str(key)}
    gateway = start_lineage(upstream.port, {"tls": tls})
    context = authority.client_context()
    with Connection(gateway.tls_port, context=context) as kept:
        kept.send(request_bytes(chat_body()))
        assert kept.read_answer().status == 200
        before = kept.socket.getpeercert()["serialNumber"]
        authority.issue("localhost")
        gateway.hand_over()
        with Connection(gateway.tls_port, context=context) as fresh:
            assert fresh.socket.getpeercert()["serialNumber"] != before
            fresh.send(request_bytes(chat_body()))
            assert fresh.read_answer().status == 200
        kept.send(request_bytes(chat_body()))
        answer = kept.read_answer()
        assert (answer.status, answer.header("connection")) == (200, "close")


@pytest.mark.parametrize("value", ["x", "0", "99999", ""])
def test_a_hand_over_by_nobody_is_refused_and_says_so(tmp_path, upstream, value):
    environment = {"PATH": os.environ["PATH"], "HYPERION_HAND_OVER": value}
    conf = tmp_path / "hyperion.toml"
    conf.write_text(conf_text(base_conf(upstream.port, "off")))
    done = subprocess.run([BINARY, "serve", "-c", conf], env=environment, capture_output=True,
                          stdin=subprocess.DEVNULL, text=True, timeout=DEADLINE_S)
    assert done.returncode == 1 and "HYPERION_HAND_OVER" in done.stderr


def failed_hand_over(gateway) -> str:
    """What was said of one that failed."""
    before = gateway.stderr().count("hand-over failed")
    gateway.send_signal(signal.SIGUSR2)
    wait_until(lambda: gateway.stderr().count("hand-over failed") > before, "the failure")
    wait_until(lambda: gateway.stderr().endswith("\n"), "the whole line")
    return gateway.stderr().rpartition("hand-over failed")[2]


BROKEN_BINARIES = {
    "dies at once": ("#!/bin/sh\nexit 7\n", "with status 7"),
    "is killed": ("#!/bin/sh\nkill -9 $$\n", "by signal 9"),
    "cannot be executed": ("", "cannot execute"),
    "is not Hyperion": ("#!/bin/sh\nexec sleep 600\n", "did not serve within 1 s"),
}


@pytest.mark.parametrize("name", BROKEN_BINARIES)
def test_after_a_new_binary_that_fails_the_old_one_goes_on(start_lineage, simulator, name):
    text, said = BROKEN_BINARIES[name]
    gateway = start_lineage(simulator.port, CONF)
    if "within" in said:
        gateway.reload({"server": {"successor_ready_s": 1}})
    with Load(gateway.port) as load:
        load.wait_for_more(3)
        gateway.replace_binary(text)
        sentence = failed_hand_over(gateway)
        assert said in sentence and "goes on serving" in sentence and "SIGUSR2" in sentence
        assert gateway.metric("hyperion_hand_overs_failed_total") == 1
        load.wait_for_more(3)
        gateway.replace_binary()
        gateway.reload({"server": {"successor_ready_s": 60}})
        gateway.hand_over()
        load.wait_for_more(3)
    assert not load.broken, load.broken[:10]


def test_a_binary_behind_a_link_is_looked_up_again(upstream, tmp_path):
    class Linked(Lineage):
        def start(self, **options):
            first = self.folder / "hyperion-1"
            os.rename(self.binary, first)
            os.symlink(first, self.binary)
            super().start(**options)

    gateway = Linked(tmp_path, upstream.port)
    with gateway:
        os.symlink("/bin/false", tmp_path / "fresh")
        os.replace(tmp_path / "fresh", gateway.binary)
        assert "with status 1" in failed_hand_over(gateway)
        assert ask(gateway, chat_body()).status == 200


BROKEN_CONFS = {
    "not TOML": lambda gateway: "not toml [",
    "a certificate that is not there": lambda gateway: conf_text(
        merged(gateway.conf, {"tls": {"listen": ["127.0.0.1:0"], "certificate_file": "no.pem",
                                      "key_file": "no.key"}})),
    "a log that cannot be written": lambda gateway: conf_text(
        merged(gateway.conf, {"log": {"target": "/nonexistent/requests.log"}})),
    "a port in use": None,
}


@pytest.mark.parametrize("name", BROKEN_CONFS)
def test_after_a_new_conf_that_is_wrong_the_old_process_goes_on(start_lineage, simulator, name):
    gateway = start_lineage(simulator.port, CONF)
    with Load(gateway.port) as load, socket.socket() as other:
        load.wait_for_more(3)
        if BROKEN_CONFS[name] is None:
            other.bind(("127.0.0.1", 0))
            other.listen()
            listen = gateway.conf["server"]["listen"] + [f"127.0.0.1:{other.getsockname()[1]}"]
            text = conf_text(merged(gateway.conf, {"server": {"listen": listen, "shards": 3}}))
        else:
            text = BROKEN_CONFS[name](gateway)
        gateway.conf_file.write_text(text)
        assert "with status 1" in failed_hand_over(gateway)
        load.wait_for_more(3)
        gateway.write_conf(gateway.conf)
        gateway.hand_over()
        load.wait_for_more(3)
    assert not load.broken, load.broken[:10]


def test_several_signals_in_a_row_are_one_hand_over_each_at_most(start_lineage, simulator):
    gateway = start_lineage(simulator.port, CONF)
    with Load(gateway.port) as load:
        load.wait_for_more(3)
        for _ in range(5):
            gateway.send_signal(signal.SIGUSR2)
        gateway.wait_for_successor()
        load.wait_for_more(3)
        gateway.hand_over()
        load.wait_for_more(3)
    assert not load.broken, load.broken[:10]
    assert len(gateway.pids) == 3


def test_while_it_drains_a_process_hands_over_no_more(start_lineage, upstream):
    gateway = start_lineage(upstream.port)
    old = gateway.pid
    stream = RunningStream(gateway, upstream)
    gateway.hand_over()
    os.kill(old, signal.SIGUSR2)
    gateway.wait_for_stderr("SIGUSR2 ignored")
    assert ask(gateway, chat_body()).status == 200
    gateway.hand_over()
    assert ask(gateway, chat_body()).status == 200
    assert DONE in stream.finish()
    stream.connection.socket.close()


def test_sigterm_to_an_old_process_closes_idle_connections_and_a_second_cuts(
    start_lineage, upstream
):
    gateway = start_lineage(upstream.port)
    old = gateway.process
    stream = RunningStream(gateway, upstream)
    with Connection(gateway.port) as idle:
        idle.send(request_bytes(chat_body()))
        assert idle.read_answer().status == 200
        gateway.hand_over()
        old.send_signal(signal.SIGTERM)
        assert idle.read_rest() == b""
    assert old.poll() is None
    old.send_signal(signal.SIGTERM)
    gateway.expected[old.pid] = 3
    assert gateway.wait_for_end_of(old.pid) == 3
    with pytest.raises(Closed):
        stream.connection.read_until(LAST_CHUNK)
    stream.gate.set()
    assert ask(gateway, chat_body()).status == 200


def test_an_address_that_the_new_conf_lacks_is_answered_to_its_last_connection(
    start_lineage, upstream, tmp_path
):
    path = tmp_path / "gateway.socket"
    listen = ["127.0.0.1:0", f"unix:{path}"]
    gateway = start_lineage(upstream.port, {"server": {"listen": listen, "shards": 2}})
    gateway.hand_over()
    assert path.exists()
    with socket.socket(socket.AF_UNIX) as plain:
        plain.connect(str(path))
        plain.sendall(request_bytes(chat_body(), headers=["Connection: close"]))
        assert plain.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
    with socket.socket(socket.AF_UNIX) as plain:
        plain.connect(str(path))
        gateway.write_conf(merged(gateway.conf, {"server": {"listen": listen[:1]}}))
        old = gateway.pid
        gateway.hand_over()
        plain.sendall(request_bytes(chat_body()))
        assert plain.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
    assert gateway.wait_for_end_of(old) == 0
    assert not path.exists()
    assert ask(gateway, chat_body()).status == 200


def descriptors(pid: int) -> list:
    """What each is, without numbers: so that two processes can be compared."""
    folder = f"/proc/{pid}/fd"
    names = (os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder))
    return sorted(name.partition(":[")[0] for name in names)


def test_twenty_hand_overs_leak_no_descriptor(start_lineage, upstream):
    gateway = start_lineage(upstream.port, {"server": {"shards": 2}})
    first = descriptors(gateway.pid)
    for _ in range(20):
        assert ask(gateway, chat_body()).status == 200
        old = gateway.pid
        gateway.hand_over()
        assert gateway.wait_for_end_of(old) == 0
        assert descriptors(gateway.pid) == first
    assert ask(gateway, chat_body()).status == 200


def test_systemd_is_told_which_process_is_the_main_one(start_lineage, upstream, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(DEADLINE_S)
        gateway = start_lineage(upstream.port, None, {"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert manager.recv(4096) == b"READY=1"
        gateway.hand_over()
        assert manager.recv(4096) == f"MAINPID={gateway.pid}\nREADY=1".encode()
        gateway.send_signal(signal.SIGTERM)
        assert manager.recv(4096) == b"STOPPING=1"
        assert gateway.wait_for_end_of(gateway.pid) == 0


def test_sigterm_while_the_new_binary_starts_ends_both(start_lineage, upstream):
    gateway = start_lineage(upstream.port)
    gateway.replace_binary("#!/bin/sh\necho started >&2\nexec sleep 600\n")
    gateway.send_signal(signal.SIGUSR2)
    gateway.wait_for_stderr("started")
    gateway.send_signal(signal.SIGTERM)
    assert gateway.wait_for_end_of(gateway.pid) == 0
    gateway.wait_for_stderr("told to stop")
