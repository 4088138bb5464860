"""JSON, event streams and nasty strings over loopback: refused before anything is sent, or carried
unchanged; whatever they hold, answers, log and metrics stay well formed."""

import json
import re
import subprocess

from harness.conf import MODEL, conf_text, merged, sha256_of
from harness.exposition import parse_exposition
from harness.gateway import BINARY
from harness.shared_data import read_cases, shared_folder
from harness.upstream import DONE, answering, event, plain_answer, streaming
from harness.wire import Connection, ask, chat_body, check_error, request_bytes


def json_files(folder: str) -> list:
    files = sorted(shared_folder("suites", "json-parsing", folder).glob("*.json"))
    assert len(files) > 10
    return [(file.name, file.read_bytes()) for file in files]


def embedded(text: bytes) -> bytes:
    return b'{"model":"%s","messages":[],"x":%s}' % (MODEL.encode(), text)


def post(connection: Connection, body: bytes, **options):
    connection.send(request_bytes(body, **options))
    return connection.read_answer()


def test_invalid_json_is_refused_and_valid_json_carried_as_it_is(gateway, upstream):
    verdicts = set()
    with Connection(gateway.port) as connection:
        for name, text in json_files("test_parsing"):
            body = embedded(text)
            answer = post(connection, body)
            if name.startswith("y_"):
                assert answer.status == 200, (name, answer.body)
            if name.startswith("n_"):
                assert answer.status == 400, (name, answer.status)
            if answer.status == 200:
                assert upstream.requests.pop().body == body, name
            else:
                assert answer.code in ("invalid_json", "invalid_request"), name
                assert answer.header("connection") is None, name
            assert not upstream.requests, name
            verdicts.add((name[0], answer.status))
    assert {("y", 200), ("n", 400)} <= verdicts


def test_no_file_that_is_not_a_request_is_taken_for_one(gateway, upstream):
    with Connection(gateway.port) as connection:
        for folder in ("test_parsing", "test_transform"):
            for name, text in json_files(folder):
                answer = post(connection, text)
                assert answer.status == 400, (name, answer.status)
                assert answer.code in ("invalid_json", "invalid_request"), name
    assert not upstream.requests


def test_legal_but_odd_json_is_carried_as_it_is(gateway, upstream):
    for name, text in json_files("test_transform"):
        answer = ask(gateway, embedded(text))
        if answer.status == 200:
            assert upstream.requests.pop().body == embedded(text), name
        else:
            # Text that is not UTF-8.
            assert answer.code == "invalid_json", (name, answer.body)
        assert not upstream.requests


def test_a_providers_body_may_be_anything(gateway, upstream):
    with Connection(gateway.port) as connection:
        for name, text in json_files("test_parsing"):
            upstream.handler = answering(plain_answer(text))
            answer = post(connection, chat_body())
            assert (answer.status, answer.body) == (200, text), name


def test_a_providers_events_may_hold_anything(gateway, upstream):
    for name, text in json_files("test_parsing"):
        part = b"data: " + text + b"\n\n"
        upstream.handler = streaming(event("One"), part, DONE)
        answer = ask(gateway, chat_body(stream=True))
        assert answer.complete and answer.body == event("One") + part + DONE, name
        # Before anything was sent, too.
        upstream.handler = streaming(part, event("One"), DONE)
        answer = ask(gateway, chat_body(stream=True))
        assert answer.complete and answer.body == part + event("One") + DONE, name


def test_event_streams_come_through_unchanged_when_they_end(gateway, upstream):
    cases = read_cases("suites", "sse-parsing", "cases.jsonl")
    assert len(cases) > 60
    for case in cases:
        for begin in (b"", event("One")):
            data = begin + case["stream"] + b"\n\n" + DONE
            pieces = [data[at : at + 7] for at in range(0, len(data), 7)]
            for parts in ([data], pieces):
                upstream.handler = streaming(*parts)
                answer = ask(gateway, chat_body(stream=True))
                assert answer.status == 200 and answer.complete, (case, answer)
                assert answer.body == data, case


def test_event_streams_without_their_end_never_end_clean(gateway, upstream):
    for case in read_cases("suites", "sse-parsing", "cases.jsonl"):
        if b"[DONE]" in case["stream"]:
            continue
        for begin in (b"", event("One")):
            data = begin + case["stream"]
            upstream.handler = streaming(data) if data else streaming()
            answer = ask(gateway, chat_body(stream=True))
            if answer.status == 200:
                assert not answer.complete, case
                sent, _, last = answer.body.rpartition(b"data: ")
                assert data.startswith(sent), case
                if data.startswith(answer.body):
                    assert json.loads(last)["error"], case  # The provider's own words.
                else:
                    assert check_error(json.loads(last))["code"] == "upstream_stream_cut", case
            else:
                assert (answer.status, answer.code) == (502, "all_upstreams_failed"), case


def nasty_strings() -> list:
    folder = shared_folder("suites", "naughty-strings")
    strings = json.loads((folder / "strings.json").read_text(encoding="utf-8"))
    found = [text for text in flatten(strings) if text]
    assert len(found) > 350
    return found


def flatten(value) -> list:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value
    return [text for item in items for text in flatten(item)]


def test_nasty_model_names_are_unknown_and_do_no_harm(gateway, upstream):
    names = nasty_strings()
    asked = {}
    with Connection(gateway.port) as connection:
        for name in names:
            body = json.dumps({"model": name, "messages": []}, ensure_ascii=False).encode()
            answer = post(connection, body)
            assert (answer.status, answer.code) == (404, "model_not_found"), name
            asked[answer.request_id] = name
    gateway.wait_for_log(answer.request_id)
    logged = {line["id"]: line.get("requested_model") for line in gateway.log()}
    for request_id, name in asked.items():
        assert name.startswith(logged[request_id].rstrip("\ufffd")), name
    assert not upstream.requests


def test_nasty_content_reaches_the_provider_and_comes_back_unchanged(gateway, upstream):
    with Connection(gateway.port) as connection:
        for ascii_only in (False, True):
            for text in nasty_strings():
                body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": text}]},
                                  ensure_ascii=ascii_only).encode()
                upstream.handler = answering(plain_answer(body, "400 Bad Request"))
                answer = post(connection, body)
                assert answer.status == 400 and answer.body == body, text
                assert upstream.requests.pop().body == body, text


def test_nasty_header_values_are_carried_or_refused_and_never_split(gateway, upstream):
    carried = 0
    for text in nasty_strings():
        value = text.strip(" \t").encode()
        if not value or b"\n" in value or b"\r" in value:
            continue
        data = request_bytes(chat_body())
        data = data.replace(b"\r\n\r\n", b"\r\ntracestate: " + value + b"\r\n\r\n", 1)
        with Connection(gateway.port) as connection:
            connection.send(data)
            answer = connection.read_answer()
        if answer.status == 200:
            sent = upstream.requests.pop().header("tracestate")
            # What is longer than the gateway carries is left out whole.
            assert sent is None and len(value) > 512 or sent.encode("latin-1") == value, text
            carried += sent is not None
        else:
            assert answer.status == 400 and answer.code == "invalid_request", (text, answer)
            assert any(byte < 32 or byte == 127 for byte in value), text
        assert not upstream.requests
    assert carried > 250


def test_nasty_provider_headers_are_carried_or_dropped_and_never_split(gateway, upstream):
    for text in nasty_strings():
        value = text.encode()
        if b"\n" in value or b"\r" in value:
            continue
        whole = plain_answer(b"{}", headers=["X-Request-Id: @"]).replace(b"@", value)
        upstream.handler = answering(whole)
        answer = ask(gateway, chat_body())
        if answer.status == 200:
            assert answer.body == b"{}"
        else:
            assert (answer.status, answer.code) == (502, "all_upstreams_failed"), text


def test_log_and_metrics_are_still_well_formed(gateway):
    shared_folder("suites")  # what went before was skipped without it
    assert len(gateway.log()) > 500
    parse_exposition(gateway.metrics_text())


def is_plain_name(text: str) -> bool:
    return all("!" <= letter <= "~" and letter not in "\"\\" for letter in text)


def test_nasty_names_in_the_conf_do_no_harm(start_gateway, upstream):
    names = sorted({text for text in nasty_strings() if is_plain_name(text)})
    assert len(names) > 60
    keys = [
        {"id": f"key-{number}", "hash": sha256_of(f"sk_live_{number}"), "name": text}
        for number, text in enumerate(nasty_strings())
        if not re.search(r"[\x00-\x1f\x7f]", text)
    ]
    gateway = start_gateway({"aliases": {name: MODEL for name in names}, "keys": keys})
    key = "sk_live_7"
    for name in names:
        answer = ask(gateway, json.dumps({"model": name, "messages": []}).encode(), key=key)
        assert answer.status == 200, name
        assert answer.header("x-hyperion-requested-model") == name
    listed = ask(gateway, method="GET", path="/v1/models", key=key).json()["data"]
    assert set(names) <= {model["id"] for model in listed}
    parse_exposition(gateway.metrics_text())


def test_names_that_no_header_could_carry_are_refused_with_their_line(gateway, tmp_path):
    names = sorted({text for text in nasty_strings() if not is_plain_name(text)})
    for name in names[::12]:
        file = tmp_path / "nasty.toml"
        file.write_text(conf_text(merged(gateway.conf, {"aliases": {name: MODEL}})))
        line = file.read_text().split("\n").index("[aliases]") + 2
        done = subprocess.run([BINARY, "check", "-c", str(file)], env=gateway.environment,
                              capture_output=True)
        assert done.returncode == 1, name
        assert b"nasty.toml:%d: " % line in done.stderr, (name, done.stderr)
        assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", done.stderr), (name, done.stderr)
