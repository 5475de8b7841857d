"""No traceback, not even one with the values of local variables, shows a secret or an API key."""

from __future__ import annotations

import asyncio
import functools
import traceback
from collections.abc import Callable
from typing import Any

import pytest

import logflux

# Neither is in a variable of this file's functions, or it would be found there.
HIDDEN = ("hunter2-secret", "lf_" + "Hunter2" * 4 + "Hunt", "hunter2-proxy")
URL = "https://127.0.0.1:1"


def bad_settings() -> list[dict[str, Any]]:
    return [
        {"server_url": "http://x"},
        {"node": "a\tb"},
        {"queue_size": 0},
        {"colour": 1},
        {"secert": HIDDEN[0]},
        {"ca_file": "/nowhere"},
        {"spool_dir": "/proc/nowhere"},
        {"proxy": "ftp://u:" + HIDDEN[2] + "@h"},
        {"mode": 9},
        {"on_drop": 7},
        {"key_policy": "unique"},
        {"api_key": "not " + HIDDEN[1]},
    ]


def settings(bad: dict[str, Any]) -> dict[str, Any]:
    good = {"server_url": URL, "node": "n", "api_key": HIDDEN[1], "secret": HIDDEN[0]}
    return {**good, "proxy": "http://u:" + HIDDEN[2] + "@h:1", **bad}


def client() -> logflux.Client:
    return logflux.Client(URL, "n", "lf_" + "a" * 32, "s", close_timeout=0)


def process() -> Any:
    logflux.init(URL, "n", "lf_" + "a" * 32, "s", close_timeout=0)
    return logflux


def call_badly(call: Callable[..., object], number: int) -> None:
    call(**settings(bad_settings()[number]))


CALLS: dict[str, Callable[[], Any]] = {
    **{
        f"{call.__qualname__} {next(iter(bad))}": functools.partial(call_badly, call, number)
        for number, bad in enumerate(bad_settings())
        for call in (logflux.init, logflux.init_from_env, logflux.Client, logflux.Client.from_env)
    },
    "rotate without a client": lambda: logflux.rotate(secret=HIDDEN[0], api_key=HIDDEN[1]),
    "rotate": lambda: client().rotate(secret=HIDDEN[0], api_key="not " + HIDDEN[1]),
    "rotate ca": lambda: client().rotate(secret=HIDDEN[0], ca_file="/nowhere"),
    "rotate the process": lambda: process().rotate(secret=HIDDEN[0], api_key=HIDDEN[1] + "x"),
    "rotate a type": lambda: client().rotate(secret=[HIDDEN[0]]),  # type: ignore[arg-type]
    "Secret": lambda: logflux.Secret(HIDDEN[0] + "\udc80"),
    "Keyring": lambda: logflux.Keyring(HIDDEN[0], HIDDEN[0] + "\udc80"),
    "Sealer": lambda: logflux.Sealer(HIDDEN[0], mode=9),
    "Opener": lambda: logflux.Opener(HIDDEN[0], threads=-1),
    "seal": lambda: logflux.seal("x" * 1_000_000, HIDDEN[0], mode=128),
    "seal at no time": lambda: logflux.seal("x", HIDDEN[0], timestamp="never"),
    "open": lambda: logflux.open("{}", HIDDEN[0]),
    "open_bytes": lambda: logflux.open_bytes("{}", HIDDEN[0]),
    "open_many": lambda: logflux.open_many(["{}"], HIDDEN[0]),
    "open with another": lambda: logflux.open(logflux.seal("x", "s", mode=128), HIDDEN[0]),
    "hazmat": lambda: logflux.hazmat.derive_key(HIDDEN[0], b"short"),  # type: ignore[attr-defined]
    "aflush": lambda: asyncio.run(client().aflush("never")),
}


@pytest.mark.parametrize("call", CALLS)
def test_no_local_variable_of_ours_holds_one(call: str) -> None:

    try:
        CALLS[call]()
    except Exception as caught:
        error: BaseException | None = caught
    else:
        pytest.fail("it did not fail")
    seen = 0
    while error is not None:
        text = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
        for hidden in HIDDEN:
            assert hidden not in text.replace("HIDDEN", ""), text
        # The locals themselves, in whatever they are.
        for frame, _line in traceback.walk_tb(error.__traceback__):
            if "logflux" in frame.f_code.co_filename and "tests" not in frame.f_code.co_filename:
                seen += 1
                for name, value in frame.f_locals.items():
                    for hidden in HIDDEN:
                        assert hidden not in repr(value), name
        error = error.__cause__ or error.__context__
    if call.startswith(("init", "Client", "rotate")):
        assert seen, "it has frames of ours"
