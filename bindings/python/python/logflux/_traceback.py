"""The text of an exception, and of the calls that led here. It never fails."""

from __future__ import annotations

import traceback

#: How many calls the text of a traceback has at most, from either end.
_CALLS_MAX = 200


def format_exception(error: BaseException) -> str:
    """The text of an exception with its traceback, and of those that led to it."""
    try:
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        return "".join(lines).rstrip("\n")
    except Exception:
        return f"{type(error).__name__}: [a value could not be formatted]"


def format_stack() -> str:
    """The calls that led to the caller of LogFlux."""
    lines = traceback.format_stack(limit=_CALLS_MAX)
    # The last is this function's own.
    return ("Stack (most recent call last):\n" + "".join(lines[:-1])).rstrip("\n")
