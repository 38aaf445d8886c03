"""The house comes to rest: nothing is hit any more, everything ends, and the books are compared."""

import asyncio
import json
import os
import sys
import time
from typing import Any

import asyncpg

from tests.chaos.books import Books, compare, read_venue
from tests.chaos.house import House
from tests.chaos.subscriber import Place, Subscriber

REST_SECONDS = 120.0
"""Longer than the slowest reconciliation and the longest proof."""

AUDIT_SECONDS = 180.0


async def settle(house: House) -> Books:
    """Wait until the books agree and nothing is open; what is wrong when time is over."""
    until = time.monotonic() + REST_SECONDS
    while True:
        books = await compare(house.url, read_venue(house.venue.ledger))
        quiet = house.venue.rows("SELECT count(*) FROM agenda")[0][0] == 0
        if (quiet and not books.faults) or time.monotonic() > until:
            return books
        await asyncio.sleep(0.5)


async def untold(house: House, subscriber: Subscriber) -> list[str]:
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


async def audit(house: House) -> dict[str, Any]:
    """`slipstream audit --settled` on the database and the ledger: its report, and `code`."""
    command = [sys.executable, "-m", "app.cli", "audit", "--json", "--settled"]
    command += ["--database", house.url, "--ledger", str(house.venue.ledger)]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")}
    process = await asyncio.create_subprocess_exec(
        *command,
        env=clean,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(AUDIT_SECONDS):
        said, complaint = await process.communicate()
    try:
        report: dict[str, Any] = json.loads(said)
    except json.JSONDecodeError:
        report = {"ok": False, "said": (said + complaint).decode()[-2_000:]}
    return report | {"code": process.returncode}


async def _log(url: str) -> list[Place]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT xid::text::bigint AS xid, id FROM events e ORDER BY e.xid, e.id"
        )
        return [(row["xid"], row["id"]) for row in rows]
    finally:
        await connection.close()
