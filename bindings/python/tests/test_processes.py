"""Threads, forks and other processes."""

from __future__ import annotations

import base64
import http.client
import json
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from support import ENOUGH, PROGRAM, Run, Server, wait_for

WORKERS = """
import multiprocessing, sys

def work(name):
    for i in range(5):
        logflux.info("%s %d", name, i)

def sized(name):
    logflux.info("pool %d", name)
    return name

def initialise():
    # A child of a fork has its parent's client, and another where it wants one.
    logflux.close(0)
    logflux.init_from_env(mode=MODE)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    fork = sys.argv[1] == "fork"
    client = logflux.init_from_env(mode=MODE)
    for i in range(5):
        logflux.info("parent %d", i)
    target = work if fork else spawned
    children = [context.Process(target=target, args=(f"child-{n}",)) for n in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0, child.exitcode
    with context.Pool(2, initialise) as pool:
        assert pool.map(sized, range(8), 1) == list(range(8))
        pool.close()
        pool.join()
    assert logflux.stats().accepted == 5
"""
SPAWNED = """
def spawned(name):
    logflux.init_from_env(mode=MODE)
    work(name)
"""


def epochs(server: Server, node: str) -> set[bytes]:
    """The epochs of the keys, of which every process has its own."""
    return {base64.b64decode(str(entry["salt"]))[:16] for entry in server.entries(node)}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_lose_nothing(
    method: str, server: Server, node: str, tmp_path: Path
) -> None:
    file = tmp_path / "workers.py"
    file.write_text(f"import logflux\nMODE = 128\n{SPAWNED}{WORKERS}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, file, method],
        env={**server.environment, "LOGFLUX_NODE": node},
        capture_output=True,
        text=True,
        timeout=ENOUGH,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    wanted = [
        f"{name} {i}" for name in ("parent", "child-0", "child-1", "child-2") for i in range(5)
    ]
    wanted += [f"pool {i}" for i in range(8)]
    assert Counter(server.messages(node)) == Counter(wanted)
    assert len(epochs(server, node)) >= 5, "no process seals with the keys of another"


def test_forks_of_a_process_at_work(run: Run, server: Server, node: str) -> None:
    done = run(
        """
import os, threading, time
logflux.init_from_env(mode=MODE)
stop = threading.Event()
opener, entry = logflux.Opener("s"), logflux.seal("x", "s", mode=MODE)
sealer = logflux.Sealer("s", mode=MODE)
logged = [0]

def busy():
    while not stop.is_set():
        logflux.info("parent %d", logged[0])
        logged[0] += 1
        opener.open(entry)
        sealer.seal("x")
        time.sleep(0.001)

thread = threading.Thread(target=busy)
thread.start()
failed = []
for child in range(20):
    pid = os.fork()
    if pid == 0:
        assert logflux.stats().accepted == 0
        logflux.info("child %d", child)
        assert opener.open(sealer.seal("y")) == "y"
        os._exit(0 if logflux.close(30) else 1)
    failed += [child] if os.waitpid(pid, 0)[1] else []
stop.set()
thread.join()
print(failed, logged[0])
""",
        "-W",
        # From Python 3.12 on a fork of a process with threads is warned of, whoever's they are.
        "ignore::DeprecationWarning",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    failed, logged = done.stdout.rsplit(" ", 1)
    assert failed == "[]"
    wanted = {f"parent {i}" for i in range(int(logged))} | {f"child {i}" for i in range(20)}
    assert Counter(server.messages(node)) == Counter(wanted)
    assert len(epochs(server, node)) == 21


APPLICATION = """
import logging, os
import logflux

logflux.init_from_env(mode=128)
logging.getLogger().addHandler(logflux.LogfluxHandler())
logging.getLogger().setLevel(logging.INFO)
logflux.notice("loaded")

def application(environ, start_response):
    logging.info("request %s", environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""


@pytest.mark.parametrize("preload", [True, False], ids=["preload", "no-preload"])
@pytest.mark.parametrize("worker", ["sync", "gthread"])
def test_gunicorn_workers_lose_nothing(
    preload: bool, worker: str, server: Server, node: str, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(APPLICATION, encoding="utf-8")
    address = tmp_path / "address"
    options = ["--workers", "3", "--worker-class", worker, "--bind", f"unix:{address}"]
    options += ["--preload"] if preload else []
    gunicorn = PROGRAM.with_name("gunicorn")
    process = subprocess.Popen(
        [gunicorn, *options, "--no-control-socket", "app:application"]
        if "--no-control-socket"
        in subprocess.run([gunicorn, "--help"], capture_output=True, text=True, check=True).stdout
        else [gunicorn, *options, "app:application"],
        cwd=tmp_path,
        env={**server.environment, "LOGFLUX_NODE": node},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(address.exists)
        curl = _Unix(address)
        workers = Counter(curl.get(f"/{i}") for i in range(60))
        if worker == "sync":
            wait_for(lambda: len(workers) > 1 or bool(workers.update([curl.get("/more")])))
    finally:
        process.send_signal(signal.SIGTERM)
        errors = process.communicate(timeout=ENOUGH)[1]
    assert process.returncode == 0, errors
    messages = Counter(
        json.loads(message)["message"] if message.startswith("{") else message
        for message in server.messages(node)
    )
    assert messages.pop("loaded") == (1 if preload else 3), errors
    more = sum(workers.values()) - 60
    wanted = Counter(f"request /{i}" for i in range(60))
    wanted["request /more"] = more
    assert messages == +wanted
    assert len(epochs(server, node)) >= len(workers)


class _Unix:
    """An HTTP client of a socket in the file system."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def listens(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as tried:
            return tried.connect_ex(str(self.path)) == 0

    def get(self, target: str) -> str:
        connection = http.client.HTTPConnection("localhost", timeout=ENOUGH)
        # The file is there from `bind` on, and takes connections from `listen` on.
        wait_for(self.listens)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.connect(str(self.path))
        connection.request("GET", target, headers={"Connection": "close"})
        answer = connection.getresponse().read().decode()
        connection.close()
        return answer


@pytest.mark.skipif(sys.platform != "linux", reason="the number of a system call")
def test_a_child_of_the_bare_system_call_shares_no_salt_and_no_message(
    run: Run, server: Server, node: str
) -> None:
    # The number of clone, which forks without flags, by the machine.
    done = run(
        """
import ctypes, glob, json, os, platform, signal, threading, time
import logflux

def others_sleep():
    tasks = [open(name).read() for name in glob.glob("/proc/self/task/*/stat")]
    own = threading.get_native_id()
    return all(task.rpartition(") ")[2][0] == "S" for task in tasks if int(task.split()[0]) != own)

CLONE = {"x86_64": 56, "aarch64": 220}.get(platform.machine())
if CLONE is None:
    raise SystemExit(77)
logflux.init_from_env(mode=128, flush_interval=3600)
sealer = logflux.Sealer("s", mode=128)
sealer.seal("warm")
logflux.info("parent")
libc = ctypes.CDLL(None)
read, write = os.pipe()
# A lock of the C library that another thread holds stays locked in the child.
asleep = 0
while asleep < 3:
    time.sleep(0.01)
    asleep = asleep + 1 if others_sleep() else 0
pid = libc.syscall(CLONE, signal.SIGCHLD, 0, 0, 0, 0)
assert pid >= 0
if pid == 0:
    logflux.info("child")
    os.write(write, "".join(sealer.seal("x").to_json() + "\\n" for _ in range(20)).encode())
    os._exit(0 if logflux.stats().accepted == 1 and logflux.close(30) else 1)
os.close(write)
theirs = [json.loads(line) for line in open(read)]
mine = [sealer.seal("x").to_dict() for _ in range(20)]
status = os.waitpid(pid, 0)[1]
half = lambda entries: {entry["salt"][:20] for entry in entries}
print(status, len(theirs), len(half(theirs) & half(mine)))
""",
    )
    if done.returncode == 77:
        pytest.skip("the number of the system call is not known")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0", "20", "0"]
    assert sorted(server.messages(node)) == ["child", "parent"]


def test_after_a_restore_the_keys_are_new_and_the_client_goes_on(
    run: Run, server: Server, node: str
) -> None:
    done = run(
        """
import logflux

logflux.init_from_env(mode=128)
sealer = logflux.Sealer("s", mode=128)
salt = lambda: sealer.seal("x").to_dict()["salt"][:20]
before = {salt() for _ in range(3)}
logflux.info("before")
assert logflux.flush(30)
logflux.after_restore()
after = {salt() for _ in range(3)}
logflux.info("after")
print(len(before), len(after), len(before & after), logflux.stats().accepted)
"""
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", "1", "0", "2"]
    assert sorted(server.messages(node)) == ["after", "before"]
    assert len(epochs(server, node)) == 2
