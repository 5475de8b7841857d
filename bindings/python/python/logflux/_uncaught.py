"""Exceptions that nobody catches."""

from __future__ import annotations

import sys
import threading

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_before = (sys.excepthook, threading.excepthook)
_installed = False


def log_uncaught() -> None:
    """Logs every exception that nobody catches, in the main thread and in others, as critical.

    What was done with them before is done as well: by default Python writes them to stderr.
    KeyboardInterrupt is left out, and so is SystemExit. A second call does nothing.
    """
    global _before, _installed  # noqa: PLW0603 (a process has one hook of each kind)
    if not _installed:
        _installed = True
        _before = (sys.excepthook, threading.excepthook)
        sys.excepthook, threading.excepthook = _hook, _thread_hook


def _hook(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
    _log("an exception that nobody caught: %s", kind, value)
    _before[0](kind, value, trace)


def _thread_hook(args: threading.ExceptHookArgs) -> None:
    name = "a thread" if args.thread is None else args.thread.name
    _log(f"an exception that nobody caught in {name}: %s", args.exc_type, args.exc_value)
    _before[1](args)


def _log(message: str, kind: type[BaseException], value: BaseException | None) -> None:
    if not issubclass(kind, (KeyboardInterrupt, SystemExit)):
        _core.critical(message, kind.__name__, exc_info=value)
