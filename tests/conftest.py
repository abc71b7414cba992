# SPDX-License-Identifier: Apache-2.0
"""What all tests share: the switches ``--long`` and ZONEGATE_NOTHING_SKIPPED, real servers to run on, and the
counts that proofs state."""

from __future__ import annotations

import os
import secrets
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from zonegate.children import OwnMosquitto, OwnPostgres, mosquitto_program, postgres_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterable

STRICT = "ZONEGATE_NOTHING_SKIPPED"
CONFORMANCE = "ZONEGATE_CONFORMANCE_DATA"
NOT_INSTALLABLE = "not installable:"

# No example is too slow: a busy machine is no finding. The rest stays as it is, also hypothesis' own for CI.
settings.register_profile(
    "unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")


class MosquittoMaker(Protocol):
    """``await mosquitto(config=[...], files={...})``: a started broker, ended with the test.

    ``files`` are laid into the broker's folder first; config lines name them as ``{folder}/NAME``.
    """

    async def __call__(
        self, config: Iterable[str] = (), files: dict[str, bytes] | None = None
    ) -> OwnMosquitto: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the tests marked long as well")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Under ZONEGATE_NOTHING_SKIPPED=1 a skip is a failure, but for what no installer could bring."""
    if os.environ.get(STRICT) != "1" or report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if reason.startswith(NOT_INSTALLABLE) or (CONFORMANCE in reason and CONFORMANCE not in os.environ):
        return
    report.outcome = "failed"
    report.longrepr = f"skipped although {STRICT}=1: {reason}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What passed tests print is what they counted: it is told, in whichever process they ran."""
    told: dict[str, list[str]] = {}
    for report in terminalreporter.getreports("passed"):
        if report.when == "call" and report.capstdout:
            told.setdefault(report.nodeid.partition("::")[0], []).extend(report.capstdout.splitlines())
    if told:
        terminalreporter.section("counted")
    for path, lines in sorted(told.items()):
        terminalreporter.write("".join(f"{line}\n" for line in (path, *(f"    {line}" for line in lines))))


@pytest.fixture(scope="session")
def conformance_data() -> Path:
    """The folder of published examples and schemas that may not be shipped with the project."""
    folder = os.environ.get(CONFORMANCE)
    if not folder:
        pytest.skip(f"no conformance data: set {CONFORMANCE} to its folder")
    return Path(folder)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OwnPostgres]:
    """One PostgreSQL for the whole run. Tests that must stop or kill theirs start an OwnPostgres."""
    if postgres_folder() is None:
        pytest.skip("PostgreSQL is missing: ./dev test brings it")
    async with OwnPostgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest_asyncio.fixture
async def postgres(postgres_server: OwnPostgres) -> AsyncIterator[str]:
    """The address of an empty database of this test's own."""
    name = f"t_{secrets.token_hex(6)}"
    yield await postgres_server.create_database(name)
    await postgres_server.drop_database(name)


@pytest_asyncio.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[MosquittoMaker]:
    """Starts as many Mosquittos as a test asks for, each with its own port and folder."""
    if mosquitto_program() is None:
        pytest.skip("Mosquitto is missing: ./dev test brings it")
    async with AsyncExitStack() as stack:
        made = 0

        async def make(config: Iterable[str] = (), files: dict[str, bytes] | None = None) -> OwnMosquitto:
            nonlocal made
            made += 1
            broker = OwnMosquitto(tmp_path / f"broker{made}")
            broker.config = [line.replace("{folder}", str(broker.folder)) for line in config]
            for name, content in (files or {}).items():
                (broker.folder / name).write_bytes(content)
            return await stack.enter_async_context(broker)

        yield make
