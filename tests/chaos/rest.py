"""The house comes to rest: nothing is hit any more, everything ends, and the books are compared."""

import asyncio
import time

import asyncpg

from tests.chaos.books import Books
from tests.chaos.scene import Scene
from tests.chaos.subscriber import Place, Subscriber

REST_SECONDS = 120.0
"""Longer than the slowest reconciliation and the longest proof."""


async def settle(house: Scene) -> Books:
    """Wait until the books agree and nothing is open; what is wrong when time is over."""
    until = time.monotonic() + REST_SECONDS
    while True:
        books = await house.compare()
        if (not books.faults and await house.quiet()) or time.monotonic() > until:
            return books
        await asyncio.sleep(0.5)


async def untold(house: Scene, subscriber: Subscriber) -> list[str]:
    """Events of the log that the subscriber does not hold, or holds in another order."""
    until = time.monotonic() + 15
    while True:
        log = await _log(house.url)
        if subscriber.seen == log or time.monotonic() > until:
            break
        await asyncio.sleep(0.1)
    seen, there = set(subscriber.seen), set(log)
    wrong = [f"lost: {place}" for place in log if place not in seen]
    wrong += [f"not in the log: {place}" for place in subscriber.seen if place not in there]
    wrong += [f"disorder: {text}" for text in subscriber.disorder]
    if not wrong and subscriber.seen != log:
        wrong = ["not in the order of the log"]
    return wrong


async def _log(url: str) -> list[Place]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT xid::text::bigint AS xid, id FROM events e ORDER BY e.xid, e.id"
        )
        return [(row["xid"], row["id"]) for row in rows]
    finally:
        await connection.close()
