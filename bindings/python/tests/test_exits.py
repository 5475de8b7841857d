"""How a process ends: whatever way it is, nothing is lost, nothing hangs, nothing crashes.

``LOGFLUX_TEST_EXITS`` says how many exits there are in all, 200 by default.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support import ENOUGH, Run, Server

EXITS = int(os.environ.get("LOGFLUX_TEST_EXITS", "200"))

BEGIN = """
import atexit, os, signal, sys, threading, time
import logflux
name = sys.argv[1]
client = logflux.init_from_env(mode=128, close_timeout=30)
for i in range(3):
    logflux.info("%s %d", name, i)
"""
#: How it ends: the code, and the exit status.
ENDS = {
    "normal": ("", 0),
    "exception": ("raise ValueError('on purpose')", 1),
    "sys.exit": ("sys.exit(3)", 3),
    "sigterm": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", -15),
    "sigterm in a blocked thread": (
        "threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        "threading.Event().wait(60)",
        -15,
    ),
    "sigint": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(60)", -2),
    "closed before": ("assert logflux.close(30)", 0),
    "os._exit after a flush": ("assert logflux.flush(30); os._exit(4)", 4),
    "os._exit": ("os._exit(4)", 4),
    "os._exit in a child": (
        "pid = os.fork()\nif not pid: logflux.info('%s 3', name); os._exit(0)\nos.waitpid(pid, 0)",
        0,
    ),
    "sigterm again and again": (
        "threading.Thread(target=lambda: [os.kill(os.getpid(), n) for _ in range(50)\n"
        "    for n in (signal.SIGTERM, signal.SIGHUP)]).start(); time.sleep(60)",
        None,
    ),
    "os._exit while a signal comes": (
        "def stop(*_): signal.signal(signal.SIGUSR1, signal.SIG_IGN); raise SystemExit\n"
        "signal.signal(signal.SIGUSR1, stop)\n"
        "def ask():\n"
        "    while True: time.sleep(0.02); os.kill(os.getpid(), signal.SIGUSR1)\n"
        "threading.Thread(target=ask, daemon=True).start()\n"
        "os._exit(4)",
        None,
    ),
    "sighup": ("os.kill(os.getpid(), signal.SIGHUP); time.sleep(60)", -1),
    "sigterm in the default way": (
        "signal.signal(signal.SIGTERM, lambda *_: None)\n"
        "assert signal.signal(signal.SIGTERM, signal.SIG_DFL) is not signal.SIG_DFL\n"
        "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n"
        "signal.raise_signal(signal.SIGTERM)",
        -15,
    ),
    "a thread that goes on": (
        "threading.Thread(target=lambda: (time.sleep(0.05), logflux.info('%s 3', name))).start()",
        0,
    ),
    "a daemon that logs": (
        "log = logflux.Client('https://127.0.0.1:1', 'n', 'lf_' + 'a' * 32, 's', close_timeout=0,\n"
        "                     on_drop=lambda dropped: None).debug\n"
        "def forever():\n"
        "    while True: log('x')\n"
        "threading.Thread(target=forever, daemon=True).start()",
        0,
    ),
    "at exit": ("atexit.register(logflux.info, '%s 3', name)", 0),
    "exec": ("logflux.close(30); os.execv('/bin/true', ['true'])", 0),
    "exec at once": ("os.execvp('true', ['true'])", 0),
    "exec that fails": (
        "try: os.execv('/nowhere', ['x'])\nexcept FileNotFoundError: logflux.info('%s 3', name)",
        0,
    ),
    "another client": (
        "other = logflux.Client.from_env(mode=128)\nother.info('%s 3', name)\ncycle = [other]\n"
        "cycle.append(cycle)",
        0,
    ),
}


def end(server: Server, node: str, file: Path, name: str) -> tuple[str, int, str]:
    done = subprocess.run(
        [sys.executable, file, name],
        env={**server.environment, "LOGFLUX_NODE": node},
        capture_output=True,
        text=True,
        timeout=ENOUGH,
        check=False,
    )
    return name, done.returncode, done.stderr


def test_exits_of_every_kind(server: Server, node: str, tmp_path: Path) -> None:
    runs, wanted, statuses = [], Counter[str](), {}
    for number in range(EXITS):
        kind = list(ENDS)[number % len(ENDS)]
        code, status = ENDS[kind]
        file = tmp_path / f"{number % len(ENDS)}.py"
        file.write_text(BEGIN + code + "\n", encoding="utf-8")
        name = f"{kind} {number}"
        runs.append((file, name))
        statuses[name] = status
        wanted.update(f"{name} {i}" for i in range(4 if "'%s 3'" in code else 3))
    with ThreadPoolExecutor(4) as pool:
        for name, status, stderr in pool.map(lambda run: end(server, node, *run), runs):
            assert status == (statuses[name] or status), f"{name}: {stderr}"
            if "exception" in name or "sigint" in name:
                assert stderr.startswith("Traceback"), stderr
                assert stderr.count("Traceback") == 1, stderr
            else:
                assert stderr == "", f"{name}: {stderr}"
    assert Counter(server.messages(node)) == wanted


def test_nothing_is_said_under_dev_mode_with_warnings_as_errors(
    run: Run, server: Server, node: str
) -> None:
    done = run(
        """
import asyncio, logging, threading
logging.getLogger().addHandler(logflux.LogfluxHandler())
logflux.init_from_env(mode=MODE)
logging.warning("one")

async def work():
    async with logflux.Client.from_env(mode=MODE) as client:
        client.info("two")

asyncio.run(work())
thread = threading.Thread(target=logflux.info, args=("three",))
thread.start()
thread.join()
assert logflux.open(logflux.seal("x", "s"), "s") == "x"
""",
        "-X",
        "dev",
        "-bb",
        "-W",
        "error",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # Where the machine is busy, asyncio says how long it took.
    messages = [message for message in server.messages(node) if '"asyncio"' not in message]
    assert len(messages) == 3


@pytest.mark.parametrize(
    ("before", "status"),
    [
        ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))", 7),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", 5),
        ("", -15),
    ],
    ids=["handled", "ignored", "left-alone"],
)
def test_an_application_s_own_way_with_sigterm_is_left_alone(
    before: str, status: int, run: Run
) -> None:
    leave = "handle_sigterm=False" if not before else ""
    done = run(f"""
import os, signal, sys, time
{before}
had = signal.getsignal(signal.SIGTERM)
logflux.init_from_env(mode=MODE, {leave})
assert signal.getsignal(signal.SIGTERM) is had
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(0.2)
sys.exit(5)
""")
    assert done.returncode == status, done.stderr


def test_a_server_that_is_away_does_not_keep_a_process_from_its_end(run: Run) -> None:
    done = run(
        "logflux.init_from_env(mode=MODE, close_timeout=0.2)\nlogflux.info('lost')\n",
        LOGFLUX_SERVER_URL="https://127.0.0.1:1",
    )
    assert done.returncode == 0
    assert done.stderr.startswith("logflux: messages dropped: 1 client closed"), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def in_a_container(code: str, server: Server, node: str, tmp_path: Path) -> tuple[int, str]:
    """Runs code as the first process of a container; gives its status, and what it said."""
    file = tmp_path / "program.py"
    file.write_text(code, encoding="utf-8")
    unshare = ["unshare", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no right to make a container")
    process = subprocess.Popen(
        [*unshare, sys.executable, file],
        env={**server.environment, "LOGFLUX_NODE": node},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
    os.kill(int(children.split()[0]), signal.SIGTERM)
    output = process.communicate(timeout=ENOUGH)[0]
    return process.returncode, output


@pytest.mark.parametrize(
    "way",
    [
        "signal.signal(signal.SIGTERM, signal.SIG_DFL)",
        "threading.Thread(target=time.sleep, args=(60,)).start()",
    ],
)
def test_the_first_process_of_a_container_ends(
    way: str, server: Server, node: str, tmp_path: Path
) -> None:
    code = f"""
import logflux, os, signal, threading, time
logflux.init_from_env(mode=128, close_timeout=30)
{way}
assert os.getpid() == 1
for i in range(20):
    logflux.info("%d", i)
print("up", flush=True)
for _ in range(600):
    time.sleep(0.1)
print("it goes on")
"""
    assert in_a_container(code, server, node, tmp_path) == (143, "")
    assert server.messages(node) == [str(i) for i in range(20)]
