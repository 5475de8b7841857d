"""The client that an application logs through."""

from __future__ import annotations

import time

from . import _core, _exit

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Any, Callable

    from typing_extensions import Self, Unpack

    from ._core import FlushTicket, Given, Secret
    from ._core import _Duration as Duration
    from ._settings import Settings


class Client(_core.Client):
    """Logs through one ingest API, as one node, with one secret.

    A logging call copies its message into a bounded queue and returns: it never waits for the
    network or a key (unless ``when_full="block"`` was chosen) and never fails. Threads of LogFlux's
    own seal and ship. It may be used from many threads, in ``async`` code, and after a fork, where
    the child has a queue, threads and keys of its own. At the end of the process it is closed.

    ``node`` is the sender's name, None that of the host. As a context manager it is closed at the
    end of the block.
    """

    def __new__(
        cls,
        server_url: str,
        node: str | None,
        api_key: str,
        secret: str | bytes | Secret,
        **settings: Unpack[Settings],
    ) -> Self:
        """Builds a client. Nothing is sent, and no thread is started, before the first message."""
        given = _given(settings, server_url, node, api_key, secret)
        del settings, server_url, node, api_key, secret
        return cls._of(given, False)

    @classmethod
    def from_env(
        cls,
        *,
        server_url: str | None = None,
        node: str | None = None,
        api_key: str | None = None,
        secret: str | bytes | Secret | None = None,
        **settings: Unpack[Settings],
    ) -> Self:
        """Builds a client from the ``LOGFLUX_…`` variables; what is given here comes before them.

        The secret is fetched now: its file is read, its command is run.
        """
        given = _given(settings, server_url, node, api_key, secret)
        del settings, server_url, node, api_key, secret
        return cls._of(given, True)

    @classmethod
    def _of(cls, given: Given, from_env: bool) -> Self:
        from ._settings import check_names, is_switched_off  # noqa: PLC0415 (importing stays quick)

        check_names(given.names())
        if is_switched_off():
            return cls._idle()
        client = super().__new__(cls, given, from_env, False)
        _exit.watch(client)
        return client

    @classmethod
    def _idle(cls) -> Self:
        """A client that does nothing."""
        return super().__new__(cls, _core.Given({}), False, True)

    def flush(self, timeout: Duration = 5.0) -> bool:
        """Waits until all that was logged before is delivered, or durable in the spool.

        It returns within ``timeout``, whatever the server does: False where a message was dropped
        since the client was built, or the time was not enough; ``last_flush`` says how many. What
        is left stays in the queue or the spool. In a callback of the client it does not wait. In
        ``async`` code, see ``aflush``.
        """
        return super().flush(timeout)

    def rotate(
        self,
        *,
        secret: str | bytes | Secret | None = None,
        api_key: str | None = None,
        ca_file: str | os.PathLike[str] | None = None,
    ) -> None:
        """Goes on with another secret, API key or CA file, without a restart.

        A new secret seals from the next message that is taken from the queue on; a ``Keyring`` of
        both opens all. A new key or CA file, which is read now, is used from the next request on,
        and what waited because the old one was refused is tried at once. What is sealed already
        keeps its bytes. It waits for no request, and where it fails, nothing is replaced. A child
        of a later fork goes on with the new values.
        """
        given = _core.Given({"secret": secret, "api_key": api_key, "ca_file": ca_file})
        del secret, api_key, ca_file
        super()._rotate(given)

    def close(self, timeout: Duration | None = None) -> bool:
        """Flushes, and ends the client: later messages are dropped, and counted.

        It returns within ``timeout`` (by default ``close_timeout``): False where any message of
        the client was dropped; ``last_flush`` says how many. What is left when the time is over
        stays in the spool, or is dropped. A second call waits no more, and says the same.
        """
        return super().close(self._close_timeout if timeout is None else timeout)

    async def aflush(self, timeout: Duration = 5.0) -> bool:
        """As ``flush``, and the event loop goes on. It needs no thread, and may be cancelled."""
        begun, limit = time.monotonic(), _core.seconds("timeout", timeout)
        ticket = self.flush_begin()
        await _done(ticket, begun + limit)
        return self._ended(ticket)

    async def aclose(self, timeout: Duration | None = None) -> bool:
        """As ``close``, on another thread: the event loop goes on."""
        return await _in_thread(self.close, timeout)

    def __enter__(self) -> Self:
        """Gives the client itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the client."""
        self.close()

    async def __aenter__(self) -> Self:
        """Gives the client itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the client; the event loop goes on."""
        await self.aclose()

    def __reduce__(self) -> tuple[Any, ...]:
        """Refuses: what a client holds is of one process."""
        raise TypeError("a Client cannot be pickled: make one in each process")


def _given(
    settings: Mapping[str, Any],
    server_url: str | None,
    node: str | None,
    api_key: str | None,
    secret: str | bytes | Secret | None,
) -> Given:
    """All of it, so that no traceback shows it; who calls forgets its own."""
    return _core.Given(
        {**settings, "server_url": server_url, "node": node, "api_key": api_key, "secret": secret}
    )


async def _done(ticket: FlushTicket, until: float) -> None:
    """Looks at the ticket again and again, ever less often."""
    import asyncio  # noqa: PLC0415 (it takes longer than all of this package)

    pause = 0.001
    while not ticket.is_done and (left := until - time.monotonic()) > 0:
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, 0.05)


async def _in_thread(work: Callable[[Any], bool], timeout: Duration | None) -> bool:
    import asyncio  # noqa: PLC0415 (it takes longer than all of this package)

    return await asyncio.get_running_loop().run_in_executor(None, work, timeout)
