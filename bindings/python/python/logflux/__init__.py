"""Encrypted logs: sealed inside the application, opened only by the holder of the secret.

::

    import logflux, logging

    logflux.init_from_env()     # or logflux.init(server_url, node, api_key, secret)
    logflux.info("User login successful")
    logging.getLogger().addHandler(logflux.LogfluxHandler())

``init`` sets the client of the process up; a function for every level logs through it, and a
``Client`` by itself does the same. ``seal`` and ``open`` do one entry, a ``Sealer`` and an
``Opener`` do many. Everything that fails is a ``LogfluxError``.
"""

from __future__ import annotations

from . import _installation  # noqa: F401 (first: it says what is wrong with what follows)
from ._client import Client
from ._core import (
    ClientStats,
    Entry,
    FlushResult,
    FlushTicket,
    KeyPolicy,
    Keyring,
    Opener,
    Sealer,
    SealerStats,
    Secret,
    __version__,
    after_restore,
    alert,
    critical,
    debug,
    emergency,
    error,
    exception,
    info,
    log,
    notice,
    open,
    open_bytes,
    open_many,
    seal,
    warning,
)
from ._errors import (
    EntryError,
    LogfluxError,
    OpenError,
    SealError,
    SecretError,
    SettingsError,
)
from ._process import client, close, flush, init, init_from_env, last_flush, rotate, stats
from ._types import Level, Mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._context import bind, context, unbind
    from ._logging import LogfluxHandler
    from ._loguru import LoguruSink
    from ._settings import Settings
    from ._structlog import LogfluxProcessor
    from ._uncaught import log_uncaught

__all__ = [
    "Client",
    "ClientStats",
    "Entry",
    "EntryError",
    "FlushResult",
    "FlushTicket",
    "KeyPolicy",
    "Keyring",
    "Level",
    "LogfluxError",
    "LogfluxHandler",
    "LogfluxProcessor",
    "LoguruSink",
    "Mode",
    "OpenError",
    "Opener",
    "SealError",
    "Sealer",
    "SealerStats",
    "Secret",
    "SecretError",
    "Settings",
    "SettingsError",
    "__version__",
    "after_restore",
    "alert",
    "bind",
    "client",
    "close",
    "context",
    "critical",
    "debug",
    "emergency",
    "error",
    "exception",
    "flush",
    "info",
    "init",
    "init_from_env",
    "last_flush",
    "log",
    "log_uncaught",
    "notice",
    "open",
    "open_bytes",
    "open_many",
    "rotate",
    "seal",
    "stats",
    "unbind",
    "warning",
]

#: Where the names are that are looked for when they are first used: what they need takes longer to
#: import than all the rest.
_LATER = {
    "LogfluxHandler": "_logging",
    "LogfluxProcessor": "_structlog",
    "LoguruSink": "_loguru",
    "Settings": "_settings",
    "bind": "_context",
    "context": "_context",
    "log_uncaught": "_uncaught",
    "unbind": "_context",
}


if not TYPE_CHECKING:  # or every name would be right

    def __getattr__(name: str) -> object:
        """Finds a name that is not imported yet."""
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415

        module = import_module(f".{_LATER[name]}", __name__)
        value = globals()[name] = getattr(module, name)
        return value


def __dir__() -> list[str]:
    """The public names, imported or not."""
    return sorted({*globals(), *__all__})
