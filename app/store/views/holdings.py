"""What an account holds and has, and what there is to hold: with the market's last prices."""

from collections.abc import Sequence
from typing import Any

from app.domain.instrument import Instrument
from app.store import rows
from app.store.database import Connection
from app.store.journal import OPEN

_PRICE = "coalesce(w.last, (w.bid + w.ask) / 2)"
"""The last trade, else what lies between bid and offer."""

_HELD = (
    f"SELECT p.symbol, p.qty, p.average_price, {_PRICE} AS price, i.calendar, i.lot,"
    # What open orders that reduce it may still take of it.
    " (SELECT coalesce(sum(o.qty + o.excess - o.filled - o.canceled), 0) FROM orders o"
    f" WHERE o.account = p.account AND o.symbol = p.symbol AND o.{OPEN}"
    " AND o.side = CASE WHEN p.qty > 0 THEN 'sell' ELSE 'buy' END) AS leaving,"
    " (SELECT o.id FROM orders o WHERE o.account = p.account AND o.symbol = p.symbol"
    " ORDER BY o.created_at DESC, o.id DESC LIMIT 1) AS last_order"
    " FROM positions p LEFT JOIN watches w USING (symbol) LEFT JOIN instruments i USING (symbol)"
    " WHERE p.account = $1 AND p.qty <> 0"
)


async def holdings(connection: Connection, account: str) -> list[Any]:
    """Open positions, by symbol."""
    return await connection.fetch(f"{_HELD} ORDER BY p.symbol", account)


async def holding(connection: Connection, account: str, symbol: str) -> Any | None:
    """One open position."""
    return await connection.fetchrow(f"{_HELD} AND p.symbol = $2", account, symbol)


async def account_money(connection: Connection, account: str) -> Any:
    """What fills made of an account's cash (bought: below zero), and what it holds is worth at
    the last price, else at cost; `halted`: a kill switch bears on all or on it."""
    return await connection.fetchrow(
        "SELECT a.account, a.broker, a.currency, a.created_at,"
        " coalesce(sum(p.realised - p.fees - p.qty * p.average_price), 0) AS cash,"
        " coalesce(sum(p.fees), 0) AS fees,"
        f" coalesce(sum(p.qty * coalesce({_PRICE}, p.average_price)) FILTER (WHERE p.qty > 0), 0)"
        " AS long_value,"
        f" coalesce(sum(p.qty * coalesce({_PRICE}, p.average_price)) FILTER (WHERE p.qty < 0), 0)"
        " AS short_value,"
        " EXISTS (SELECT FROM controls c WHERE c.halted AND (c.scope = 'all'"
        " OR c.scope = 'account' AND c.name = a.account)) AS halted"
        " FROM accounts a LEFT JOIN positions p USING (account) LEFT JOIN watches w USING (symbol)"
        " WHERE a.account = $1 GROUP BY a.account",
        account,
    )


async def instruments(connection: Connection) -> list[Instrument]:
    """All that was ever watched, by symbol."""
    found = await connection.fetch("SELECT * FROM instruments ORDER BY symbol")
    return [rows.instrument(row) for row in found]


async def latest(connection: Connection, symbols: Sequence[str]) -> list[Any]:
    """What the feed last told of watched symbols."""
    return await connection.fetch(
        "SELECT symbol, bid, ask, bid_size, ask_size, bid_at, ask_at, last, last_at, last_size,"
        " minute_bar FROM watches WHERE symbol = ANY($1) AND error IS NULL ORDER BY symbol",
        list(symbols),
    )
