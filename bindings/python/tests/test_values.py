"""Whatever an application logs: no call raises, none takes long, and every record is kept."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import datetime
import decimal
import enum
import json
import logging
import sys
import types
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

import logflux
from support import ENOUGH, Server

FAILED = "[a value could not be formatted]"
MESSAGE_MAX = 786_384
LONG = 10**5000


class Sour(collections.abc.Mapping[str, int]):
    """A mapping that fails in whatever way it is asked."""

    def __getitem__(self, key: str) -> int:
        raise RuntimeError("dictionary changed size during iteration")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("dictionary changed size during iteration")

    def __len__(self) -> int:
        raise RuntimeError("hunter2")

    def items(self) -> Any:
        raise RuntimeError("hunter2")

    def keys(self) -> Any:
        raise RuntimeError("hunter2")


class SourDict(dict[str, int]):
    def items(self) -> Any:
        raise RuntimeError("hunter2")

    def __iter__(self) -> Any:
        raise RuntimeError("hunter2")


class Bad:
    def __str__(self) -> str:
        raise RuntimeError("hunter2")

    __repr__ = __str__
    __format__ = None  # type: ignore[assignment]


class Endless:
    def __repr__(self) -> str:
        return f"Endless({self!r})"


class Liar:
    def __repr__(self) -> str:
        return 7  # type: ignore[return-value]

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("hunter2")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("hunter2")


class SourText(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("hunter2")

    def __getitem__(self, key: Any) -> Any:
        raise RuntimeError("hunter2")

    def encode(self, *_args: Any) -> Any:
        raise RuntimeError("hunter2")


class BadZone(datetime.tzinfo):
    def utcoffset(self, _time: Any) -> Any:
        raise RuntimeError("hunter2")

    dst = tzname = utcoffset


class Mode(enum.Enum):
    DARK = "dark"


class Number(enum.IntEnum):
    TWO = 2


@dataclasses.dataclass
class Person:
    name: str
    friends: list[Person] = dataclasses.field(default_factory=list)
    password: str = dataclasses.field(default="hunter2", repr=False)
    kind: dataclasses.InitVar[str] = ""


def circle() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def tree(children: int) -> dict[str, Any]:
    parent: dict[str, Any] = {"name": "p"}
    parent["children"] = [{"name": i, "parent": parent} for i in range(children)]
    return parent


def everybody_knows_everybody(people: int) -> Person:
    all_of_them = [Person(str(i)) for i in range(people)]
    for person in all_of_them:
        person.friends = all_of_them
    return all_of_them[0]


def doubled(depth: int) -> list[Any]:
    found: list[Any] = ["leaf"]
    for _ in range(depth):
        found = [found, found]
    return found


def deep(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


VALUES: dict[str, Callable[[], Any]] = {
    "circle": circle,
    "tree of 10": lambda: tree(10),
    "tree of 100": lambda: tree(100),
    "people": lambda: everybody_knows_everybody(30),
    "doubled": lambda: doubled(60),
    "deep": lambda: deep(100_000),
    "digits": lambda: LONG,
    "many digits": lambda: 1 << 4_000_000,
    "negative digits": lambda: -LONG,
    "digits in a list": lambda: [LONG],
    "digits as a name": lambda: {LONG: 1},
    "decimal": lambda: decimal.Decimal("1e999999"),
    "sour mapping": Sour,
    "sour dict": lambda: SourDict(a=1),
    "bad": Bad,
    "bad in a set": lambda: {Bad()},
    "bad name": lambda: {Bad(): Bad()},
    "endless": Endless,
    "liar": Liar,
    "sour text": lambda: SourText("text"),
    "long sour text": lambda: SourText("text" * 1_000_000),
    "a long list": lambda: list(range(3_000_000)),
    "a long dict": lambda: dict.fromkeys(range(1_000_000)),
    "a long set": lambda: set(range(1_000_000)),
    "a long deque": lambda: collections.deque(range(1_000_000)),
    "a long view": lambda: dict.fromkeys(range(1_000_000)).keys(),
    "a long proxy": lambda: types.MappingProxyType(dict.fromkeys(range(1_000_000))),
    "a long text": lambda: "x" * 50_000_000,
    "quotes": lambda: '"\\\x00' * 1_000_000,
    "half a pair": lambda: "\udc80" * 1_000_000,
    "long bytes": lambda: bytes(50_000_000),
    "a long bytearray": lambda: bytearray(5_000_000),
    "many texts": lambda: ["x" * 10_000] * 10_000,
    "a long name": lambda: {"x" * 10_000_000: 1},
    "a bad zone": lambda: datetime.datetime(2024, 1, 1, tzinfo=BadZone()),
    "an odd zone": lambda: datetime.datetime(
        2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(seconds=1172))
    ),
    "a class": lambda: Bad,
    "a function": lambda: circle,
    "a module": lambda: json,
    "an exception": lambda: ValueError(Bad()),
    "uuid": uuid.uuid4,
    "nan": lambda: float("nan"),
    "counter": lambda: collections.Counter(range(100_000)),
    "chained": lambda: collections.ChainMap({"a": 1}, SourDict(a=1)),
    "user dict": lambda: collections.UserDict(a=circle()),
    "a generator": lambda: (i for i in range(3)),
    "an iterator without end": lambda: iter(int, 1),
}


@pytest.fixture
def client(server: Server, node: str) -> Iterator[logflux.Client]:
    client = server.client(node, queue_bytes=2**30)
    yield client
    client.close(0)


def log_everywhere(client: logflux.Client, name: str, value: Any) -> list[str]:
    """Logs a value in every way; gives what the messages begin with."""
    logger = logging.Logger("x")
    logger.addHandler(logflux.LogfluxHandler(client=client))
    processor = logflux.LogfluxProcessor(client)
    logger.info(f"extra {name}", extra={"value": value})
    logger.info(f"values {name} %s %s", value, 7)
    logger.info(f"two {name} %r %s", value, 7)
    logger.info(f"named {name} %(value)s", {"value": value})
    logger.info(f"number {name} %d %d", 7, value)
    logger.info(f"missing {name} %s %s %s", 7, value)
    logger.info(f"too many {name}", value, value)
    event = {"event": f"event {name}", "value": value, "nested": [{"value": value}]}
    assert processor(None, "info", event) is event
    client.info(f"field {name}", value=value)
    client.info(f"put in {name} %s", value)
    client.error(f"raised {name}", exc_info=value)
    beginnings = [
        "extra",
        "values",
        "two",
        "named",
        "number",
        "missing",
        "too_many",
        "event",
        "field",
        "put_in",
        "raised",
    ]
    return [f"{beginning.replace('_', ' ')} {name}" for beginning in beginnings]


@pytest.mark.parametrize("name", VALUES)
def test_no_value_costs_a_record_or_an_exception(
    name: str, client: logflux.Client, server: Server, node: str
) -> None:
    wanted = log_everywhere(client, name, VALUES[name]())
    assert client.close(ENOUGH), client.stats()
    messages = server.messages(node)
    assert len(messages) == len(wanted)
    for message, beginning in zip(messages, wanted):
        assert len(message.encode(errors="surrogatepass")) <= MESSAGE_MAX
        if message.startswith("{"):
            said = str(json.loads(message)["message"])
            assert said.startswith(beginning)
        else:
            assert message.startswith(beginning)
        assert "hunter2" not in message.replace('raise RuntimeError("hunter2")', "")


def test_a_message_that_is_such_a_value_is_kept(
    client: logflux.Client, server: Server, node: str
) -> None:
    logger = logging.Logger("x")
    logger.addHandler(logflux.LogfluxHandler(client=client))
    for make in VALUES.values():
        logger.info(make())
        logflux.LogfluxProcessor(client)(None, "info", {"event": make()})
    assert client.close(ENOUGH), client.stats()
    assert len(server.events(node)) == 2 * len(VALUES)


def fields_of(client: logflux.Client, server: Server, node: str, **fields: Any) -> dict[str, Any]:
    client.info("values", **fields)
    assert client.close(ENOUGH)
    (event,) = server.events(node)
    found = event["fields"]
    assert isinstance(found, dict)
    return found


def test_values_are_written_as_what_they_are(
    client: logflux.Client, server: Server, node: str
) -> None:
    assert fields_of(
        client,
        server,
        node,
        none=None,
        yes=True,
        number=-7,
        long=2**64,
        float=0.1,
        tiny=1e-300,
        inf=float("-inf"),
        text='bär "\\\n\x01\u2028😀',
        half="\udc80x",
        tuple=(1, [2, {"three": 3}]),
        set={1},
        deque=collections.deque([1]),
        proxy=types.MappingProxyType({"a": 1}),
        keys={"a": 1}.keys(),
        names={1: "one", None: "none", ("a", 1): "tuple"},
        bytes=b"x\xff",
        enum=Mode.DARK,
        number_of_enum=Number.TWO,
        uuid=uuid.UUID(int=1),
        person=Person("Ada", [Person("Bob")]),
        type=int,
    ) == {
        "none": None,
        "yes": True,
        "number": -7,
        "long": 2**64,
        "float": 0.1,
        "tiny": 1e-300,
        "inf": "-inf",
        "text": 'bär "\\\n\x01\u2028😀',
        "half": "\udc80x",
        "tuple": [1, [2, {"three": 3}]],
        "set": [1],
        "deque": [1],
        "proxy": {"a": 1},
        "keys": ["a"],
        "names": {"1": "one", "None": "none", "('a', 1)": "tuple"},
        "bytes": "b'x\\xff'",
        "enum": "Mode.DARK",
        "number_of_enum": 2,
        "uuid": "00000000-0000-0000-0000-000000000001",
        "person": {"name": "Ada", "friends": [{"name": "Bob", "friends": []}]},
        "type": "<class 'int'>",
    }


def test_words_stand_where_a_value_cannot(
    client: logflux.Client, server: Server, node: str
) -> None:
    found = fields_of(
        client,
        server,
        node,
        bad=Bad(),
        circle=circle(),
        deep=deep(100),
        digits=LONG,
        many=1 << 4_000_000,
        list=list(range(100_000)),
        text="x" * 100_000,
    )
    assert found["bad"] == FAILED
    assert found["circle"] == ["[circular]"]
    assert json.dumps(found["deep"]).count("[") == 15, "and that of the fields"
    assert int(found["digits"], 16) == LONG
    assert found["many"] == "[an int of 4000001 bits]"
    assert found["list"][:3] == [0, 1, 2]
    assert found["list"][-1] == "…"
    assert len(found["list"]) <= 10_001
    # What comes after a long one is told to be missing.
    assert found["…"] == "…"


def test_any_number_of_fields_is_cut(client: logflux.Client, server: Server, node: str) -> None:
    many = {f"field {i}": i for i in range(200_000)}
    record = logging.makeLogRecord({"msg": "many", **many})
    logflux.LogfluxHandler(client=client).handle(record)
    logflux.LogfluxProcessor(client)(None, "info", {"event": "many", **many})
    client.info("many", **many)
    assert client.close(ENOUGH)
    for event in server.events(node):
        fields = event["fields"]
        assert isinstance(fields, dict)
        assert (fields["field 0"], fields["…"]) == (0, "…")
        assert len(fields) <= 10_001


def test_a_shared_value_is_no_circle(client: logflux.Client, server: Server, node: str) -> None:
    shared = {"a": 1}
    found = fields_of(client, server, node, one=shared, other=[shared, shared])
    assert found == {"one": shared, "other": [shared, shared]}


def test_an_end_of_the_program_passes_through(client: logflux.Client) -> None:
    class Interrupting:
        def __str__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.info("x", value=Interrupting())


def test_a_long_traceback_keeps_its_end(client: logflux.Client, server: Server, node: str) -> None:
    def fail(depth: int) -> None:
        if depth == 0:
            raise ValueError("x" * 100_000 + " at the end")
        (fail if depth % 2 else other)(depth - 1)

    def other(depth: int) -> None:
        fail(depth - 1 if depth else 0)

    try:
        fail(400)
    except ValueError as error:
        client.exception("it failed")
        cause: BaseException = error
        for _ in range(2_000):
            following = ValueError("next")
            following.__cause__ = cause
            cause = following
        client.error("a long chain", exc_info=cause)
    assert client.close(ENOUGH)
    first, _chain = server.events(node)
    text = str(first["exception"])
    assert text.startswith("Traceback (most recent call last):\n")
    assert text.endswith(" at the end")
    assert "\n…\n" in text


def test_a_call_close_to_the_end_of_the_stack_is_kept(
    client: logflux.Client, server: Server, node: str
) -> None:
    logged = [0]

    def down() -> None:
        client.info("down", value=[Bad()])
        logged[0] += 1
        down()

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(300)
    try:
        with pytest.raises(RecursionError):
            down()
    finally:
        sys.setrecursionlimit(limit)
    assert client.close(ENOUGH)
    assert len(server.events(node)) == logged[0]


ODD = datetime.timezone(datetime.timedelta(hours=5, seconds=1172))


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (datetime.datetime(2024, 1, 1, 6, tzinfo=ODD), "2024-01-01T00:40:28Z"),
        (datetime.datetime(2024, 1, 1, 6, 0, 0, 5, tzinfo=ODD), "2024-01-01T00:40:28.000005Z"),
        (datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc), "2024-01-01T00:00:00Z"),
    ],
)
def test_an_odd_offset_is_a_time_as_any_other(
    time: datetime.datetime, written: str, client: logflux.Client, server: Server, node: str
) -> None:
    client.log("info", "then", timestamp=time)
    assert client.close(ENOUGH)
    assert [entry["timestamp"] for entry in server.entries(node)] == [written]
    assert logflux.seal("x", "s", timestamp=time, mode=128).timestamp == written


@pytest.mark.parametrize(
    "time",
    [
        datetime.datetime(2024, 1, 1),
        datetime.datetime(2024, 1, 1, tzinfo=BadZone()),
        datetime.datetime(1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=23))),
        datetime.datetime(9999, 12, 31, tzinfo=datetime.timezone(datetime.timedelta(hours=-23))),
        "yesterday",
        float("nan"),
        1e300,
        10**30,
        [],
        True,
        Bad(),
    ],
)
def test_a_time_that_is_none_is_now(
    time: Any, client: logflux.Client, server: Server, node: str
) -> None:
    before = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M")
    client.log("info", "now", timestamp=time)
    assert client.close(ENOUGH)
    (entry,) = server.entries(node)
    assert str(entry["timestamp"])[:10] >= before[:10]


def test_structlog_itself_passes_events_on(
    client: logflux.Client, server: Server, node: str
) -> None:
    logger = structlog.wrap_logger(
        structlog.testing.CapturingLogger(),
        processors=[
            logflux.LogfluxProcessor(client),
            structlog.processors.KeyValueRenderer(repr_native_str=False),
        ],
    )
    logger.info("tree", tree=tree(10))
    logger.info("one", value=1)
    assert client.close(ENOUGH)
    assert [event["message"] for event in server.events(node)] == ["tree", "one"]
