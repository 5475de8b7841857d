"""What a record says beside its message: fields, the place, the context, the trace."""

from __future__ import annotations

import asyncio
import collections.abc
import contextvars
import json
import logging
import logging.handlers
import os
import queue
import threading
from collections.abc import Generator, Iterator
from typing import Any

import loguru
import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import logflux
from support import ENOUGH, Run, Server

Events = collections.abc.Callable[[], list[dict[str, Any]]]


@pytest.fixture
def client(server: Server, node: str) -> Iterator[logflux.Client]:
    client = server.client(node)
    yield client
    client.close(0)


@pytest.fixture
def events(client: logflux.Client, server: Server, node: str) -> Events:
    """Delivers, and gives what arrived."""

    def events() -> list[dict[str, Any]]:
        assert client.close(ENOUGH)
        return server.events(node)

    return events


@pytest.fixture
def logger(client: logflux.Client, node: str) -> Iterator[logging.Logger]:
    logger = logging.getLogger(node)
    logger.propagate = False
    logger.setLevel(1)
    logger.addHandler(logflux.LogfluxHandler(client=client))
    yield logger
    logger.handlers.clear()


# Fields.


def test_every_function_takes_fields(server: Server, node: str) -> None:
    names = [
        "emergency",
        "alert",
        "critical",
        "error",
        "warning",
        "notice",
        "info",
        "debug",
        "exception",
    ]
    client = server.client(node)
    logflux.init(
        server.url,
        node,
        server.key,
        "correct horse battery staple",
        ca_file=server.data / "ca.pem",
        mode=128,
    )
    for name in names:
        getattr(client, name)("%s of a client", name, user=4711, name=name)
        getattr(logflux, name)("%s of the module", name, user=4711, message="a field", level=7)
    client.log(3, "by number", user=1)
    logflux.log("notice", "by name", user=1)
    assert client.close(ENOUGH)
    assert logflux.close(ENOUGH)
    found = {str(event["message"]): event["fields"] for event in server.events(node)}
    for name in names:
        assert found[f"{name} of a client"] == {"user": 4711, "name": name}
        assert found[f"{name} of the module"] == {"user": 4711, "message": "a field", "level": 7}
    assert found["by number"] == found["by name"] == {"user": 1}


def test_without_fields_a_message_is_text(
    client: logflux.Client, server: Server, node: str
) -> None:
    client.info("text")
    client.info("of %s", "values")
    client.info("{not json")
    assert client.close(ENOUGH)
    assert server.messages(node) == ["text", "of values", "{not json"]


def test_a_call_says_where_it_stands(client: logflux.Client, events: Events) -> None:
    def inner() -> None:
        client.info("here", a=1)

    thread = threading.Thread(target=inner, name="worker-7")
    thread.start()
    thread.join()
    (event,) = events()
    assert event["source"] == {
        "file": __file__,
        "line": inner.__code__.co_firstlineno + 1,
        "function": "inner",
        "thread": "worker-7",
        "process": os.getpid(),
    }


def test_exceptions_come_with_their_traceback(client: logflux.Client, events: Events) -> None:
    try:
        raise ValueError("on purpose")
    except ValueError as error:
        kept = error
        client.exception("handled now", user=1)
        client.warning("asked for", exc_info=True)
    client.error("given", exc_info=kept)
    client.error("in three", exc_info=(type(kept), kept, None))
    client.exception("nothing is handled")
    client.error("none", exc_info=None, user=2)
    client.error("false", exc_info=False, user=2)
    client.info("the calls", stack_info=True)
    found = events()
    for event in found[:3]:
        assert str(event["exception"]).startswith("Traceback (most recent call last):\n")
        assert str(event["exception"]).endswith("ValueError: on purpose")
    assert found[3]["exception"].endswith("ValueError: on purpose")
    for event in found[4:]:
        assert "exception" not in event
    assert found[0]["fields"] == {"user": 1}
    assert "test_exceptions_come_with_their_traceback" in found[7]["stack"]
    assert "fields" not in found[7]


@pytest.mark.parametrize(
    ("level", "number"),
    [
        (10, 8),
        (15, 8),
        (20, 7),
        (25, 6),
        (29, 6),
        (30, 5),
        (40, 4),
        (50, 3),
        (99, 3),
        (10**30, 3),
        (-(10**30), 8),
        (0, 8),
        (-1, 8),
        (9, 8),
        (30.0, 5),
        (float("nan"), 7),
        (logging.WARNING, 5),
        (logflux.Level.ALERT, 2),
        (1, 1),
        (8, 8),
        ("WARNING", 5),
        ("warn", 5),
        ("CRITICAL", 3),
        ("fatal", 3),
        ("NOTSET", 8),
        ("TRACE", 8),
        ("SUCCESS", 6),
        ("exception", 4),
        ("err", 4),
        (" Info ", 7),
        ("30", 5),
        ("7", 7),
        ("TEST_RECORDS", 5),
        ("nobody knows", 7),
        ("", 7),
        (None, 7),
        (True, 7),
        ([], 7),
        (b"info", 7),
        (object(), 7),
        ("\udc80", 7),
    ],
)
def test_levels_are_those_of_logging_too(
    level: Any, number: int, client: logflux.Client, server: Server, node: str
) -> None:
    logging.addLevelName(31, "TEST_RECORDS")
    client.log(level, "x")
    assert client.is_enabled(level)
    assert client.close(ENOUGH)
    assert [entry["loglevel"] for entry in server.entries(node)] == [number]


def test_a_call_without_a_message_is_one_too(
    client: logflux.Client, server: Server, node: str
) -> None:
    client.info()  # type: ignore[call-arg]
    client.info(message="by name")  # type: ignore[call-arg]
    client.info("", user=1)
    assert client.close(ENOUGH)
    first, second, third = server.messages(node)
    assert (first, second) == ("", "by name")
    assert json.loads(third)["fields"] == {"user": 1}


# The context.


def test_bound_fields_are_in_everything(
    client: logflux.Client, logger: logging.Logger, events: Events
) -> None:
    logflux.bind(request=7, user="Ada")
    client.info("call")
    client.info("call with its own", user="Bob")
    logger.info("logging", extra={"user": "Bob"})
    logflux.LogfluxProcessor(client)(None, "info", {"event": "structlog"})
    sink = loguru.logger.add(logflux.LoguruSink(client))
    loguru.logger.info("loguru")
    loguru.logger.remove(sink)
    with logflux.context(user="Carol", deep=True):
        client.info("inside")
    logflux.unbind("user", "no such name")
    client.info("without")
    logflux.unbind()
    client.info("nothing", a=1)
    fields = [event["fields"] for event in events()]
    bound = {"request": 7, "user": "Ada"}
    assert fields == [
        bound,
        {"request": 7, "user": "Bob"},
        {"request": 7, "user": "Bob"},
        bound,
        bound,
        {"request": 7, "user": "Carol", "deep": True},
        {"request": 7},
        {"a": 1},
    ]


def test_contexts_are_each_others_own(client: logflux.Client, events: Events) -> None:
    async def work(number: int) -> None:
        with logflux.context(task=number):
            await asyncio.sleep(0)
            client.info("at work", number=number)
        await asyncio.sleep(0)
        client.info("done", number=number)

    async def all_of_them() -> None:
        await asyncio.gather(*(work(number) for number in range(5)))

    asyncio.run(all_of_them())
    for event in events():
        fields = event["fields"]
        if event["message"] == "at work":
            assert fields["task"] == fields["number"]
        else:
            assert "task" not in fields


def test_a_block_may_end_elsewhere(client: logflux.Client, events: Events) -> None:
    def generator() -> Generator[None, None, None]:
        with logflux.context(a=1):
            yield

    generating = generator()
    contextvars.copy_context().run(next, generating)
    generating.close()
    block = logflux.context(b=1)
    with block, block:
        client.info("twice")
    client.info("after", c=1)
    assert [event["fields"] for event in events()] == [{"b": 1}, {"c": 1}]


def test_a_trace_s_numbers_are_taken_over(
    client: logflux.Client, logger: logging.Logger, events: Events
) -> None:
    tracer = TracerProvider().get_tracer("tests")
    with tracer.start_as_current_span("work") as span:
        client.info("call")
        logger.info("logging")
        logflux.LogfluxProcessor(client)(None, "info", {"event": "structlog"})
    logger.info("outside")
    with trace.use_span(trace.INVALID_SPAN):
        logger.info("of no span")
    context = span.get_span_context()
    inside, outside = events()[:3], events()[3:]
    for event in inside:
        assert event["trace_id"] == f"{context.trace_id:032x}"
        assert event["span_id"] == f"{context.span_id:016x}"
    for event in outside:
        assert "trace_id" not in event


# ``logging``.


def test_a_factory_s_attributes_are_fields(run: Run, server: Server, node: str) -> None:
    done = run("""
import logging
usual = logging.getLogRecordFactory()

def factory(*args, **kwargs):
    record = usual(*args, **kwargs)
    record.reqid, record.otelTraceID = "r-7", "0"
    return record

class Braces(logging.LogRecord):
    def getMessage(self):
        return self.msg.format(*self.args)

logging.setLogRecordFactory(factory)
logflux.init_from_env(mode=MODE)
logging.getLogger().addHandler(logflux.LogfluxHandler())
logging.warning("one")
logging.setLogRecordFactory(Braces)
logging.warning("{} of {}", 3, 4)
logging.warning("{} of {} {}", 3, 4)
""")
    assert (done.returncode, done.stderr) == (0, "")
    one, braces, wrong = server.events(node)
    assert one["fields"] == {"reqid": "r-7", "otelTraceID": "0"}
    assert braces["message"] == "3 of 4"
    assert str(wrong["message"]).startswith("{} of {} {}")


def test_values_that_do_not_fit_are_kept_beside(logger: logging.Logger, events: Events) -> None:
    logger.info("%d of %s", "x", 7)
    logger.info("nothing to put in", 1, 2)  # noqa: PLE1205
    logger.info("%(name)s", {"other": 1})
    logger.info("%s")
    found = events()
    assert [event.get("args") for event in found] == [["x", 7], [1, 2], {"other": 1}, None]
    failed = "[a value could not be formatted]"
    assert found[0]["message"] == f"%d of %s {failed}"
    assert found[3]["message"] == "%s"


def test_a_record_is_logged_once_through_however_many_handlers(
    client: logflux.Client, logger: logging.Logger, server: Server, node: str, events: Events
) -> None:
    for _ in range(3):
        logger.addHandler(logflux.LogfluxHandler(client=client))
    child = logger.getChild("child")
    child.addHandler(logger.handlers[0])
    other = server.client(f"{node}-other")
    child.addHandler(logflux.LogfluxHandler(client=other))
    for number in range(10):
        child.info("%d", number)
    assert other.close(ENOUGH)
    assert len(events()) == 10
    assert len(server.events(f"{node}-other")) == 10


def test_filters_have_their_say(logger: logging.Logger, events: Events) -> None:
    def only_even(record: logging.LogRecord) -> bool:
        record.seen = True
        return record.msg % 2 == 0

    logger.handlers[0].addFilter(only_even)
    for number in range(4):
        logger.info(number)
    assert [(event["message"], event["fields"]) for event in events()] == [
        ("0", {"seen": True}),
        ("2", {"seen": True}),
    ]


def test_records_pass_through_queues_and_buffers(client: logflux.Client, events: Events) -> None:
    waiting: queue.Queue[Any] = queue.Queue()
    handler = logflux.LogfluxHandler(client=client)
    buffer = logging.handlers.MemoryHandler(100, target=handler)
    listener = logging.handlers.QueueListener(waiting, buffer)
    logger = logging.Logger("queued")
    logger.addHandler(logging.handlers.QueueHandler(waiting))
    listener.start()
    logger.info("one", extra={"user": 7})
    listener.stop()
    buffer.close()
    (event,) = events()
    assert (event["message"], event["fields"]) == ("one", {"user": 7})


def test_what_a_subclass_does_is_done(client: logflux.Client, events: Events) -> None:
    class Marked(logflux.LogfluxHandler):
        def emit(self, record: logging.LogRecord) -> None:
            record.marked = True
            super().emit(record)

    logger = logging.Logger("subclass")
    logger.addHandler(Marked(client=client))
    logger.info("x")
    assert events()[0]["fields"] == {"marked": True}


def test_odd_records_are_records(logger: logging.Logger, events: Events) -> None:
    handler = logger.handlers[0]
    handler.handle(logging.makeLogRecord({"msg": "bare"}))
    handler.handle(logging.makeLogRecord({"msg": None, "levelno": "high", "created": "now"}))
    handler.handle(logging.makeLogRecord({"msg": "x", "args": [1], "exc_info": True}))
    handler.handle(logging.makeLogRecord({"msg": b"bytes", "name": 7, "exc_info": (1, 2)}))
    record = logging.makeLogRecord({"msg": "few"})
    for name in ("args", "exc_info", "lineno", "created", "levelno", "pathname"):
        delattr(record, name)
    handler.handle(record)
    assert [event["message"] for event in events()] == [
        "bare",
        "None",
        "x",
        "b'bytes'",
        "few",
    ]


# Before there is a client.


def test_what_handlers_log_before_init_waits_for_it(run: Run, server: Server, node: str) -> None:
    done = run("""
import logging, os, sys, time
logger = logging.getLogger("early")
logger.setLevel(1)
for _ in range(4):
    logger.addHandler(logflux.LogfluxHandler())
begun = time.time()
for i in range(300):
    logger.info("%d", i)
logger.debug("below the level")
logflux.LogfluxProcessor()(None, "warning", {"event": "structlog"})
if os.fork() == 0:
    logflux.init_from_env(mode=MODE)
    logger.info("child")
    sys.exit(0)
os.wait()
time.sleep(0.1)
logflux.init_from_env(mode=MODE, min_level="info")
logger.info("after")
""")
    assert (done.returncode, done.stderr) == (0, "")
    messages = [str(event["message"]) for event in server.events(node)]
    assert sorted(messages) == sorted([*map(str, range(300)), "structlog", "child", "after"])


def test_no_more_than_a_bounded_number_waits(run: Run, server: Server, node: str) -> None:
    done = run("""
import logging
logger = logging.getLogger("early")
logger.addHandler(logflux.LogfluxHandler())
for i in range(3_000):
    logger.warning("%d", i)
logflux.init_from_env(mode=MODE)
""")
    assert (done.returncode, done.stderr) == (0, "")
    messages = server.messages(node)
    assert len(messages) == 1_001
    assert json.loads(messages[999])["message"] == "999"
    assert messages[1_000].startswith("logflux: 2000 more records came before init")


def test_nothing_waits_where_it_is_switched_off(run: Run) -> None:
    done = run(
        """
import logging
logging.getLogger().addHandler(logflux.LogfluxHandler())
logging.warning("before")
logflux.init_from_env()
for i in range(3_000):
    logging.warning("%d", i)
logflux.close()
""",
        LOGFLUX_DISABLED="1",
    )
    assert (done.returncode, done.stderr) == (0, "")


# What nobody catches.


def test_uncaught_exceptions_are_logged_where_that_is_asked_for(
    run: Run, server: Server, node: str
) -> None:
    done = run("""
import sys, threading
called = []
sys.excepthook = lambda *args: called.append(args)
threading.excepthook = lambda args: called.append(args) if args.exc_type is ValueError else None
logflux.init_from_env(mode=MODE)
logflux.log_uncaught()
logflux.log_uncaught()

def fail():
    raise ValueError("in a thread")

def end():
    raise SystemExit

for target in (fail, end):
    thread = threading.Thread(target=target, name="worker")
    thread.start()
    thread.join()
print(len(called), flush=True)
sys.excepthook = sys.excepthook
{}["in the main thread"]
""")
    assert (done.returncode, done.stdout) == (1, "1\n")
    thread, main = server.entries(node)
    assert (thread["loglevel"], main["loglevel"]) == (3, 3)
    events = server.events(node)
    assert str(events[0]["exception"]).endswith("ValueError: in a thread")
    assert "worker" in str(events[0]["message"])
    assert str(events[1]["exception"]).endswith("KeyError: 'in the main thread'")


def test_structlog_in_async_code(client: logflux.Client, events: Events) -> None:
    logger = structlog.wrap_logger(
        structlog.testing.CapturingLogger(),
        processors=[logflux.LogfluxProcessor(client), structlog.processors.KeyValueRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )

    async def work() -> None:
        await logger.ainfo("hello", user=1)

    asyncio.run(work())
    (event,) = events()
    assert (event["message"], event["fields"]) == ("hello", {"user": 1})
    assert event["source"]["function"] == "work"
