"""Servers, task queues and pools: whatever way their processes begin and end, no line is lost.

Each test logs about 300 lines around the start, the work, a reload, SIGTERM and the end, and counts
them on the server. ``LOGFLUX_TEST_FRAMEWORKS`` says how often each runs, once by default.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import ENOUGH, PROGRAM, Server, wait_for

ROUNDS = range(int(os.environ.get("LOGFLUX_TEST_FRAMEWORKS", "1")))
LINES = 300

#: Logs a line, and then writes it down: what is written down must arrive.
SAY = """
import itertools, logging, os
import logflux

numbers = itertools.count()

def say(what, log=logflux.info):
    line = f"said {what} {os.getpid()} {next(numbers)}"
    log(line)
    file = os.open(os.environ["SAID"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{line}\\n".encode())
    os.close(file)

def begin():
    logflux.init_from_env(mode=128, close_timeout=30)
    root = logging.getLogger()
    root.addHandler(logflux.LogfluxHandler())
    root.setLevel(logging.INFO)
"""


class Told:
    """What the processes of a test say that they logged, against what arrived."""

    def __init__(self, server: Server, node: str, folder: Path) -> None:
        self.server, self.node, self.folder = server, node, folder
        self.file = folder / "said"
        (folder / "say.py").write_text(SAY, encoding="utf-8")
        self.environment = {
            **server.environment,
            "LOGFLUX_NODE": node,
            "SAID": str(self.file),
            "PYTHONPATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def lines(self) -> list[str]:
        return self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []

    def count(self, what: str) -> int:
        return sum(line.startswith(f"said {what} ") for line in self.lines())

    def check(self, least: int = LINES) -> None:
        """Every line has arrived, and none twice."""
        said = Counter(self.lines())
        assert said.total() >= least if hasattr(said, "total") else True
        messages = self.server.messages(self.node)
        arrived = Counter(
            json.loads(message)["message"] if message.startswith("{") else message
            for message in messages
        )
        arrived = Counter({line: n for line, n in arrived.items() if line.startswith("said ")})
        lost = said - arrived
        assert not lost, f"{len(lost)} of {len(said)} lost, such as {list(lost)[:5]}"
        assert max(arrived.values()) == 1

    @contextlib.contextmanager
    def running(self, *command: str | Path, **more: str) -> Iterator[subprocess.Popen[str]]:
        """A process, which is gone afterwards with all its children."""
        log = self.folder / "log"
        with log.open("a", encoding="utf-8") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**self.environment, **more},
                stdout=output,
                stderr=output,
                text=True,
                start_new_session=True,
            )
        try:
            yield process
        except BaseException:
            print(log.read_text(encoding="utf-8"))
            raise
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def end(self, process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
        process.send_signal(number)
        return process.wait(ENOUGH)

    def run(self, code: str, *args: str) -> None:
        """Runs a program to its end."""
        (self.folder / "program.py").write_text(code, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "program.py", *args],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=ENOUGH,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture
def told(server: Server, node: str, tmp_path: Path) -> Told:
    return Told(server, node, tmp_path)


def script(name: str) -> Path:
    return PROGRAM.with_name(name)


# Servers.

ASGI = """
import logging, os, say

IN_LIFESPAN = bool(os.environ.get("IN_LIFESPAN"))
if not IN_LIFESPAN:
    say.begin()
    for _ in range(10):
        say.say("start")

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        if IN_LIFESPAN:
            say.begin()
            for _ in range(10):
                say.say("start")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for _ in range(20):
            say.say("end", logging.info)
        await send({"type": "lifespan.shutdown.complete"})
        return
    for _ in range(5):
        say.say("work", logging.getLogger("app").info)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def get(port: int, target: str = "/") -> str:
    """Asks until there is an answer: a server that reloads has a moment without one."""
    begun = time.monotonic()
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ENOUGH)
            connection.request("GET", target, headers={"Connection": "close"})
            answer = connection.getresponse().read().decode()
            connection.close()
        except (OSError, http.client.HTTPException):
            assert time.monotonic() - begun < ENOUGH, "no answer"
            time.sleep(0.05)
        else:
            return answer


SERVERS: dict[str, tuple[list[str], dict[str, str]]] = {
    "uvicorn": (["uvicorn", "app:app"], {}),
    "uvicorn, init in lifespan": (["uvicorn", "app:app"], {"IN_LIFESPAN": "1"}),
    "uvicorn --workers": (["uvicorn", "app:app", "--workers", "2"], {}),
    "uvicorn --workers, init in lifespan": (
        ["uvicorn", "app:app", "--workers", "2"],
        {"IN_LIFESPAN": "1"},
    ),
    "uvicorn --reload": (["uvicorn", "app:app", "--reload", "--reload-delay", "0.1"], {}),
    "hypercorn": (["hypercorn", "app:app", "--workers", "2"], {}),
    "gunicorn with uvicorn's worker": (
        ["gunicorn", "app:app", "-k", "uvicorn_worker.UvicornWorker", "--workers", "2"],
        {},
    ),
    "gunicorn with uvicorn's worker, --preload": (
        ["gunicorn", "app:app", "-k", "uvicorn_worker.UvicornWorker", "--preload"],
        {},
    ),
}


@pytest.mark.parametrize("_round", ROUNDS)
@pytest.mark.parametrize("kind", SERVERS)
def test_servers_of_async_code(kind: str, _round: int, told: Told) -> None:
    command, more = SERVERS[kind]
    app = told.folder / "app.py"
    app.write_text(ASGI, encoding="utf-8")
    port = free_port()
    bind = ["--port", str(port)] if command[0] == "uvicorn" else ["--bind", f"127.0.0.1:{port}"]
    with told.running(script(command[0]), *command[1:], *bind, **more) as process:
        first = {get(port) for _ in range(60)}
        if "--reload" in command:
            app.write_text(ASGI + "\n# another\n", encoding="utf-8")
            wait_for(lambda: get(port) not in first)
        told.end(process)
    assert told.count("end") >= 20
    told.check()


WSGI = """
import logging, os, say

say.begin()
for _ in range(10):
    say.say("start")

def application(environ, start_response):
    for _ in range(5):
        say.say("work", logging.info)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""


@pytest.mark.parametrize("_round", ROUNDS)
@pytest.mark.parametrize("options", [[], ["--preload"], ["--max-requests", "7"]])
@pytest.mark.parametrize("worker", ["sync", "gthread", "gevent"])
def test_gunicorn(worker: str, options: list[str], _round: int, told: Told) -> None:
    (told.folder / "app.py").write_text(WSGI, encoding="utf-8")
    port = free_port()
    command = ["--workers", "2", "--worker-class", worker, "--bind", f"127.0.0.1:{port}"]
    gunicorn = script("gunicorn")
    with told.running(gunicorn, *command, *options, "app:application") as process:
        for _ in range(30):
            get(port)
        # A reload: the workers are replaced.
        process.send_signal(signal.SIGHUP)
        for _ in range(30):
            get(port)
        assert told.end(process) == 0
    told.check()


DJANGO = """
import logging
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
import say

say.logflux.init_from_env(mode=128, required=False)
settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="x",
    ROOT_URLCONF=__name__,
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"logflux": {"class": "logflux.LogfluxHandler"}},
        "root": {"handlers": ["logflux"], "level": "INFO"},
    },
)

def work(request):
    for _ in range(5):
        say.say("work", logging.info)
    return HttpResponse("done")

def fail(request):
    raise ValueError("on purpose")

urlpatterns = [path("", work), path("fail", fail)]
application = get_wsgi_application()
"""


@pytest.mark.parametrize("_round", ROUNDS)
def test_django(_round: int, told: Told) -> None:
    (told.folder / "site_app.py").write_text(DJANGO, encoding="utf-8")
    port = free_port()
    command = ["--workers", "2", "--bind", f"127.0.0.1:{port}", "site_app:application"]
    with told.running(script("gunicorn"), *command) as process:
        for _ in range(60):
            get(port)
        get(port, "/fail")
        assert told.end(process) == 0
    told.check()
    errors = [
        json.loads(message)
        for message in told.server.messages(told.node)
        if "Internal Server Error" in message
    ]
    assert len(errors) == 1
    assert errors[0]["target"] == "django.request"
    assert errors[0]["exception"].endswith("ValueError: on purpose")


# Task queues.

CELERY = """
import logging, os
from celery import Celery, signals
from celery.utils.log import get_task_logger
import say

folder = os.environ["FOLDER"]
app = Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": folder, "data_folder_out": folder, "control_folder": folder + "-control",
}
app.conf.worker_hijack_root_logger = os.environ["HIJACK"] == "yes"
app.conf.task_ignore_result = True
say.begin()
logger = get_task_logger(__name__)

@app.task
def work():
    for _ in range(4):
        say.say("root", logging.warning)
        say.say("task", logger.warning)
        say.say("work")

def tell(sender=None, signal=None, **_more):
    for _ in range(2):
        say.say("signal")

for signal in (signals.worker_init, signals.worker_ready, signals.worker_process_init,
               signals.worker_process_shutdown, signals.worker_shutting_down,
               signals.worker_shutdown):
    signal.connect(tell, weak=False)
"""

CELERIES: dict[str, tuple[list[str], str]] = {
    "solo": (["--pool", "solo"], "yes"),
    "prefork": (["--concurrency", "2"], "yes"),
    "prefork, the root logger its own": (["--concurrency", "2"], "no"),
    "prefork --max-tasks-per-child": (["--concurrency", "2", "--max-tasks-per-child", "3"], "yes"),
    "threads": (["--pool", "threads", "--concurrency", "2"], "yes"),
    "gevent": (["--pool", "gevent", "--concurrency", "2"], "yes"),
}


@pytest.mark.parametrize("_round", ROUNDS)
@pytest.mark.parametrize("kind", CELERIES)
def test_celery(kind: str, _round: int, told: Told) -> None:
    options, hijack = CELERIES[kind]
    (told.folder / "tasks.py").write_text(CELERY, encoding="utf-8")
    (told.folder / "broker").mkdir()
    (told.folder / "broker-control").mkdir()
    told.environment |= {"FOLDER": str(told.folder / "broker"), "HIJACK": hijack}
    tasks = 25
    worker = ["-A", "tasks", "worker", *options, "--without-gossip", "--without-mingle"]
    # Before the worker is there: this broker may read a message that is half written.
    told.run(f"import tasks\nfor _ in range({tasks}): tasks.work.delay()\n")
    with told.running(script("celery"), *worker, C_FORCE_ROOT="1") as process:
        wait_for(lambda: told.count("work") >= 4 * tasks)
        assert told.end(process) in {0, -signal.SIGTERM}
    assert told.count("root") == told.count("task") == 4 * tasks
    told.check()


@pytest.mark.parametrize("_round", ROUNDS)
def test_the_pool_of_billiard(_round: int, told: Told) -> None:
    told.run("""
import say
say.begin()

def work(number):
    for _ in range(50):
        say.say("work")
    return number

from billiard.pool import Pool
pool = Pool(1, maxtasksperchild=1)
assert [pool.apply_async(work, (i,)).get(60) for i in range(6)] == list(range(6))
pool.close()
pool.join()
""")
    told.check()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server")
    path = tmp_path / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        wait_for(path.exists)
        yield f"unix://{path}"
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("_round", ROUNDS)
@pytest.mark.parametrize("worker", ["rq.Worker", "rq.SimpleWorker"])
def test_rq(worker: str, _round: int, told: Told, redis: str) -> None:
    (told.folder / "jobs.py").write_text(
        """
import logging
import say
say.begin()

def work():
    for _ in range(5):
        say.say("root", logging.info)
        say.say("work")
""",
        encoding="utf-8",
    )
    jobs = 31
    code = f"""
import redis, rq
queue = rq.Queue(connection=redis.Redis.from_url({redis!r}))
for _ in range({jobs}): queue.enqueue("jobs.work")
"""
    with told.running(script("rq"), "worker", "--worker-class", worker, "--url", redis) as process:
        told.run(code)
        wait_for(lambda: told.count("work") >= 5 * jobs)
        told.end(process)
    told.check()


# Pools of the standard library, and greenlets.


POOLS = """
import multiprocessing, sys, logging
from concurrent.futures import ProcessPoolExecutor
import say
say.begin()

def work(number):
    for _ in range(10):
        say.say("work", logging.info)
    return number

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    children = [context.Process(target=work, args=(n,)) for n in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0, child.exitcode
    with context.Pool(2, maxtasksperchild=2) as pool:
        assert pool.map(work, range(8), 1) == list(range(8))
        pool.close()
        pool.join()
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(work, range(12))) == list(range(12))
    # What a pool ends by SIGTERM has logged all that it did.
    pool = context.Pool(2)
    assert pool.map(work, range(8), 1) == list(range(8))
    pool.terminate()
    pool.join()
"""


@pytest.mark.parametrize("_round", ROUNDS)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools_of_processes(method: str, _round: int, told: Told) -> None:
    told.run(POOLS, method)
    told.check(320)


@pytest.mark.parametrize("_round", ROUNDS)
@pytest.mark.parametrize("end", ["", "os.kill(os.getpid(), signal.SIGTERM); gevent.sleep(60)"])
def test_gevent(end: str, _round: int, told: Told) -> None:
    code = f"""
import gevent.monkey
gevent.monkey.patch_all()
import logging, os, signal, sys
import say
say.begin()

def work():
    for _ in range(30):
        say.say("work", logging.info)
        gevent.sleep(0)

gevent.joinall([gevent.spawn(work) for _ in range(10)])
child = os.fork()
if child == 0:
    say.say("child")
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
{end}
"""
    (told.folder / "program.py").write_text(code, encoding="utf-8")
    with told.running(sys.executable, "program.py") as process:
        assert process.wait(ENOUGH) == (-signal.SIGTERM if end else 0)
    told.check()
