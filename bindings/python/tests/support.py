"""What the tests share: a real ingest server.

The server is that of the wheel, ``logflux serve``, and what it holds is read back by ``logflux
query``. Every test has a node of its own, so that it finds its own messages.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import logflux

SECRET = "correct horse battery staple"
#: How long anything may take; no test is about that time.
ENOUGH = 60.0
ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(sysconfig.get_path("scripts")) / "logflux"


#: Runs Python code in an interpreter of its own.
Run = Callable[..., subprocess.CompletedProcess[str]]


def clean_environment() -> dict[str, str]:
    """The environment with nothing of ours in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LOGFLUX_")}


@dataclass
class Server:
    """An ingest server, its data, and a key for it."""

    data: Path
    process: subprocess.Popen[str] = field(init=False)
    url: str = field(init=False)
    key: str = field(init=False)

    def __post_init__(self) -> None:
        self.start("127.0.0.1:0")
        keys: list[str | Path] = [
            PROGRAM,
            "keys",
            "create",
            "--data",
            self.data,
            "--scope",
            "ingest,read",
        ]
        self.key = subprocess.run(keys, check=True, capture_output=True, text=True).stdout.strip()

    def start(self, listen: str) -> None:
        serve: list[str | Path] = [
            PROGRAM,
            "serve",
            "--dev",
            "--listen",
            listen,
            "--data",
            self.data,
        ]
        # Hundreds of processes of one address are what is tested here, not the server's limits.
        options = subprocess.run([PROGRAM, "serve", "--help"], check=True, capture_output=True)
        if b"--requests-per-address" in options.stdout:
            serve += ["--requests-per-key", "0", "--requests-per-address", "0"]
        self.process = subprocess.Popen(
            [*serve, "--log", "error"],
            stderr=subprocess.PIPE,
            env=clean_environment(),
            text=True,
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        assert line.startswith("listening on "), line
        self.url = line.split()[-1]

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to log to it."""
        return {
            **clean_environment(),
            "LOGFLUX_SERVER_URL": self.url,
            "LOGFLUX_API_KEY": self.key,
            "LOGFLUX_CA_FILE": str(self.data / "ca.pem"),
            "LOGFLUX_SECRET": SECRET,
        }

    def client(self, node: str, **settings: object) -> logflux.Client:
        """A client for it, in the mode whose keys come quickest."""
        given = {"ca_file": self.data / "ca.pem", "mode": logflux.Mode.HKDF, **settings}
        return logflux.Client(self.url, node, self.key, SECRET, **given)  # type: ignore[arg-type]

    def entries(self, node: str) -> list[dict[str, object]]:
        """What it holds of a node, opened, the oldest first."""
        query: list[str | Path] = [
            PROGRAM,
            "query",
            "--limit",
            "0",
            "--order",
            "asc",
            "--format",
            "json",
        ]
        done = subprocess.run(
            [*query, "--node", node], env=self.environment, check=True, capture_output=True
        )
        return [json.loads(line) for line in done.stdout.decode().split("\n") if line]

    def messages(self, node: str) -> list[str]:
        """The messages that it holds of a node, the oldest first."""
        return [str(entry["message"]) for entry in self.entries(node)]

    def events(self, node: str) -> list[dict[str, object]]:
        """The same, where each is a JSON object."""
        return [json.loads(message) for message in self.messages(node)]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()


def wait_for(condition: Callable[[], bool], found: Callable[[], object] = lambda: "") -> None:
    """Waits until a condition holds. What was ``found`` instead is in the failure."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < ENOUGH, f"the wait was in vain: {found()}"
        time.sleep(0.02)


@contextlib.contextmanager
def stopped(server: Server) -> Iterator[None]:
    """The server takes connections, and says nothing."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)
