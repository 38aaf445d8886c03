"""Read-only views: rows as the answers that clients see. Nothing here changes anything.

Decimals are strings, moments RFC 3339 in UTC; every order satisfies
`filled + working + unknown + unsent + canceled = qty + excess`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.domain.instant import Instant, rfc3339
from app.domain.market import Traded
from app.domain.quantity import Side
from app.domain.task import Anchor, Task
from app.domain.tca import Outcome, Slippage, measure
from app.store import rows
from app.store.database import Connection
from app.store.rows import Row

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `next_cursor` None: there is no more."""

    items: list[Answer]
    next_cursor: str | None


def _text(value: Decimal | None) -> str | None:
    if value is None:
        return None
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(value: Instant | None) -> str | None:
    return rfc3339(value) if value is not None else None


def order(row: Row) -> Answer:
    """One parent order, whole."""
    filled = row["filled"]
    unsent = row["qty"] + row["excess"] - filled - row["working"] - row["unknown"] - row["canceled"]
    return {
        "id": row["id"],
        "client_order_id": row["client_order_id"],
        "account": row["account"],
        "symbol": row["symbol"],
        "side": row["side"],
        "qty": _text(row["qty"]),
        "notional": _text(row["notional"]),
        "algo": row["algo"],
        "asked_algo": row["asked_algo"],
        "route_reason": row["route_reason"],
        "params": row["params"],
        "limit_price": _text(row["limit_price"]),
        "start_time": _moment(row["start_at"]),
        "end_time": _moment(row["end_at"]),
        "max_participation": _text(row["max_participation"]),
        "urgency": row["urgency"],
        "time_in_force": row["time_in_force"],
        "on_restart": row["on_restart"],
        "strategy": row["strategy"],
        "tags": row["tags"],
        "signal_id": row["signal_id"],
        "status": row["status"],
        "reason": row["reason"],
        "filled": _text(filled),
        "working": _text(row["working"]),
        "unknown": _text(row["unknown"]),
        "unsent": _text(unsent),
        "canceled": _text(row["canceled"]),
        "excess": _text(row["excess"]),
        "average_price": _text(_average(row)),
        "fees": _text(row["fees"]),
        "arrival": _arrival(row),
        "curve_source": row["curve"]["source"],
        "accepted_at": _moment(row["accepted_at"]),
        "created_at": _moment(row["created_at"]),
        "updated_at": _moment(row["updated_at"]),
        "finished_at": _moment(row["finished_at"]),
        "version": row["version"],
        "seq": row["seq"],
    }


def _average(row: Row) -> Decimal | None:
    filled: Decimal = row["filled"]
    if filled <= 0:
        return None
    average: Decimal = row["filled_notional"] / filled
    return average.quantize(Decimal("1E-10"))


def _arrival(row: Row) -> Answer | None:
    if row["arrival_bid"] is None:
        return None
    return {
        "bid": _text(row["arrival_bid"]),
        "ask": _text(row["arrival_ask"]),
        "mid": _text((row["arrival_bid"] + row["arrival_ask"]) / 2),
    }


async def find_order(
    connection: Connection, order_id: str, accounts: Sequence[str] | None
) -> Any | None:
    """The order's row, None if there is none that these accounts (None: all) may see."""
    return await connection.fetchrow(
        "SELECT * FROM orders WHERE id = $1 AND ($2::text[] IS NULL OR account = ANY($2))",
        order_id,
        accounts,
    )


async def find_by_client_id(
    connection: Connection, client_order_id: str, accounts: Sequence[str] | None
) -> Any | None:
    return await connection.fetchrow(
        "SELECT * FROM orders WHERE client_order_id = $1"
        " AND ($2::text[] IS NULL OR account = ANY($2)) ORDER BY account LIMIT 1",
        client_order_id,
        accounts,
    )


OPEN = "status NOT IN ('filled', 'canceled', 'expired', 'rejected')"


async def orders(
    connection: Connection,
    *,
    accounts: Sequence[str] | None,
    status: str | None = None,
    symbol: str | None = None,
    strategy: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """Orders, newest first. `status` may be a status, `open`, `closed` or None for all."""
    found = await connection.fetch(
        "SELECT * FROM orders WHERE ($1::text[] IS NULL OR account = ANY($1))"
        " AND CASE $2 WHEN 'open' THEN " + OPEN + " WHEN 'closed' THEN NOT " + OPEN + " ELSE"
        " $2 IS NULL OR status = $2 END"
        " AND ($3::text IS NULL OR symbol = $3) AND ($4::text IS NULL OR strategy = $4)"
        # Ids are UUIDv7: their order is the order of acceptance.
        " AND ($5::uuid IS NULL OR id < $5) ORDER BY id DESC LIMIT $6",
        accounts,
        status,
        symbol,
        strategy,
        cursor,
        limit + 1,
    )
    more = len(found) > limit
    return Page([order(r) for r in found[:limit]], found[limit - 1]["id"] if more else None)


async def children(connection: Connection, row: Row) -> list[Answer]:
    """All children of an order, in the order they were intended."""
    found = await connection.fetch(
        "SELECT * FROM children WHERE account = $1 AND order_id = $2 ORDER BY number",
        row["account"],
        row["id"],
    )
    return [child(c) for c in found]


def child(row: Row) -> Answer:
    return {
        "id": row["id"],
        "order_id": row["order_id"],
        "number": row["number"],
        "symbol": row["symbol"],
        "side": row["side"],
        "qty": _text(row["qty"]),
        "price": _text(row["price"]),
        "purpose": row["purpose"],
        "time_in_force": row["time_in_force"],
        "status": row["status"],
        "reason": row["reason"],
        "filled": _text(row["filled"]),
        "broker_order_id": row["broker_order_id"],
        "intended_at": _moment(row["intended_at"]),
        "cancel_requested_at": _moment(row["cancel_requested_at"]),
    }


async def why(connection: Connection, row: Row) -> list[Answer]:
    """Each child with the inputs, envelope and binding guard of the decision that made it."""
    found = await connection.fetch(
        "SELECT * FROM children WHERE account = $1 AND order_id = $2 ORDER BY number",
        row["account"],
        row["id"],
    )
    return [child(c) | {"why": c["why"]} for c in found]


async def fills(
    connection: Connection,
    *,
    accounts: Sequence[str] | None,
    order_id: str | None = None,
    limit: int = 1000,
) -> list[Answer]:
    """Fills in the order they happened: of one order, or the latest of all."""
    found = await connection.fetch(
        "SELECT * FROM (SELECT * FROM fills WHERE ($1::text[] IS NULL OR account = ANY($1))"
        " AND ($2::uuid IS NULL OR order_id = $2) ORDER BY at DESC, execution_id DESC LIMIT $3)"
        " latest ORDER BY at, execution_id",
        accounts,
        order_id,
        limit,
    )
    return [
        {
            "execution_id": r["execution_id"],
            "order_id": r["order_id"],
            "child_id": r["child_id"],
            "account": r["account"],
            "broker": r["broker"],
            "symbol": r["symbol"],
            "side": r["side"],
            "qty": _text(r["qty"]),
            "price": _text(r["price"]),
            "fee": _text(r["fee"]),
            "liquidity": r["liquidity"],
            "at": _moment(r["at"]),
            "booked_at": _moment(r["booked_at"]),
        }
        for r in found
    ]


async def events(connection: Connection, row: Row, *, after: int, limit: int) -> list[Answer]:
    """An order's own events after a sequence number; `seq` has no gaps."""
    found = await connection.fetch(
        "SELECT seq, type, at, recorded_at, data FROM events WHERE account = $1"
        " AND order_id = $2 AND seq > $3 ORDER BY seq LIMIT $4",
        row["account"],
        row["id"],
        after,
        limit,
    )
    return [
        {
            "seq": r["seq"],
            "type": r["type"],
            "at": _moment(r["at"]),
            "recorded_at": _moment(r["recorded_at"]),
            "data": r["data"],
        }
        for r in found
    ]


async def positions(connection: Connection, accounts: Sequence[str] | None) -> list[Answer]:
    found = await connection.fetch(
        "SELECT * FROM positions WHERE $1::text[] IS NULL OR account = ANY($1)"
        " ORDER BY account, symbol",
        accounts,
    )
    return [
        {
            "account": r["account"],
            "symbol": r["symbol"],
            "qty": _text(r["qty"]),
            "average_price": _text(r["average_price"]),
            "realised": _text(r["realised"]),
            "fees": _text(r["fees"]),
        }
        for r in found
    ]


async def accounts(connection: Connection, seen: Sequence[str] | None) -> list[Answer]:
    found = await connection.fetch(
        "SELECT * FROM accounts WHERE $1::text[] IS NULL OR account = ANY($1) ORDER BY account",
        seen,
    )
    return [
        {"account": r["account"], "broker": r["broker"], "currency": r["currency"]} for r in found
    ]


async def alerts(
    connection: Connection, *, accounts: Sequence[str] | None, open_only: bool, limit: int
) -> list[Answer]:
    """Alerts, newest first."""
    found = await connection.fetch(
        "SELECT * FROM alerts WHERE ($1::text[] IS NULL OR account = ANY($1))"
        " AND (NOT $2 OR acknowledged_at IS NULL) ORDER BY raised_at DESC LIMIT $3",
        accounts,
        open_only,
        limit,
    )
    return [alert(r) for r in found]


def alert(row: Row) -> Answer:
    return {
        "id": row["id"],
        "account": row["account"],
        "rule": row["rule"],
        "severity": row["severity"],
        "message": row["message"],
        "data": row["data"],
        "order_id": row["order_id"],
        "count": row["count"],
        "at": _moment(row["at"]),
        "raised_at": _moment(row["raised_at"]),
        "acknowledged_at": _moment(row["acknowledged_at"]),
        "acknowledged_by": row["acknowledged_by"],
    }


async def signal(
    connection: Connection, signal_id: str, accounts: Sequence[str] | None
) -> Answer | None:
    """A signal, its decision, and the order it became."""
    row = await connection.fetchrow(
        "SELECT * FROM signals WHERE id = $1 AND ($2::text[] IS NULL OR account = ANY($2))",
        signal_id,
        accounts,
    )
    return signal_answer(row) if row is not None else None


def signal_answer(row: Row) -> Answer:
    return {
        "id": row["id"],
        "account": row["account"],
        "source": row["source"],
        "signal_id": row["signal_id"],
        "signal": row["body"],
        "decision": row["decision"],
        "reason": row["reason"],
        "verdicts": row["verdicts"],
        "order_id": row["order_id"],
        "at": _moment(row["at"]),
        "received_at": _moment(row["received_at"]),
    }


async def task_of(connection: Connection, row: Row) -> tuple[Task, Anchor]:
    """The task and the current anchor of an order, to show its schedule."""
    instrument = await connection.fetchrow(
        "SELECT * FROM instruments WHERE symbol = $1", row["symbol"]
    )
    assert instrument is not None, "an order's symbol has an instrument"
    task = rows.task(row, rows.instrument(instrument))
    return task, Anchor(row["anchor_at"], row["anchor_done"])


def tca(row: Row) -> Answer:
    """Cost against arrival and interval VWAP; basis points and money, positive = cost."""
    mid = None
    if row["arrival_bid"] is not None:
        mid = (row["arrival_bid"] + row["arrival_ask"]) / 2
    market = None
    if row["market_volume"] is not None:
        market = Traded(row["market_volume"], row["market_notional"])
    outcome = measure(
        side=Side(row["side"]),
        filled=row["filled"],
        filled_notional=row["filled_notional"],
        fees=row["fees"],
        arrival_mid=mid,
        market=market,
    )
    return _outcome(row, outcome, market)


def _outcome(row: Row, outcome: Outcome, market: Traded | None) -> Answer:
    return {
        "order_id": row["id"],
        "symbol": row["symbol"],
        "side": row["side"],
        "status": row["status"],
        "currency": "USD",
        "filled": _text(outcome.filled),
        "average_price": _text(_rounded(outcome.average_price, 10)),
        "fees": _text(outcome.fees),
        "arrival": _slippage(outcome.arrival),
        "interval_vwap": _slippage(outcome.interval_vwap),
        "market_volume": _text(market.volume) if market else None,
        "measured_from": _moment(row["start_at"]),
        "measured_to": _moment(row["measured_to"]),
        "participation": _text(_rounded(outcome.participation, 6)),
    }


def _slippage(slippage: Slippage) -> Answer:
    return {
        "benchmark": _text(_rounded(slippage.benchmark, 10)),
        "slippage_bps": _text(_rounded(slippage.bps, 4)),
        "slippage_money": _text(_rounded(slippage.money, 4)),
        "reason": slippage.reason,
    }


def _rounded(value: Decimal | None, places: int) -> Decimal | None:
    return round(value, places) if value is not None else None


async def statistics(connection: Connection, accounts: Sequence[str] | None) -> Mapping[str, Any]:
    """Counts of orders by status and algorithm, children by status, fills."""
    by_status = await connection.fetch(
        "SELECT status, algo, count(*) AS n FROM orders"
        " WHERE $1::text[] IS NULL OR account = ANY($1) GROUP BY status, algo",
        accounts,
    )
    children_by = await connection.fetch(
        "SELECT status, count(*) AS n FROM children"
        " WHERE $1::text[] IS NULL OR account = ANY($1) GROUP BY status",
        accounts,
    )
    filled = await connection.fetchval(
        "SELECT count(*) FROM fills WHERE $1::text[] IS NULL OR account = ANY($1)", accounts
    )
    orders_by: dict[str, int] = {}
    algos: dict[str, int] = {}
    for r in by_status:
        orders_by[r["status"]] = orders_by.get(r["status"], 0) + r["n"]
        algos[r["algo"]] = algos.get(r["algo"], 0) + r["n"]
    return {
        "orders": orders_by,
        "algorithms": algos,
        "children": {r["status"]: r["n"] for r in children_by},
        "fills": filled,
    }


async def open_ids(connection: Connection, account: str) -> list[str]:
    """Orders of an account that are not finished, oldest first."""
    found = await connection.fetch(
        f"SELECT id FROM orders WHERE account = $1 AND {OPEN} ORDER BY id", account
    )
    return [r["id"] for r in found]


async def leases(connection: Connection) -> list[Answer]:
    """Which worker owns what. `held` false: nobody does now."""
    found = await connection.fetch(
        "SELECT name, owner, epoch, until, coalesce(until > clock_timestamp(), false) AS held"
        " FROM leases ORDER BY name"
    )
    return [
        {
            "name": r["name"],
            "owner": r["owner"] if r["held"] else None,
            "epoch": r["epoch"],
            "held": r["held"],
            "until": _moment(r["until"]),
        }
        for r in found
    ]


async def schema_revision(connection: Connection) -> str | None:
    """The migration the schema is at, None for a database that was never migrated."""
    known = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
    if not known:
        return None
    revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return revision
