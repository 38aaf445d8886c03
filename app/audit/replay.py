"""Every order's events, folded again and held against its rows."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.audit.fold import Illegal, Order, fold
from app.audit.records import Check, Fault, checked
from app.audit.rule import Connection

BATCH = 500
TOLD = ("qty", "filled", "working", "unknown", "unsent", "canceled", "excess")
KEPT = ("qty", "filled", "working", "unknown", "canceled", "excess")

Row = Any


@dataclass(frozen=True, slots=True)
class Story:
    """One order: its row, and what was written about it."""

    row: Row
    events: Sequence[Row]
    children: Sequence[Row]
    fills: Sequence[Row]

    @property
    def name(self) -> str:
        return f"{self.row['account']}/{self.row['id']}"


@dataclass(slots=True)
class Findings:
    """What the replay looked at and found, by check."""

    orders: int = 0
    events: int = 0
    children: int = 0
    fills: int = 0
    numbering: list[Fault] = field(default_factory=list)
    moves: list[Fault] = field(default_factory=list)
    sums: list[Fault] = field(default_factory=list)
    rows: list[Fault] = field(default_factory=list)
    child_rows: list[Fault] = field(default_factory=list)
    fill_rows: list[Fault] = field(default_factory=list)
    sends: list[Fault] = field(default_factory=list)

    def checks(self) -> tuple[Check, ...]:
        return (
            checked("events are numbered from 1 without a gap", "I20", self.events, self.numbering),
            checked("only legal moves, and nothing booked twice", "I17", self.events, self.moves),
            checked(
                "every event's sums follow from the events before it",
                "I2 I3 I20",
                self.events,
                self.sums,
            ),
            checked("the last event says what the order's row says", "I20", self.orders, self.rows),
            checked(
                "children are what their events made them", "I20", self.children, self.child_rows
            ),
            checked("the fills told are the fills booked", "I20", self.fills, self.fill_rows),
            checked(
                "nothing is sent after a cancel, while paused, or into an excess",
                "I13",
                self.children,
                self.sends,
            ),
        )


async def replay(connection: Connection) -> tuple[Check, ...]:
    """All orders, a batch at a time, in the connection's transaction."""
    findings = Findings()
    async for story in _stories(connection):
        findings.orders += 1
        findings.events += len(story.events)
        findings.children += len(story.children)
        findings.fills += len(story.fills)
        _number(story, findings)
        order = _fold(story, findings)
        if order is not None:
            _compare(story, order, findings)
    return findings.checks()


async def _stories(connection: Connection) -> AsyncIterator[Story]:
    orders = await _orders(connection, None)
    while orders:
        keys = [row["account"] for row in orders], [row["id"] for row in orders]
        events = await _of(connection, "events", "seq", keys)
        children = await _of(connection, "children", "number", keys)
        fills = await _of(connection, "fills", "execution_id", keys)
        for row in orders:
            key = row["account"], row["id"]
            yield Story(row, events.get(key, []), children.get(key, []), fills.get(key, []))
        orders = await _orders(connection, orders[-1])


async def _orders(connection: Connection, after: Row | None) -> list[Row]:
    rows: list[Row] = await connection.fetch(
        "SELECT account, id, status, seq, qty, filled, working, unknown, canceled, excess"
        " FROM orders WHERE $1::text IS NULL OR (account, id) > ($1, $2::uuid)"
        f" ORDER BY account, id LIMIT {BATCH}",
        after["account"] if after else None,
        after["id"] if after else None,
    )
    return rows


async def _of(
    connection: Connection, table: str, order: str, keys: tuple[list[Any], list[Any]]
) -> dict[tuple[Any, Any], list[Row]]:
    rows = await connection.fetch(
        f"SELECT t.* FROM unnest($1::text[], $2::uuid[]) AS o (account, id)"
        f" JOIN {table} t ON t.account = o.account AND t.order_id = o.id"
        f" ORDER BY t.account, t.order_id, t.{order}",
        *keys,
    )
    found: dict[tuple[Any, Any], list[Row]] = {}
    for row in rows:
        found.setdefault((row["account"], row["order_id"]), []).append(row)
    return found


def _number(story: Story, findings: Findings) -> None:
    numbers = [event["seq"] for event in story.events]
    wanted = list(range(1, story.row["seq"] + 1))
    if numbers == wanted:
        return
    missing = sorted(set(wanted) - set(numbers))
    said = f"the order is at {story.row['seq']}, {len(numbers)} events"
    shown = ", ".join(map(str, missing[:5])) + (" …" if len(missing) > 5 else "")
    gap = f"; missing {shown}" if missing else "; some twice or beyond"
    findings.numbering.append(Fault(story.name, said + gap))


def _fold(story: Story, findings: Findings) -> Order | None:
    """The order as its events tell it; None where they stop making sense."""
    if not story.events or story.events[0]["type"] != "order.accepted":
        findings.moves.append(Fault(story.name, "its first event is not order.accepted"))
        return None
    order = Order(Decimal(story.events[0]["data"]["order"]["qty"]))
    wrong = False
    for event in story.events:
        try:
            if event["type"] != "order.accepted":
                fold(order, event["type"], event["data"])
            differs = _differences(order, event["data"]["order"])
        except (Illegal, KeyError, ArithmeticError) as what:
            why = str(what) if isinstance(what, Illegal) else f"cannot be read: {what!r}"
            findings.moves.append(Fault(f"{story.name} #{event['seq']}", why))
            return None
        if differs and not wrong:
            # What follows from a wrong sum is wrong as well: the first one is told.
            wrong = True
            findings.sums.append(Fault(f"{story.name} #{event['seq']} {event['type']}", differs))
    findings.sends += [Fault(story.name, why) for why in order.trespasses]
    return order


def _differences(order: Order, told: Row) -> str:
    """What an event says differently from its fold."""
    sums = order.sums()
    wrong = [
        f"{name} is {told[name]}, the events give {sums[name]}"
        for name in TOLD
        if Decimal(told[name]) != sums[name]
    ]
    if told["status"] != order.status:
        wrong.append(f"status is {told['status']}, the events give {order.status}")
    if min(sums.values()) < 0:
        wrong.append("a quantity is below zero")
    return "; ".join(wrong)


def _compare(story: Story, order: Order, findings: Findings) -> None:
    row, sums = story.row, order.sums()
    wrong = [f"{n} is {row[n]}, the events give {sums[n]}" for n in KEPT if row[n] != sums[n]]
    if row["status"] != order.status:
        wrong.append(f"status is {row['status']}, the events give {order.status}")
    if wrong:
        findings.rows.append(Fault(story.name, "; ".join(wrong)))
    told = {
        name: (c.number, c.qty, c.price, c.status, c.filled) for name, c in order.children.items()
    }
    kept = {
        c["id"]: (c["number"], c["qty"], c["price"], c["status"], c["filled"])
        for c in story.children
    }
    findings.child_rows += _unlike(story.name, told, kept)
    booked = {
        f["execution_id"]: (f["child_id"], f["qty"], f["price"], f["fee"]) for f in story.fills
    }
    findings.fill_rows += _unlike(story.name, order.fills, booked)


def _unlike(name: str, told: dict[str, Any], kept: dict[str, Any]) -> list[Fault]:
    """Where the events and the rows differ."""
    return [
        Fault(f"{name} {key}", f"the events say {_text(told.get(key))}, the row {_text(row)}")
        for key in sorted(told.keys() | kept.keys())
        if (row := kept.get(key)) != told.get(key)
    ]


def _text(values: tuple[Any, ...] | None) -> str:
    return " ".join(map(str, values)) if values else "nothing"
