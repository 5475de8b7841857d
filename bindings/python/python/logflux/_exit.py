"""The end of a process: every client delivers what it has, in time.

A process ends in many ways. Python tells of the ordinary ones by ``atexit``. Children of
``multiprocessing``, of Celery's pool and of RQ end by ``os._exit``, which tells nobody, and so does
a program that becomes another by ``os.exec…``: these functions deliver first.
"""

from __future__ import annotations

import atexit
import os
import weakref

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from ._client import Client

_clients: weakref.WeakSet[Client] = weakref.WeakSet()
#: Clients that were replaced before they could deliver what they had.
_replaced: list[Client] = []

#: The functions of ``os`` themselves.
_os_exit, _os_execv, _os_execve = os._exit, os.execv, os.execve


def watch(client: Client) -> None:
    """Closes this client at the end of the process, if it lives that long."""
    _clients.add(client)
    os._exit, os.execv, os.execve = _exit, _execv, _execve


def replace(client: Client) -> None:
    """Closes a client that another takes the place of, as soon as it has delivered what it has."""
    client.flush(client._close_timeout)
    if client.stats().pending:
        # It goes on, and is closed at the end of the process.
        _replaced.append(client)
    else:
        client.close()


def close_all() -> None:
    """Closes every client, each within its own time."""
    for client in list(_clients):
        # What goes wrong here must not keep the process from its end.
        try:
            client.close()
        except KeyboardInterrupt:
            raise
        except Exception:
            pass
        except BaseException:
            # A handler of a signal wants an end, which this is.
            client._deliver(last=True)


def end(status: int) -> NoReturn:
    """Ends the process now."""
    _os_exit(status)


def deliver(last: bool) -> None:
    """Waits for what is still in memory, of this process: a child of a fork begins with nothing."""
    for client in list(_clients):
        try:  # noqa: SIM105 (`contextlib` takes long to import)
            client._deliver(last)
        except Exception:
            pass


def _exit(status: int) -> NoReturn:
    """Exit to the system with specified status, without normal exit processing.

    LogFlux delivers what is in memory first.
    """
    try:
        deliver(last=True)
    finally:
        _os_exit(status)


def _execv(path: object, argv: object, /) -> NoReturn:
    """Execute an executable path with arguments, replacing current process.

    LogFlux delivers what is in memory first.
    """
    deliver(last=False)
    _os_execv(path, argv)  # type: ignore[arg-type]


def _execve(path: object, argv: object, env: object) -> NoReturn:
    """Execute an executable path with arguments, replacing current process.

    LogFlux delivers what is in memory first.
    """
    deliver(last=False)
    _os_execve(path, argv, env)  # type: ignore[arg-type]


def _at_exit() -> None:
    close_all()
    _core.end_callbacks()


# Handlers run in the reverse order: those that an application adds later still log.
atexit.register(_at_exit)
