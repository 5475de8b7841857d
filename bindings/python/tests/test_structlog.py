"""The processor for ``structlog``, under ``structlog`` itself."""

from __future__ import annotations

import sys

import structlog

import logflux
from support import ENOUGH, Server


def test_events_are_logged_and_passed_on_unchanged(server: Server, node: str) -> None:
    client = server.client(node)
    captured = structlog.testing.CapturingLoggerFactory()
    logger = structlog.wrap_logger(
        captured(),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            logflux.LogfluxProcessor(client),
            structlog.processors.KeyValueRenderer(key_order=["event", "user"]),
        ],
    )
    with structlog.contextvars.bound_contextvars(request=7):
        logger.bind(user="bär").info("logged in", tags={"a": object})
    try:
        raise ValueError("on purpose")
    except ValueError as error:
        logger.exception("failed")
        logger.error("by itself", exc_info=error)
        logger.error("by its tuple", exc_info=sys.exc_info())
    logger.critical("bad", logger="app.db", stack="of calls")
    logger.warning("rendered", exception="Traceback …")
    assert client.close(ENOUGH)
    first = captured.logger.calls[0].args[0]
    assert first.startswith("event='logged in' user='bär'")
    assert "request=7" in first
    entries = server.entries(node)
    assert [entry["loglevel"] for entry in entries] == [7, 4, 4, 4, 3, 5]
    events = server.events(node)
    for event in events:
        source = event.pop("source")
        assert isinstance(source, dict)
        assert source["function"] == "test_events_are_logged_and_passed_on_unchanged"
        assert source["file"] == __file__
        assert source["line"] > 20
    assert events[0] == {
        "message": "logged in",
        "fields": {"user": "bär", "tags": {"a": "<class 'object'>"}, "request": 7},
    }
    for event in events[1:4]:
        assert str(event["exception"]).endswith("ValueError: on purpose")
    assert events[4] == {"message": "bad", "target": "app.db", "stack": "of calls"}
    assert events[5] == {"message": "rendered", "exception": "Traceback …"}
