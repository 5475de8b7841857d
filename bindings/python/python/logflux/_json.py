"""One JSON object of whatever an application logs. It never fails."""

from __future__ import annotations

import json
import math
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Any

UNFORMATTED = "[a value could not be formatted]"
_DEPTH_MAX = 16


def text(value: object) -> str:
    """What ``str`` makes of a value, or words that say that it failed."""
    try:
        return str(value)
    except Exception:
        return UNFORMATTED


_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=text
).encode


def dumps(value: Mapping[str, object]) -> str:
    """JSON of an object; values that JSON has not are strings."""
    try:
        return _encode(value)
    except Exception:
        return _encode(_plain(value, 0))


def _plain(value: object, depth: int) -> object:
    """A value of JSON's own kinds, whatever it was."""
    if isinstance(value, (bool, int, str)) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else text(value)
    if not isinstance(value, (dict, list, tuple)):
        return text(value)
    if depth > _DEPTH_MAX:
        return "…"
    if isinstance(value, dict):
        return {text(key): _plain(item, depth + 1) for key, item in value.items()}
    return [_plain(item, depth + 1) for item in value]


def event(
    message: str,
    target: str | None,
    fields: Mapping[str, object],
    exception: str | None = None,
    stack: str | None = None,
) -> str:
    """The object that a structured event becomes; what it has not is left out."""
    members: dict[str, Any] = {"message": message}
    if target is not None:
        members["target"] = target
    if fields:
        members["fields"] = fields
    if exception:
        members["exception"] = exception
    if stack:
        members["stack"] = stack
    return dumps(members)


def format_exception(
    kind: type[BaseException] | None,
    value: BaseException | None,
    trace: TracebackType | None,
) -> str | None:
    """The text of an exception with its traceback; None where there is none."""
    if value is None:
        return None
    try:
        return "".join(traceback.format_exception(kind, value, trace)).rstrip("\n")
    except Exception:
        return f"{type(value).__name__}: {UNFORMATTED}"
