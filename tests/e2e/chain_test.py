"""Who takes over when a candidate fails before anything was said."""

import http.client
import json
import urllib.error
import urllib.request

import pytest

from harness.demo import DEMO_KEY, Demo

QUESTION = [{"role": "user", "content": "Generate a report."}]
CHAIN = {"fallbacks": ["gpt-4o-mini", "claude-haiku-4-5"]}


@pytest.fixture(scope="module")
def demo():
    with Demo() as running:
        yield running


def ask(demo, faults="", **body):
    request = urllib.request.Request(
        demo.url + "/chat/completions",
        json.dumps({"messages": QUESTION, **body}).encode(),
        {
            "authorization": "Bearer " + DEMO_KEY,
            "content-type": "application/json",
            **({"x-hyperion-fault": faults} if faults else {}),
        },
    )
    try:
        answer = urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    try:
        text = answer.read()
    except http.client.IncompleteRead as broken:  # A stream that was cut ends without its end.
        text = broken.partial
    return answer.status, answer.headers, text.decode()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("503", "overload"),
        ("500", "server"),
        ("429", "rate_limit"),
        ("408", "timeout"),
        ("401", "bad_key"),
        ("404", "no_model"),
        ("reset", "server"),
        ("garbage", "server"),
    ],
)
def test_what_another_could_do_better_goes_to_the_next(demo, fault, reason, stream):
    status, headers, text = ask(demo, "gpt-4o=" + fault, model="gpt-4o", hyperion=CHAIN,
                                stream=stream)
    assert status == 200, text
    assert headers["x-hyperion-fallback-index"] == "1"
    assert headers["x-hyperion-fallback-reason"] == reason
    assert headers["x-hyperion-model"].startswith("gpt-4o-mini-")
    assert headers["x-hyperion-requested-model"] == "gpt-4o"
    assert text.count("[DONE]") == int(stream), "one answer, never two"


@pytest.mark.parametrize("fault", ["400", "413", "422"])
def test_the_clients_own_fault_moves_nothing(demo, fault):
    status, headers, _ = ask(demo, "gpt-4o=" + fault, model="gpt-4o", hyperion=CHAIN)
    assert status == int(fault)
    assert "x-hyperion-fallback-index" not in headers
    assert headers["x-hyperion-attempts"] == "1"


def test_a_stream_that_has_spoken_is_never_begun_again(demo):
    status, headers, text = ask(demo, "gpt-4o=cut:3", model="gpt-4o", hyperion=CHAIN, stream=True)
    assert status == 200 and headers["x-hyperion-attempts"] == "1"
    assert "upstream_stream_cut" in text and "[DONE]" not in text


def test_a_stream_that_breaks_before_its_first_word_goes_to_the_next(demo):
    status, headers, text = ask(demo, "gpt-4o=cut:0", model="gpt-4o", hyperion=CHAIN, stream=True)
    assert status == 200 and headers["x-hyperion-fallback-index"] == "1"
    assert text.count("[DONE]") == 1


def test_when_all_have_failed_the_answer_names_each(demo):
    faults = "gpt-4o=503, gpt-4o-mini=429, claude-haiku-4-5=reset"
    status, headers, text = ask(demo, faults, model="gpt-4o", hyperion=CHAIN)
    error = json.loads(text)["error"]
    assert status == 502 and error["code"] == "all_upstreams_failed"
    assert headers["x-should-retry"] == "false"
    for said in ("gpt-4o-2024-11-20 (overload)", "gpt-4o-mini-2024-07-18 (rate_limit)",
                 "claude-haiku-4-5-20251001 (server)"):
        assert said in error["message"]


def test_root_fallbacks_are_read_alike(demo):
    status, headers, _ = ask(demo, "gpt-4o=503", model="gpt-4o", fallbacks=["claude-haiku-4-5"])
    assert status == 200 and headers["x-hyperion-provider"] == "anthropic"


def test_a_failing_pick_of_smart_routing_gives_way_to_the_asked_model(demo):
    picked = ask(demo, model="gpt-5.2", smart_routing=True)[1]["x-hyperion-model"]
    assert not picked.startswith("gpt-5.2")
    status, headers, _ = ask(demo, picked + "=503", model="gpt-5.2", smart_routing=True)
    assert status == 200 and headers["x-hyperion-model"].startswith("gpt-5.2-")
    assert headers["x-hyperion-fallback-index"] == "1"


def test_a_failing_pick_of_auto_gives_way_to_the_next_ranked(demo):
    first = ask(demo, model="auto")[1]["x-hyperion-model"]
    status, headers, _ = ask(demo, first + "=503", model="auto")
    assert status == 200 and headers["x-hyperion-model"] != first
    assert headers["x-hyperion-route"] == "auto"


@pytest.mark.parametrize(
    ("fallbacks", "status", "param"),
    [
        (["gpt-4o-mini"] * 9, 400, "hyperion.fallbacks"),
        ("gpt-4o-mini", 400, "hyperion.fallbacks"),
    ],
)
def test_a_wrong_fallback_is_refused_by_its_place(demo, fallbacks, status, param):
    got, _, text = ask(demo, model="gpt-4o", hyperion={"fallbacks": fallbacks})
    assert (got, json.loads(text)["error"]["param"]) == (status, param)


def test_names_that_can_serve_nothing_are_left_out_and_named(demo):
    names = ["no-such-model", "gpt-4o", "gpt-4o-mini", "gpt-4o-mini", ""]
    status, headers, text = ask(demo, "gpt-4o=503", model="gpt-4o", fallbacks=names)
    assert status == 200, text
    assert headers["x-hyperion-model"].startswith("gpt-4o-mini")
    assert headers["x-hyperion-fallback-index"] == "3"
    assert headers["x-hyperion-fallback-skipped"] == (
        "hyperion.fallbacks[0] (unknown); hyperion.fallbacks[1] (duplicate); "
        "hyperion.fallbacks[3] (duplicate); hyperion.fallbacks[4] (unknown)")
    # Nobody else is left: the client hears of the failure, and of what was left out.
    status, _, text = ask(demo, "gpt-4o=503", model="gpt-4o", fallbacks=["no-such-model"])
    assert status == 503


def test_a_fallback_that_cannot_do_it_is_left_out_and_named(demo):
    picture = [{"role": "user", "content": [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]}]
    status, headers, text = ask(demo, "gpt-4o=503", model="gpt-4o", messages=picture,
                                hyperion={"fallbacks": ["gpt-3.5-turbo", "gpt-4o-mini"]})
    assert status == 200, text
    assert headers["x-hyperion-model"].startswith("gpt-4o-mini")
    assert "hyperion.fallbacks[0]" in headers["x-hyperion-dropped-params"]
