#!/usr/bin/env python3
"""Runs the test suites, some side by side, and says of each how it ended.

The suites of Rust are the test programs that ``cargo test --workspace`` runs one after the other.
What takes longest begins first. Arguments choose suites by a part of their names. The output of a
suite that fails is shown, and the exit status is 1. ``make test`` builds what this needs.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
CARGO = os.environ.get("CARGO", "cargo")
PROGRAM = TARGET / "debug/logflux"
#: Suites wait for servers, clocks and disks as well as compute.
AT_ONCE = (os.cpu_count() or 1) + 1
#: The suites that take minutes, the longest first.
LONG = [
    *["c", "certified", "broken_subjects", "aws-lc", "python", "api", "documents", "program"],
    *["node", "schemathesis", "unoptimised", "go", "java"],
]


@dataclass
class Suite:
    """A command, and where it runs."""

    name: str
    command: list[str | Path]
    folder: Path = ROOT
    variables: dict[str, str] = field(default_factory=dict)

    def run(self) -> tuple[int, str, float]:
        """Its exit status, its output, and the seconds that it took."""
        begun = time.monotonic()
        done = subprocess.run(
            self.command,
            cwd=self.folder,
            env={**os.environ, **self.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        return done.returncode, done.stdout, time.monotonic() - begun


def rust() -> list[Suite]:
    """The test programs of the workspace, which are built here, and the examples in documents."""
    build = [CARGO, "test", "--locked", "--workspace", "--no-run", "--message-format=json"]
    built = subprocess.run(build, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    suites = []
    for line in built.stdout.splitlines():
        message = json.loads(line)
        program = message.get("executable")
        if program is None or not message["profile"]["test"]:
            continue
        # As `cargo test` runs them.
        folder, target = Path(message["manifest_path"]).parent, message["target"]
        name = target["name"] if target["kind"] == ["test"] else f"{folder.name}/{target['name']}"
        suites.append(Suite(name, [program], folder, {"CARGO_MANIFEST_DIR": str(folder)}))
    documents: list[str | Path] = [CARGO, "test", "--locked", "--workspace", "--doc"]
    return [*suites, Suite("documents", documents)]


def others() -> list[Suite]:
    """The suites of the other languages, and those of Rust that need a build of their own."""
    program = {"LOGFLUX_PROGRAM": str(PROGRAM)}
    ask = ["tests/schemathesis/run.sh", PROGRAM, TARGET / "schemathesis/bin/schemathesis"]
    test: list[str | Path] = [CARGO, "test", "--locked"]
    packages = ["-p", "logflux-envelope", "-p", "logflux-certify"]
    # As in a debug build of an application, which the profiles of this workspace do not reach.
    unoptimised = ["--config", "profile.dev.package.logflux-kdf.opt-level=0"]
    apart = ["--lib", "--tests", "--target-dir", TARGET / "unoptimised"]
    return [
        Suite("python", ["bindings/python/test.sh"]),
        Suite("node", ["bindings/node/test.sh"], variables=program),
        Suite("java", ["bindings/java/test.sh"], variables=program),
        Suite("go", ["bindings/go/test.sh"], variables=program),
        Suite("schemathesis", ask),
        Suite("aws-lc", [*test, *packages, "--features", "logflux-certify/aws-lc"]),
        Suite("unoptimised", [*test, "-p", "logflux-kdf", *apart, *unoptimised]),
    ]


def passed(output: str) -> str:
    """How many tests have passed, where the output says so."""
    count = sum(int(number) for number in re.findall(r"\b(\d+) (?:tests )?passed", output))
    return f", {count} passed" if count else ""


def main() -> int:
    """Runs the suites that the arguments name, or all."""
    # Tests send signals to what they start. A shell ignores some in what it runs in the background,
    # `nohup` does as well, and children inherit it.
    for ignored in (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(ignored, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    suites = rust() + others()
    if sys.argv[1:]:
        suites = [s for s in suites if any(part in s.name for part in sys.argv[1:])]
    order = {name: place for place, name in enumerate(LONG)}
    suites.sort(key=lambda suite: order.get(suite.name, len(LONG)))
    failed = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(suite.run): suite for suite in suites}
        for number, done in enumerate(as_completed(running), 1):
            suite = running[done]
            status, output, seconds = done.result()
            how = "ok" if status == 0 else f"FAILED with {status}"
            said = f"{suite.name}: {how}{passed(output)}, {seconds:.0f} s"
            print(f"[{number}/{len(suites)}] {said}", flush=True)
            if status != 0:
                failed.append(suite.name)
                print(output, flush=True)
    if failed:
        print(f"error: {len(failed)} of {len(suites)} suites failed: {', '.join(failed)}")
    return 1 if failed or not suites else 0


if __name__ == "__main__":
    sys.exit(main())
