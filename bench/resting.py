"""Children that rest far from the market, and orders beside them that trade all the time."""

import asyncio
import time
from collections.abc import Callable
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from app.store.database import Database
from bench.figure import Setting
from bench.figures.parents import BATCH, enter
from bench.ledger import Ledger
from bench.servers import Server

SYMBOLS = ("ACME", "GLOBEX", "INITECH")

PARENTS = 1_000
CHILDREN = 10
"""Of each parent, all open at once."""

TRADERS = 500
SLICE_SECONDS = 5
SLICES = 120

AWAY = Decimal("0.97")
"""Of the bid: within the collar, and beyond what the market does in minutes."""

TICK = Decimal("0.01")
PATIENCE_SECONDS = 240.0

VARIABLES = {"FEED": "synthetic-live", "SYMBOLS": ",".join(SYMBOLS), "PAPER_LATENCY_MS": "0"}
"""What the server is told; all else is as it ships."""


def said(setting: Setting) -> str:
    """What the figures were measured with, in a sentence."""
    parents, traders = setting.many(PARENTS), setting.many(TRADERS)
    return (
        f"{parents} limit orders with {CHILDREN} children each, all resting 3 % from the bid in"
        f" {len(SYMBOLS)} symbols of the live made-up market, and {traders} TWAP orders beside"
        f" them, a slice each every {SLICE_SECONDS} s, so that children leave all the time"
    )


async def rested(setting: Setting, house: Server, ledger: Ledger, database: Database) -> int:
    """Enter all of them, and wait until they rest and the others trade. How many rest."""
    parents = setting.many(PARENTS)
    bids = await _bids(database)
    resting = [_resting(SYMBOLS[n % len(SYMBOLS)], bids) for n in range(parents)]
    traders = [_trading(SYMBOLS[n % len(SYMBOLS)]) for n in range(setting.many(TRADERS))]
    await _enter(house, resting)
    await until(lambda: ledger.open() >= parents * CHILDREN)
    await _told(database)
    await _enter(house, traders)
    before = ledger.look().order
    # One slice of each: their arrival is over, and the flow is even.
    await asyncio.sleep(SLICE_SECONDS)
    await until(lambda: ledger.look().order > before + len(traders) // 2)
    return ledger.open()


async def until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so after {seconds:g} s")
        await asyncio.sleep(0.05)


def _resting(symbol: str, bids: dict[str, Decimal]) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "side": "buy",
        "qty": str(CHILDREN),
        "algo": "limit",
        "limit_price": str((bids[symbol] * AWAY).quantize(TICK, ROUND_FLOOR)),
        "duration": "1h",
        "params": {"max_child": "1"},
    }


def _trading(symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "side": "buy",
        "qty": str(SLICES),
        "algo": "twap",
        "duration": f"{SLICES * SLICE_SECONDS}s",
        "params": {"slices": SLICES, "placement": "cross"},
    }


async def _enter(house: Server, orders: list[dict[str, Any]]) -> None:
    for first in range(0, len(orders), BATCH):
        await asyncio.to_thread(enter, house, orders[first : first + BATCH])


async def _told(database: Database) -> None:
    """Until the market is told again: a worker that sends ten thousand children falls silent."""
    async with asyncio.timeout(PATIENCE_SECONDS), database.connection() as connection:
        while not await connection.fetchval(
            "SELECT clock_timestamp() - told_at < interval '0.5 s' FROM market_clock"
        ):
            await asyncio.sleep(0.05)


async def _bids(database: Database) -> dict[str, Decimal]:
    """Once there is one of each symbol."""
    async with asyncio.timeout(PATIENCE_SECONDS), database.connection() as connection:
        while True:
            rows = await connection.fetch("SELECT symbol, bid FROM watches WHERE bid IS NOT NULL")
            if len(rows) == len(SYMBOLS):
                return {row["symbol"]: row["bid"] for row in rows}
            await asyncio.sleep(0.05)
