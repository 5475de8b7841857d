"""The handler for ``logging``, under ``logging`` itself."""

from __future__ import annotations

import json
import logging
import logging.config
import os
from collections.abc import Iterator

import pytest

import logflux
from support import ENOUGH, Server


@pytest.fixture
def logger(server: Server, node: str) -> Iterator[logging.Logger]:
    logflux.init(
        server.url,
        node,
        server.key,
        "correct horse battery staple",
        ca_file=server.data / "ca.pem",
        mode=128,
    )
    logger = logging.getLogger(f"app.{node}")
    logger.setLevel(1)
    logger.propagate = False
    yield logger
    logger.handlers.clear()


def test_a_record_becomes_one_object_with_its_extra_fields(
    logger: logging.Logger, server: Server, node: str
) -> None:
    logger.addHandler(logflux.LogfluxHandler())
    logger.info("user %s logged in", "bär", extra={"user": 4711, "tags": ["a", {"b": None}]})
    assert logflux.flush(ENOUGH)
    (entry,) = server.entries(node)
    assert entry["loglevel"] == 7
    assert str(entry["message"]).startswith(
        f'{{"message":"user bär logged in","target":"{logger.name}",'
        '"fields":{"user":4711,"tags":["a",{"b":null}]},"source":{"file":"'
    )
    source = server.events(node)[0]["source"]
    assert isinstance(source, dict)
    line = source.pop("line")
    assert source == {
        "file": __file__,
        "function": "test_a_record_becomes_one_object_with_its_extra_fields",
        "thread": "MainThread",
        "process": os.getpid(),
    }
    with open(__file__, encoding="utf-8") as file:
        assert "user %s logged in" in file.readlines()[line - 1]


def test_an_exception_comes_with_its_traceback(
    logger: logging.Logger, server: Server, node: str
) -> None:
    logger.addHandler(logflux.LogfluxHandler())
    try:
        raise ValueError("on purpose")
    except ValueError:
        logger.exception("it failed")
    logger.warning("here", stack_info=True)
    assert logflux.flush(ENOUGH)
    failed, here = server.events(node)
    assert str(failed["exception"]).startswith("Traceback (most recent call last):\n")
    assert str(failed["exception"]).endswith("ValueError: on purpose")
    assert "test_logging.py" in str(failed["exception"])
    assert str(here["stack"]).startswith("Stack (most recent call last):")


def test_numbers_become_levels(logger: logging.Logger, server: Server, node: str) -> None:
    logger.addHandler(logflux.LogfluxHandler(levels={35: "alert"}))
    for number in (5, 10, 20, 25, 30, 35, 40, 50, 60):
        logger.log(number, "%d", number)
    assert logflux.flush(ENOUGH)
    assert [entry["loglevel"] for entry in server.entries(node)] == [8, 8, 7, 6, 5, 2, 4, 3, 3]


def test_a_level_that_is_none_is_refused_when_the_handler_is_made() -> None:
    with pytest.raises(logflux.EntryError):
        logflux.LogfluxHandler(levels={35: "loud"})


class Bad:
    def __str__(self) -> str:
        raise RuntimeError("hunter2")


def test_what_cannot_be_written_costs_itself_alone(
    logger: logging.Logger, server: Server, node: str, capfd: pytest.CaptureFixture[str]
) -> None:
    logger.addHandler(logflux.LogfluxHandler())
    circle: list[object] = []
    circle.append(circle)
    extra = {"bad": Bad(), "nan": float("nan"), "circle": circle, "bytes": b"x", "half": "\udc80"}
    logger.info("values", extra=extra)
    logger.info("%d is hunter2", "x")
    assert logflux.flush(ENOUGH)
    values, unformatted = server.events(node)
    fields = values["fields"]
    assert isinstance(fields, dict)
    assert fields["bad"] == "[a value could not be formatted]"
    assert (fields["nan"], fields["bytes"], fields["half"]) == ("nan", "b'x'", "\udc80")
    assert unformatted["message"] == "%d is hunter2 [a value could not be formatted]"
    assert "hunter2" not in "".join(capfd.readouterr())


def test_a_formatter_has_its_way(logger: logging.Logger, server: Server, node: str) -> None:
    handler = logflux.LogfluxHandler(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.info("below its level")
    logger.warning("hot")
    logger.warning("%d", "not a number")
    handler.flush()
    hot, unformatted = server.messages(node)
    assert hot == "WARNING hot"
    assert json.loads(unformatted)["message"] == "%d [a value could not be formatted]"


def test_it_is_set_up_by_a_dict(logger: logging.Logger, server: Server, node: str) -> None:
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"logflux": {"class": "logflux.LogfluxHandler", "level": "INFO"}},
            "loggers": {logger.name: {"handlers": ["logflux"], "level": "DEBUG"}},
        }
    )
    logger.debug("below")
    logger.error("configured")
    assert logflux.flush(ENOUGH)
    (event,) = server.events(node)
    del event["source"]
    assert event == {"message": "configured", "target": logger.name}


def test_a_client_of_its_own_and_the_time_of_the_record(server: Server, node: str) -> None:
    logger = logging.getLogger(f"own.{node}")
    logger.propagate = False
    with server.client(node) as client:
        logger.addHandler(logflux.LogfluxHandler(client=client))
        record = logger.makeRecord(logger.name, logging.ERROR, "f", 1, "old", (), None)
        record.created = 1705487445.125
        logger.handle(record)
        logging.getLogger("without a client").addHandler(logflux.LogfluxHandler())
    logger.handlers.clear()
    (entry,) = server.entries(node)
    assert (entry["timestamp"], entry["loglevel"]) == ("2024-01-17T10:30:45.125Z", 4)
