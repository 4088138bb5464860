"""TLS on both sides: certificates are made at test time, names and roots are checked."""

import ssl
import subprocess

import pytest

from harness.certificates import Authority
from harness.conf import CLIENT_KEY
from harness.upstream import Upstream
from harness.wire import Connection, ask, chat_body, request_bytes


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def inbound(authority):
    certificate, key = authority.issue("localhost")
    return {"tls": {"listen": ["127.0.0.1:0"], "certificate_file": str(certificate),
                    "key_file": str(key)}}


def test_clients_are_served_over_tls(start_gateway, upstream, authority, inbound):
    gateway = start_gateway(inbound)
    for stream in (False, True):
        with Connection(gateway.tls_port, context=authority.client_context()) as connection:
            for _ in range(3):
                connection.send(request_bytes(chat_body(stream=stream)))
                answer = connection.read_answer()
                assert (answer.status, answer.complete) == (200, True)
    large = chat_body(user="x" * 3_000_000)
    with Connection(gateway.tls_port, context=authority.client_context()) as connection:
        connection.send(request_bytes(large))
        assert connection.read_answer().status == 200
    assert upstream.requests[-1].body == large


def test_curl_trusts_the_certificate_by_its_root_only(start_gateway, upstream, authority, inbound):
    gateway = start_gateway(inbound)
    url = f"https://localhost:{gateway.tls_port}/v1/models"
    command = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--resolve",
               f"localhost:{gateway.tls_port}:127.0.0.1", "-H",
               f"Authorization: Bearer {CLIENT_KEY}", url]
    trusted = subprocess.run([*command, "--cacert", str(authority.ca_file)], capture_output=True,
                             text=True)
    assert (trusted.returncode, trusted.stdout) == (0, "200"), trusted.stderr
    assert subprocess.run(command, capture_output=True).returncode != 0


def test_plain_bytes_on_the_tls_port_do_no_harm(start_gateway, upstream, authority, inbound):
    gateway = start_gateway(inbound)
    for data in (request_bytes(chat_body()), b"\x16\x03\x01\xff\xff" + b"x" * 70_000, b"\0" * 9):
        with Connection(gateway.tls_port) as connection:
            connection.send_quietly(data)
            connection.end_sending()
            assert b"HTTP/1.1 200" not in connection.read_rest()
    with Connection(gateway.tls_port, context=authority.client_context()) as connection:
        connection.send(request_bytes(chat_body()))
        assert connection.read_answer().status == 200
    assert len(upstream.requests) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_of_tls_are_refused(start_gateway, authority, inbound):
    gateway = start_gateway(inbound)
    context = authority.client_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError) as raised:
        Connection(gateway.tls_port, context=context)
    assert "ALERT" in str(raised.value), "refused by this client, not by the gateway"


def test_a_key_that_does_not_fit_is_said_at_the_start(start_gateway, authority, inbound):
    _, key = authority.issue("other.test")
    with pytest.raises(AssertionError) as raised:
        start_gateway({"tls": {**inbound["tls"], "key_file": str(key)}})
    assert "[tls]" in str(raised.value) or "key_file" in str(raised.value)


def tls_provider(name: str, authority: Authority, ca_file: bool = True, **more) -> tuple:
    upstream = Upstream(context=authority.server_context(name))
    provider = {"base_url": f"https://localhost:{upstream.port}/v1", **more}
    if ca_file:
        provider["ca_file"] = str(authority.ca_file)
    return upstream, {"provider": provider}


def test_a_provider_with_a_certificate_of_a_private_root_is_trusted_by_ca_file(
    start_gateway, authority
):
    upstream, changes = tls_provider("localhost", authority)
    gateway = start_gateway(changes)
    body = chat_body(user="x" * 500_000)
    for stream in (False, True, False):
        answer = ask(gateway, chat_body(stream=stream))
        assert (answer.status, answer.complete) == (200, True)
    assert ask(gateway, body).status == 200
    assert upstream.requests[-1].body == body
    assert len(upstream.connections) == 1


def test_another_name_in_the_certificate_can_be_asked_for(start_gateway, authority):
    upstream, changes = tls_provider("api.test", authority, tls_server_name="api.test")
    assert ask(start_gateway(changes), chat_body()).status == 200
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("why", ["wrong host", "unknown root"])
def test_a_provider_whose_certificate_is_wrong_gets_nothing(start_gateway, authority, why):
    name = "other.test" if why == "wrong host" else "localhost"
    upstream, changes = tls_provider(name, authority, ca_file=why == "wrong host")
    gateway = start_gateway(changes)
    for _ in range(2):
        answer = ask(gateway, chat_body())
        assert (answer.status, answer.code) == (502, "all_upstreams_failed")
        assert "TLS" in answer.error()["message"]
        line = gateway.wait_for_log(answer.request_id)
        assert (line["error"], line["end"]) == ("tls_certificate", "UC")
    assert not upstream.requests


def test_a_ca_file_that_cannot_be_read_is_said_at_the_start(start_gateway, tmp_path):
    with pytest.raises(AssertionError) as raised:
        start_gateway({"provider": {"base_url": "https://localhost:1/v1",
                                    "ca_file": str(tmp_path / "missing.pem")}})
    assert "missing.pem" in str(raised.value)
