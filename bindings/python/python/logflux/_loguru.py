"""A sink for ``loguru``."""

from __future__ import annotations

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._client import Client


class LoguruSink:
    """Logs the messages of ``loguru``, each as one JSON object.

    ::

        loguru.logger.add(logflux.LoguruSink())

    The object is that of ``LogfluxHandler``: the logger's name is its target, what was bound and
    the values that were put in by name are its fields, and an exception is there with its
    traceback. ``SUCCESS`` becomes notice, ``TRACE`` debug; the ``format`` of ``add`` is not used.

    It logs through ``client``, or through the client of the process, whenever there is one; before
    that, the first 1,000 messages wait for it.
    """

    def __init__(self, client: Client | None = None) -> None:
        """Makes a sink; it may well be made before the client of the process is."""
        self._client = client

    def __call__(self, message: Any) -> None:
        """Logs one message. It never fails, and waits for nothing."""
        _core.log_loguru(self._client, message.record)
