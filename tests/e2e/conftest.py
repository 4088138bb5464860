"""Fixtures: a provider for each file, and a gateway in front of it."""

import pytest

from harness import matrix
from harness.gateway import Gateway
from harness.upstream import Upstream


@pytest.fixture(scope="module")
def provider():
    upstream = Upstream()
    yield upstream
    upstream.stop()


@pytest.fixture
def upstream(provider):
    """The file's provider, with nothing recorded and no handler set."""
    provider.reset()
    return provider


@pytest.fixture(scope="module")
def gateway(provider, request, tmp_path_factory):
    """The file's gateway; the file may name changes of the conf as CONF, or what makes them of the
    provider's port."""
    changes = getattr(request.module, "CONF", {})
    if callable(changes):
        changes = changes(provider.port)
    with Gateway(tmp_path_factory.mktemp("gateway"), provider.port, changes) as running:
        yield running


@pytest.fixture
def start_gateway(provider, tmp_path_factory):
    """Starts gateways of a test's own; each is stopped, and its end checked, after the test."""
    running = []

    def start(changes=None, upstream_port=None, environment=None, **options):
        folder = tmp_path_factory.mktemp("gateway")
        port = provider.port if upstream_port is None else upstream_port
        running.append(Gateway(folder, port, changes, environment, **options))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def pytest_terminal_summary(terminalreporter):
    """Prints the matrix of dialects, which its tests have put into their reports."""
    rows = [dict(report.user_properties)["matrix"]
            for reports in terminalreporter.stats.values() for report in reports
            if "matrix" in dict(getattr(report, "user_properties", []))
            and getattr(report, "when", "") == "call"]
    if rows:
        terminalreporter.section("client's dialect, provider's dialect")
        terminalreporter.write_line(matrix.table(rows))
