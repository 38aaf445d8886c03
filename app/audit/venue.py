"""The venue's ledger against our books: sent once, booked once, nothing lost, nothing invented."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.audit.ledger import Ledger, VenueExecution, VenueOrder
from app.audit.legal import CHILD_DONE, ORDER_DONE
from app.audit.records import Check, Fault, checked
from app.audit.rule import Connection

PREFIX = "sl"
BROKER = "paper"

Row = Any


@dataclass(frozen=True, slots=True)
class Books:
    """What the database knows of one account at the venue. Times are microseconds since 1970."""

    children: dict[str, Row]
    fills: dict[str, Row]
    quarantined: frozenset[str]
    quarantined_children: frozenset[str]


async def read_books(connection: Connection, account: str) -> Books:
    """The account's books, in the connection's transaction."""
    children = await connection.fetch(
        "SELECT c.*, o.status AS order_status,"
        " (extract(epoch FROM c.intended_at) * 1000000)::bigint AS intended_us"
        " FROM children c JOIN orders o ON o.account = c.account AND o.id = c.order_id"
        " WHERE c.account = $1 AND o.broker = $2 ORDER BY c.order_id, c.number",
        account,
        BROKER,
    )
    fills = await connection.fetch(
        "SELECT *, (extract(epoch FROM at) * 1000000)::bigint AS at_us FROM fills"
        " WHERE account = $1 AND broker = $2 ORDER BY execution_id",
        account,
        BROKER,
    )
    quarantined = await connection.fetch(
        "SELECT execution_id, report ->> 'child_id' AS child_id FROM quarantine"
        " WHERE account = $1 AND broker = $2",
        account,
        BROKER,
    )
    return Books(
        children={row["id"]: row for row in children},
        fills={row["execution_id"]: row for row in fills},
        quarantined=frozenset(row["execution_id"] for row in quarantined),
        quarantined_children=frozenset(row["child_id"] for row in quarantined),
    )


def unbooked(ledger: Ledger, books: Books) -> list[VenueExecution]:
    """Executions of ours that the venue had at the mark and the books do not have."""
    return [
        e
        for e in _ours(ledger)
        if e.seq <= ledger.mark.seq
        and e.execution_id not in books.fills
        and e.execution_id not in books.quarantined
    ]


def may_be_in_flight(execution: VenueExecution, books: Books) -> bool:
    """Whether its order is still open: then it may be on its way."""
    child = books.children.get(execution.client_id)
    return child is not None and child["order_status"] not in ORDER_DONE


def compare(ledger: Ledger, books: Books, *, in_flight: frozenset[str]) -> tuple[Check, ...]:
    """The checks of one account; `in_flight` executions are known to have been booked since."""
    ours = [order for order in ledger.orders if order.client_id.startswith(PREFIX)]
    executions = list(_ours(ledger))
    flying = f"{len(in_flight)} in flight" if in_flight else None
    lost = [e for e in unbooked(ledger, books) if e.execution_id not in in_flight]
    return (
        checked("every order at the venue is a child of ours", "I7", len(ours),
                list(_strangers(ours, ledger, books))),
        checked("every child was sent at most once", "I7", len(ours), [
            Fault(f"{ledger.account}/{name}", f"the venue was sent it {count} times")
            for name, count in ledger.repeats if name.startswith(PREFIX)
        ]),
        checked("the intent was recorded before the venue had the order", "I8", len(ours),
                list(_late_intents(ours, ledger.account, books))),
        checked("no execution at the venue is missing in the fills", "I6 I25", len(executions),
                [Fault(f"{ledger.account}/{e.execution_id}", f"{e.qty} at {e.price} for child"
                       f" {e.client_id} is not booked") for e in lost], flying),
        checked("every fill is an execution at the venue, the same in all", "I6", len(books.fills),
                list(_invented(executions, ledger.account, books))),
        checked("children end as they ended at the venue", "I18", len(books.children),
                list(_unproven(ours, ledger, books))),
    )  # fmt: skip


def _ours(ledger: Ledger) -> Iterator[VenueExecution]:
    return (e for e in ledger.executions if e.client_id.startswith(PREFIX))


def _strangers(ours: list[VenueOrder], ledger: Ledger, books: Books) -> Iterator[Fault]:
    for order in ours:
        subject = f"{ledger.account}/{order.client_id}"
        child = books.children.get(order.client_id)
        if child is None:
            known = order.client_id in books.quarantined_children
            if order.number <= ledger.mark.number and not known:
                yield Fault(subject, f"the venue has it as {order.venue_id}, we have no child")
            continue
        there = (order.symbol, order.side, order.qty, order.limit_price)
        here = (child["symbol"], child["side"], child["qty"], child["price"])
        if there != here:
            yield Fault(subject, f"the venue has {_text(there)}, the child is {_text(here)}")


def _late_intents(ours: list[VenueOrder], account: str, books: Books) -> Iterator[Fault]:
    for order in ours:
        child = books.children.get(order.client_id)
        if child is not None and child["intended_us"] > order.received_at:
            late = child["intended_us"] - order.received_at
            yield Fault(f"{account}/{order.client_id}", f"intended {late} us after it was received")


def _invented(executions: list[VenueExecution], account: str, books: Books) -> Iterator[Fault]:
    there = {e.execution_id: e for e in executions}
    for name, fill in books.fills.items():
        here = tuple(fill[k] for k in ("child_id", "symbol", "side", "qty", "price", "fee"))
        e = there.get(name)
        if e is None:
            yield Fault(f"{account}/{name}", f"we booked {_text(here)}, the venue has no such")
            continue
        said = (e.client_id, e.symbol, e.side, e.qty, e.price, e.fee)
        if said != here or e.at != fill["at_us"]:
            at = f" at {e.at}, {fill['at_us']}" if e.at != fill["at_us"] else ""
            yield Fault(f"{account}/{name}", f"the venue has {_text(said)}, we {_text(here)}{at}")


def _unproven(ours: list[VenueOrder], ledger: Ledger, books: Books) -> Iterator[Fault]:
    there = {order.client_id: order for order in ours}
    for name, child in books.children.items():
        order, status = there.get(name), child["status"]
        subject = f"{ledger.account}/{name}"
        if order is None:
            known = child["broker_order_id"] is not None or child["filled"] > 0
            if known or status in ("sent", "working", "partially_filled", "filled"):
                yield Fault(subject, f"{status}, the venue has never heard of it")
        elif status in CHILD_DONE and order.ended != status:
            yield Fault(subject, f"{status}, at the venue it is {order.ended or 'open'}")
        elif child["broker_order_id"] not in (None, order.venue_id):
            yield Fault(subject, f"it is {order.venue_id} there, {child['broker_order_id']} here")


def _text(values: tuple[Any, ...]) -> str:
    return " ".join(map(str, values))
