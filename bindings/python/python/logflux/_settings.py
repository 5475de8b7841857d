"""What a client may be set to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, TypedDict

if TYPE_CHECKING:
    import os
    from typing import Literal

    from ._core import KeyPolicy
    from ._core import _Duration as Duration
    from ._types import Level, Mode


class Settings(TypedDict, total=False):
    """What a client may be set to; everything has a default.

    A duration is a number of seconds, a ``timedelta``, or a text such as ``"250ms"``.
    """

    ca_file: str | os.PathLike[str] | None
    """The file of the authority to trust, in PEM, and then no other; the public ones by default."""
    mode: Mode | int | str | None
    """The encryption mode; the standard mode 1 by default."""
    key_policy: KeyPolicy | None
    """How key derivations are spent in modes 1 to 4; ``KeyPolicy.adaptive()`` by default."""
    min_level: Level | int | str | None
    """The least severe level that is logged; debug, and so everything, by default."""
    queue_size: int | None
    """How many messages may wait in memory, 10,000 by default."""
    queue_bytes: int | None
    """How many bytes may wait in memory, 8 MiB by default."""
    when_full: Literal["drop_newest", "drop_oldest", "block"] | None
    """What a logging call does when the queue is full; the new message is dropped by default."""
    flush_interval: Duration | None
    """How long a message may wait for others to be sent with, 1 s by default."""
    max_in_flight: int | None
    """How many requests may be under way at once, 1 to 16; 2 by default."""
    http_timeout: Duration | None
    """How long one request may take, 30 s by default."""
    max_retries: int | None
    """How often a request is tried again, 5 by default."""
    initial_delay: Duration | None
    """The pause after the first failure, 500 ms by default."""
    max_delay: Duration | None
    """The longest pause, 30 s by default."""
    backoff_factor: float | None
    """By what the pause grows with every failure, 1 to 100; 2 by default."""
    retry_deadline: Duration | None
    """How long a batch is tried at most where there is no spool, 5 min by default."""
    spool_dir: str | os.PathLike[str] | None
    """The folder of a durable spool; by default there is none."""
    spool_max_bytes: int | None
    """The most bytes that the spool takes on disk, 256 MiB by default."""
    spool_when_full: Literal["refuse", "drop_oldest"] | None
    """What a full spool does; the new entry is refused by default."""
    sync_interval: Duration | None
    """How long a spooled entry may wait to be durable, 100 ms by default. A flush does not wait."""
    on_drop: Callable[[dict[str, int]], object] | None
    """What is called when messages were dropped, with how many by reason since the last call, at
    most once a second, on a thread of LogFlux's own. Without it a line goes to stderr, at most once
    a minute."""
    close_timeout: Duration
    """How long ``close`` waits unless it is told otherwise, also at the end of the process; 5 s by
    default."""
