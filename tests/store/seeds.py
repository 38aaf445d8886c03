"""Orders, facts and bookings as the tests of the store need them."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.domain.algos import BY_NAME
from app.domain.fact import Fact, Filled, Intended, Moved, Purpose, TimeInForce
from app.domain.identity import child_id, order_key
from app.domain.instant import Instant, rfc3339
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import Side
from app.domain.task import Task
from app.engine.ids import new_id
from app.store import intake, journal, market_state, rows
from app.store.arrival import Accepted, Arrival
from app.store.database import Database
from app.store.journal import Entry, Recorded
from tests.domain.tasks import OPEN, a_task

ACCOUNT, BROKER = "a1", "paper"


def task(algo: str = "twap", qty: Any = 1000, *, symbol: str = "XYZ", **given: Any) -> Task:
    made = a_task(algo, qty, **given)
    instrument = replace(made.instrument, symbol=symbol)
    return made._replace(order_id=new_id(), account=ACCOUNT, instrument=instrument)


def sha(text: str) -> str:
    return "\\x" + hashlib.sha256(text.encode()).hexdigest()


def order_columns(of: Task, *, body: str = "body", **over: Any) -> dict[str, Any]:
    columns = {
        "account": of.account,
        "id": of.order_id,
        "key": order_key(of.order_id),
        "client_order_id": of.order_id,
        "body_sha256": sha(body),
        "broker": BROKER,
        "key_id": "k1",
        "signal_id": None,
        "strategy": None,
        "tags": [],
        "symbol": of.instrument.symbol,
        "instrument": rows.instrument_to_json(of.instrument),
        "side": of.side.value,
        "qty": of.qty,
        "notional": None,
        "algo": of.algo,
        "algo_version": BY_NAME[of.algo].version,
        "asked_algo": of.algo,
        "route_reason": None,
        "params": rows.plain_params(of.params),
        "limit_price": of.limit_price,
        "start_at": of.start,
        "end_at": of.end,
        "session_opens_at": of.session.opens_at,
        "session_closes_at": of.session.closes_at,
        "curve": rows.curve_to_json(of.curve),
        "seed": of.seed,
        "max_participation": of.max_participation,
        "max_quote_age_us": of.policy.max_quote_age,
        "collar": of.policy.collar,
        "close_cutoff_us": of.policy.close_cutoff,
        "urgency": "normal",
        "time_in_force": "day",
        "on_restart": "resume",
        "status": "accepted",
        "anchor_at": of.start,
        "arrival_bid": None,
        "arrival_ask": None,
        "daily_volume": None,
        "accepted_at": of.start,
    }
    return columns | over


def an_arrival(
    of: Task | None = None,
    *,
    key: str | None = None,
    signal: str | None = None,
    body: str = "body",
    **over: Any,
) -> Arrival:
    """An order on its way in, with an idempotency key and a signal where they are named."""
    of = of or task()
    order = order_columns(of, body=body, **over)
    idempotency = {
        "key_id": "k1",
        "key": key,
        "body_sha256": sha(body),
        "account": of.account,
        "order_id": of.order_id,
    }
    return Arrival(
        order=order,
        idempotency=idempotency if key is not None else None,
        signal=signal_columns(signal, of.order_id, body) if signal is not None else None,
    )


def signal_columns(name: str, order_id: str | None, body: str = "body") -> dict[str, Any]:
    return {
        "account": ACCOUNT,
        "id": new_id(),
        "source": "test",
        "signal_id": name,
        "body_sha256": sha(body),
        "body": {"market": "XYZ"},
        "at": rfc3339(OPEN),
        "decision": "execute",
        "reason": None,
        "verdicts": [],
        "order_id": order_id,
        "symbol": "XYZ",
        "strategy": None,
        "mode": "paper",
        "side": "buy",
        "qty": "100",
        "final_qty": "100",
    }


async def plant(connection: Any, table: str, row: Any) -> None:
    """A row, as another process would write it."""
    columns = ", ".join(row)
    await connection.execute(
        f"INSERT INTO {table} ({columns}) SELECT {columns}"
        f" FROM jsonb_populate_record(NULL::{table}, $1)",
        {k: rfc3339(v) if k.endswith("_at") and isinstance(v, int) else v for k, v in row.items()},
    )


async def know(database: Database, of: Task) -> None:
    async with database.transaction() as connection:
        await market_state.tell_watched(connection, of.instrument, [of.session], None, None)


async def enter(database: Database, of: Task | None = None, **given: Any) -> str:
    """An accepted order; its id."""
    of = of or task(**given)
    await know(database, of)
    (verdict,) = await intake.insert(database, [an_arrival(of)])
    assert isinstance(verdict, Accepted)
    return of.order_id


async def working(database: Database, of: Task | None = None, **given: Any) -> str:
    """An order that works; its id."""
    order_id = await enter(database, of, **given)
    await record(database, order_id, Moved(OPEN, OrderStatus.WORKING))
    return order_id


async def record(
    database: Database, order_id: str, *facts: Fact, version: int | None = None
) -> Recorded:
    (recorded,) = await record_entries(database, [Entry(order_id, facts, version)])
    return recorded


async def record_entries(database: Database, entries: Sequence[Entry]) -> list[Recorded]:
    async with database.transaction() as connection:
        return await journal.record(connection, account=ACCOUNT, broker=BROKER, entries=entries)


def intent(
    order_id: str,
    number: int,
    qty: Any,
    *,
    at: Instant = OPEN,
    side: Side = Side.BUY,
    purpose: Purpose = Purpose.CROSS,
) -> Intended:
    in_force = TimeInForce.IOC if purpose is Purpose.CROSS else TimeInForce.DAY
    name = child_id(order_id, number)
    return Intended(at, name, number, side, Decimal(qty), Decimal(10), purpose, in_force, at)


def fill(
    child: str, execution_id: str, qty: Any, *, price: Any = 10, fee: Any = "0.01", at: int = OPEN
) -> Filled:
    amounts = (Decimal(qty), Decimal(price), Decimal(fee))
    return Filled(at, child, execution_id, *amounts, "taker")


async def fetch(database: Database, query: str, *arguments: Any) -> list[Any]:
    async with database.connection() as connection:
        return await connection.fetch(query, *arguments)


async def value(database: Database, query: str, *arguments: Any) -> Any:
    async with database.connection() as connection:
        return await connection.fetchval(query, *arguments)


async def row_of(database: Database, order_id: str) -> Any:
    (row,) = await fetch(database, "SELECT * FROM orders WHERE id = $1", order_id)
    return row
