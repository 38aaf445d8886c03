"""What open orders need of the market: how far back, and in which hours."""

from collections.abc import Sequence

from app.domain.instant import Instant
from app.store.database import Connection
from app.store.journal import OPEN


async def oldest_starts(connection: Connection, symbols: Sequence[str]) -> dict[str, Instant]:
    """From when the open orders of each symbol look back at what was traded: their start, or their
    session's open where their plan follows the day. Symbols without one are left out."""
    records = await connection.fetch(
        "SELECT symbol, min(CASE WHEN params ->> 'adaptive' = 'on' AND curve ? 'dynamics'"
        " THEN session_opens_at ELSE start_at END) AS start_at FROM orders"
        f" WHERE {OPEN} AND symbol = ANY($1) GROUP BY symbol",
        list(symbols),
    )
    return {r["symbol"]: r["start_at"] for r in records}


async def extended(connection: Connection, symbols: Sequence[str]) -> set[str]:
    """Those of the symbols that open orders trade in extended hours."""
    records = await connection.fetch(
        f"SELECT DISTINCT symbol FROM orders WHERE {OPEN} AND extended_hours AND symbol = ANY($1)",
        list(symbols),
    )
    return {r["symbol"] for r in records}
