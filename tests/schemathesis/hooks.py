"""What a description cannot say.

Every entry has an iv and a salt of its own, and an integer is written as one: in JSON Schema 7.0 is
an integer, in an entry it is an error.
"""

import base64
import os
import re

import schemathesis
from schemathesis.core.failures import Failure

# A cursor is a place in time: this one is the first entry of the beginning of 2024.
CURSOR = "2" + format(1704067200, "016x") + format(0, "08x") + format(1, "016x")
# The form of a step; which of this form are too long the description does not say.
STEP = re.compile("[1-9][0-9]{0,7}[smhd]?")


@schemathesis.hook
def before_call(context, case, kwargs):
    """Seals as a sealer would: never twice with one iv and salt."""
    freshen(case.body)
    query = case.query or {}
    if isinstance(query.get("cursor"), str) and len(query["cursor"]) == len(CURSOR):
        query["cursor"] = CURSOR
    step = query.get("step", "60s")
    if case.operation.path == "/v1/counts" and isinstance(step, str) and STEP.fullmatch(step):
        # With this step no time from the year 1 to 9999 has too many steps.
        query["step"] = "366d"
        case.query = query


def freshen(body):
    """Gives every entry a fresh iv and salt in place of valid ones, and plain integers."""
    if isinstance(body, list):
        for entry in body:
            freshen(entry)
    elif isinstance(body, dict) and "entries" in body:
        freshen(body["entries"])
    elif isinstance(body, dict):
        for field, size in (("iv", 12), ("salt", 32)):
            if is_base64_of(body.get(field), size):
                body[field] = base64.b64encode(os.urandom(size)).decode()
        for field in ("loglevel", "encryption_mode"):
            if isinstance(body.get(field), float) and body[field].is_integer():
                body[field] = int(body[field])


def is_base64_of(value, size):
    """Whether a value is canonical base64 of so many bytes."""
    try:
        decoded = base64.b64decode(value, validate=True)
    except (TypeError, ValueError):
        return False
    return len(decoded) == size and base64.b64encode(decoded).decode() == value


@schemathesis.check
def every_answer_has_its_headers(ctx, response, case):
    """The headers of every answer, and the one request id in both of its places."""
    for name, value in {
        "strict-transport-security": "max-age=31536000; includeSubDomains",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "x-xss-protection": "1; mode=block",
        "content-security-policy": "default-src 'none'",
    }.items():
        if response.headers.get(name) != [value]:
            raise Failure(
                operation=case.operation.label,
                title=f"{name} is missing or not as it must be",
                message=f"{response.headers.get(name)}",
            )
    for name in ("x-request-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"):
        if name not in response.headers:
            raise Failure(operation=case.operation.label, title=f"{name} is missing", message="")
