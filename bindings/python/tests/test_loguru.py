"""The sink for ``loguru``, under ``loguru`` itself."""

from __future__ import annotations

import loguru

import logflux
from support import ENOUGH, Server


def test_messages_are_logged_with_what_was_bound(server: Server, node: str) -> None:
    client = server.client(node)
    logger = loguru.logger
    logger.remove()
    sink = logger.add(logflux.LoguruSink(client), level=0)
    try:
        logger.bind(user=4711).info("user {name} logged in", name="bär")
        for name in ("trace", "debug", "success", "warning", "error", "critical"):
            getattr(logger, name)(name)
        try:
            raise ValueError("on purpose")
        except ValueError:
            logger.exception("it failed")
    finally:
        logger.remove(sink)
    assert client.close(ENOUGH)
    entries = server.entries(node)
    assert [entry["loglevel"] for entry in entries] == [7, 8, 8, 6, 5, 4, 3, 4]
    events = server.events(node)
    source = events[0].pop("source")
    assert isinstance(source, dict)
    assert source["function"] == "test_messages_are_logged_with_what_was_bound"
    assert (source["file"], source["thread"]) == (__file__, "MainThread")
    assert events[0] == {
        "message": "user bär logged in",
        "target": __name__,
        "fields": {"user": 4711, "name": "bär"},
    }
    assert "Traceback (most recent call last)" in str(events[7]["exception"])
    assert str(events[7]["exception"]).endswith("ValueError: on purpose")
