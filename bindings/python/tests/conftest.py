"""The fixtures."""

from __future__ import annotations

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

import logflux
from logflux import _process
from support import ENOUGH, Run, Server

# A shell has what it runs in the background ignore it, and so would the programs of the tests.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says nothing on a busy machine.
hypothesis.settings.register_profile("logflux", deadline=None, database=None)
hypothesis.settings.load_profile("logflux")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of all tests that leave it alone."""
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server that a test may harm."""
    server = Server(tmp_path / "server")
    yield server
    server.stop()


@pytest.fixture
def node() -> str:
    """The name of a sender that nobody else has."""
    return f"node-{uuid.uuid4().hex[:12]}"


@pytest.fixture(autouse=True)
def without_a_process_client() -> Iterator[None]:
    """No test leaves the next one a client, or a handler of a signal."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    logflux.close(0)
    # What is said of the client that was closed last.
    _process._last = None
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def run(server: Server, node: str, tmp_path: Path) -> Run:
    """Runs Python code in an interpreter of its own, with all that it needs to log."""

    def run(
        code: str, *options: str, mode: int = 128, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "program.py"
        preamble = f"import logflux\nMODE = {mode}\n"
        file.write_text(preamble + code, encoding="utf-8")
        return subprocess.run(
            [sys.executable, *options, str(file)],
            env={**server.environment, "LOGFLUX_NODE": node, **variables},
            capture_output=True,
            text=True,
            timeout=ENOUGH,
            cwd=tmp_path,
            check=False,
        )

    return run
