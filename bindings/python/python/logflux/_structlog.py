"""A processor for ``structlog``."""

from __future__ import annotations

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from ._client import Client


class LogfluxProcessor:
    """Logs the events of ``structlog``, each as one JSON object, and passes them on unchanged.

    ::

        structlog.configure(processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            logflux.LogfluxProcessor(),
            structlog.dev.ConsoleRenderer(),
        ])

    The object is that of ``LogfluxHandler``: the ``event`` is its message, ``logger`` (where it was
    added) its target, everything else its fields; ``exc_info`` becomes an exception with its
    traceback. Put it before the renderer.

    It logs through ``client``, or through the client of the process, whenever there is one; before
    that, the first 1,000 events wait for it.
    """

    def __init__(self, client: Client | None = None) -> None:
        """Makes a processor; it may well be made before the client of the process is."""
        self._client = client

    def __call__(
        self,
        logger: Any,
        method_name: str,
        event_dict: MutableMapping[str, Any],
    ) -> MutableMapping[str, Any]:
        """Logs one event. It never fails, and waits for nothing."""
        # An event must reach the other processors, whatever it holds.
        try:  # noqa: SIM105 (`contextlib` takes long to import)
            _core.log_structlog(self._client, method_name, event_dict)
        except Exception:
            pass
        return event_dict
