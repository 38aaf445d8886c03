"""The replay of many orders, shared among processes that all see one snapshot."""

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from app.audit.connecting import connect
from app.audit.findings import Findings
from app.audit.records import Check
from app.audit.replay import replay
from app.audit.rule import Connection

WORTH_SHARING = 20_000
"""Orders from which on a process more costs less than it brings."""


async def replay_beside(
    connection: Connection, url: str, others: Callable[[], Awaitable[list[Check]]]
) -> list[Check]:
    """The `others`' checks and those of the replay, as the connection's transaction sees all.

    With many orders both go on at once: `others` has the connection, the replay has its own.
    """
    orders = await connection.fetchval("SELECT count(*) FROM orders")
    parts = min(os.cpu_count() or 1, 8)
    if orders < WORTH_SHARING or parts < 2:
        return [*await others(), *(await replay(connection)).checks()]
    snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
    # Forked children would share this process's sockets.
    with ProcessPoolExecutor(parts, get_context("spawn")) as pool:
        loop = asyncio.get_running_loop()
        works: list[Callable[[], Findings]] = [
            partial(_part, url, snapshot, part, parts) for part in range(parts)
        ]
        replays = [loop.run_in_executor(pool, work) for work in works]
        checks = await others()
        found = Findings()
        for part in await asyncio.gather(*replays):
            found.add(part)
    return [*checks, *found.checks()]


def _part(url: str, snapshot: str, part: int, parts: int) -> Findings:
    # Rows come and go by the million and nothing here refers back: looking for cycles is a
    # large part of the work.
    gc.disable()
    return asyncio.run(_replay_part(url, snapshot, part, parts))


async def _replay_part(url: str, snapshot: str, part: int, parts: int) -> Findings:
    connection = await connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            return await replay(connection, part, parts)
    finally:
        await connection.close()
