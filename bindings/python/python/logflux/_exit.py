"""The end of a process: every client delivers what it has, in time.

A process ends in many ways. Python tells of the ordinary ones by ``atexit``; a child of
``multiprocessing`` ends by finalizers of its own; SIGTERM would end it without a word, and so has
a handler, unless the application has its own.
"""

from __future__ import annotations

import atexit
import os
import sys
import weakref

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._client import Client

_clients: weakref.WeakSet[Client] = weakref.WeakSet()


class _Anchor:
    """``multiprocessing`` keeps only weak references to what it is told of."""


_ANCHOR = _Anchor()


def watch(client: Client) -> None:
    """Closes this client at the end of the process, if it lives that long."""
    _clients.add(client)
    if "multiprocessing.util" in sys.modules:
        process = sys.modules["multiprocessing.process"]
        if process.parent_process() is not None:
            _finalize()


def close_all() -> None:
    """Closes every client, each within its own time."""
    for client in list(_clients):
        # What goes wrong here must not keep the process from its end.
        try:  # noqa: SIM105 (`contextlib` takes long to import)
            client.close()
        except Exception:
            pass


def _at_exit() -> None:
    close_all()
    _core.end_callbacks()


def _finalize(_anchor: object = None) -> None:
    """Tells ``multiprocessing`` to close all clients at the end of this child, after all else."""
    util: Any = sys.modules["multiprocessing.util"]
    util.Finalize(None, close_all, exitpriority=-100)


def _after_fork() -> None:
    if "multiprocessing.util" in sys.modules:
        util: Any = sys.modules["multiprocessing.util"]
        # Finalizers that are told of now would be cleared as those of the parent.
        util.register_after_fork(_ANCHOR, _finalize)


def handle_sigterm() -> None:
    """Closes all clients at SIGTERM, and lets the signal end the process then, as it would have.

    Only where nobody handles or ignores that signal, and from the main thread alone.
    """
    import signal  # noqa: PLC0415 (only where it is asked for)
    import threading  # noqa: PLC0415

    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return

    def end(_number: int, _frame: object) -> None:
        close_all()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)


# Handlers run in the reverse order: those that an application adds later still log.
atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
