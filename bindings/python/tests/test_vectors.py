"""Every vector of the suite."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

import logflux
from logflux import hazmat
from support import ROOT


def every_test() -> Iterator[Any]:
    for path in sorted((ROOT / "vectors").glob("*.json")):
        if path.name == "schema.json":
            continue
        for group in json.loads(path.read_bytes())["groups"]:
            secret = bytes.fromhex(group["secret_hex"]) if "secret_hex" in group else b""
            for test in group["tests"]:
                yield pytest.param(group["operation"], secret, test, id=test["id"])


def given(test: dict[str, Any], name: str, kind: str) -> bytes:
    if f"{name}_runs" in test:
        return b"".join(base64.b64decode(run["b64"]) * run["times"] for run in test[f"{name}_runs"])
    text = test[f"{name}_{kind}"]
    return bytes.fromhex(text) if kind == "hex" else base64.b64decode(text)


@functools.cache
def opener(secret: bytes) -> logflux.Opener:
    return logflux.Opener(secret)


def outcome(operation: str, secret: bytes, test: dict[str, Any]) -> dict[str, str]:
    if operation == "parse":
        entry = logflux.Entry.parse(given(test, "entry", "b64"))
        # What was read is the same in every form.
        assert entry == logflux.Entry.parse(entry.to_dict()) == logflux.Entry.parse(str(entry))
        return {}
    if operation == "open":
        entry_json = given(test, "entry", "b64")
        message = opener(secret).open_bytes(entry_json)
        assert opener(secret).open_many_bytes([entry_json]) == [message]
        if test["expect"].get("stage") == "utf8":
            opener(secret).open(entry_json)
        return {"message_hex": message.hex()}
    salt = bytes.fromhex(test["salt_hex"])
    if operation == "derive":
        return {"key_hex": hazmat.derive_key(secret, salt, mode=test["mode"]).hex()}
    entry = hazmat.seal_with_salt_and_iv(
        given(test, "message", "hex"),
        secret,
        salt=salt,
        iv=bytes.fromhex(test["iv_hex"]),
        node=test["node"],
        level=test["loglevel"],
        timestamp=test["timestamp"],
        mode=test["mode"],
    )
    written = entry.to_json().encode()
    return {
        "entry_b64": base64.b64encode(written).decode(),
        "entry_sha256_hex": hashlib.sha256(written).hexdigest(),
    }


@pytest.mark.parametrize(("operation", "secret", "test"), list(every_test()))
def test_vector(operation: str, secret: bytes, test: dict[str, Any]) -> None:
    expect = test["expect"]
    try:
        got = outcome(operation, secret, test)
    except logflux.LogfluxError as error:
        assert expect["result"] != "valid", error
        assert error.stage == expect.get("stage", error.stage), error
    else:
        assert expect["result"] != "invalid"
        wanted = {name: expect[name] for name in expect if name not in ("result", "stage")}
        assert {name: got[name] for name in wanted} == wanted
