"""Celery replaces the handlers of the root logger when a worker starts. Ours come back.

Its task loggers have handlers of their own, and pass nothing on; they get ours as well. A process
of its pool is killed when the worker, or the thread of it that made the process, ends before it. So
it delivers before it says that it ends, and is asked to end rather than killed.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
from importlib import import_module

from . import _exit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Where our handlers were before Celery's own came.
_were: dict[str, list[logging.Handler]] = {}
_connected = False


def keep_handlers() -> None:
    """Asks Celery, where it is imported, to tell when it sets logging up."""
    global _connected  # noqa: PLW0603 (once is enough)
    if _connected or "celery" not in sys.modules:
        return
    try:
        signals: Any = import_module("celery.signals")
    except Exception:
        return
    _connected = True
    signals.celeryd_init.connect(_remember, weak=False)
    signals.after_setup_logger.connect(_put_back, weak=False)
    signals.after_setup_task_logger.connect(_give_to_tasks, weak=False)
    signals.worker_process_init.connect(_listen_last, weak=False)


def _ours(logger: logging.Logger) -> list[logging.Handler]:
    from ._logging import LogfluxHandler  # noqa: PLC0415 (that module imports this one)

    return [handler for handler in logger.handlers if isinstance(handler, LogfluxHandler)]


def _remember(**_signal: Any) -> None:
    for name in ("", "celery", "celery.task", "celery.redirected"):
        handlers = _ours(logging.getLogger(name))
        if handlers:
            _were[name] = handlers


def _put_back(**_signal: Any) -> None:
    for name, handlers in _were.items():
        for handler in handlers:
            # It adds none twice.
            logging.getLogger(name).addHandler(handler)


def _give_to_tasks(logger: logging.Logger | None = None, **_signal: Any) -> None:
    if logger is not None and not logger.propagate:
        for handler in _ours(logging.getLogger()):
            logger.addHandler(handler)


def _listen_last(**_signal: Any) -> None:
    # Behind what the application has connected, which may log.
    signals: Any = import_module("celery.signals")
    signals.worker_process_shutdown.connect(_deliver, weak=False)
    with contextlib.suppress(Exception):
        import_module("billiard.util").set_pdeathsig(signal.SIGTERM)


def _deliver(**_signal: Any) -> None:
    _exit.deliver(last=False)
