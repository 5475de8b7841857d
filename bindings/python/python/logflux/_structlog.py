"""A processor for ``structlog``."""

from __future__ import annotations

import sys

from . import _core, _json
from ._types import Level

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from ._client import Client

_LEVELS = {
    "emergency": Level.EMERGENCY,
    "alert": Level.ALERT,
    "critical": Level.CRITICAL,
    "fatal": Level.CRITICAL,
    "error": Level.ERROR,
    "exception": Level.ERROR,
    "err": Level.ERROR,
    "failure": Level.ERROR,
    "warning": Level.WARNING,
    "warn": Level.WARNING,
    "notice": Level.NOTICE,
    "info": Level.INFO,
    "msg": Level.INFO,
    "debug": Level.DEBUG,
    "notset": Level.DEBUG,
}

#: What is not among the fields: it stands elsewhere.
_OWN = frozenset({"event", "level", "logger", "exc_info", "exception", "stack"})


class LogfluxProcessor:
    """Logs the events of ``structlog``, each as one JSON object, and passes them on unchanged.

    ::

        structlog.configure(processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            logflux.LogfluxProcessor(),
            structlog.dev.ConsoleRenderer(),
        ])

    The object is that of ``LogfluxHandler``: the ``event`` is its message, ``logger`` (where it was
    added) its target, everything else its fields; ``exc_info`` becomes an exception with its
    traceback. Put it before the renderer.

    It logs through ``client``, or through the client of the process, whenever there is one.
    """

    def __init__(self, client: Client | None = None) -> None:
        """Makes a processor; it may well be made before the client of the process is."""
        self._client = client

    def __call__(
        self,
        logger: Any,
        method_name: str,
        event_dict: MutableMapping[str, Any],
    ) -> MutableMapping[str, Any]:
        """Logs one event. It never fails, and waits for nothing."""
        level = _LEVELS.get(method_name) or _LEVELS.get(str(event_dict.get("level")), Level.INFO)
        fields = {name: value for name, value in event_dict.items() if name not in _OWN}
        exception = event_dict.get("exception")
        stack = event_dict.get("stack")
        text = _json.event(
            _json.text(event_dict.get("event", "")),
            _json.text(event_dict["logger"]) if "logger" in event_dict else None,
            fields,
            _exception(event_dict.get("exc_info")) if exception is None else _json.text(exception),
            None if stack is None else _json.text(stack),
        )
        log = _core.log if self._client is None else self._client.log
        log(level, text)
        return event_dict


def _exception(info: Any) -> str | None:
    if isinstance(info, BaseException):
        return _json.format_exception(type(info), info, info.__traceback__)
    if isinstance(info, tuple) and len(info) == 3:
        return _json.format_exception(*info)
    return _json.format_exception(*sys.exc_info()) if info else None
