"""Fields that are bound to the context: to a request, a job, a task of ``asyncio``, or a thread."""

from __future__ import annotations

from contextvars import ContextVar

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType
    from typing import Any

_fields: ContextVar[dict[str, Any] | None] = ContextVar("logflux", default=None)
_core.set_context_variable(_fields)


def bind(**fields: Any) -> None:
    """Adds fields to everything that is logged in this context from now on.

    A context is that of ``contextvars``: a thread, or a task of ``asyncio``. A field of the record
    itself comes before one of the same name that is bound.
    """
    _fields.set({**(_fields.get() or {}), **fields})


def unbind(*names: str) -> None:
    """Takes fields away that were bound in this context; without names, all of them."""
    if names:
        _fields.set({k: v for k, v in (_fields.get() or {}).items() if k not in names})
    else:
        _fields.set(None)


class context:  # noqa: N801 (it is used as a function)
    """Binds fields for the length of a ``with`` block.

    ::

        with logflux.context(request=7):
            logflux.info("it began")
    """

    def __init__(self, **fields: Any) -> None:
        """Takes the fields; they are bound when the block begins."""
        self._bound = fields
        self._before: list[Token[dict[str, Any] | None]] = []

    def __enter__(self) -> None:
        """Binds the fields."""
        self._before.append(_fields.set({**(_fields.get() or {}), **self._bound}))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Puts the fields back that were bound before."""
        try:
            _fields.reset(self._before.pop())
        except ValueError:
            # The block ends in another context than it began in, as that of a generator may.
            unbind(*self._bound)
