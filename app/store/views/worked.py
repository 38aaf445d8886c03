"""Orders as the analysis of their costs wants them: rows to records."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from app.domain.instant import Instant
from app.domain.lifecycle import CHILD_DONE, ChildStatus
from app.domain.market import Traded
from app.domain.quantity import Side
from app.domain.tca.analysis import NOTHING_SENT, Worked, WorkedChild, WorkedFill
from app.domain.tca.quality import estimate_from
from app.domain.tca.shortfall import Price
from app.domain.tca.spread import NOT_CAPTURED, Mark
from app.store.database import Connection
from app.store.rows import Row

LINES_MAX = 20_000
"""So many orders are summed up at once: more of them want a narrower question."""

_SEEN = "(why #>> '{quote,bid}')::numeric AS seen_bid, (why #>> '{quote,ask}')::numeric AS seen_ask"


async def worked_order(connection: Connection, row: Row) -> Worked:
    """One order with its children, fills and marks; `row` is the order's own."""
    key = row["account"], row["id"]
    now = await connection.fetchval("SELECT now FROM market_clock")
    children = await connection.fetch(
        f"SELECT *, {_SEEN} FROM children WHERE account = $1 AND order_id = $2 ORDER BY number",
        *key,
    )
    purposes = {child["id"]: child["purpose"] for child in children}
    fills = await connection.fetch(
        "SELECT * FROM fills WHERE account = $1 AND order_id = $2 AND busted_at IS NULL"
        " ORDER BY at, execution_id",
        *key,
    )
    marks = await connection.fetch(
        "SELECT * FROM marks WHERE account = $1 AND order_id = $2 ORDER BY at", *key
    )
    first = children[0] if children else None
    return _worked(
        row,
        begin=_begin(first),
        last_fill=fills[-1]["at"] if fills else None,
        marks={mark["at"]: _mark(mark) for mark in marks},
        children=tuple(_child(child) for child in children),
        fills=tuple(_fill(fill, purposes) for fill in fills),
        now=now,
    )


async def worked_orders(
    connection: Connection,
    *,
    accounts: Sequence[str] | None,
    since: Instant | None,
    until: Instant | None,
    finished: bool = True,
    limit: int = LINES_MAX,
) -> list[Worked]:
    """Orders accepted from `since` on and before `until` (market time), newest first, without
    children and fills. `finished` leaves out those that still work."""
    now = await connection.fetchval("SELECT now FROM market_clock")
    found = await connection.fetch(_LIGHT, accounts, since, until, finished, limit)
    return [
        _worked(
            row,
            begin=_begin(row if row["first_child"] is not None else None),
            last_fill=row["last_fill"],
            marks=_three(row),
            now=now,
        )
        for row in found
    ]


_LIGHT = """
    SELECT o.account, o.id, o.client_order_id, o.broker, o.symbol, o.instrument, o.side, o.algo,
        o.strategy, o.status, o.qty, o.filled, o.filled_notional, o.fees, o.accepted_at,
        o.start_at, o.end_at, o.finished_at, o.arrival_bid, o.arrival_ask, o.market_volume,
        o.market_notional, o.measured_to, o.own_volume_included,
        o.estimate,
        c.id AS first_child, c.seen_bid, c.seen_ask, f.last_fill, m.seen
    FROM orders o
    LEFT JOIN LATERAL (
        SELECT id, (why #>> '{quote,bid}')::numeric AS seen_bid,
            (why #>> '{quote,ask}')::numeric AS seen_ask
        FROM children WHERE account = o.account AND order_id = o.id ORDER BY number LIMIT 1
    ) c ON true
    LEFT JOIN LATERAL (
        SELECT max(at) AS last_fill FROM fills
        WHERE account = o.account AND order_id = o.id AND busted_at IS NULL
    ) f ON true
    LEFT JOIN LATERAL (
        SELECT array_agg((m.at, m.bid, m.ask, m.reason)) AS seen FROM marks m
        WHERE m.account = o.account AND m.order_id = o.id AND m.at = ANY (ARRAY[o.finished_at,
            f.last_fill, f.last_fill + interval '1 minute', f.last_fill + interval '5 minutes'])
    ) m ON true
    WHERE ($1::text[] IS NULL OR o.account = ANY($1))
        AND ($2::timestamptz IS NULL OR o.accepted_at >= $2)
        AND ($3::timestamptz IS NULL OR o.accepted_at < $3)
        AND (NOT $4 OR o.finished_at IS NOT NULL)
    ORDER BY o.accepted_at DESC, o.id DESC LIMIT $5"""


def _worked(row: Any, **found: Any) -> Worked:
    market = None
    if row["market_volume"] is not None:
        market = Traded(row["market_volume"], row["market_notional"])
    return Worked(
        order_id=row["id"],
        client_order_id=row["client_order_id"],
        account=row["account"],
        broker=row["broker"],
        symbol=row["symbol"],
        currency=row["instrument"]["currency"],
        side=Side(row["side"]),
        algo=row["algo"],
        strategy=row["strategy"],
        status=row["status"],
        qty=row["qty"],
        filled=row["filled"],
        notional=row["filled_notional"],
        fees=row["fees"],
        accepted_at=row["accepted_at"],
        start=row["start_at"],
        end=row["end_at"],
        finished_at=row["finished_at"],
        decision=_middle(row["arrival_bid"], row["arrival_ask"]),
        market=market,
        own_included=row["own_volume_included"],
        measured_to=row["measured_to"],
        estimate=estimate_from(row.get("estimate")),
        **found,
    )


def _middle(bid: Decimal | None, ask: Decimal | None) -> Decimal | None:
    return (bid + ask) / 2 if bid is not None and ask is not None else None


def _begin(first: Row | None) -> Price:
    """The mid that the first child's decision saw."""
    if first is None:
        return Price(None, NOTHING_SENT)
    mid = _middle(first["seen_bid"], first["seen_ask"])
    return Price(mid, None if mid is not None else NOT_CAPTURED)


def _three(row: Row) -> dict[Instant, Mark]:
    return {at: Mark(at, bid, ask, reason) for at, bid, ask, reason in row["seen"] or ()}


def _mark(row: Row) -> Mark:
    return Mark(row["at"], row["bid"], row["ask"], row["reason"])


def _child(row: Row) -> WorkedChild:
    quote = None
    if row["seen_bid"] is not None and row["seen_ask"] is not None:
        quote = Mark(row["intended_at"], row["seen_bid"], row["seen_ask"])
    return WorkedChild(
        id=row["id"],
        number=row["number"],
        purpose=row["purpose"],
        status=row["status"],
        over=ChildStatus(row["status"]) in CHILD_DONE,
        qty=row["qty"],
        price=row["price"],
        filled=row["filled"],
        intended_at=row["intended_at"],
        quote=quote,
    )


def _fill(row: Row, purposes: dict[str, str]) -> WorkedFill:
    return WorkedFill(
        execution_id=row["execution_id"],
        child_id=row["child_id"],
        at=row["at"],
        qty=row["qty"],
        price=row["price"],
        fee=row["fee"],
        liquidity=row["liquidity"],
        purpose=purposes[row["child_id"]],
    )
