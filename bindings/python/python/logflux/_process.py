"""The client of the process, which the functions of the module log through."""

from __future__ import annotations

import os

from . import _core, _exit
from ._client import Client
from ._errors import LogfluxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._core import ClientStats, FlushResult, Secret
    from ._core import _Duration as Duration
    from ._settings import Settings

_client: Client | None = None
_process = 0
#: What became of the messages of the client that was closed last, and what that close found.
_last: tuple[ClientStats, FlushResult | None] | None = None


def init(
    server_url: str,
    node: str | None,
    api_key: str,
    secret: str | bytes | Secret,
    *,
    handle_sigterm: bool = True,
    **settings: Unpack[Settings],
) -> Client:
    """Sets the client of this process up: everything that is logged from now on goes through it.

    It is closed by ``logflux.close()``, or at the end of the process. So that nothing is lost where
    SIGTERM ends it, that signal gets a handler, if it has none; ``handle_sigterm=False`` leaves it
    alone. The arguments are those of ``Client``.
    """
    _check()
    return _adopt(Client(server_url, node, api_key, secret, **settings), handle_sigterm)


def init_from_env(
    *,
    server_url: str | None = None,
    node: str | None = None,
    api_key: str | None = None,
    secret: str | bytes | Secret | None = None,
    handle_sigterm: bool = True,
    **settings: Unpack[Settings],
) -> Client:
    """As ``init``, from the ``LOGFLUX_…`` variables; what is given here comes before them."""
    _check()
    client = Client.from_env(
        server_url=server_url, node=node, api_key=api_key, secret=secret, **settings
    )
    return _adopt(client, handle_sigterm)


def _check() -> None:
    # A child of a fork may go on with its parent's client, or have another.
    if _client is not None and _process == os.getpid():
        raise LogfluxError("logflux is initialised already: call logflux.close() before the next")


def _adopt(client: Client, handle_sigterm: bool) -> Client:
    global _client, _process, _last
    _client, _process, _last = client, os.getpid(), None
    _core.set_process_client(client)
    if handle_sigterm:
        _exit.handle_sigterm()
    return client


def client() -> Client | None:
    """The client of this process, if ``init`` has set one up."""
    return _client


def flush(timeout: Duration = 5.0) -> bool:
    """Flushes the client of the process. Where it is closed, says what the close said.

    True where there was none.
    """
    return _closed_well() if _client is None else _client.flush(timeout)


def rotate(
    *,
    secret: str | bytes | Secret | None = None,
    api_key: str | None = None,
    ca_file: str | os.PathLike[str] | None = None,
) -> None:
    """Goes on with another secret, API key or CA file; see ``Client.rotate``."""
    if _client is None:
        raise LogfluxError("logflux is not initialised: call logflux.init() first")
    _client.rotate(secret=secret, api_key=api_key, ca_file=ca_file)


def close(timeout: Duration | None = None) -> bool:
    """Closes the client of the process, and forgets it, but for ``stats`` and ``last_flush``.

    A second call says what the first said; True where there was none.
    """
    global _client, _last
    closing, _client = _client, None
    if closing is None:
        return _closed_well()
    try:
        return closing.close(timeout)
    finally:
        _last = closing.stats(), closing.last_flush
        _core.set_process_client(None)


def stats() -> ClientStats | None:
    """What became of all messages of the client of the process, closed or not.

    None where there was none.
    """
    if _client is not None:
        return _client.stats()
    return None if _last is None else _last[0]


def last_flush() -> FlushResult | None:
    """What the last flush or close of the client of the process found, closed or not.

    None where there was none.
    """
    if _client is not None:
        return _client.last_flush
    return None if _last is None else _last[1]


def _closed_well() -> bool:
    found = last_flush()
    return found is None or bool(found)
