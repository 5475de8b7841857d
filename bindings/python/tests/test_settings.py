"""Every bound of every setting, and one value beyond it, as an argument and as a variable."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import Any

import pytest

import logflux
from logflux import _core

SETTINGS = {row["name"]: row for row in _core.settings()}
KINDS = {"number", "factor", "duration"}
GIVEN: dict[str, Any] = {
    "server_url": "https://127.0.0.1:1",
    "node": "n",
    "api_key": "lf_" + "a" * 32,
    "secret": "s",
}
# So that each of the two may have any value that it may have alone.
DELAYS = {"initial_delay": 0.001, "max_delay": 86_400}


def step(kind: str, value: float, direction: int) -> float:
    """The next value of a kind: a whole number, a millisecond, or a float."""
    if kind == "number":
        return value + direction
    if kind == "duration":
        return value + direction / 1000
    return value + direction * 1e-9


def good() -> list[tuple[str, Any]]:
    """Every setting with both of its bounds, or with every word."""
    values: list[tuple[str, Any]] = []
    for name, row in SETTINGS.items():
        if row["kind"] in KINDS:
            values += [(name, row["min"]), (name, row["max"])]
        elif row["kind"] == "choice" and name != "key_policy":
            values += [(name, word) for word in row["words"]]
    return values


def bad() -> list[tuple[str, Any]]:
    """Every setting with one value beyond each of its bounds, and with others that are far off."""
    values: list[tuple[str, Any]] = []
    for name, row in SETTINGS.items():
        kind = row["kind"]
        if kind in KINDS:
            values.append((name, step(kind, row["max"], 1)))
            below = step(kind, row["min"], -1)
            if kind != "duration" or below > 0:
                values.append((name, below))
        if kind == "number":
            values += [(name, 2**64), (name, 2**200), (name, -(2**200))]
        if kind == "factor":
            values += [(name, math.nan), (name, math.inf)]
        if kind == "duration":
            values += [(name, math.inf), (name, 1e300), (name, timedelta.max)]
        if kind == "choice" and name != "key_policy":
            values.append((name, "hunter2"))
    return values


def test_the_table_and_the_types_name_the_same_settings() -> None:
    arguments = {"server_url", "node", "api_key", "secret"}
    declared = logflux.Settings.__annotations__.keys()
    assert SETTINGS.keys() - arguments == declared - {"on_drop", "on_notice"}


@pytest.mark.parametrize(("name", "value"), good())
def test_a_bound_is_taken(name: str, value: Any) -> None:
    client = logflux.Client(**{**GIVEN, **DELAYS, name: value})
    assert client.close(0)


@pytest.mark.parametrize(("name", "value"), bad())
def test_one_value_beyond_a_bound_is_an_error_that_names_the_setting(name: str, value: Any) -> None:
    expected = f"{name}: must be {SETTINGS[name]['values']}"
    with pytest.raises(logflux.SettingsError, match=f"^{re.escape(expected)}$"):
        logflux.Client(**{**GIVEN, **DELAYS, name: value})


def as_text(name: str, value: float) -> str:
    """A value as its variable has it."""
    if SETTINGS[name]["kind"] == "duration":
        return f"{round(value * 1000)}ms"
    return str(value)


def read(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> logflux.Client:
    """A client with one variable; the two delays are such that they go together."""
    monkeypatch.setenv("LOGFLUX_INITIAL_DELAY", "1ms")
    monkeypatch.setenv("LOGFLUX_MAX_DELAY", "24h")
    monkeypatch.setenv(SETTINGS[name]["variable"], value)
    return logflux.Client.from_env(**GIVEN)


@pytest.mark.parametrize(("name", "value"), good())
def test_a_bound_is_taken_from_a_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: Any
) -> None:
    text = value if isinstance(value, str) else as_text(name, value)
    assert read(monkeypatch, name, text).close(0)


@pytest.mark.parametrize(
    ("name", "row"), [(n, r) for n, r in SETTINGS.items() if r["kind"] in KINDS]
)
def test_one_value_beyond_a_bound_is_an_error_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, row: dict[str, Any]
) -> None:
    text = as_text(name, step(row["kind"], row["max"], 1))
    expected = f"{row['variable']}: must be {row['values']}"
    with pytest.raises(logflux.SettingsError, match=f"^{re.escape(expected)}$"):
        read(monkeypatch, name, text)


def test_the_first_pause_is_not_longer_than_the_longest() -> None:
    with pytest.raises(logflux.SettingsError, match="initial_delay: must be at most max_delay"):
        logflux.Client(**GIVEN, max_delay=0.1)
    assert logflux.Client(**GIVEN, initial_delay=0.1, max_delay=0.1).close(0)


@pytest.mark.parametrize(
    "proxy", ["ftp://u:hunter2@h", "http://u:hunter2@h:0", "http://u:hunter2@h/path"]
)
def test_a_proxy_that_is_not_supported_is_an_error_without_its_url(proxy: str) -> None:
    with pytest.raises(logflux.SettingsError, match=r"^proxy: ") as caught:
        logflux.Client(**GIVEN, proxy=proxy)
    assert "hunter2" not in str(caught.value)


def test_what_is_given_comes_before_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGFLUX_CLOSE_TIMEOUT", "7s")
    assert logflux.Client.from_env(**GIVEN)._close_timeout == 7
    assert logflux.Client.from_env(**GIVEN, close_timeout=3)._close_timeout == 3
    assert logflux.Client(**GIVEN)._close_timeout == 5
    monkeypatch.setenv("LOGFLUX_MIN_LEVEL", "error")
    assert not logflux.Client.from_env(**GIVEN).is_enabled("warning")
    assert logflux.Client.from_env(**GIVEN, min_level="warning").is_enabled("warning")
