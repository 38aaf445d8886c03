"""Persists folded orders: rows of order and children, events, positions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Table

from app.domain.execution import Child, Execution
from app.domain.fact import Adopted, Busted, ExitForced, Fact, Filled, StopHit
from app.domain.fold import apply
from app.domain.fold_births import adopted_child
from app.domain.instant import rfc3339
from app.domain.lifecycle import ORDER_DONE
from app.domain.position import Position, with_fill
from app.domain.quantity import ZERO, Side
from app.store import rows
from app.store.columns import POSITIONS, sql_type
from app.store.database import Connection, to_json
from app.store.frames import fact_data, order_sums
from app.store.tables import children, events, orders, positions


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


def _from(place: int, table: Table, columns: Sequence[str]) -> str:
    """Rows of these columns out of a JSON array."""
    names = ", ".join(columns)
    return (
        f"INSERT INTO {table.name} (account, {names}) SELECT $1, {names}"
        f" FROM json_to_recordset(${place}::json) AS told({_typed(table, columns)})"
    )


def _typed(table: Table, columns: Sequence[str]) -> str:
    return ", ".join(f"{name} {sql_type(table.c[name])}" for name in columns)


def _unless_there(key: str, columns: Sequence[str], more: str = "") -> str:
    sets = ", ".join(f"{name} = excluded.{name}" for name in columns)
    return f" ON CONFLICT (account, {key}) DO UPDATE SET {sets}{more}"


_CHILD = (
    *("id", "order_id", "number", "epoch", "symbol", "side", "qty", "price", "purpose"),
    *("time_in_force", "status", "intended_at", "quote_at", "filled", "broker_order_id"),
    *("cancel_requested_at", "reason", "why", "adopted", "stop_price", "stop_limit_price"),
)
_CHILD_CHANGES = ("status", "filled", "broker_order_id", "cancel_requested_at", "reason")
_POSITION = ("qty", "average_price", "realised", "fees")
_EVENT = ("order_id", "seq", "type", "at", "data", "why")

_CHILD_AGAIN = _unless_there("id", _CHILD_CHANGES, ", updated_at = clock_timestamp()")
_WRITE_CHILDREN = _from(2, children, _CHILD) + _CHILD_AGAIN
# The array of ids is what makes the planner use the key: of the rows of a JSON text it expects a
# hundred, and then it reads a table of a thousand orders whole, and goes on so when it has grown.
_MOVE_ORDERS = (
    "UPDATE orders o SET"
    f" {', '.join(f'{name} = told.{name}' for name in rows.ACCRUED)},"
    " version = o.version + 1, seq = o.seq + told.facts,"
    " filled_notional = o.filled_notional + told.traded, fees = o.fees + told.charged,"
    " attention = o.attention OR told.attention, updated_at = clock_timestamp(),"
    " exits_due = o.exits_due OR (o.group_id IS NOT NULL AND told.moves_exits),"
    " finished_at = CASE WHEN told.done THEN coalesce(o.finished_at, told.at) END"
    f" FROM json_to_recordset($3::json) AS told(id uuid, {_typed(orders, rows.ACCRUED)},"
    " facts bigint, traded numeric, charged numeric, attention boolean, moves_exits boolean,"
    " done boolean, at timestamptz)"
    " WHERE o.account = $1 AND o.id = ANY($2::uuid[]) AND o.id = told.id"
)
_WRITE_ALL = (
    f"WITH moved AS ({_MOVE_ORDERS}),"
    f" kept AS ({_from(4, children, _CHILD)}{_CHILD_AGAIN}),"
    f" held AS ({_from(5, positions, ('symbol', *_POSITION))}{_unless_there('symbol', _POSITION)})"
    f" {_from(6, events, _EVENT)}"
)


async def persist(
    connection: Connection, account: str, epoch: int, drafts: Sequence[Draft], attention: set[str]
) -> None:
    """Write what changed. The orders are locked by the caller."""
    if not drafts:
        return
    held = await _moved_positions(connection, account, drafts)
    # One statement where there could be four: most of the time of a statement is its way.
    await connection.execute(
        _WRITE_ALL,
        account,
        [draft.row["id"] for draft in drafts],
        to_json(_orders(drafts, attention)),
        to_json(_children(epoch, drafts)),
        to_json(held),
        to_json(_events(drafts)),
    )


def _orders(drafts: Sequence[Draft], attention: set[str]) -> list[dict[str, Any]]:
    return [
        {
            **rows.accrued_to_json(draft.execution),
            "id": draft.row["id"],
            "facts": len(draft.events),
            "traded": sum((t.sign * t.qty * t.price for t in draft.trades), ZERO),
            "charged": sum((t.fee for t in draft.trades), ZERO),
            "attention": draft.row["id"] in attention,
            "moves_exits": _moves_exits(draft),
            "done": draft.execution.status in ORDER_DONE,
            "at": rfc3339(draft.events[-1][0].at),
        }
        for draft in drafts
    ]


def _moves_exits(draft: Draft) -> bool:
    """Whether what the exits of the order's group owe may be something else now."""
    said = any(isinstance(f, Filled | Busted | StopHit | ExitForced) for f, _ in draft.events)
    return said or draft.execution.status in ORDER_DONE


async def upsert_children(
    connection: Connection, account: str, epoch: int, drafts: Sequence[Draft]
) -> None:
    """Write children as they are now."""
    if children := _children(epoch, drafts):
        await connection.execute(_WRITE_CHILDREN, account, to_json(children))


def _children(epoch: int, drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    return [
        {
            "id": c.id,
            "order_id": draft.row["id"],
            "number": c.number,
            "epoch": epoch,
            "symbol": draft.row["symbol"],
            "side": c.side.value,
            "qty": c.qty,
            "price": c.price,
            "purpose": c.purpose.value,
            "time_in_force": c.time_in_force.value,
            "status": c.status.value,
            "intended_at": rfc3339(c.intended_at),
            "quote_at": rows.moment(c.quote_at),
            "filled": c.filled,
            "broker_order_id": c.broker_order_id,
            "cancel_requested_at": rows.moment(c.cancel_requested_at),
            "reason": c.reason,
            "why": dict(draft.why.get(c.id, {})),
            "adopted": c.id in draft.adopted,
            "stop_price": c.stop_price,
            "stop_limit_price": c.stop_limit_price,
        }
        for draft in drafts
        for c in draft.changed.values()
    ]


def _events(drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    return [
        {
            "order_id": draft.row["id"],
            "seq": draft.row["seq"] + i,
            "type": fact.type,
            "at": rfc3339(fact.at),
            "data": {
                **fact_data(fact),
                **_by(draft, i - 1),
                "order": order_sums(state) | {"symbol": draft.row["symbol"]},
            },
            "why": draft.notes.get(i - 1),
        }
        for draft in drafts
        for i, (fact, state) in enumerate(draft.events, start=1)
    ]


def _by(draft: Draft, place: int) -> dict[str, str]:
    return {"by": draft.commanded[place]} if place in draft.commanded else {}


async def _moved_positions(
    connection: Connection, account: str, drafts: Sequence[Draft]
) -> list[dict[str, Any]]:
    """Locked, and as they become."""
    traded: dict[str, list[Trade]] = {}
    for draft in drafts:
        if trades := draft.trades:
            traded.setdefault(draft.row["symbol"], []).extend(trades)
    if not traded:
        return []
    # Orders first, positions after, each in key order: no two writers wait in a circle.
    held = await connection.fetch(
        "INSERT INTO positions (account, symbol) SELECT $1, s FROM unnest($2::text[]) AS s"
        " ON CONFLICT (account, symbol) DO UPDATE SET updated_at = clock_timestamp()"
        f" RETURNING {POSITIONS}",
        account,
        sorted(traded),
    )
    moved = [(row["symbol"], _moved(rows.position(row), traded[row["symbol"]])) for row in held]
    return [
        {
            "symbol": symbol,
            "qty": p.qty,
            "average_price": _exact(p.average_price),
            "realised": _exact(p.realised),
            "fees": p.fees,
        }
        for symbol, p in moved
    ]


def _moved(position: Position, trades: Sequence[Trade]) -> Position:
    for t in trades:
        position = with_fill(position, side=t.side, qty=t.qty, price=t.price, fee=t.fee)
    return position


def _exact(value: Decimal) -> Decimal:
    # Averages do not end: twelve decimals are kept, far below a tick of anything.
    return value.quantize(Decimal("1E-12"))
