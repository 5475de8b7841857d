"""What ``flush`` and ``close`` say, and tickets."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import logflux
from support import ENOUGH, SECRET, Run, Server, stopped, wait_for

#: A key that no server knows.
UNKNOWN = "lf_" + "a" * 32
AWAY = "https://127.0.0.1:1"
LONG = "x" * 800_000

#: By name: the settings, what is logged, and whether all of it is safe.
SITUATIONS: dict[str, tuple[dict[str, object], list[str], bool]] = {
    "all is well": ({}, ["one", "two"], True),
    "a spool, and all is well": ({"spool": True}, ["one", "two"], True),
    "no server": ({"server_url": AWAY, "max_retries": 0}, ["one", "two"], False),
    "no server, but a spool": ({"server_url": AWAY, "spool": True}, ["one", "two"], True),
    "an unknown key": ({"api_key": UNKNOWN, "retry_deadline": 0.2}, ["one", "two"], False),
    "an unknown key, but a spool": ({"api_key": UNKNOWN, "spool": True}, ["one", "two"], True),
    "a full queue": (
        {"server_url": AWAY, "max_retries": 0, "queue_size": 1},
        ["one", "two"],
        False,
    ),
    "a message too long": ({}, ["one", LONG, "two"], False),
    "a message too long, and a spool": ({"spool": True}, ["one", LONG, "two"], False),
}


@pytest.mark.parametrize("name", SITUATIONS)
@pytest.mark.parametrize("way", ["flush", "aflush", "ticket"])
def test_they_are_true_exactly_where_everything_is_safe(
    name: str, way: str, server: Server, node: str, tmp_path: Path
) -> None:
    settings, messages, safe = SITUATIONS[name]
    given = {
        "server_url": server.url,
        "api_key": server.key,
        "secret": SECRET,
        "node": node,
        "ca_file": server.data / "ca.pem",
        "mode": 128,
        "initial_delay": 0.02,
        "max_delay": 0.05,
        "on_notice": lambda _sentence: None,
        **settings,
    }
    if given.pop("spool", False):
        given["spool_dir"] = tmp_path / "spool"
    client = logflux.Client(**given)  # type: ignore[arg-type]
    assert client.last_flush is None
    for message in messages:
        client.info(message)
    ways: dict[str, Callable[[], bool]] = {
        "flush": lambda: client.flush(ENOUGH),
        "aflush": lambda: asyncio.run(client.aflush(ENOUGH)),
        "ticket": lambda: client.flush_begin().wait(ENOUGH),
    }
    assert ways[way]() is safe
    for close in (client.close, client.flush):
        assert close(ENOUGH) is safe
        found = client.last_flush
        assert found is not None
        assert bool(found) is safe
        assert (found.dropped, found.left) == (sum(client.stats().dropped.values()), 0)


def test_a_full_disk_is_not_durable(node: str, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a disk")
    try:
        with (disk / "others").open("wb", buffering=0) as others:
            try:
                while True:
                    others.write(bytes(4096))
            except OSError:
                pass
        client = logflux.Client(
            AWAY, node, UNKNOWN, SECRET, mode=128, spool_dir=disk / "spool", on_notice=print
        )
        client.info("one")
        assert client.flush(0.5) is False
        assert client.close(0.5) is False
        assert client.last_flush == client.flush_begin().result
        assert client.last_flush is not None
        assert client.last_flush.dropped == 1
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def test_a_ticket_outlives_its_client_and_any_thread_may_wait(
    own_server: Server, node: str
) -> None:
    client = own_server.client(node)
    with stopped(own_server):
        client.info("one")
        ticket = client.flush_begin()
        assert not ticket.is_done
        assert not ticket.wait(0)
        assert repr(ticket) == "FlushTicket(dropped=0, left=1)"
        results: list[bool] = []
        waits = [
            threading.Thread(target=lambda: results.append(ticket.wait(ENOUGH))) for _ in range(4)
        ]
        for wait in waits:
            wait.start()
    for wait in waits:
        wait.join()
    assert results == [True] * 4
    with stopped(own_server):
        client.info("two")
        late = client.flush_begin()
        assert client.close(0) is False
        del client
        assert late.is_done
        assert (late.result.dropped, late.result.left) == (1, 0)
        assert ticket.wait() is True, "an answer stays"


def test_aflush_can_be_cancelled_and_needs_no_thread(own_server: Server, node: str) -> None:
    client = own_server.client(node)

    async def work() -> None:
        threads = threading.active_count()
        flushes = [asyncio.create_task(client.aflush(ENOUGH)) for _ in range(50)]
        await asyncio.sleep(0.05)
        assert threading.active_count() == threads
        for flush in flushes[1:]:
            flush.cancel()
        await asyncio.gather(*flushes[1:], return_exceptions=True)
        assert all(flush.cancelled() for flush in flushes[1:])
        own_server.process.send_signal(signal.SIGCONT)
        assert await flushes[0]

    with stopped(own_server):
        client.info("one")
        asyncio.run(work())
    client.close(ENOUGH)


def test_a_flush_or_a_close_in_a_callback_does_not_wait_for_itself(node: str) -> None:
    told: list[tuple[bool, bool, bool]] = []

    def on_drop(_dropped: dict[str, int]) -> None:
        # An hour is longer than any test.
        told.append((client.flush(3600), client.flush_begin().wait(3600), client.close(3600)))

    client = logflux.Client(AWAY, node, UNKNOWN, SECRET, mode=128, on_drop=on_drop)
    client.info("held")
    client.info(LONG)
    wait_for(lambda: bool(told))
    assert told[0] == (False, False, False)


def test_the_process_s_client_is_asked_after_its_end(server: Server, node: str) -> None:
    assert logflux.stats() is None
    assert logflux.last_flush() is None
    logflux.init(AWAY, node, UNKNOWN, SECRET, mode=128, max_retries=0, handle_sigterm=False)
    logflux.info("lost")
    assert logflux.close(ENOUGH) is False
    stats = logflux.stats()
    assert stats is not None
    assert (stats.accepted, sum(stats.dropped.values())) == (1, 1)
    assert repr(logflux.last_flush()) == "FlushResult(dropped=1, left=0)"
    assert logflux.flush() is False
    assert logflux.close() is False, "it says the same again"
    logflux.init(
        server.url, node, server.key, SECRET, ca_file=server.data / "ca.pem", handle_sigterm=False
    )
    assert logflux.last_flush() is None, "of another client"
    logflux.info("kept")
    assert logflux.close(ENOUGH) is True
    assert logflux.last_flush() == logflux.Client.flush_begin(server.client(node)).result


def test_notices_come_in_sentences(server: Server, node: str, tmp_path: Path) -> None:
    dropped: list[dict[str, int]] = []
    said: list[str] = []
    client = logflux.Client(
        server.url,
        node,
        UNKNOWN,
        SECRET,
        mode=128,
        ca_file=server.data / "ca.pem",
        spool_dir=tmp_path / "spool",
        on_drop=dropped.append,
        on_notice=said.append,
    )
    client.info("held")
    # Nothing is dropped, and so ``on_drop`` is not called.
    wait_for(lambda: bool(said))
    assert dropped == []
    client.info(LONG)
    wait_for(lambda: any(sentence.startswith("messages dropped: 1 too long") for sentence in said))
    wait_for(lambda: dropped == [{"too long": 1}])
    assert client.close(ENOUGH) is False


@pytest.mark.parametrize(
    ("argument", "lines"),
    [("on_drop=print", 1), ("on_notice=print", 0), ("", 1)],
)
def test_what_holds_messages_up_is_a_line_on_stderr_unless_a_callback_takes_it(
    run: Run, argument: str, lines: int, tmp_path: Path
) -> None:
    spool = str(tmp_path / "spool")
    code = f"""
import time
given = dict(mode=128, api_key={UNKNOWN!r}, spool_dir={spool!r})
client = logflux.init_from_env(**given, {argument})
client.info("held")
while client.stats().last_error is None:
    time.sleep(0.01)
assert client.close(30)
"""
    done = run(code)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("logflux: ") == lines, done.stderr
    assert (argument == "on_notice=print") == bool(done.stdout), done.stdout


def test_a_close_that_loses_something_says_why(run: Run) -> None:
    code = f"""
import time
client = logflux.init_from_env(mode=128, server_url={AWAY!r})
client.info("lost")
while client.stats().last_error is None:
    time.sleep(0.01)
client.close(0)
"""
    done = run(code)
    assert done.returncode == 0
    assert "logflux: messages dropped: 1 client closed (" in done.stderr, done.stderr
    assert "refused" in done.stderr.lower(), done.stderr
    assert "`logflux doctor`" in done.stderr, done.stderr
