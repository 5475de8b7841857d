"""Sealing, and opening again."""

from __future__ import annotations

import base64
import datetime
import os
import pickle
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import logflux
import logflux.hazmat
from logflux import KeyPolicy, Keyring, Level, Mode, Opener, Sealer
from support import SECRET

UTC = datetime.timezone.utc


def key(secret: str, salt: bytes) -> bytes:
    kdf = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=salt, iterations=600_000)
    return kdf.derive(secret.encode())


def encrypt_log(message: str, secret: str) -> dict[str, str]:
    """What the published description of the protocol does, in its steps."""
    salt, iv = os.urandom(32), os.urandom(12)
    encryptor = Cipher(algorithms.AES(key(secret, salt)), modes.GCM(iv)).encryptor()
    ciphertext = encryptor.update(message.encode()) + encryptor.finalize()
    parts = {"payload": ciphertext + encryptor.tag, "iv": iv, "salt": salt}
    return {name: base64.b64encode(value).decode() for name, value in parts.items()}


def decrypt_log(entry: dict[str, Any], secret: str) -> str:
    """The same turned round."""
    payload, iv, salt = (base64.b64decode(entry[name]) for name in ("payload", "iv", "salt"))
    cipher = Cipher(algorithms.AES(key(secret, salt)), modes.GCM(iv, payload[-16:]))
    decryptor = cipher.decryptor()
    return (decryptor.update(payload[:-16]) + decryptor.finalize()).decode()


@pytest.mark.parametrize("message", ["User login successful", "", "grüße 🌍\n\0"])
@pytest.mark.parametrize("secret", [SECRET, " sëcrét ", "🔑" * 40])
def test_the_published_description_opens_what_is_sealed_here_and_the_other_way(
    message: str, secret: str
) -> None:
    assert decrypt_log(logflux.seal(message, secret).to_dict(), secret) == message
    others = {"node": "n", "loglevel": 7, "timestamp": "2024-01-17T10:30:45Z", "encryption_mode": 1}
    assert logflux.open({**others, **encrypt_log(message, secret)}, secret) == message


SEALER = Sealer(SECRET, node="n", mode=Mode.HKDF)
OPENER = Opener(SECRET)


@given(st.one_of(st.text(), st.binary()), st.sampled_from(Level))
def test_every_message_comes_out_as_it_went_in(message: str | bytes, level: Level) -> None:
    entry = SEALER.seal(message, level=level)
    assert entry.loglevel is level
    opened = OPENER.open_bytes(entry)
    assert opened == (message.encode() if isinstance(message, str) else message)
    if isinstance(message, str):
        assert OPENER.open(entry.to_dict()) == message


@given(st.lists(st.text(max_size=40), max_size=60))
def test_many_messages_come_out_in_their_order(messages: list[str]) -> None:
    entries = SEALER.seal_many(messages)
    assert OPENER.open_many(entries) == messages
    assert len({(entry.salt, entry.iv) for entry in entries}) == len(messages)


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(min_size=1).filter(lambda text: text.strip()), st.text())
def test_every_secret_opens_what_it_sealed(secret: str, message: str) -> None:
    for form in (secret, secret.encode(), logflux.Secret(secret)):
        assert logflux.open(logflux.seal(message, form, mode=Mode.ARGON2), secret) == message


@given(st.datetimes(timezones=st.timezones()))
def test_every_datetime_with_a_time_zone_is_kept(moment: datetime.datetime) -> None:
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        return
    # Offsets of long ago have seconds, which RFC 3339 cannot write.
    if moment.utcoffset() % datetime.timedelta(minutes=1):  # type: ignore[operator]
        moment = utc
    written = SEALER.seal("x", timestamp=moment).timestamp
    fraction = written[20:-1].ljust(6, "0")
    assert datetime.datetime.fromisoformat(f"{written[:19]}.{fraction}+00:00") == utc


@pytest.mark.parametrize(
    ("given_time", "written"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (-1.5, "1969-12-31T23:59:58.500Z"),
        (1705487445.123456, "2024-01-17T10:30:45.123456Z"),
        ("2024-01-17T12:30:45+02:00", "2024-01-17T10:30:45Z"),
    ],
)
def test_a_time_has_many_forms(given_time: Any, written: str) -> None:
    assert SEALER.seal("x", timestamp=given_time).timestamp == written


@pytest.mark.parametrize("mode", list(Mode))
def test_every_mode(mode: Mode) -> None:
    entry = logflux.seal("x", SECRET, node="n", mode=mode)
    assert entry.encryption_mode is mode
    assert logflux.open(entry, SECRET) == "x"
    assert logflux.seal("x", SECRET, mode=str(int(mode))).encryption_mode is mode


BAD: list[tuple[str, dict[str, Any], type[Exception], str | None, str]] = [
    ("message", {"message": "\udc80"}, logflux.SealError, "utf8", "surrogate"),
    ("message", {"message": b"x" * 786_417}, logflux.SealError, "size", "786417 bytes, and 786416"),
    ("message", {"message": None}, TypeError, None, "message must be str or bytes, not NoneType"),
    ("secret", {"secret": ""}, logflux.SecretError, None, "secret is empty"),
    ("secret", {"secret": " \n"}, logflux.SecretError, None, "white space"),
    ("secret", {"secret": b"hunter2\xff"}, logflux.SecretError, None, "not UTF-8"),
    ("secret", {"secret": "hunter2\udc80"}, logflux.SecretError, None, "surrogate"),
    ("secret", {"secret": 1}, TypeError, None, "secret must be str, bytes or Secret, not int"),
    ("node", {"node": ""}, logflux.EntryError, "field", "node"),
    ("node", {"node": "a\nb"}, logflux.EntryError, "field", "control"),
    ("node", {"node": b"n"}, TypeError, None, "node must be str"),
    ("level", {"level": 0}, logflux.EntryError, "field", "loglevel must be 1 to 8"),
    ("level", {"level": 2**70}, logflux.EntryError, "field", "loglevel must be 1 to 8"),
    ("level", {"level": "loud"}, logflux.EntryError, "field", "loglevel must be 1 to 8"),
    ("level", {"level": True}, TypeError, None, "not bool"),
    ("mode", {"mode": 5}, logflux.EntryError, "mode", "1, 2, 3, 4 or 128"),
    ("mode", {"mode": 1.0}, TypeError, None, "not float"),
    ("timestamp", {"timestamp": "now"}, logflux.EntryError, "field", "RFC 3339"),
    ("timestamp", {"timestamp": float("inf")}, logflux.EntryError, "field", "out of range"),
    ("timestamp", {"timestamp": 10**30}, logflux.EntryError, "field", "out of range"),
    ("timestamp", {"timestamp": []}, TypeError, None, "not list"),
    (
        "timestamp",
        {"timestamp": datetime.datetime(2024, 1, 1)},
        logflux.EntryError,
        "field",
        "no time zone",
    ),
]


@pytest.mark.parametrize(("name", "bad", "kind", "stage", "words"), BAD)
def test_bad_input_is_named_and_not_shown(
    name: str, bad: dict[str, Any], kind: type[Exception], stage: str | None, words: str
) -> None:
    arguments: dict[str, Any] = {"message": "m", "secret": SECRET, "mode": 3, **bad}
    with pytest.raises(kind, match=words) as caught:
        logflux.seal(arguments.pop("message"), arguments.pop("secret"), **arguments)
    assert getattr(caught.value, "stage", None) == stage
    told = "".join(traceback.format_exception_only(kind, caught.value)) + repr(caught.value)
    assert "hunter2" not in told
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None, "that could hold what was refused"


def test_secrets_show_nothing_and_are_not_pickled() -> None:
    for secret in (logflux.Secret("hunter2"), Keyring("hunter2", "hunter2")):
        assert "hunter2" not in f"{secret!r} {secret}"
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(secret)
    assert logflux.Secret("hunter2").expose() == "hunter2"
    assert len(logflux.Secret.generate().expose()) == 64


def test_a_secret_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    with pytest.raises(logflux.SecretError, match="set LOGFLUX_SECRET"):
        logflux.Secret.from_env()
    file = tmp_path / "secret"
    file.write_text("sëcrét\n", encoding="utf-8")
    monkeypatch.setenv("LOGFLUX_SECRET_FILE", str(file))
    assert logflux.Secret.from_env().expose() == "sëcrét"
    monkeypatch.setenv("LOGFLUX_SECRET", "x")
    with pytest.raises(logflux.SecretError, match="unset all but one"):
        logflux.Secret.from_env()


def test_what_does_not_open_says_where_it_failed() -> None:
    entry = SEALER.seal("x", level="info")
    with pytest.raises(logflux.OpenError, match="authentication failed") as caught:
        logflux.open(entry, "another")
    assert caught.value.stage == "authentication"
    with pytest.raises(logflux.OpenError) as caught:
        OPENER.open({**entry.to_dict(), "loglevel": 6})
    assert caught.value.stage == "authentication", "in mode 128 the level is authentic"
    binary = SEALER.seal(b"\xff")
    with pytest.raises(logflux.OpenError, match="open it as bytes") as caught:
        OPENER.open(binary)
    assert caught.value.stage == "utf8"
    assert logflux.open_bytes(binary, SECRET) == b"\xff"


def test_many_are_opened_with_progress_and_what_fails_stands_beside_the_rest() -> None:
    entries: list[Any] = list(SEALER.seal_many([f"line {i}" for i in range(20_000)]))
    entries[5], entries[17_000] = "{}", Sealer("another", mode=128).seal("x")
    seen: list[tuple[int, int]] = []
    opened = logflux.open_many(
        iter(entries),
        SECRET,
        progress=lambda done, total: seen.append((done, total)),
        return_exceptions=True,
    )
    failed = {i: m for i, m in enumerate(opened) if not isinstance(m, str)}
    assert {i: (m.stage, m.index) for i, m in failed.items()} == {
        5: ("field", 5),
        17_000: ("authentication", 17_000),
    }
    assert [m for i, m in enumerate(opened) if i not in failed] == [
        f"line {i}" for i in range(20_000) if i not in failed
    ]
    assert seen == sorted(seen)
    assert seen[-1] == (20_000, 20_000)
    assert len(seen) > 2
    with pytest.raises(logflux.EntryError) as caught:
        logflux.open_many(entries, SECRET)
    assert caught.value.index == 5
    assert OPENER.open_many([]) == []
    with pytest.raises(TypeError):
        OPENER.open_many([7])  # type: ignore[list-item]


def test_what_the_progress_raises_ends_it() -> None:
    def enough(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        OPENER.open_many(SEALER.seal_many(["x"] * 10), progress=enough)


def test_a_keyring_opens_what_any_of_its_secrets_sealed() -> None:
    keyring = Keyring("new", since="2024-06-01T00:00:00Z").with_older("old", since=0)
    assert len(keyring) == 2
    opener = Opener(keyring, remember=16, threads=1)
    for secret, time_ in (("new", "2024-07-01T00:00:00Z"), ("old", "2024-05-01T00:00:00Z")):
        assert opener.open(logflux.seal("x", secret, mode=3, timestamp=time_)) == "x"
    with pytest.raises(logflux.SettingsError, match="threads: must be 1 or more"):
        Opener(SECRET, threads=0)


def test_key_policies() -> None:
    assert KeyPolicy.adaptive() == KeyPolicy.adaptive(max_age="60s")
    assert KeyPolicy.bounded() != KeyPolicy.unique()
    assert repr(KeyPolicy.bounded(max_age=datetime.timedelta(seconds=9))).endswith("max_age=9)")
    assert [p.name for p in (KeyPolicy.unique(), KeyPolicy.adaptive(), KeyPolicy.bounded())] == [
        "unique",
        "adaptive",
        "bounded",
    ]
    bad: list[Callable[[], object]] = [
        lambda: KeyPolicy.adaptive(budget=0),
        lambda: KeyPolicy.bounded(max_entries=2**20 + 1),
        lambda: KeyPolicy.bounded(max_age=-1),
        lambda: KeyPolicy.bounded(max_age=float("nan")),
        lambda: KeyPolicy.bounded(max_age="soon"),
    ]
    for refused in bad:
        with pytest.raises(logflux.SettingsError):
            refused()
    sealer = Sealer(SECRET, key_policy=KeyPolicy.bounded())
    assert len({entry.salt for entry in sealer.seal_many(["x"] * 50)}) == 1
    sealer = Sealer(SECRET, key_policy=KeyPolicy.unique())
    assert len({sealer.seal("x").salt for _ in range(5)}) == 5
    stats = sealer.stats()
    assert (stats.unique, stats.shared) == (5, 0)
    assert stats.derivations >= 5


def test_other_threads_run_while_keys_are_derived() -> None:
    # Each of these calls is one long derivation: with the lock held nothing would count.
    sealed = logflux.seal("x", SECRET, mode=Mode.SCRYPT)
    many = [logflux.seal("x", SECRET, mode=Mode.ARGON2) for _ in range(8)]
    counted, done = [0], threading.Event()

    def count() -> None:
        while not done.is_set():
            counted[0] += 1
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    try:
        calls: list[Callable[[], object]] = [
            lambda: logflux.seal("x", SECRET, mode=Mode.SCRYPT),
            lambda: logflux.open(sealed, SECRET),
            lambda: logflux.open_many(many, SECRET),
            lambda: Sealer(SECRET, mode=Mode.SCRYPT).seal_many(["x"]),
            lambda: logflux.hazmat.derive_key(SECRET, b"x" * 32, mode=Mode.SCRYPT),
        ]
        for call in calls:
            before = counted[0]
            call()
            assert counted[0] - before >= 3
    finally:
        done.set()
        counter.join()


def test_one_sealer_and_opener_serve_many_threads() -> None:
    failures: list[BaseException] = []

    def work(name: int) -> None:
        try:
            messages = [f"{name} {i}" for i in range(500)]
            assert [OPENER.open(SEALER.seal(message)) for message in messages] == messages
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
