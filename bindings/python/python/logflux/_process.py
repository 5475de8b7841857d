"""The client of the process, which the functions of the module log through."""

from __future__ import annotations

import os

from . import _core, _exit
from ._client import Client, _given
from ._errors import LogfluxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._core import ClientStats, FlushResult, Given, Secret
    from ._core import _Duration as Duration
    from ._settings import Settings

_client: Client | None = None
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

    With the settings of the client that there is, it gives that one. With others the new client
    takes its place, and the old one is closed when it has delivered what it has.

    It is closed by ``logflux.close()``, or at the end of the process. So that nothing is lost where
    SIGTERM or SIGHUP ends it, those signals get a handler, if they have none;
    ``handle_sigterm=False`` leaves them alone. The arguments are those of ``Client``. With
    ``LOGFLUX_DISABLED=1`` in the environment the client does nothing.
    """
    given = _given(settings, server_url, node, api_key, secret)
    del settings, server_url, node, api_key, secret
    return _set_up(given, False, handle_sigterm)


def init_from_env(
    *,
    server_url: str | None = None,
    node: str | None = None,
    api_key: str | None = None,
    secret: str | bytes | Secret | None = None,
    handle_sigterm: bool = True,
    required: bool = True,
    **settings: Unpack[Settings],
) -> Client:
    """As ``init``, from the ``LOGFLUX_…`` variables; what is given here comes before them.

    With ``required=False`` it gives a client that does nothing where neither the variables nor the
    arguments have a server, an API key or a secret.
    """
    given = _given(settings, server_url, node, api_key, secret)
    del settings, server_url, node, api_key, secret
    return _set_up(given, True, handle_sigterm, required)


def _set_up(given: Given, from_env: bool, handle_sigterm: bool, required: bool = True) -> Client:
    from ._settings import check_names, is_any_set, is_switched_off  # noqa: PLC0415

    before, names = _client, given.names()
    check_names(names)
    any_given = is_any_set() or not {"server_url", "api_key", "secret"}.isdisjoint(names)
    off = is_switched_off() or not (required or any_given)
    if before is not None:
        same = before.is_disabled if off else before._is_same(given, from_env)
        if same:
            return before
    return _adopt(Client._idle() if off else Client._of(given, from_env), before, handle_sigterm)


def _adopt(client: Client, before: Client | None, handle_sigterm: bool) -> Client:
    global _client, _last
    _client, _last = client, None
    _core.set_process_client(client)
    if before is not None:
        _exit.replace(before)
    if handle_sigterm and not client.is_disabled:
        from . import _signals  # noqa: PLC0415 (only where it is asked for)

        _signals.handle()
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
        del secret, api_key
        raise LogfluxError("logflux is not initialised: call logflux.init() first")
    given = _core.Given({"secret": secret, "api_key": api_key, "ca_file": ca_file})
    del secret, api_key, ca_file
    _client._rotate(given)


def close(timeout: Duration | None = None) -> bool:
    """Closes the client of the process, and forgets it, but for ``stats`` and ``last_flush``.

    A second call says what the first said; True where there was none.
    """
    global _client, _last  # noqa: PLW0603 (a process has one)
    closing, _client = _client, None
    if closing is None:
        _core.set_process_client(None)
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
