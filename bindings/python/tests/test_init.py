"""The client of the process: set up more than once, switched off, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

import logflux
from logflux import _process
from support import ENOUGH, SECRET, Run, Server

AWAY: dict[str, Any] = {
    "server_url": "https://127.0.0.1:1",
    "node": "n",
    "api_key": "lf_" + "a" * 32,
    "secret": SECRET,
    "close_timeout": 0,
}


def given(server: Server, node: str, **settings: Any) -> dict[str, Any]:
    return {
        "server_url": server.url,
        "node": node,
        "api_key": server.key,
        "secret": SECRET,
        "ca_file": server.data / "ca.pem",
        "mode": 128,
        **settings,
    }


def test_the_same_settings_give_the_same_client(server: Server, node: str) -> None:
    told: list[str] = []
    client = logflux.init(**given(server, node, on_notice=told.append))
    logflux.info("one")
    again = logflux.init(**given(server, node, on_notice=told.append, secret=SECRET.encode()))
    assert again is client
    assert (
        logflux.init(**given(server, node, on_notice=told.append, secret=logflux.Secret(SECRET)))
        is client
    )
    logflux.info("two")
    stats = logflux.stats()
    assert stats is not None
    assert stats.accepted == 2
    assert logflux.close(ENOUGH)
    assert server.messages(node) == ["one", "two"]


@pytest.mark.parametrize(
    "other",
    [
        {"node": "other"},
        {"secret": "another", "node": "another"},
        {"min_level": "warning"},
        {"close_timeout": 3},
        {"queue_size": 7},
        {"proxy": "none"},
        {"on_drop": print},
        {"api_key": "lf_" + "b" * 32},
    ],
)
def test_other_settings_give_another_client_and_nothing_is_lost(
    other: dict[str, Any], server: Server, node: str
) -> None:
    first = logflux.init(**given(server, node))
    logflux.info("of the first")
    second = logflux.init(**{**given(server, node), **other})
    assert second is not first
    assert logflux.client() is second
    assert first.stats().delivered == 1
    assert first.stats().pending == 0
    logflux.warning("of the second")
    logflux.close(0.2)
    assert "of the first" in server.messages(node)


def test_a_client_whose_server_is_away_is_not_given_up(own_server: Server, node: str) -> None:
    own_server.stop()
    first = logflux.init(**given(own_server, node, close_timeout=0.3, max_delay=0.5))
    logflux.info("of the first")
    logflux.init(**given(own_server, node, close_timeout=0.4))
    assert first.stats().pending == 1
    assert first.stats().dropped == {}
    own_server.start(own_server.url.removeprefix("https://"))
    assert first.flush(ENOUGH)
    assert own_server.messages(node) == ["of the first"]


def test_what_was_rotated_and_what_was_closed_is_not_the_same() -> None:
    client = logflux.init(**AWAY)
    client.rotate(secret="the next")
    assert logflux.init(**{**AWAY, "secret": "the next"}) is client
    other = logflux.init(**AWAY)
    assert other is not client
    other.close()
    assert logflux.init(**AWAY) is not other


def test_a_wrong_setting_leaves_the_client_there_is() -> None:
    client = logflux.init(**AWAY)
    with pytest.raises(logflux.SettingsError):
        logflux.init(**{**AWAY, "api_key": "hunter2"})
    with pytest.raises(TypeError):
        logflux.init(**{**AWAY, "colour": "red"})
    assert logflux.client() is client


def test_a_main_module_that_is_imported_again_starts(run: Run, server: Server, node: str) -> None:
    done = run("""
import runpy, sys
client = logflux.init_from_env(mode=MODE)
logflux.info(__name__)
if __name__ == "__main__":
    import importlib, program
    assert program.client is client
""")
    assert (done.returncode, done.stderr) == (0, "")
    assert server.messages(node) == ["__main__", "program"]


def test_a_child_of_a_fork_inherits_or_replaces(run: Run, server: Server, node: str) -> None:
    done = run(
        """
import os, sys
client = logflux.init_from_env(mode=MODE)
logflux.info("parent")
for number in range(2):
    pid = os.fork()
    if pid == 0:
        logflux.info("child %d", number)
        node = None if number else os.environ["LOGFLUX_NODE"]
        again = logflux.init_from_env(mode=MODE, node=node)
        assert again is client, number
        other = logflux.init_from_env(mode=MODE, min_level="notice")
        assert other is not client
        logflux.notice("child %d, otherwise", number)
        sys.exit(0)
    assert os.waitpid(pid, 0)[1] == 0
""",
        "-W",
        # From Python 3.12 on a fork of a process with threads is warned of.
        "ignore::DeprecationWarning",
    )
    assert (done.returncode, done.stderr) == (0, "")
    wanted = [f"child {n}" for n in range(2)] + [f"child {n}, otherwise" for n in range(2)]
    assert sorted(server.messages(node)) == sorted([*wanted, "parent"])


def test_what_became_of_all_messages_can_be_asked_after_the_close(
    server: Server, node: str
) -> None:
    logflux.init(**given(server, node))
    logflux.info("one")
    assert logflux.close(ENOUGH)
    for _ in range(2):
        stats = logflux.stats()
        assert stats is not None
        assert (stats.accepted, stats.delivered) == (1, 1)
        assert logflux.close() is True
    logflux.info("after the end")
    assert logflux.stats() is not None


@pytest.mark.parametrize("value", ["1", "true", "YES", " on "])
def test_it_can_be_switched_off(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGFLUX_DISABLED", value)
    client = logflux.init_from_env()
    assert client.is_disabled
    assert logflux.init_from_env() is client
    assert logflux.init(**{**AWAY, "api_key": "no key at all"}) is client
    logflux.critical("nowhere", user=7)
    with logflux.Client.from_env() as other, logflux.Client(**AWAY) as third:
        other.info("nowhere")
        third.log("info", "nowhere")
        assert not other.is_enabled("emergency")
        assert other.flush(ENOUGH)
    stats = logflux.stats()
    assert stats is not None
    assert (stats.accepted, stats.dropped) == (0, {})
    assert logflux.flush()
    assert logflux.close()


@pytest.mark.parametrize("value", ["", "0", "no", "False", "off"])
def test_what_does_not_switch_it_off(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGFLUX_DISABLED", value)
    assert not logflux.init(**AWAY).is_disabled


def test_another_word_is_an_error_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOGFLUX_DISABLED", "maybe")
    with pytest.raises(logflux.SettingsError, match=r"^LOGFLUX_DISABLED: "):
        logflux.init_from_env()


def test_settings_may_be_missing_where_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    client = logflux.init_from_env(required=False)
    assert client.is_disabled
    logflux.info("nowhere")
    assert logflux.close()
    for name, value in (("SERVER_URL", "https://x"), ("SECRET_FILE", "/nowhere")):
        monkeypatch.setenv(f"LOGFLUX_{name}", value)
        with pytest.raises(logflux.LogfluxError):
            logflux.init_from_env(required=False)
        monkeypatch.delenv(f"LOGFLUX_{name}")
    with pytest.raises(logflux.SettingsError, match=r"LOGFLUX_SERVER_URL is not set"):
        logflux.init_from_env(required=False, secret="s")
    with pytest.raises(logflux.SettingsError, match=r"LOGFLUX_SERVER_URL is not set"):
        logflux.init_from_env()
    assert not logflux.init_from_env(required=False, **AWAY).is_disabled


def test_from_nothing_to_something(server: Server, node: str) -> None:
    assert logflux.init_from_env(required=False).is_disabled
    client = logflux.init(**given(server, node))
    assert not client.is_disabled
    logflux.info("here")
    assert logflux.close(ENOUGH)
    assert server.messages(node) == ["here"]
    assert _process.client() is None
