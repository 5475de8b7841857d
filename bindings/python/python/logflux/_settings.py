"""What a client may be set to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Callable, TypedDict

from ._errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from ._core import KeyPolicy
    from ._core import _Duration as Duration
    from ._types import Level, Mode


class Settings(TypedDict, total=False):
    """What a client may be set to; everything has a default.

    A duration is a number of seconds, a ``timedelta``, or a text such as ``"250ms"``.
    """

    # settings: begin
    ca_file: str | os.PathLike[str] | None
    """The file of the authority to trust, in PEM, and then no other is trusted; `system` is what
    the operating system trusts: a path, or `system`; Mozilla's public authorities by default."""
    proxy: str | None
    """The proxy that requests go through; none is a direct connection whatever the other variables
    say: a URL that begins with http://, https://, socks5:// or socks5h://, or none; what
    HTTPS_PROXY, ALL_PROXY and NO_PROXY say by default."""
    http_timeout: Duration | None
    """How long one request may take: a duration from 1ms to 24h; 30s by default."""
    max_in_flight: int | None
    """How many requests may be in flight at once: a whole number from 1 to 16; 2 by default."""
    max_retries: int | None
    """How often a request is sent again after its first failure, where there is no spool: a whole
    number from 0 to 1,000,000; 5 by default."""
    initial_delay: Duration | None
    """The pause after the first failure, at most max_delay: a duration from 1ms to 24h; 500ms by
    default."""
    max_delay: Duration | None
    """The longest pause between two attempts, unless the server asks for a longer one: a duration
    from 1ms to 24h; 30s by default."""
    backoff_factor: float | None
    """By what the pause grows with every failure: a number from 1 to 100; 2 by default."""
    retry_deadline: Duration | None
    """How long a batch is tried at most, where there is no spool: a duration from 0s to 7d; 5m by
    default."""
    queue_size: int | None
    """How many messages may wait in memory: a whole number from 1 to 16,000,000; 10,000 by
    default."""
    queue_bytes: int | None
    """How many bytes of messages may wait in memory; a longer message is taken where nothing else
    waits: a size from 1 byte to 64GiB; 8MiB by default."""
    when_full: Literal["drop_newest", "drop_oldest", "block"] | None
    """What a logging call does when the queue is full: drop the new message, drop the oldest, or
    wait: "drop_newest", "drop_oldest" or "block"; drop_newest by default."""
    flush_interval: Duration | None
    """How long a message may wait for others to be sent with: a duration from 1ms to 24h; 1s by
    default."""
    spool_dir: str | os.PathLike[str] | None
    """The folder of a durable spool: what is in it outlives the process: a path; no spool by
    default."""
    spool_max_bytes: int | None
    """How many bytes the spool of one process may take on disk: a size from 1MiB to 1TiB; 256MiB by
    default."""
    spool_when_full: Literal["refuse", "drop_oldest"] | None
    """What a full spool does: refuse the new entry, or drop the oldest: "refuse" or "drop_oldest";
    refuse by default."""
    sync_interval: Duration | None
    """How long a spooled entry may wait to be durable; a flush does not wait: a duration from 1ms
    to 24h; 100ms by default."""
    mode: Mode | int | str | None
    """The encryption mode: 1, 2, 3, 4 or 128, or a mode's name; 1 by default."""
    key_policy: KeyPolicy | None
    """How key derivations are spent in modes 1 to 4: ``KeyPolicy.adaptive()`` by default."""
    min_level: Level | int | str | None
    """The least severe level that is logged: 1 to 8, or emergency, alert, critical, error, warning,
    notice, info or debug; debug by default."""
    close_timeout: Duration | None
    """How long closing waits at the end of the process, or where no other time is given: a duration
    from 0s to 24h; 5s by default."""
    # settings: end
    on_drop: Callable[[dict[str, int]], object] | None
    """What is called when messages were dropped, with how many by reason since the last call, at
    most once a second, on a thread of LogFlux's own. Without it a line goes to stderr, at most once
    a minute."""
    on_notice: Callable[[str], object] | None
    """What is called with every sentence about the client that would be a line on stderr: what was
    dropped and why, and what holds messages up. Without it, drops go to ``on_drop``, if it is
    given, and all else to stderr."""


def is_switched_off() -> bool:
    """Whether LOGFLUX_DISABLED switches LogFlux off in this process."""
    value = os.environ.get("LOGFLUX_DISABLED", "").strip().lower()
    if value in {"", "0", "false", "no", "off"}:
        return False
    if value in {"1", "true", "yes", "on"}:
        return True
    raise SettingsError("LOGFLUX_DISABLED: must be 1 (or true, yes, on) or 0 (or false, no, off)")


def is_any_set() -> bool:
    """Whether a variable says where to log to, or with what."""
    names = ("SERVER_URL", "API_KEY", "API_KEY_FILE", "SECRET", "SECRET_FILE", "SECRET_COMMAND")
    return any(os.environ.get(f"LOGFLUX_{name}") for name in names)


def check_names(names: Iterable[str]) -> None:
    """Refuses a setting that no client has."""
    known = Settings.__annotations__.keys() | {"server_url", "node", "api_key", "secret"}
    for name in names:
        if name not in known:
            raise TypeError(f"Client has no setting {name!r}")
