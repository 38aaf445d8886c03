"""A backtest in a process of its own: what the API starts, at a lower priority than its own.

It tells the database every few seconds that it lives. When it is canceled, or when whoever
started it is gone, it ends: whoever asked finds it `canceled` or `interrupted`.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import structlog

from app.domain.refusal import Refusal
from app.ports import FeedError
from app.research.backtest.plan import Plan
from app.research.backtest.plan_json import plan_from_json
from app.research.backtest.running import Backtest
from app.research.backtest.source import NoTape
from app.research.backtest.work import Row
from app.store import backtests
from app.store.backtests import Claimed
from app.store.database import Database, unreachable

log = structlog.get_logger()

ALIVE_SECONDS = 2.0
GENTLY = 10
ORPHANED = "the server that ran it is gone; start it again for the same result"


class Ended(Exception):
    """It is not ours any more: canceled, or orphaned."""


async def work(database: Database, id: str, prepare: Callable[[Plan], Backtest]) -> None:
    """Run a backtest that was claimed, to its end. Raises Ended."""
    os.nice(GENTLY)
    async with database.connection() as connection:
        mine = await backtests.running(connection, id)
    if mine is None:
        raise Ended
    alive = asyncio.create_task(_tell(database, mine, os.getppid()))
    working = asyncio.create_task(_work(database, mine, prepare))
    try:
        await asyncio.wait({alive, working}, return_when=asyncio.FIRST_COMPLETED)
        for task in (working, alive):
            if task.done():
                task.result()
    except (Refusal, NoTape, FeedError, ValueError, OSError) as wrong:
        if unreachable(wrong) and not isinstance(wrong, FeedError):
            raise
        words = wrong.message if isinstance(wrong, Refusal) else str(wrong)
        await _stop(database, mine, "failed", words)
    finally:
        alive.cancel()
        working.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await alive


async def _work(database: Database, mine: Claimed, prepare: Callable[[Plan], Backtest]) -> None:
    backtest = await asyncio.to_thread(prepare, plan_from_json(mine.plan))
    rows: list[Row] = []
    async for some in _parts(backtest.rows()):
        rows += some
        async with database.transaction() as connection:
            if not await backtests.seen(connection, mine, len(rows)):
                raise Ended
            await backtests.keep(connection, mine, some)
    result: dict[str, Any] = await asyncio.to_thread(backtest.outcome, rows)
    async with database.connection() as connection:
        if not await backtests.finish(connection, mine, result):
            raise Ended


async def _parts(parts: Iterator[list[Row]]) -> AsyncIterator[list[Row]]:
    """Each computed in a thread, so that the loop can go on telling that we live."""
    while (part := await asyncio.to_thread(next, parts, None)) is not None:
        yield part


async def _tell(database: Database, mine: Claimed, parent: int) -> None:
    while True:
        await asyncio.sleep(ALIVE_SECONDS)
        if os.getppid() != parent:
            await _stop(database, mine, "interrupted", ORPHANED)
            raise Ended
        async with database.connection() as connection:
            if not await backtests.seen(connection, mine):
                raise Ended


async def _stop(database: Database, mine: Claimed, state: str, reason: str) -> None:
    log.warning("backtest ended", id=mine.id, state=state, reason=reason)
    async with database.connection() as connection:
        await backtests.stop(connection, mine, state, reason)
