"""Persists folded orders: rows of order and children, events, positions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.domain.execution import Child, Execution
from app.domain.fact import Adopted, Busted, ExitForced, Fact, Filled, StopHit
from app.domain.fold import apply
from app.domain.fold_births import adopted_child
from app.domain.lifecycle import ORDER_DONE
from app.domain.position import Position, with_fill
from app.domain.quantity import ZERO, Side
from app.store import rows
from app.store.columns import POSITIONS
from app.store.database import Connection
from app.store.frames import fact_data, order_sums


@dataclass(frozen=True, slots=True)
class Trade:
    """What an execution does to the books; void, it does the opposite at the same price."""

    sign: int
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal


def _trade(side: Side, fact: Filled | Busted) -> Trade:
    if isinstance(fact, Busted):
        return Trade(-1, side.other, fact.qty, fact.price, -fact.fee)
    return Trade(1, side, fact.qty, fact.price, fact.fee)


@dataclass(slots=True)
class Draft:
    """One order while its facts are folded in: the row as it was, the state as it becomes."""

    row: rows.Row
    execution: Execution
    children: dict[str, Child]
    changed: dict[str, Child] = field(default_factory=dict)
    events: list[tuple[Fact, Execution]] = field(default_factory=list)
    why: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    adopted: set[str] = field(default_factory=set)
    notes: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    """Stored beside events and told to nobody, by their place in `events`."""
    commanded: dict[int, str] = field(default_factory=dict)
    """Whose commands events are, by their place as well."""

    def adopt(self, fact: Adopted) -> None:
        """Take in a child that the broker knows and we did not."""
        self.execution = apply(self.execution, fact)
        child = adopted_child(fact)
        self.children[child.id] = self.changed[child.id] = child
        self.events.append((fact, self.execution))
        self.adopted.add(child.id)

    @property
    def trades(self) -> list[Trade]:
        """What moves money: fills, and busts the other way round."""
        side = Side(self.row["side"])
        return [_trade(side, fact) for fact, _ in self.events if isinstance(fact, Filled | Busted)]


async def persist(
    connection: Connection, account: str, epoch: int, drafts: Sequence[Draft], attention: set[str]
) -> None:
    """Write what changed. The orders are locked by the caller."""
    if not drafts:
        return
    await _update_orders(connection, account, drafts, attention)
    await upsert_children(connection, account, epoch, drafts)
    await _insert_events(connection, account, drafts)
    await _move_positions(connection, account, drafts)


async def _update_orders(
    connection: Connection, account: str, drafts: Sequence[Draft], attention: set[str]
) -> None:
    columns = list(rows.accrued(drafts[0].execution))
    sets = ", ".join(f"{name} = ${i}" for i, name in enumerate(columns, start=10))
    await connection.executemany(
        f"UPDATE orders SET {sets}, version = version + 1, seq = seq + $3,"
        " filled_notional = filled_notional + $4, fees = fees + $5,"
        " attention = attention OR $6, updated_at = clock_timestamp(),"
        " exits_due = exits_due OR (group_id IS NOT NULL AND $9),"
        " finished_at = CASE WHEN $7 THEN coalesce(finished_at, $8) END"
        " WHERE account = $1 AND id = $2",
        [
            (
                account,
                draft.row["id"],
                len(draft.events),
                sum((t.sign * t.qty * t.price for t in draft.trades), ZERO),
                sum((t.fee for t in draft.trades), ZERO),
                draft.row["id"] in attention,
                draft.execution.status in ORDER_DONE,
                draft.events[-1][0].at,
                _moves_exits(draft),
                *rows.accrued(draft.execution).values(),
            )
            for draft in drafts
        ],
    )


def _moves_exits(draft: Draft) -> bool:
    """Whether what the exits of the order's group owe may be something else now."""
    said = any(isinstance(f, Filled | Busted | StopHit | ExitForced) for f, _ in draft.events)
    return said or draft.execution.status in ORDER_DONE


async def upsert_children(
    connection: Connection, account: str, epoch: int, drafts: Sequence[Draft]
) -> None:
    """Write children as they are now."""
    changed = [(draft, child) for draft in drafts for child in draft.changed.values()]
    if not changed:
        return
    await connection.executemany(
        "INSERT INTO children (account, id, order_id, number, epoch, symbol, side, qty, price,"
        " purpose, time_in_force, status, intended_at, quote_at, filled, broker_order_id,"
        " cancel_requested_at, reason, why, adopted, stop_price, stop_limit_price)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
        " $19, $20, $21, $22) ON CONFLICT (account, id) DO UPDATE SET status = excluded.status,"
        " filled = excluded.filled, broker_order_id = excluded.broker_order_id,"
        " cancel_requested_at = excluded.cancel_requested_at, reason = excluded.reason,"
        " updated_at = clock_timestamp()",
        [
            (
                account,
                c.id,
                draft.row["id"],
                c.number,
                epoch,
                draft.row["symbol"],
                c.side.value,
                c.qty,
                c.price,
                c.purpose.value,
                c.time_in_force.value,
                c.status.value,
                c.intended_at,
                c.quote_at,
                c.filled,
                c.broker_order_id,
                c.cancel_requested_at,
                c.reason,
                dict(draft.why.get(c.id, {})),
                c.id in draft.adopted,
                c.stop_price,
                c.stop_limit_price,
            )
            for draft, c in changed
        ],
    )


async def _insert_events(connection: Connection, account: str, drafts: Sequence[Draft]) -> None:
    events = [
        (
            account,
            draft.row["id"],
            draft.row["seq"] + i,
            fact.type,
            fact.at,
            {
                **fact_data(fact),
                **_by(draft, i - 1),
                "order": order_sums(state) | {"symbol": draft.row["symbol"]},
            },
            draft.notes.get(i - 1),
        )
        for draft in drafts
        for i, (fact, state) in enumerate(draft.events, start=1)
    ]
    await connection.executemany(
        "INSERT INTO events (account, order_id, seq, type, at, data, why)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        events,
    )


def _by(draft: Draft, place: int) -> dict[str, str]:
    return {"by": draft.commanded[place]} if place in draft.commanded else {}


async def _move_positions(connection: Connection, account: str, drafts: Sequence[Draft]) -> None:
    traded: dict[str, list[Trade]] = {}
    for draft in drafts:
        if trades := draft.trades:
            traded.setdefault(draft.row["symbol"], []).extend(trades)
    if not traded:
        return
    # Orders first, positions after, each in key order: no two writers wait in a circle.
    held = await connection.fetch(
        "INSERT INTO positions (account, symbol) SELECT $1, s FROM unnest($2::text[]) AS s"
        " ON CONFLICT (account, symbol) DO UPDATE SET updated_at = clock_timestamp()"
        f" RETURNING {POSITIONS}",
        account,
        sorted(traded),
    )
    moved = [(row["symbol"], _moved(rows.position(row), traded[row["symbol"]])) for row in held]
    await connection.executemany(
        "UPDATE positions SET qty = $3, average_price = $4, realised = $5, fees = $6"
        " WHERE account = $1 AND symbol = $2",
        [
            (account, symbol, p.qty, _exact(p.average_price), _exact(p.realised), p.fees)
            for symbol, p in moved
        ],
    )


def _moved(position: Position, trades: Sequence[Trade]) -> Position:
    for t in trades:
        position = with_fill(position, side=t.side, qty=t.qty, price=t.price, fee=t.fee)
    return position


def _exact(value: Decimal) -> Decimal:
    # Averages do not end: twelve decimals are kept, far below a tick of anything.
    return value.quantize(Decimal("1E-12"))
