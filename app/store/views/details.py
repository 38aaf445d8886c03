"""What belongs to one order: children, why they were sent, fills, events."""

from collections.abc import Sequence

from app.domain.instant import Instant
from app.store.database import Connection
from app.store.decisions import Told
from app.store.rows import Row
from app.store.views.plain import Answer, moment, text


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
        "qty": text(row["qty"]),
        "price": text(row["price"]),
        "stop_price": text(row["stop_price"]),
        "stop_limit_price": text(row["stop_limit_price"]),
        "purpose": row["purpose"],
        "time_in_force": row["time_in_force"],
        "status": row["status"],
        "reason": row["reason"],
        "filled": text(row["filled"]),
        "broker_order_id": row["broker_order_id"],
        "intended_at": moment(row["intended_at"]),
        "cancel_requested_at": moment(row["cancel_requested_at"]),
    }


async def why(connection: Connection, row: Row, told: Sequence[Told]) -> Answer:
    """Each child with all that the decision saw that made it, its envelope and binding guard; and
    the decisions that sent none. `told` is the order's history."""
    found = await connection.fetch(
        "SELECT * FROM children WHERE account = $1 AND order_id = $2 ORDER BY number",
        row["account"],
        row["id"],
    )
    sent = {event.child_id: event.seq for event in told}
    return {
        "items": [child(c) | {"seq": sent.get(c["id"]), "why": c["why"]} for c in found],
        "decisions": [
            _decision(told[place : place + event.facts])
            for place, event in enumerate(told)
            if event.decides and event.child_id is None
        ],
    }


def _decision(events: Sequence[Told]) -> Answer:
    first = events[0]
    actions = [
        {"type": e.type, **{k: v for k, v in e.data.items() if k != "order"}} for e in events
    ]
    return {"seq": first.seq, "at": moment(first.at), "actions": actions, "why": first.why}


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
            "qty": text(r["qty"]),
            "price": text(r["price"]),
            "fee": text(r["fee"]),
            "liquidity": r["liquidity"],
            "at": moment(r["at"]),
            "booked_at": moment(r["booked_at"]),
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
            "at": moment(r["at"]),
            "recorded_at": moment(r["recorded_at"]),
            "data": r["data"],
        }
        for r in found
    ]


async def first_events(connection: Connection, row: Row) -> dict[str, Instant]:
    """What kinds of events an order had, and when each came first."""
    found = await connection.fetch(
        "SELECT type, min(at) AS at FROM events WHERE account = $1 AND order_id = $2 GROUP BY type",
        row["account"],
        row["id"],
    )
    return {event["type"]: event["at"] for event in found}
