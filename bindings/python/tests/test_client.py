"""The client, against a real server."""

from __future__ import annotations

import datetime
import gc
import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import logflux
from logflux import Level
from support import ENOUGH, SECRET, Run, Server, stopped, wait_for

LEVELS = ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"]


def conserved(stats: logflux.ClientStats) -> bool:
    settled = stats.delivered + sum(stats.dropped.values())
    return stats.accepted == settled + stats.pending + stats.spooled


def test_every_level_arrives_as_it_was_logged(server: Server, node: str) -> None:
    with server.client(node) as client:
        for name in LEVELS:
            getattr(client, name)(f"a message of level {name}")
        client.log(
            "err", "by name", timestamp=datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
        )
        client.log(2, b"by number")
        assert client.flush(ENOUGH)
        stats = client.stats()
        assert (stats.accepted, stats.delivered, stats.pending) == (10, 10, 0)
        assert (stats.dropped, stats.last_error, stats.derivations) == ({}, None, 1)
        assert conserved(stats)
    entries = server.entries(node)
    assert entries[0]["timestamp"] == "2024-01-01T00:00:00Z"
    assert (entries[0]["loglevel"], entries[0]["message"]) == (4, "by name")
    assert [(e["loglevel"], e["message"]) for e in entries[1:9]] == [
        (number, f"a message of level {name}") for number, name in enumerate(LEVELS, 1)
    ]
    assert {entry["encryption_mode"] for entry in entries} == {128}


def test_the_functions_of_the_module_log_through_the_client_of_the_process(
    server: Server, node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    logflux.info("before there is a client, a message goes nowhere")
    assert logflux.flush() is True
    assert logflux.stats() is None
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    client = logflux.init_from_env(node=node, mode=128)
    assert logflux.client() is client
    assert logflux.init_from_env(node=node, mode=128) is client
    for name in LEVELS:
        getattr(logflux, name)("%s %d", name, 7)
    logflux.log(Level.INFO, "%(a)s", {"a": "by name"})
    assert logflux.flush(ENOUGH)
    stats = logflux.stats()
    assert stats is not None
    assert stats.delivered == 9
    assert logflux.close(ENOUGH)
    assert logflux.client() is None
    assert server.messages(node) == [f"{name} 7" for name in LEVELS] + ["by name"]


class Bad:
    def __str__(self) -> str:
        raise RuntimeError("hunter2")


def test_whatever_is_logged_nothing_is_raised(server: Server, node: str) -> None:
    values: list[tuple[Any, ...]] = [
        (7,),
        (None,),
        (Bad(),),
        ("%d", "x"),
        ("%s %s", 1),
        ("%s", Bad()),
        ("half \udc80",),
        ("%s", "\ud800"),
        (b"bytes %s",),
        ("100 %",),
        ({"a": 1},),
    ]
    with server.client(node) as client:
        for value in values:
            client.info(*value)
        # Only what is to end the program is let through.
        with pytest.raises(KeyboardInterrupt):
            client.info(Interrupting())
        assert client.flush(ENOUGH)
    failed = "[a value could not be formatted]"
    assert server.messages(node) == [
        "7",
        "None",
        failed,
        f"%d {failed}",
        f"%s %s {failed}",
        f"%s {failed}",
        "half \\udc80",
        "\\ud800",
        "bytes %s",
        "100 %",
        "{'a': 1}",
    ]


class Interrupting:
    def __str__(self) -> str:
        raise KeyboardInterrupt


def test_below_the_least_level_nothing_is_formatted(server: Server, node: str) -> None:
    with server.client(node, min_level="warning") as client:
        client.info(Interrupting())
        client.warning("this")
        assert client.is_enabled(Level.WARNING)
        assert not client.is_enabled("notice")
    assert server.messages(node) == ["this"]


def test_a_server_that_is_away_holds_nobody_up_and_drops_are_told_of(node: str) -> None:
    told: list[dict[str, int]] = []
    client = logflux.Client(
        "https://127.0.0.1:1",
        node,
        "lf_" + "a" * 32,
        SECRET,
        queue_size=10,
        mode=128,
        max_retries=1_000,
        on_drop=told.append,
    )
    for i in range(25):
        client.info("%d", i)
    assert client.flush(0.05) is False
    assert client.close(0.2) is False
    client.info("after the end")
    stats = client.stats()
    assert conserved(stats)
    assert stats.accepted == 26
    assert stats.dropped["queue full"] >= 15
    assert stats.dropped["client closed"] >= 11
    wait_for(lambda: sum(count for drops in told for count in drops.values()) >= 25)
    assert client.close(5) is False, "a second close waits no more, and says the same"
    assert client.last_flush is not None
    assert client.last_flush.left == 0
    assert client.last_flush.dropped >= 25


def test_a_callback_that_fails_or_logs_does_no_harm(
    node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", failures.append)

    def on_drop(_dropped: dict[str, int]) -> None:
        client.info("of the callback's own")
        raise ValueError("on purpose")

    client = logflux.Client("https://127.0.0.1:1", node, "lf_" + "a" * 32, SECRET, on_drop=on_drop)
    client.close(0)
    client.info("one")
    client = logflux.Client(
        "https://127.0.0.1:1", node, "lf_" + "a" * 32, SECRET, on_drop=on_drop, queue_size=1
    )
    client.info("one")
    client.info("two")
    client.close(0.1)
    wait_for(lambda: bool(failures))
    assert failures[0].exc_type is ValueError
    assert client.stats().accepted == 2


def test_the_oldest_go_or_the_caller_waits_where_that_was_chosen(
    own_server: Server, node: str
) -> None:
    oldest = own_server.client(node + "-oldest", when_full="drop_oldest", queue_size=3)
    block = own_server.client(node + "-block", when_full="block", queue_size=3)
    with stopped(own_server):
        for i in range(40):
            oldest.info("%d", i)

        def wait() -> None:
            for i in range(40):
                block.info("%d", i)

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.3)
        assert waiting.is_alive(), "it waits, and this thread runs meanwhile"
    waiting.join(ENOUGH)
    assert not waiting.is_alive()
    for client in (oldest, block):
        # What made room for others was dropped.
        assert client.close(ENOUGH) is (client is block)
        assert conserved(client.stats())
    assert own_server.messages(node + "-block") == [str(i) for i in range(40)]
    # Two requests may be under way, and the one with older messages may arrive later.
    kept = own_server.messages(node + "-oldest")
    assert "39" in kept
    assert len(kept) == oldest.stats().delivered == 40 - sum(oldest.stats().dropped.values())


def test_a_spool_keeps_what_the_server_cannot_take(
    own_server: Server, node: str, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    with stopped(own_server):
        client = own_server.client(node, spool_dir=spool, spool_max_bytes=2**20)
        client.info("kept")
        assert client.flush(ENOUGH), "it is durable"
        assert client.stats().spooled == 1
        client.close(0.1)
        del client
        gc.collect()
    with own_server.client(node, spool_dir=str(spool)) as client:
        client.info("new")
        assert client.close(ENOUGH)
        assert client.stats().delivered == 2
    assert own_server.messages(node) == ["kept", "new"]


def test_flush_is_interrupted_by_a_signal(run: Run) -> None:
    done = run("""
import os, signal, threading, time
client = logflux.Client("https://127.0.0.1:1", "n", "lf_" + "a" * 32, "s", mode=128)
client.info("x")
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
begun = time.monotonic()
try:
    client.flush(60)
except KeyboardInterrupt:
    print("interrupted", time.monotonic() - begun < 30)
client.close(0)
""")
    assert (done.returncode, done.stdout) == (0, "interrupted True\n"), done.stderr


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"server_url": "http://x"}, logflux.SettingsError, "server_url: .*https"),
    ({"server_url": 7}, TypeError, "server_url must be str, not int"),
    ({"server_url": None}, TypeError, "server_url is missing"),
    ({"api_key": "hunter2"}, logflux.SettingsError, "api_key: "),
    ({"secret": ""}, logflux.SecretError, "secret is empty"),
    ({"secret": None}, TypeError, "secret is missing"),
    ({"node": "a\tb"}, logflux.EntryError, "node"),
    ({"ca_file": "/nowhere/ca.pem"}, logflux.SettingsError, "ca_file: .*/nowhere/ca.pem"),
    ({"ca_file": 7}, TypeError, "ca_file must be str or os.PathLike"),
    ({"mode": 9}, logflux.EntryError, "encryption_mode"),
    ({"key_policy": "unique"}, TypeError, "KeyPolicy"),
    ({"min_level": "loud"}, logflux.EntryError, "loglevel"),
    ({"queue_size": 0}, logflux.SettingsError, "queue_size: must be a whole number from 1"),
    ({"queue_size": 1.5}, TypeError, "queue_size must be int, not float"),
    ({"queue_bytes": -1}, logflux.SettingsError, "queue_bytes"),
    ({"max_retries": -1}, logflux.SettingsError, "max_retries: must be a whole number from 0"),
    ({"max_retries": 2**40}, logflux.SettingsError, "max_retries"),
    ({"when_full": "explode"}, logflux.SettingsError, 'when_full: must be "drop_newest"'),
    ({"spool_when_full": ""}, logflux.SettingsError, "spool_when_full"),
    ({"flush_interval": "soon"}, logflux.SettingsError, "flush_interval: a duration is"),
    ({"flush_interval": -1}, logflux.SettingsError, "flush_interval: must be 0 or more"),
    ({"server_url": "https://x/v1/ingest"}, logflux.SettingsError, "server_url: .*/v1/ingest"),
    ({"http_timeout": []}, TypeError, "http_timeout must be a number of seconds"),
    ({"close_timeout": "x"}, logflux.SettingsError, "close_timeout"),
    ({"backoff_factor": 0.5}, logflux.SettingsError, "backoff_factor: must be a number from 1"),
    ({"spool_dir": "/proc/nowhere"}, logflux.SettingsError, "spool_dir: /proc"),
    ({"on_drop": 7}, TypeError, "on_drop must be callable, not int"),
    ({"queue_sice": 7}, TypeError, "Client has no setting 'queue_sice'"),
]


@pytest.mark.parametrize(("bad", "kind", "words"), BAD)
def test_a_bad_setting_is_named(bad: dict[str, Any], kind: type[Exception], words: str) -> None:
    good = {"server_url": "https://x", "node": "n", "api_key": "lf_" + "a" * 32, "secret": "s"}
    with pytest.raises(kind, match=words) as caught:
        logflux.Client(**{**good, **bad})
    assert "hunter2" not in repr(caught.value)


def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(logflux.SettingsError, match="LOGFLUX_SERVER_URL is not set"):
        logflux.init_from_env()
    monkeypatch.setenv("LOGFLUX_SERVER_URL", "https://x")
    monkeypatch.setenv("LOGFLUX_API_KEY", "lf_" + "a" * 32)
    with pytest.raises(logflux.SecretError, match="set LOGFLUX_SECRET, LOGFLUX_SECRET_FILE"):
        logflux.Client.from_env()
    monkeypatch.setenv("LOGFLUX_QUEUE_SIZE", "many")
    with pytest.raises(logflux.SettingsError, match="LOGFLUX_QUEUE_SIZE"):
        logflux.Client.from_env(secret="s")
    monkeypatch.delenv("LOGFLUX_QUEUE_SIZE")
    client = logflux.Client.from_env(secret="s", node="n")
    assert "https://x" in repr(client)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(client)


def test_a_client_that_is_let_go_delivers_what_it_has(server: Server, node: str) -> None:
    client = server.client(node)
    client.info("x")
    del client
    gc.collect()
    assert server.messages(node) == ["x"]


def test_other_threads_run_while_a_client_waits_for_its_server(node: str) -> None:
    told: list[dict[str, int]] = []
    away = {"server_url": "https://127.0.0.1:1", "api_key": "lf_" + "a" * 32, "secret": SECRET}
    clients = [
        logflux.Client(**away, node=node, mode=128, on_drop=told.append)  # type: ignore[arg-type]
        for _ in range(2)
    ]
    for client in clients:
        client.info("x")
    counted, done = [0], threading.Event()

    def count() -> None:
        while not done.wait(0.001):
            counted[0] += 1

    counter = threading.Thread(target=count)
    counter.start()
    counts = []
    waits: list[Callable[[], object]] = [
        lambda: clients[0].flush(0.3),
        lambda: clients[0].close(0.3),
        # The last of a client is given a moment to deliver.
        clients.clear,
    ]
    del client
    for wait in waits:
        before = counted[0]
        wait()
        counts.append(counted[0] - before)
    done.set()
    counter.join()
    assert min(counts) > 10, counts
    wait_for(lambda: sum(drops["client closed"] for drops in told) == 2)


def test_threads_lose_nothing(server: Server, node: str) -> None:
    client = server.client(node)

    def work(thread: int) -> None:
        for i in range(500):
            client.info("%d %d", thread, i)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.close(ENOUGH)
    assert client.stats().delivered == 2_000
    wanted = {f"{thread} {i}" for thread in range(4) for i in range(500)}
    assert set(server.messages(node)) == wanted
