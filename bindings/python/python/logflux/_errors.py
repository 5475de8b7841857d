"""The exceptions. None of them holds a secret, a message or a key."""

from __future__ import annotations


class LogfluxError(Exception):
    """Whatever fails in LogFlux.

    ``stage`` says where an entry failed, in the words of the test vectors: ``json``, ``field``,
    ``base64``, ``size``, ``mode``, ``authentication``, ``utf8``; or it is None. ``index`` is the
    place of the entry where there are many.
    """

    def __init__(self, message: str, stage: str | None = None) -> None:
        super().__init__(message, stage)
        self.stage = stage
        self.index: int | None = None

    def __str__(self) -> str:
        return str(self.args[0])


class SettingsError(LogfluxError, ValueError):
    """A setting is missing or wrong; the message names it."""


class SecretError(LogfluxError, ValueError):
    """A secret is empty or not UTF-8, or its source cannot be read."""


class EntryError(LogfluxError, ValueError):
    """An entry, or the field of one that ``field`` names, is not valid."""

    def __init__(self, message: str, stage: str | None = None, field: str | None = None) -> None:
        super().__init__(message, stage)
        self.args = (message, stage, field)
        self.field = field


class SealError(LogfluxError, ValueError):
    """A message was not sealed."""


class OpenError(LogfluxError):
    """An entry was not opened: the secret is another, the entry was altered, or its message is not
    text.
    """
