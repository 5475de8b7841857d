"""A handler for ``logging``."""

from __future__ import annotations

import contextlib
import logging
import sys

from . import _core, _json, _process
from ._types import Level

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._client import Client

#: What every record has; everything else came by ``extra``.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

#: From which number of ``logging`` on which level is meant.
_LEVELS = (
    (logging.CRITICAL, Level.CRITICAL),
    (logging.ERROR, Level.ERROR),
    (logging.WARNING, Level.WARNING),
    (logging.INFO + 5, Level.NOTICE),
    (logging.INFO, Level.INFO),
)


def level_of(number: int) -> Level:
    """The level of a number of ``logging``: 50, 40, 30, 25 (notice), 20, and debug below."""
    for least, level in _LEVELS:
        if number >= least:
            return level
    return Level.DEBUG


class LogfluxHandler(logging.Handler):
    """Logs the records of ``logging``, each as one JSON object.

    ::

        {"message": "logged in", "target": "app.auth", "fields": {"user": 4711}}

    ``target`` is the logger's name, ``fields`` what came by ``extra``; an ``exception`` is there
    with its traceback, and a ``stack`` where it was asked for. Where a formatter is set, its text
    is logged in place of the object.

    It logs through ``client``, or through the client of the process, whenever there is one.
    ``levels`` maps numbers of ``logging`` to levels, beside the usual ones.
    """

    def __init__(
        self,
        level: int | str = logging.NOTSET,
        *,
        client: Client | None = None,
        levels: Mapping[int, Level | int | str] | None = None,
    ) -> None:
        """Makes a handler; it may well be made before the client of the process is."""
        super().__init__(level)
        self._client = client
        self._levels = dict(levels or {})

    def emit(self, record: logging.LogRecord) -> None:
        """Logs one record. It never fails, and waits for nothing."""
        try:
            text = self._text(record)
            level = self._levels.get(record.levelno) or level_of(record.levelno)
            log = _core.log if self._client is None else self._client.log
            log(level, text, timestamp=record.created)
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Says on stderr that a record was lost, without what was in it."""
        if logging.raiseExceptions and sys.stderr is not None:
            kind = sys.exc_info()[0]
            name = "an error" if kind is None else kind.__name__
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(f"logflux: a record of {record.name} was not logged: {name}\n")

    def _text(self, record: logging.LogRecord) -> str:
        if self.formatter is not None:
            # What it cannot format is logged as it would be without it.
            with contextlib.suppress(Exception):
                return self.format(record)
        fields = {name: value for name, value in vars(record).items() if name not in _OWN}
        try:
            message = record.getMessage()
        except Exception:
            # As much as can be had: better a message without its values than none.
            message = f"{_json.text(record.msg)} {_json.UNFORMATTED}"
        exception = record.exc_text or None
        if exception is None and record.exc_info:
            exception = _json.format_exception(*record.exc_info)
        return _json.event(message, record.name, fields, exception, record.stack_info)

    def flush(self) -> None:
        """Waits until what was logged is delivered, or durable in the spool; at most 5 s."""
        client = self._client or _process.client()
        if client is not None:
            client.flush()
