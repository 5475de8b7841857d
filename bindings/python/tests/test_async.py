"""``async`` code, which is never held up."""

from __future__ import annotations

import asyncio
import logging
import time

import logflux
from support import ENOUGH, Server, stopped


async def _longest_pause(stop: asyncio.Event) -> float:
    """How long the event loop was away at most."""
    longest, last = 0.0, time.monotonic()
    while not stop.is_set():
        await asyncio.sleep(0.005)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    return longest


def test_a_server_that_does_not_answer_holds_no_event_loop_up(
    own_server: Server, node: str
) -> None:
    async def work() -> float:
        stop = asyncio.Event()
        watch = asyncio.create_task(_longest_pause(stop))
        logger = logging.getLogger(f"async.{node}")
        logger.propagate = False
        # In mode 1 there is a derivation to wait for as well.
        client = own_server.client(node, mode=1, close_timeout=3)
        async with client:
            logger.addHandler(logflux.LogfluxHandler(client=client))
            for i in range(2_000):
                client.info("%d", i)
                logger.warning("%d", i)
                if i % 100 == 0:
                    await asyncio.sleep(0)
            assert await client.aflush(3) is False
            assert await client.aclose() is False
        logger.handlers.clear()
        stop.set()
        return await watch

    with stopped(own_server):
        longest = asyncio.run(work())
    # The waits were 3 s each; one on the loop's own thread would be seen.
    assert longest < 2.5, longest


def test_all_arrives(server: Server, node: str) -> None:
    async def one(client: logflux.Client, name: int) -> None:
        for i in range(20):
            client.info("%d %d", name, i)
            await asyncio.sleep(0)

    async def work() -> None:
        async with server.client(node) as client:
            await asyncio.gather(*(one(client, name) for name in range(20)))
            assert await client.aflush(ENOUGH)

    asyncio.run(work())
    assert len(set(server.messages(node))) == 400
