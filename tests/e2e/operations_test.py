"""What operators do: start, check, reload, drain, stop; and what goes wrong at it, said clearly."""

import errno
import os
import signal
import socket
import stat
import subprocess

import pytest

from harness.conf import (
    CLIENT_KEY, OTHER_KEY, PROVIDER_KEY, PROVIDER_KEY_VARIABLE, base_conf, conf_text, merged,
    sha256_of,
)
from harness.exposition import parse_exposition
from harness.gateway import BINARY
from harness.refuse_io_uring import refuse_io_uring
from harness.running_stream import RunningStream
from harness.upstream import DONE, LAST_CHUNK, answering, plain_answer
from harness.waiting import DEADLINE_S, wait_until
from harness.wire import Closed, Connection, ask, chat_body, request_bytes

ENVIRONMENT = {"PATH": os.environ["PATH"], PROVIDER_KEY_VARIABLE: PROVIDER_KEY}


def run(folder, conf, *command, environment=None, **options):
    """Runs a command that is to end by itself; conf is text, a dict or the name of a file."""
    file = folder / "given.toml"
    if isinstance(conf, dict):
        conf = conf_text(conf)
    file.write_text(conf)
    return subprocess.run(
        [BINARY, *(command or ("serve",)), "-c", str(file)], capture_output=True, text=True,
        timeout=DEADLINE_S, env=environment or ENVIRONMENT, **options,
    )


@pytest.fixture
def conf(upstream, tmp_path):
    return base_conf(upstream.port, str(tmp_path / "requests.log"))


def test_a_reload_lets_new_keys_in_and_running_streams_go_on(start_gateway, upstream):
    gateway = start_gateway()
    stream = RunningStream(gateway, upstream)
    assert ask(gateway, chat_body(), key=OTHER_KEY).status == 401
    gateway.reload({"keys": [{"id": "other", "hash": sha256_of(OTHER_KEY)}]})
    wait_until(lambda: ask(gateway, chat_body(), key=OTHER_KEY).status == 200, "the new key")
    assert ask(gateway, chat_body(), key=CLIENT_KEY).status == 401
    assert DONE in stream.finish()


def test_a_reload_of_a_provider_takes_its_new_address(start_gateway, upstream):
    gateway = start_gateway({"provider": {"base_url": "http://127.0.0.1:1/v1"}})
    assert ask(gateway, chat_body()).status == 502
    gateway.reload({"provider": {"base_url": f"http://127.0.0.1:{upstream.port}/v2"}})
    wait_until(lambda: ask(gateway, chat_body()).status == 200, "the new address")
    assert upstream.requests[-1].line == "POST /v2/chat/completions HTTP/1.1"


def test_a_bad_file_at_reload_changes_nothing_and_is_reported(start_gateway, upstream):
    gateway = start_gateway()
    good = gateway.conf_file.read_text()
    for bad, said in (("not toml [", "hyperion.toml:1"), (good + "\n[nonsense]\n", "nonsense"),
                      (good.replace("shards", "shard"), "shards"), (None, "hyperion.toml")):
        before = len(gateway.lines)
        gateway.conf_file.unlink()
        if bad is not None:
            gateway.conf_file.write_text(bad)
        else:
            gateway.conf_file.mkdir()
        gateway.send_signal(signal.SIGHUP)
        wait_until(lambda: len(gateway.lines) > before, "the report")
        assert "reload refused" in "".join(gateway.lines[before:])
        assert said in "".join(gateway.lines[before:])
        assert ask(gateway, chat_body()).status == 200
        if bad is None:
            gateway.conf_file.rmdir()
            gateway.conf_file.write_text(good)


def test_a_ca_file_that_went_missing_at_reload_changes_nothing(start_gateway, upstream, tmp_path):
    gateway = start_gateway()
    provider = {"base_url": "https://localhost:1/v1", "ca_file": str(tmp_path / "missing.pem")}
    gateway.write_conf(merged(gateway.conf, {"provider": provider}))
    gateway.send_signal(signal.SIGHUP)
    gateway.wait_for_stderr("missing.pem")
    assert "reload refused" in gateway.stderr() and "conf reloaded" not in gateway.stderr()
    assert ask(gateway, chat_body()).status == 200


def test_sigterm_finishes_what_runs_and_takes_nothing_new(start_gateway, upstream):
    gateway = start_gateway()
    stream = RunningStream(gateway, upstream)
    with Connection(gateway.port) as idle:
        idle.send(request_bytes(chat_body()))
        assert idle.read_answer().status == 200
        gateway.send_signal(signal.SIGTERM)
        gateway.wait_for_stderr("draining")
        assert idle.read_rest() == b""
    with pytest.raises((ConnectionError, Closed)):
        ask(gateway, chat_body())
    assert gateway.process.poll() is None
    assert DONE in stream.finish()
    assert gateway.wait_for_exit() == 0
    outcomes = [line["outcome"] for line in gateway.log()]
    assert outcomes.count("answered") == 2 and "failed" not in outcomes


def test_a_second_sigterm_ends_what_runs(start_gateway, upstream):
    gateway = start_gateway()
    stream = RunningStream(gateway, upstream)
    gateway.send_signal(signal.SIGTERM)
    gateway.wait_for_stderr("draining")
    gateway.send_signal(signal.SIGTERM)
    gateway.expected_exit = 3
    assert gateway.wait_for_exit() == 3
    assert LAST_CHUNK not in stream.connection.read_rest()
    stream.gate.set()


def test_the_drain_has_an_end(start_gateway, upstream):
    times = {"upstream_total_ms": 900, "upstream_first_byte_ms": 900, "upstream_idle_ms": 900,
             "upstream_connect_ms": 300, "upstream_tls_handshake_ms": 300}
    gateway = start_gateway({"server": {"drain_s": 1}, "timeouts": times})
    upstream.handlers["never"] = lambda connection: connection.wait_until_peer_closes()
    with Connection(gateway.port) as connection:
        connection.send(request_bytes(chat_body(user="never")))
        upstream.wait_for_request()
        gateway.send_signal(signal.SIGTERM)
        assert gateway.wait_for_exit() in (0, 3)
        gateway.expected_exit = gateway.process.returncode


def test_a_port_in_use_is_said_and_nothing_started(conf, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        for section in ("server", "admin"):
            value = [address] if section == "server" else address
            done = run(tmp_path, merged(conf, {section: {"listen": value}}))
            assert done.returncode == 1
            lines = done.stderr.splitlines()[-2:]
            assert address in lines[0] and "in use" in lines[0]


def test_two_gateways_do_not_share_a_port(gateway, conf, tmp_path):
    done = run(tmp_path, merged(conf, {"server": {"listen": [f"127.0.0.1:{gateway.port}"]}}))
    assert done.returncode == 1 and "in use" in done.stderr


WRONG_CONFS = {
    "not TOML": ("[server\nlisten = 3", ["given.toml:1"]),
    "unknown key": ("[server]\nshards = 1\nconections_max = 5\n",
                    ["given.toml:3", "conections_max", "connections_max"]),
    "unknown section": ("[sever]\n", ["given.toml:1", "sever", "server"]),
    "wrong type": ("[server]\nshards = \"two\"\n", ["given.toml:2", "shards"]),
    "out of range": ("[limits]\njson_depth_max = 0\n", ["given.toml:2", "json_depth_max"]),
    "bad address": ("[server]\nlisten = [\"localhost\"]\n", ["given.toml:2", "listen"]),
    "unset variable": ("[[providers]]\nname = \"openai\"\napi_key_env = \"NOT_SET_HERE\"\n",
                       ["NOT_SET_HERE"]),
    "bad hash": ("[[keys]]\nid = \"x\"\nhash = \"sha256:12\"\n", ["given.toml:3", "hash"]),
}


@pytest.mark.parametrize("name", WRONG_CONFS)
def test_a_wrong_conf_is_told_by_line_and_remedy(tmp_path, name):
    text, said = WRONG_CONFS[name]
    done = run(tmp_path, text, "check")
    output = done.stdout + done.stderr
    assert all(part in output for part in said), output
    if name != "unset variable":
        assert done.returncode == 1
        started = run(tmp_path, text)
        assert started.returncode == 1
        assert all(part in started.stderr for part in said), started.stderr


def test_a_conf_that_cannot_be_read_is_said(tmp_path):
    for path in (tmp_path / "no-such.toml", tmp_path):
        for command in ("serve", "check"):
            done = subprocess.run([BINARY, command, "-c", str(path)], capture_output=True,
                                  text=True, timeout=DEADLINE_S, env=ENVIRONMENT)
            assert done.returncode == 1
            assert str(path) in done.stderr, done.stderr


def test_check_accepts_a_good_conf_and_shows_what_the_host_can_do(conf, tmp_path):
    done = run(tmp_path, conf, "check")
    assert done.returncode == 0, done.stderr
    assert "conf: good" in done.stdout and "io_uring" in done.stdout
    assert PROVIDER_KEY not in done.stdout + done.stderr


def test_without_the_providers_key_the_gateway_says_so_and_answers_clearly(start_gateway, upstream):
    gateway = start_gateway(environment={PROVIDER_KEY_VARIABLE: ""})
    gateway.wait_for_stderr(PROVIDER_KEY_VARIABLE)
    answer = ask(gateway, chat_body())
    assert (answer.status, answer.code) == (502, "upstream_credentials")
    assert not upstream.requests


def test_commands_and_arguments_that_do_not_exist_are_told(tmp_path):
    for arguments in (["serv"], ["serve", "--port", "1"], ["serve"], ["check", "-c"],
                      ["key", "create", "Not An Id"]):
        done = subprocess.run([BINARY, *arguments], capture_output=True, text=True,
                              timeout=DEADLINE_S, env=ENVIRONMENT)
        assert done.returncode == 2, arguments
        assert done.stderr.strip() and not done.stdout


def test_a_key_that_was_created_opens_the_gateway(start_gateway, upstream):
    done = subprocess.run([BINARY, "key", "create", "created"], capture_output=True, text=True)
    key = next(line.strip() for line in done.stdout.splitlines() if "sk_live_" in line)
    hash_ = next(line.split('"')[1] for line in done.stdout.splitlines() if "sha256:" in line)
    gateway = start_gateway({"keys": [{"id": "created", "hash": hash_}]})
    answer = ask(gateway, chat_body(), key=key)
    assert answer.status == 200
    assert gateway.wait_for_log(answer.request_id)["key"] == "created"


def test_the_log_is_opened_again_at_sighup(start_gateway, upstream):
    gateway = start_gateway()
    first = ask(gateway, chat_body())
    gateway.wait_for_log(first.request_id)
    moved = gateway.log_file.rename(gateway.folder / "requests.log.1")
    gateway.reload({})
    wait_until(gateway.log_file.exists, "the new log file")
    second = ask(gateway, chat_body())
    gateway.wait_for_log(second.request_id)
    assert second.request_id not in moved.read_text()
    assert first.request_id not in gateway.log_file.read_text()


def test_a_log_that_cannot_be_written_is_said(conf, tmp_path):
    done = run(tmp_path, merged(conf, {"log": {"target": "/nonexistent/folder/requests.log"}}))
    assert done.returncode == 1
    assert "/nonexistent/folder/requests.log" in done.stderr


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS])
def test_where_io_uring_is_refused_two_lines_say_what_and_what_to_do(conf, tmp_path, number):
    done = run(tmp_path, conf, preexec_fn=lambda: refuse_io_uring(number))
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 2, done.stderr
    assert "io_uring" in lines[0] and len(lines[1]) > 30
    check = run(tmp_path, conf, "check", preexec_fn=lambda: refuse_io_uring(number))
    assert check.returncode == 1 and "io_uring" in check.stdout + check.stderr


def test_the_metrics_page_is_an_exposition_and_counts_what_happened(start_gateway, upstream):
    gateway = start_gateway()
    ask(gateway, chat_body())
    ask(gateway, chat_body(stream=True))
    ask(gateway, chat_body(), key=None)
    samples = parse_exposition(gateway.metrics_text())
    assert samples[("hyperion_requests_total", (("outcome", "refused"),))] == 1
    assert samples[("hyperion_upstream_attempts_total", (("provider", "openai"),))] == 2
    tokens = (("gen_ai_token_type", "input"), ("provider", "openai"))
    assert samples[("gen_ai_client_token_usage_total", tokens)] == 11
    assert samples[("gen_ai_server_time_to_first_token_seconds_count", ())] == 1


def test_health_is_on_the_admin_side_and_on_the_public_one_where_the_conf_says(
    start_gateway, gateway
):
    class Admin:
        port = gateway.admin_port

    for path, word in (("/health/live", "live"), ("/health/ready", "ready")):
        answer = ask(Admin, method="GET", path=path, key=None)
        assert (answer.status, answer.json()) == (200, {"status": word})
        assert ask(gateway, method="GET", path=path, key=None).status == 404
    assert ask(gateway, method="GET", path="/metrics").status == 404
    assert ask(Admin, chat_body()).status == 404
    public = start_gateway({"admin": {"listen": "off", "public_health": True,
                                      "public_metrics": True}})
    assert ask(public, method="GET", path="/health/ready", key=None).status == 200
    page = ask(public, method="GET", path="/metrics", key=None)
    parse_exposition(page.body.decode())


def test_secrets_and_prompts_are_in_no_log_metric_or_error(start_gateway, upstream):
    gateway = start_gateway()
    prompt = "canary-prompt-4471"
    message = [{"role": "user", "content": prompt}]
    unauthorised = plain_answer(b'{"error": {"message": "bad key %s"}}' % PROVIDER_KEY.encode(),
                                "401 Unauthorized")
    answers = []
    for handler in (None, answering(unauthorised), answering(b"garbage", close=True)):
        upstream.handler = handler
        for stream in (False, True):
            answers.append(ask(gateway, chat_body(messages=message, stream=stream)))
    upstream.handler = None
    answers.append(ask(gateway, chat_body(messages=message, stream="canary-prompt-4471")))
    answers.append(ask(gateway, chat_body(messages=message)[:-1]))
    answers.append(ask(gateway, chat_body(messages=message), key="sk_live_canary-wrong-key"))
    gateway.reload({})
    gateway.wait_for_log(answers[-1].request_id)
    everything = gateway.log_file.read_text() + gateway.stderr() + gateway.metrics_text()
    everything += "".join(answer.body.decode() + str(answer.headers) for answer in answers)
    for secret in (prompt, PROVIDER_KEY, CLIENT_KEY, "canary-wrong-key"):
        assert secret not in everything, secret
    assert stat.S_IMODE(gateway.log_file.stat().st_mode) & stat.S_IWOTH == 0


def test_all_shards_serve(start_gateway, upstream):
    gateway = start_gateway({"server": {"shards": 2}})
    held = [Connection(gateway.port) for _ in range(24)]
    for connection in held:
        connection.send(request_bytes(chat_body()))
        assert connection.read_answer().status == 200
    samples = parse_exposition(gateway.metrics_text())
    open_in = [samples[("hyperion_connections_open", (("shard", str(n)),))] for n in range(2)]
    assert all(open_in) and sum(open_in) >= len(held)
    gateway.reload({"keys": [{"id": "other", "hash": sha256_of(OTHER_KEY)}]})
    for connection in held:
        connection.socket.close()

    def everywhere() -> bool:
        return all(ask(gateway, chat_body(), key=OTHER_KEY).status == 200 for _ in range(16))

    wait_until(everywhere, "the new key in both shards")
