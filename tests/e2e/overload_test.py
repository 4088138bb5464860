"""What is refused, and what is still served, when a key or Hyperion itself has enough to do."""

import contextlib
import random
import select
import threading

import pytest

from harness.conf import CLIENT_KEY, OTHER_KEY, sha256_of
from harness.exposition import parse_exposition
from harness.simulator import Simulator
from harness.upstream import completion, plain_answer
from harness.waiting import wait_until
from harness.wire import Closed, Connection, ask, chat_body, check_error, request_bytes

TEST_KEY = "sk_test_overload_71c5d0a94be23f8806d7e1b2c9f4a3568d0e7b1f2a9c4d60"
LOW_KEY = "sk_live_low_2f86b1d7c3e94a05f7d2810b6c9e3a4d5f81720c6be9d3a4"
HIGH_KEY = "sk_live_high_94d1c7e0a2b85f36d8e1c4072f9ab36e5d10c8f74b2e6a91"


def key(secret: str, name: str, **members) -> dict:
    return {"id": name, "hash": sha256_of(secret), **members}


def of_all_priorities(**members) -> list:
    return [key(CLIENT_KEY, "tests", **members), key(OTHER_KEY, "other"),
            key(LOW_KEY, "background", priority="low"), key(HIGH_KEY, "urgent", priority="high")]


class Gate:
    """A provider's handler that answers once it is opened, and counts who waits there."""

    def __init__(self):
        self.opened = threading.Event()
        self.lock = threading.Lock()
        self.inside = 0
        self.inside_max = 0

    def __call__(self, connection) -> None:
        with self.lock:
            self.inside += 1
            self.inside_max = max(self.inside_max, self.inside)
        assert self.opened.wait(20)
        with self.lock:
            self.inside -= 1
        connection.send(plain_answer(completion()))


@contextlib.contextmanager
def waiting_requests(gateway, count: int, **options):
    """So many requests on connections of their own, not answered yet."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(Connection(gateway.port)) for _ in range(count)]
        for connection in held:
            connection.send(request_bytes(chat_body(), **options))
        yield held


def shed(gateway, **labels) -> float:
    """Requests that were refused at their head, of those labels."""
    samples = parse_exposition(gateway.metrics_text())
    return sum(value for (name, has), value in samples.items()
               if name == "hyperion_requests_shed_total" and labels.items() <= dict(has).items())


def is_at_rest(gateway) -> bool:
    # The page of metrics is a request itself.
    return (gateway.metric("hyperion_requests_in_flight") == 1
            and gateway.metric("hyperion_requests_admitted") == 0
            and gateway.metric("hyperion_admission_level") == 0)


def test_a_key_never_has_more_requests_at_the_provider_than_it_may(start_gateway):
    with Simulator() as simulator:
        gateway = start_gateway(
            {"server": {"shards": 2}, "test_faults": True,
             "keys": [key(TEST_KEY, "narrow", test=True, concurrent_requests_max=10)]},
            simulator.port)
        stalled = {"key": TEST_KEY, "headers": ["x-hyperion-fault: stall"]}
        told = set()
        with waiting_requests(gateway, 200, **stalled) as held:
            wait_until(lambda: shed(gateway, reason="key_concurrency", priority="normal") == 190,
                       "all but ten to be refused")
            wait_until(lambda: simulator.ask("/_simulator/bill")["received"] == 10, "the ten")
            by_socket = {connection.socket: connection for connection in held}
            answered = wait_until(
                lambda: len(ready := select.select(by_socket, [], [], 0)[0]) == 190 and ready,
                "their answers")
            for socket in answered:
                answer = by_socket[socket].read_answer()
                assert (answer.status, answer.code) == (429, "rate_limit_exceeded")
                assert "`narrow`" in answer.error()["message"]
                assert "concurrent_requests_max = 10" in answer.error()["message"]
                told.add(int(answer.header("retry-after")))
            assert len(told) > 1 and told <= {1, 2, 3, 4, 5}
        # All clients have hung up: their places are free again, each once.
        wait_until(lambda: is_at_rest(gateway), "the places to be free")
        with waiting_requests(gateway, 12, **stalled):
            wait_until(lambda: shed(gateway) == 192, "the two that are too many")
            wait_until(lambda: simulator.ask("/_simulator/bill")["received"] == 20, "ten others")
        wait_until(lambda: is_at_rest(gateway), "the places to be free")
        quick = {"key": TEST_KEY, "headers": ["x-hyperion-fault: slow:1"]}
        assert all(ask(gateway, chat_body(), **quick).status == 200 for _ in range(15))


def test_the_limit_of_a_key_holds_while_requests_come_end_and_are_given_up(
        start_gateway, upstream):
    gateway = start_gateway({"server": {"shards": 2},
                             "keys": [key(CLIENT_KEY, "tests", concurrent_requests_max=4)]})
    gate = Gate()
    gate.opened.set()
    upstream.handler = gate
    statuses = []

    def run(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(40):
            with Connection(gateway.port) as connection:
                connection.send(request_bytes(chat_body(stream=chance.random() < 0.5)))
                if chance.random() < 0.3:
                    continue  # Hangs up at some moment.
                statuses.append(connection.read_answer().status)

    clients = [threading.Thread(target=run, args=(seed,)) for seed in range(16)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert set(statuses) == {200, 429}
    assert gate.inside_max <= 4
    wait_until(lambda: is_at_rest(gateway), "the places to be free")
    gate.opened.clear()
    with waiting_requests(gateway, 4):
        wait_until(lambda: gate.inside == 4, "all four places")
        assert ask(gateway, chat_body()).status == 429
        gate.opened.set()


def test_a_place_is_kept_over_a_reload_and_a_new_limit_holds_at_once(start_gateway, upstream):
    def keys(limit: int) -> dict:
        return {"keys": of_all_priorities(concurrent_requests_max=limit)}

    gateway = start_gateway(keys(3))
    gate = upstream.handler = Gate()
    with waiting_requests(gateway, 3) as held:
        wait_until(lambda: gate.inside == 3, "three requests")
        assert ask(gateway, chat_body()).status == 429
        gateway.reload(keys(4))
        with waiting_requests(gateway, 1) as more:
            wait_until(lambda: gate.inside == 4, "a fourth")
            assert ask(gateway, chat_body()).status == 429
            gateway.reload(keys(2))
            assert ask(gateway, chat_body()).status == 429
            assert ask(gateway, method="GET", path="/v1/models").status == 200
            gate.opened.set()
            assert all(one.read_answer().status == 200 for one in held + more)
    gate.opened.clear()
    with waiting_requests(gateway, 2):
        wait_until(lambda: gate.inside == 2, "two requests")
        assert ask(gateway, chat_body()).status == 429
        gate.opened.set()
    assert shed(gateway, reason="key_concurrency", priority="normal") == 4


def test_low_priority_is_refused_first_and_high_last(start_gateway, upstream):
    gateway = start_gateway({"admission": {"requests_per_shard_max": 20},
                             "admin": {"public_health": True}, "keys": of_all_priorities()})
    gate = upstream.handler = Gate()

    def told(secret: str):
        """Status and code of a request that is refused."""
        answer = ask(gateway, chat_body(), key=secret)
        assert 1 <= int(answer.header("retry-after")) <= 5
        return answer.status, answer.code

    with contextlib.ExitStack() as stack:
        def admit(count: int, secret: str) -> None:
            before = gate.inside
            stack.enter_context(waiting_requests(gateway, count, key=secret))
            wait_until(lambda: gate.inside == before + count, "the requests to be admitted")

        admit(15, CLIENT_KEY)
        admit(1, LOW_KEY)
        # 16 of 20 are 80 %.
        assert told(LOW_KEY) == (429, "overloaded")
        admit(1, OTHER_KEY)
        admit(1, CLIENT_KEY)
        # 18 are 90 %.
        assert told(LOW_KEY) == told(CLIENT_KEY) == (503, "overloaded")
        assert ask(gateway, method="GET", path="/v1/models").status == 503
        admit(1, HIGH_KEY)
        # 19 are 95 %. Nobody is served, but everybody is told, and health and metrics are answered.
        assert told(LOW_KEY) == told(CLIENT_KEY) == told(HIGH_KEY) == (503, "overloaded")
        for path in ("/health/live", "/health/ready"):
            assert ask(gateway, method="GET", path=path, key=None).status == 200
        wait_until(lambda: gateway.metric("hyperion_admission_level") == 3, "the gauge to show it")
        assert gateway.metric("hyperion_requests_admitted") == 19
        gate.opened.set()
    wait_until(lambda: is_at_rest(gateway), "the gateway to be at rest")
    assert ask(gateway, chat_body(), key=LOW_KEY).status == 200
    by_priority = [shed(gateway, reason="requests", priority=priority)
                   for priority in ("low", "normal", "high")]
    assert by_priority == [3, 3, 1]
    assert len(upstream.requests) == 20
    codes = [line["end"] for line in gateway.log() if line["outcome"] == "refused"]
    assert codes == ["GH"] * 7


@pytest.mark.parametrize("path, check", [
    ("/v1/messages", lambda error: error["error"]["type"] == "overloaded_error"),
    ("/v1beta/models/gpt-4o:generateContent",
     lambda error: error["error"]["status"] == "UNAVAILABLE"),
    ("/v1/responses", lambda error: check_error(error)["code"] == "overloaded"),
])
def test_each_dialect_is_told_in_its_own_words(start_gateway, upstream, path, check):
    gateway = start_gateway({"admission": {"requests_per_shard_max": 1}})
    gate = upstream.handler = Gate()
    with waiting_requests(gateway, 1):
        wait_until(lambda: gate.inside == 1, "the one request")
        answer = ask(gateway, chat_body(), path=path)
        assert answer.status == 503 and check(answer.json()), answer.body
        assert int(answer.header("retry-after")) >= 1
        gate.opened.set()


def test_a_refusal_does_not_wait_for_the_body(start_gateway, upstream):
    gateway = start_gateway({"admission": {"requests_per_shard_max": 1}})
    gate = upstream.handler = Gate()
    with waiting_requests(gateway, 1), Connection(gateway.port) as late:
        wait_until(lambda: gate.inside == 1, "the one request")
        late.send(request_bytes(headers=["Content-Length: 9000000"], sized=False))
        answer = late.read_answer()
        assert (answer.status, answer.code) == (503, "overloaded")
        assert answer.header("connection") == "close"
        late.send_quietly(b"{" * 30_000)
        late.end_sending()
        assert late.read_rest() == b"" and not late.was_reset
        gate.opened.set()


def test_a_refused_client_keeps_its_connection(start_gateway, upstream):
    gateway = start_gateway({"keys": [key(CLIENT_KEY, "tests", concurrent_requests_max=1)],
                             "limits": {"early_answer_drain_max_bytes": 10_000}})
    gate = upstream.handler = Gate()
    with waiting_requests(gateway, 1) as held, Connection(gateway.port) as refused:
        wait_until(lambda: gate.inside == 1, "the one request")
        for _ in range(3):
            refused.send(request_bytes(chat_body(user="x" * 5000)))
            answer = refused.read_answer()
            assert (answer.status, answer.code) == (429, "rate_limit_exceeded")
            assert answer.header("connection") is None
        # The body is dropped as it comes, whatever is in it.
        refused.send(request_bytes(headers=["Content-Length: 9000"], sized=False) + b"{" * 5000)
        refused.send(b"\0" * 4000)
        assert refused.read_answer().status == 429
        gate.opened.set()
        assert held[0].read_answer().status == 200
        refused.send(request_bytes(chat_body()))
        assert refused.read_answer().status == 200
        gate.opened.clear()
        held[0].send(request_bytes(chat_body()))
        wait_until(lambda: gate.inside == 1, "the one request")
        # Who asks before it sends is told at once, and need not send.
        refused.send(request_bytes(headers=["Content-Length: 9000", "Expect: 100-continue"],
                                   sized=False))
        answer = refused.read_answer()
        assert (answer.status, answer.interim) == (429, [])
        assert answer.header("connection") == "close"
        gate.opened.set()
    wait_until(lambda: is_at_rest(gateway), "the gateway to be at rest")


def test_without_memory_no_connection_is_accepted_but_the_admin_side_is(start_gateway, upstream):
    gateway = start_gateway({"memory": {"bodies_per_shard_max_bytes": 4_194_304},
                             "limits": {"body_size_max_bytes": 2_000_000},
                             "admission": {"shed_low_at_percent": 20, "refuse_at_percent": 30,
                                           "stop_accept_at_percent": 40}})
    with Connection(gateway.port) as holder, Connection(gateway.port) as idle:
        idle.send(request_bytes(chat_body()))
        assert idle.read_answer().status == 200
        # Refused at its head when it says more.
        early = Connection(gateway.port)
        early.send(b"POST /v1/chat/completions HTTP/1.1\r\n")
        holder.send(request_bytes(headers=["Content-Length: 1900000"], sized=False)
                    + b"{" * 1_800_000)
        wait_until(lambda: gateway.metric("hyperion_admission_level") == 3, "the memory to be used")
        assert idle.read_rest() == b""  # Closed, since it was idle.
        early.send(request_bytes(chat_body()).split(b"\r\n", 1)[1])
        answer = early.read_answer()
        assert (answer.status, answer.code) == (503, "overloaded")
        assert "memory" in answer.error()["message"]
        before = gateway.metric("hyperion_connections_accepted_total")
        with Connection(gateway.port) as waiting:
            waiting.send(request_bytes(chat_body()))
            for _ in range(20):
                assert gateway.metric("hyperion_admission_level") == 3
            # Each look at the metrics was a connection to the admin side: only those came in.
            assert gateway.metric("hyperion_connections_accepted_total") == before + 21
            holder.socket.close()
            assert waiting.read_answer().status == 200
    wait_until(lambda: is_at_rest(gateway), "the gateway to be at rest")


def test_idle_connections_make_room_for_others(start_gateway, upstream):
    gateway = start_gateway({"server": {"connections_max": 39}})
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(Connection(gateway.port)) for _ in range(40)]
        for connection in held:
            connection.send(request_bytes(chat_body()))
            assert connection.read_answer().status == 200
        # 95 % of 40 are 38: the oldest go.
        assert held[0].read_rest() == held[1].read_rest() == b""
        wait_until(lambda: gateway.metric("hyperion_connections_open") <= 38, "the room")
        assert ask(gateway, chat_body()).status == 200
        held[-1].send(request_bytes(chat_body()))
        assert held[-1].read_answer().status == 200


def test_a_loop_that_has_too_much_to_do_takes_on_nothing_new(start_gateway, upstream):
    # A millisecond is soon had: each of these bodies takes several to be looked at.
    gateway = start_gateway({"admission": {"loop_lag_max_ms": 1}})
    body = chat_body(user="x" * 12_000_000, model="no-such-model")
    over = threading.Event()

    def load() -> None:
        while not over.is_set():
            with contextlib.suppress(ConnectionError, Closed), Connection(gateway.port) as one:
                one.send_quietly(request_bytes(body))
                one.read_answer()

    clients = [threading.Thread(target=load) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        wait_until(lambda: shed(gateway, reason="loop_lag", priority="normal") > 0, "a refusal")
    finally:
        over.set()
        for client in clients:
            client.join()
    wait_until(lambda: ask(gateway, chat_body()).status == 200, "the loop to be quick again")
    wait_until(lambda: is_at_rest(gateway), "the gateway to be at rest")
