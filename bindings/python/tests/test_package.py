"""The package as it is installed."""

from __future__ import annotations

import importlib.metadata
import inspect
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

import logflux
from support import PROGRAM, ROOT, SECRET, Server, clean_environment

WHEEL = Path(os.environ["LOGFLUX_WHEEL"])


def test_it_is_the_installed_wheel_that_is_tested() -> None:
    assert Path(logflux.__file__).is_relative_to(sysconfig.get_path("platlib"))
    assert not Path(logflux.__file__).is_relative_to(ROOT / "bindings")


def test_the_wheel_is_small_and_runs_on_every_python_and_other_systems() -> None:
    assert WHEEL.stat().st_size <= 6 * 2**20
    assert re.fullmatch(r"logflux_core-[0-9.]+-cp39-abi3-manylinux_2_\d+_\w+\.whl", WHEEL.name), (
        WHEEL.name
    )
    names = zipfile.ZipFile(WHEEL).namelist()
    assert {"logflux/py.typed", "logflux/_core.pyi", "logflux/_core.abi3.so"} <= set(names)
    assert any(name.endswith("licenses/LICENSE-MIT") for name in names)
    assert not [name for name in names if "test" in name or name.endswith(".pyc")]


def test_its_names_and_versions_agree() -> None:
    metadata = importlib.metadata.metadata("logflux-core")
    assert metadata["Name"] == "logflux-core"
    assert metadata["Version"] == logflux.__version__
    assert metadata["Requires-Python"] == ">=3.9"
    assert metadata["License-Expression"] == "Apache-2.0 OR MIT"
    assert metadata.get_all("Requires-Dist") is None, "it stands on nothing"
    version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"logflux {logflux.__version__}\n"


def documented() -> list[Any]:
    things: list[Any] = [pytest.param(logflux, id="logflux")]
    for name in logflux.__all__:
        thing = getattr(logflux, name)
        if not callable(thing):
            continue
        things.append(pytest.param(thing, id=name))
        if inspect.isclass(thing):
            things.extend(
                pytest.param(member, id=f"{name}.{inner}")
                for inner, member in inspect.getmembers(thing)
                if not inner.startswith("_")
                and (callable(member) or inspect.isdatadescriptor(member))
                and any(
                    inner in vars(base) for base in thing.__mro__ if "logflux" in base.__module__
                )
            )
    return things


@pytest.mark.parametrize("thing", documented())
def test_everything_public_is_documented(thing: Any) -> None:
    assert (inspect.getdoc(thing) or "").strip()


def test_all_is_what_there_is() -> None:
    assert sorted(logflux.__all__) == logflux.__all__
    public = {name for name in dir(logflux) if not name.startswith("_")}
    modules = {"TYPE_CHECKING", "annotations", "hazmat"}
    assert public - modules == set(logflux.__all__) - {"__version__"}


def test_importing_starts_no_thread_and_is_quick() -> None:
    code = """
import sys, time, threading
begun = time.perf_counter()
import logflux
took = time.perf_counter() - begun
assert threading.active_count() == 1 and len(__import__("os").listdir("/proc/self/task")) == 1
assert not {"asyncio", "multiprocessing", "logging", "structlog", "typing"} & set(sys.modules)
print(took)
"""
    program = [sys.executable, "-c", code]
    runs = [subprocess.run(program, capture_output=True, check=True) for _ in range(5)]
    # It takes a tenth of that; docs/python.md has the figure.
    assert min(float(run.stdout) for run in runs) < 0.3


# The program.


def program(*args: str, text: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *args],
        env={**clean_environment(), **variables},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_program_seals_what_the_package_opens() -> None:
    sealed = program("seal", "--mode", "128", text="bär\n", LOGFLUX_SECRET=SECRET)
    assert (sealed.returncode, sealed.stderr) == (0, "")
    assert logflux.open(sealed.stdout.strip(), SECRET) == "bär"
    line = logflux.seal("x", SECRET).to_json() + "\n"
    assert program("open", text=line, LOGFLUX_SECRET=SECRET).stdout == "x\n"


def test_the_program_s_statuses_are_those_of_the_rust_one() -> None:
    wrong = program("sael")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "unrecognized subcommand" in wrong.stderr
    failed = program("seal", text="x\n")
    assert failed.returncode == 1
    assert "set LOGFLUX_SECRET" in failed.stderr
    assert program("--help").returncode == 0
    assert "Usage: logflux " in program("--help").stdout
    module = subprocess.run(
        [sys.executable, "-m", "logflux", "keygen"], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"[0-9a-f]{64}\n", module.stdout)


def test_the_program_ends_with_its_reader() -> None:
    done = subprocess.run(
        f"yes x | head -c 200000 | {PROGRAM} seal --mode 128 | head -n 1; exit ${{PIPESTATUS[2]}}",
        shell=True,
        executable="/bin/bash",
        env={**clean_environment(), "LOGFLUX_SECRET": SECRET},
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert logflux.open(done.stdout, SECRET) == "x"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_the_program(number: int, server: Server) -> None:
    # A command without a handler of its own.
    process = subprocess.Popen(
        [PROGRAM, "open"], env=server.environment, stdin=subprocess.PIPE, text=True
    )
    time.sleep(0.5)
    process.send_signal(number)
    assert process.wait(20) == -number
    assert process.stdin is not None
    process.stdin.close()


def test_serve_and_pipe_end_in_order(own_server: Server, node: str) -> None:
    pipe = subprocess.Popen(
        [PROGRAM, "pipe", "--mode", "128", "--node", node],
        env=own_server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert pipe.stdin is not None
    assert pipe.stdout is not None
    pipe.stdin.write("line\n")
    pipe.stdin.flush()
    assert pipe.stdout.readline() == "line\n"
    pipe.send_signal(signal.SIGINT)
    assert pipe.wait(20) == 0, "it delivers what it has, and ends"
    pipe.stdin.close()
    pipe.stdout.close()
    assert own_server.messages(node) == ["line"]
    own_server.process.send_signal(signal.SIGINT)
    assert own_server.process.wait(20) == 0


# Beside the project of the same name.


def imported(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import logflux; print(logflux.info)"],
        env={**clean_environment(), "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_project_of_the_same_name_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(Path(logflux.__file__).parent, tmp_path / "logflux")
    (tmp_path / "logflux_core-1.0.0.dist-info").mkdir()
    assert (imported(tmp_path).returncode, imported(tmp_path).stderr) == (0, "")
    (tmp_path / "logflux-1.0.0.dist-info").mkdir()
    mixed = imported(tmp_path)
    assert mixed.returncode == 0
    assert "RuntimeWarning: logflux-1.0.0 is installed beside logflux-core" in mixed.stderr
    assert "pip uninstall --yes logflux logflux-core" in mixed.stderr


def test_a_part_that_is_missing_is_named_with_the_remedy(tmp_path: Path) -> None:
    shutil.copytree(Path(logflux.__file__).parent, tmp_path / "logflux")
    (tmp_path / "logflux" / "_core.abi3.so").unlink()
    torn = imported(tmp_path)
    assert torn.returncode == 1
    assert torn.stderr.splitlines()[-1].startswith("ImportError: logflux-core is not installed as")
    assert "pip install logflux-core" in torn.stderr
