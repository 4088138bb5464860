"""Every client's dialect against every provider's: real clients, the real binary, and the simulated
provider behind it, in all the scenarios of harness/matrix.py.

What does not work is a hole. The holes that there may be stand in dialect_holes.toml, each with its
reason; one that is not there fails its test, and so does one that has been mended. The matrix is
printed at the end of the run.
"""

import tomllib
from pathlib import Path

import pytest

from dialects import openai_python
from harness.matrix import CLIENTS, COLUMNS, Judge, UPSTREAMS, all_scenarios, verdict
from harness.node import run_script
from harness.simulated import KEY, check_chat_answers, simulated_gateway

HERE = Path(__file__).parent
IN_PYTHON = [row for row in CLIENTS if row.startswith("openai python")]
CELLS = [(row, upstream) for row in CLIENTS for upstream in UPSTREAMS]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """(gateway, simulator) of all the scenarios."""
    with simulated_gateway(tmp_path_factory.mktemp("matrix")) as pair:
        yield pair


def put_in_python(ask, requests: list) -> list:
    answers = []
    for request in requests:
        if "results" in request:
            request = {**request, "previous": answers[-1]}
        answers.append(ask(request))
    return answers


@pytest.fixture(scope="module")
def lines_of_python(both) -> list:
    gateway, simulator = both
    lines = []
    for row, ask in openai_python.rows(gateway.url, KEY).items():
        for given in all_scenarios():
            simulator.ask("/_simulator/reset", "POST")
            line = {"row": row, "upstream": given["upstream"], "scenario": given["scenario"]}
            try:
                line["answers"] = put_in_python(ask, given["requests"])
            except Exception as error:  # Whatever it is, it is what this client makes of it.
                line["thrown"] = {"class": type(error).__name__,
                                  "status": getattr(error, "status_code", None),
                                  "text": f"{error} {getattr(error, 'body', '')}"}
            line["requests"] = simulator.ask("/_simulator/requests")
            line["bill"] = simulator.ask("/_simulator/bill")
            lines.append(line)
    return lines


@pytest.fixture(scope="module")
def lines_of_node(both) -> list:
    gateway, simulator = both
    context = {"gateway": gateway.url, "simulator": simulator.url, "key": KEY,
               "scenarios": all_scenarios()}
    return run_script("run.mjs", context, 240)


def holes_allowed() -> dict:
    """{(row, upstream, column): reason}."""
    document = tomllib.loads((HERE / "dialect_holes.toml").read_text(encoding="utf-8"))
    holes = {}
    for hole in document.get("holes", []):
        assert set(hole) == {"client", "upstream", "columns", "reason"}, hole
        for column in hole["columns"]:
            key = (hole["client"], hole["upstream"], column)
            assert hole["client"] in CLIENTS and hole["upstream"] in UPSTREAMS, key
            assert column in COLUMNS and key not in holes and hole["reason"], key
            holes[key] = hole["reason"]
    return holes


@pytest.mark.parametrize("row,upstream", CELLS, ids=[f"{row} to {to}" for row, to in CELLS])
def test_a_client_sees_what_the_provider_said(row, upstream, both, request, record_property):
    lines = request.getfixturevalue("lines_of_python" if row in IN_PYTHON else "lines_of_node")
    complaints = {column: [] for column in COLUMNS}
    scenarios = 0
    for line in lines:
        if (line["row"], line["upstream"]) == (row, upstream):
            scenarios += 1
            judge = Judge(line, both[1].url)
            complaints[judge.column] += [f"{line['scenario']}: {complaint}"
                                         for complaint in judge.judged()]
    assert scenarios == len(all_scenarios()) / len(UPSTREAMS)
    record_property("matrix", (row, upstream, [not complaints[column] for column in COLUMNS]))
    allowed = {column for client, to, column in holes_allowed() if (client, to) == (row, upstream)}
    wrong = verdict(complaints, allowed)
    assert not wrong, wrong


@pytest.mark.parametrize("clients", ["lines_of_python", "lines_of_node"])
def test_what_openais_chat_clients_got_is_of_its_schema(both, clients, request):
    lines = request.getfixturevalue(clients)
    rows = {line["row"] for line in lines if CLIENTS[line["row"]][0] == "chat"}
    requests = sum(len(line["requests"]) for line in lines
                   if line["row"] in rows and line["upstream"] != "chat")
    assert rows and check_chat_answers(both[0].tap) > requests > 0


def test_holes_must_be_just_those_that_are_listed():
    complaints = {"plain": ["saw nothing"], "image": [], "error": []}
    assert verdict(complaints, {"plain"}) == ""
    assert "plain, saw nothing" in verdict(complaints, set())
    assert "it works: image" in verdict(complaints, {"plain", "image"})
