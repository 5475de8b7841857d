"""Signals that would end the process without a word: SIGTERM, and SIGHUP of a terminal that closes.

Where nobody handles such a signal, every client is closed, and then the signal ends the process as
it would have. A server such as uvicorn handles it for a while, then puts the default action back
and raises the signal again. So the default action is ours from then on, whoever sets it.
"""

from __future__ import annotations

import os
import signal

from . import _exit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HANDLED = {signal.SIGTERM, signal.SIGHUP}

#: The functions of ``signal`` themselves, or of a library that had put its own in their place.
_signal, _getsignal = signal.signal, signal.getsignal


def handle() -> None:
    """Closes all clients at a signal of these that has its default action, now or later."""
    for number in _HANDLED:
        if _getsignal(number) == signal.SIG_DFL:
            try:
                _signal(number, _end)
            except ValueError:
                # Only the main thread may; the action is ours from the next time on.
                return


def _set(signalnum: int, handler: Any, /) -> Any:
    """Sets what happens at a signal; the default action is to deliver, and then to end."""
    is_default = isinstance(handler, int) and handler == signal.SIG_DFL
    before = _signal(signalnum, _end if is_default and signalnum in _HANDLED else handler)
    return signal.SIG_DFL if before is _end else before


def _get(signalnum: int, /) -> Any:
    """Gives what happens at a signal."""
    handler = _getsignal(signalnum)
    return signal.SIG_DFL if handler is _end else handler


def _end(number: int, _frame: object) -> None:
    # A service manager tells every process, and a pool its children once more: that it comes again
    # must not cost what the first waits for, which is for a bounded time.
    for each in _HANDLED:
        _signal(each, signal.SIG_IGN)
    try:
        _exit.close_all()
    finally:
        _signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        # The first process of a container has no default actions.
        _exit.end(128 + number)


# Once: this module is imported when a signal is to be handled, and not before.
signal.signal, signal.getsignal = _set, _get  # type: ignore[assignment]
