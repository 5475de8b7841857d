"""An entry in all its forms."""

from __future__ import annotations

import json
import pickle

import pytest

import logflux
from support import SECRET


@pytest.fixture(scope="module")
def entry() -> logflux.Entry:
    return logflux.seal("hällo", SECRET, node="bär", level="warning", mode=3)


def test_it_is_equal_to_its_json_and_to_its_dict(entry: logflux.Entry) -> None:
    forms = [entry.to_json(), entry.to_json().encode(), entry.to_dict(), json.loads(str(entry))]
    for form in forms:
        assert entry == form
        assert form == entry
        assert logflux.Entry.parse(form) == entry
        assert (entry != form) is False
    assert entry.to_json() in {entry}
    assert entry != json.dumps(entry.to_dict()), "that is not the canonical form"
    for other in (None, 7, "", b"", {}, {**entry.to_dict(), "loglevel": 6}):
        assert entry != other


def test_its_fields_are_those_that_travel(entry: logflux.Entry) -> None:
    fields = json.loads(entry.to_json())
    assert list(fields) == [
        "node",
        "payload",
        "loglevel",
        "timestamp",
        "encryption_mode",
        "iv",
        "salt",
    ]
    for name, value in fields.items():
        assert getattr(entry, name) == value
    assert entry.loglevel is logflux.Level.WARNING
    assert entry.encryption_mode is logflux.Mode.ARGON2


def test_it_is_pickled_and_shows_no_payload(entry: logflux.Entry) -> None:
    assert pickle.loads(pickle.dumps(entry)) == entry
    assert entry.payload not in repr(entry)
    assert "bär" in repr(entry)


def test_it_cannot_be_changed(entry: logflux.Entry) -> None:
    with pytest.raises(AttributeError):
        entry.node = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("value", "stage", "field"),
    [
        ("", "json", None),
        ("\udc80", "json", None),
        (b"\xff", "json", None),
        ("[]", "json", None),
        ({}, "field", "node"),
        ({"node": object()}, "json", None),
        ({"node": float("nan")}, "json", None),
    ],
)
def test_what_is_none_is_refused_and_named(value: object, stage: str, field: str) -> None:
    with pytest.raises(logflux.EntryError) as caught:
        logflux.Entry.parse(value)  # type: ignore[arg-type]
    assert (caught.value.stage, caught.value.field) == (stage, field)
    assert isinstance(caught.value, ValueError)
    assert pickle.loads(pickle.dumps(caught.value)).stage == stage


def test_another_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"entry must be an Entry, a dict, or JSON .* not list"):
        logflux.Entry.parse([])  # type: ignore[arg-type]
