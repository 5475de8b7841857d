"""Encrypted logs: sealed inside the application, opened only by whoever holds the secret.

::

    import logflux, logging

    logflux.init_from_env()     # or logflux.init(server_url, node, api_key, secret)
    logflux.info("User login successful")
    logging.getLogger().addHandler(logflux.LogfluxHandler())

``init`` sets the client of the process up, and a function for every level logs through it; a
``Client`` by itself does the same. ``seal`` and ``open`` do one entry, a ``Sealer`` and an
``Opener`` do many. Everything that fails is a ``LogfluxError``.
"""

from __future__ import annotations

from ._client import Client, Settings
from ._core import (
    ClientStats,
    Entry,
    KeyPolicy,
    Keyring,
    Opener,
    Sealer,
    SealerStats,
    Secret,
    __version__,
    alert,
    critical,
    debug,
    emergency,
    error,
    info,
    log,
    notice,
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
from ._logging import LogfluxHandler
from ._loguru import LoguruSink
from ._opening import open, open_bytes, open_many
from ._process import client, close, flush, init, init_from_env, stats
from ._structlog import LogfluxProcessor
from ._types import Level, Mode

__all__ = [
    "Client",
    "ClientStats",
    "Entry",
    "EntryError",
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
    "alert",
    "client",
    "close",
    "critical",
    "debug",
    "emergency",
    "error",
    "flush",
    "info",
    "init",
    "init_from_env",
    "log",
    "notice",
    "open",
    "open_bytes",
    "open_many",
    "seal",
    "stats",
    "warning",
]
