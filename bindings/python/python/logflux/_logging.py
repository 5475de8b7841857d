"""A handler for ``logging``."""

from __future__ import annotations

import contextlib
import logging
import sys

from . import _celery, _core, _process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._client import Client
    from ._types import Level


class LogfluxHandler(logging.Handler):
    """Logs the records of ``logging``, each as one JSON object.

    ::

        {"message": "logged in", "target": "app.auth", "fields": {"user": 4711},
         "source": {"file": "auth.py", "line": 7, "function": "login", …}}

    ``target`` is the logger's name, ``fields`` what came by ``extra``, by a factory of records, or
    was bound; an ``exception`` is there with its traceback, and a ``stack`` where it was asked for.
    Where a formatter is set, its text is logged in place of the object.

    It logs through ``client``, or through the client of the process, whenever there is one; before
    that, the first 1,000 records wait for it. A record is logged once by a client, through however
    many handlers it comes. ``levels`` maps numbers of ``logging`` to levels, beside the usual ones.
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
        self._levels = {n: _core.level_number(to) for n, to in (levels or {}).items()}
        _celery.keep_handlers()

    def createLock(self) -> None:  # noqa: N802
        """Makes no lock: nothing here needs one."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Logs one record, unless a filter refuses it."""
        if self.filters:
            passed = self.filter(record)
            if not passed:
                return False
            # From Python 3.12 on a filter may give another record.
            if isinstance(passed, logging.LogRecord):
                record = passed
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Logs one record. It never fails, and waits for nothing."""
        try:
            if self.formatter is None:
                _core.log_record(self._client, record, self._levels)
            else:
                self._emit_formatted(record)
        except Exception:
            self.handleError(record)

    def _emit_formatted(self, record: logging.LogRecord) -> None:
        text: str | None = None
        # What it cannot format is logged as it would be without it.
        with contextlib.suppress(Exception):
            text = self.format(record)
        _core.log_record(self._client, record, self._levels, text)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Says on stderr that a record was lost, without what was in it."""
        if logging.raiseExceptions and sys.stderr is not None:
            kind = sys.exc_info()[0]
            name = "an error" if kind is None else kind.__name__
            with contextlib.suppress(Exception):
                sys.stderr.write(f"logflux: a record was not logged: {name}\n")

    def flush(self) -> None:
        """Waits until what was logged is delivered, or durable in the spool; at most 5 s."""
        client = self._client or _process.client()
        if client is not None:
            client.flush()
