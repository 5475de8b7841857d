"""Opening without an ``Opener`` at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Literal, overload

from ._core import Opener

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._core import Keyring, Secret, _EntryLike
    from ._errors import LogfluxError


def open(entry: _EntryLike, secret: str | bytes | Secret | Keyring) -> str:
    """Opens one entry whose message is text.

    It costs a whole derivation, tens of milliseconds; an ``Opener`` remembers keys.
    """
    return Opener(secret).open(entry)


def open_bytes(entry: _EntryLike, secret: str | bytes | Secret | Keyring) -> bytes:
    """Opens one entry whatever its message's bytes are."""
    return Opener(secret).open_bytes(entry)


@overload
def open_many(
    entries: Iterable[_EntryLike],
    secret: str | bytes | Secret | Keyring,
    *,
    progress: Callable[[int, int], object] | None = None,
    return_exceptions: Literal[False] = False,
) -> list[str]: ...
@overload
def open_many(
    entries: Iterable[_EntryLike],
    secret: str | bytes | Secret | Keyring,
    *,
    progress: Callable[[int, int], object] | None = None,
    return_exceptions: bool,
) -> list[str | LogfluxError]: ...
def open_many(
    entries: Iterable[_EntryLike],
    secret: str | bytes | Secret | Keyring,
    *,
    progress: Callable[[int, int], object] | None = None,
    return_exceptions: bool = False,
) -> list[str] | list[str | LogfluxError]:
    """Opens many entries whose messages are text, in their order, on all cores.

    ``progress`` is called with how many are done and how many there are. An entry that fails is
    raised as an exception with its ``index``; with ``return_exceptions`` it stands in its place,
    beside the messages of the others.
    """
    opener = Opener(secret)
    return opener.open_many(entries, progress=progress, return_exceptions=return_exceptions)
