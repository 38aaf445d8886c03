"""What accounts gained or lost: a price that is lost makes no loss vanish."""

from decimal import Decimal
from typing import Any

from app.domain.instant import DAY, Instant
from app.store import market_state, profits, watched
from app.store.database import Connection, Database

NOW = 1_767_600_000_000_000


async def priced(connection: Connection, symbol: str, price: int) -> None:
    await market_state.ask(connection, symbol)
    await connection.execute(
        "UPDATE watches SET bid = $2, ask = $2, requested_at = now() - interval '2 minutes'"
        " WHERE symbol = $1",
        symbol,
        Decimal(price),
    )


async def holds(connection: Connection, symbol: str, cost: int, qty: int = 1000) -> None:
    await connection.execute(
        "INSERT INTO positions (account, symbol, qty, average_price) VALUES ('main', $1, $2, $3)",
        symbol,
        Decimal(qty),
        Decimal(cost),
    )


async def told(connection: Connection, now: Instant = NOW) -> tuple[Any, ...]:
    await profits.tell(connection, ["main"], now)
    row = await connection.fetchrow("SELECT opened, best, latest FROM profits")
    assert row is not None
    return tuple(row)


async def test_a_feed_that_refuses_a_symbol_leaves_the_price_of_what_is_held(
    database: Database,
) -> None:
    async with database.connection() as connection:
        for symbol in ("ACME", "IDLE", "FLAT"):
            await priced(connection, symbol, 100)
        await holds(connection, "ACME", 130)
        await holds(connection, "FLAT", 130, qty=0)
        assert await told(connection) == (-30_000, -30_000, -30_000)
        for symbol in ("ACME", "IDLE", "FLAT"):
            await market_state.refuse(connection, symbol, "Alpaca took longer than 10 s")
        assert await told(connection) == (-30_000, -30_000, -30_000)
        assert await watched.told(connection, "ACME") == "Alpaca took longer than 10 s"
        left = await connection.fetch("SELECT symbol FROM watches")
        assert [row["symbol"] for row in left] == ["ACME"]


async def test_without_a_price_a_loss_may_grow_but_never_shrink(database: Database) -> None:
    async with database.connection() as connection:
        await priced(connection, "ACME", 100)
        await priced(connection, "GLOBEX", 50)
        await holds(connection, "ACME", 130)
        await holds(connection, "GLOBEX", 50)
        assert await told(connection) == (-30_000, -30_000, -30_000)
        await connection.execute("UPDATE watches SET bid = NULL, ask = NULL WHERE symbol = 'ACME'")
        assert await told(connection) == (-30_000, -30_000, -30_000)
        await priced(connection, "GLOBEX", 10)
        assert await told(connection) == (-30_000, -30_000, -40_000)
        # A night in the gap: the day opens with what was last known.
        assert await told(connection, NOW + DAY) == (-40_000, -30_000, -40_000)
        await priced(connection, "ACME", 135)
        assert await told(connection, NOW + DAY) == (-40_000, -30_000, -35_000)


async def test_what_never_had_a_price_counts_as_bought(database: Database) -> None:
    async with database.connection() as connection:
        await holds(connection, "ACME", 130)
        assert await told(connection) == (0, 0, 0)
        await priced(connection, "ACME", 100)
        assert await told(connection) == (0, 0, -30_000)
