"""Hundreds of clients that are slow on purpose (slowhttptest): the others notice nothing."""

import re
import shutil
import subprocess

import pytest

from harness.conf import CLIENT_KEY
from harness.waiting import wait_until
from harness.wire import ask, chat_body

# Short, so that the test is; what is shown is that they end it.
CONF = {"timeouts": {"head_ms": 3000, "body_grace_ms": 2000, "write_stall_ms": 3000}}
CONNECTIONS = 400
SECONDS = 6
# What 400 clients may hold: heads, bodies, answers, and the receive buffers that are touched first.
MEMORY_MAX_BYTES = 32 << 20
# The tool has no option for other headers: the key comes in behind the Accept header.
WITH_KEY = ["-m", f"*/*\r\nAuthorization: Bearer {CLIENT_KEY}"]

ATTACKS = {
    "heads": ["-H"],
    "bodies": ["-B", *WITH_KEY, "-s", "8192"],
    "ranges": ["-R", *WITH_KEY],
    "readers": ["-X", *WITH_KEY, "-k", "8", "-w", "10", "-y", "20", "-n", "1", "-z", "32"],
}
PATHS = {"bodies": "/v1/chat/completions"}
# The end code of those who are told 408.
TOLD = {"heads": "CH", "bodies": "CB"}


@pytest.fixture(scope="module")
def attack(gateway):
    if shutil.which("slowhttptest") is None:
        pytest.skip("slowhttptest is not installed")

    def run(name: str) -> int:
        """Memory at most, while everybody else is answered."""
        url = gateway.url + PATHS.get(name, "/v1/models")
        command = ["slowhttptest", *ATTACKS[name], "-u", url, "-c", str(CONNECTIONS), "-r", "200",
                   "-i", "1", "-l", str(SECONDS), "-p", "5", "-v", "1"]
        opened = memory = 0
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tool:
            while tool.poll() is None:
                assert ask(gateway, chat_body()).status == 200
                opened = max(opened, gateway.metric("hyperion_connections_open"))
                memory = max(memory, gateway.memory_bytes())
            said = re.sub(r"\x1b\[[\d;]*\w", "", tool.stdout.read())
        assert tool.returncode == 0, said
        assert set(re.findall(r"service available: +(\w+)", said)) == {"YES"}, said
        # Otherwise it was no attack. Ranges are answered at once: nobody waits.
        assert opened > CONNECTIONS / 2 or name == "ranges"
        wait_until(lambda: gateway.metric("hyperion_connections_open") == 1, "the end of them all")
        return memory

    return run


@pytest.mark.parametrize("name", ATTACKS)
def test_slow_clients_keep_nobody_waiting_and_hold_little(gateway, upstream, attack, name):
    def told() -> int:
        return sum(line["status"] == 408 and line["end"] == TOLD[name] for line in gateway.log())

    memory_before = gateway.memory_bytes()
    told_before = name in TOLD and told()
    assert attack(name) - memory_before < MEMORY_MAX_BYTES
    wait_until(lambda: gateway.metric("hyperion_blocks_in_use") <= 1, "the memory to be given back")
    if name in TOLD:
        wait_until(lambda: told() - told_before > CONNECTIONS / 2, "the log of those who were told")


def test_the_second_time_costs_no_more_memory_than_the_first(gateway, upstream, attack):
    first = attack("heads")
    assert attack("heads") - first < 2 << 20
