"""The venue's ledger against our books: sent once, booked once, nothing lost, nothing invented."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.audit.books import PREFIX, Books, unbooked, unvoided
from app.audit.ledger import Ledger, VenueExecution, VenueOrder
from app.audit.legal import CHILD_DONE, CHILD_OPEN
from app.audit.records import Check, Fault, checked


@dataclass(frozen=True, slots=True)
class Landed:
    """What was booked, or voided, while we waited for it."""

    booked: frozenset[str] = frozenset()
    void: frozenset[str] = frozenset()

    @property
    def note(self) -> str | None:
        count = len(self.booked) + len(self.void)
        return f"{count} in flight" if count else None


def compare(ledger: Ledger, books: Books, landed: Landed) -> tuple[Check, ...]:
    """The checks of one account; what has `landed` is known to have been booked since."""
    account = ledger.account
    ours = [order for order in ledger.orders if order.client_id.startswith(PREFIX)]
    executions = [e for e in ledger.executions if e.client_id.startswith(PREFIX)]
    accepted = Counter(order.client_id for order in ours)
    return (
        checked("every order at the venue is a child of ours", "I7", len(ours),
                list(_strangers(ours, ledger, books))),
        checked("no child exists twice at the venue", "I7", len(accepted), [
            Fault(f"{account}/{name}", f"the venue took it {n} times")
            for name, n in accepted.items() if n > 1
        ]),
        checked("every child was sent at most once", "I7", len(ledger.sent), [
            Fault(f"{account}/{name}", f"the venue was sent it {n} times")
            for name, n in ledger.sent.items() if n > 1 and name.startswith(PREFIX)
        ]),
        checked("nothing was taken after its send-by", "I7", len(ours), [
            Fault(f"{account}/{o.client_id}", f"{o.venue_id} was late, and taken")
            for o in ours if o.late
        ]),
        checked("the intent was recorded before the venue had the order", "I8", len(ours),
                list(_late_intents(ours, account, books))),
        checked("no execution at the venue is missing in the fills", "I6 I25", len(executions), [
            Fault(f"{account}/{e.execution_id}", f"{e.qty} at {e.price} for child {e.client_id} is"
                  " not booked")
            for e in unbooked(ledger, books) if e.execution_id not in landed.booked
        ], landed.note),
        checked("every fill is an execution at the venue, the same in all", "I6", len(books.fills),
                list(_invented(executions, ledger, books))),
        checked("what is void at the venue is void in the fills, and nothing else", "I1 I6",
                len(ledger.void), list(_unlike_void(ledger, books, landed))),
        checked("what is open at the venue is open in our books", "I25", len(ours),
                list(_abandoned(ours, account, books))),
        checked("children end as they ended at the venue", "I18", len(books.children),
                list(_unproven(ours, ledger, books))),
    )  # fmt: skip


_TERMS = ("symbol", "side", "qty", "price", "stop_price", "stop_limit_price")


def _strangers(ours: list[VenueOrder], ledger: Ledger, books: Books) -> Iterator[Fault]:
    for order in ours:
        subject = f"{ledger.account}/{order.client_id}"
        child = books.children.get(order.client_id)
        if child is None:
            known = order.client_id in books.quarantined_children
            known |= books.archived.knows(order.client_id) or _forgotten(order, ledger, books)
            if order.number <= ledger.number and not known:
                yield Fault(subject, f"the venue has it as {order.venue_id}, we have no child")
            continue
        stop = (order.stop_price, order.stop_limit_price)
        there = (order.symbol, order.side, order.qty, order.limit_price, *stop)
        here = tuple(child[name] for name in _TERMS)
        if there != here:
            yield Fault(subject, f"the venue has {_text(there)}, the child is {_text(here)}")


def _forgotten(order: VenueOrder, ledger: Ledger, books: Books) -> bool:
    """A child of a time that a restore took back, over without a fill: no broker tells of it."""
    filled = any(e.client_id == order.client_id for e in ledger.executions)
    return books.archived.restored and order.ended is not None and not filled


def _late_intents(ours: list[VenueOrder], account: str, books: Books) -> Iterator[Fault]:
    for order in ours:
        child = books.children.get(order.client_id)
        if child is None or child["adopted"]:
            continue
        late = child["intended_us"] - order.received_at
        if late > 0:
            yield Fault(f"{account}/{order.client_id}", f"intended {late} us after it was received")


def _invented(executions: list[VenueExecution], ledger: Ledger, books: Books) -> Iterator[Fault]:
    there = {e.execution_id: e for e in executions}
    for name, fill in books.fills.items():
        here = _fill(fill)
        e, subject = there.get(name), f"{ledger.account}/{name}"
        if e is None:
            yield Fault(subject, f"we booked {_text(here)}, the venue has no such")
            continue
        said = (e.client_id, e.symbol, e.side, e.qty, e.price, e.fee, e.corrects)
        # Elsewhere an adapter may tell when it heard of an execution.
        moved = not ledger.machine_time and e.at != fill["at_us"]
        if said != here or moved:
            at = f" at {e.at}, {fill['at_us']}" if moved else ""
            yield Fault(subject, f"the venue has {_text(said)}, we {_text(here)}{at}")


def _fill(fill: Any) -> tuple[Any, ...]:
    names = ("child_id", "symbol", "side", "qty", "price", "fee", "corrects")
    return tuple(fill[name] for name in names)


def _unlike_void(ledger: Ledger, books: Books, landed: Landed) -> Iterator[Fault]:
    for void in unvoided(ledger, books):
        if void.execution_id not in landed.void:
            yield Fault(f"{ledger.account}/{void.execution_id}", "void at the venue, counted here")
    for name in sorted(books.void - ledger.void.keys()):
        yield Fault(f"{ledger.account}/{name}", "void here, it counts at the venue")


def _abandoned(ours: list[VenueOrder], account: str, books: Books) -> Iterator[Fault]:
    for order in ours:
        child = books.children.get(order.client_id)
        if order.ended is None and child is not None and child["status"] not in CHILD_OPEN:
            yield Fault(
                f"{account}/{order.client_id}", f"{child['status']}, the venue still works it"
            )


def _unproven(ours: list[VenueOrder], ledger: Ledger, books: Books) -> Iterator[Fault]:
    there = {order.client_id: order for order in ours}
    voided = {void.client_id for void in ledger.void.values()}
    for name, child in books.children.items():
        order, status = there.get(name), child["status"]
        subject = f"{ledger.account}/{name}"
        if order is None:
            known = child["broker_order_id"] is not None or child["filled"] > 0
            if known or status in ("sent", "working", "partially_filled", "filled"):
                word = "refused it" if name in ledger.refused else "has never heard of it"
                yield Fault(subject, f"{status}, the venue {word}")
        elif status in CHILD_DONE and status not in _ends(order, child, name in voided):
            yield Fault(subject, f"{status}, at the venue it is {order.ended or 'open'}")
        elif child["broker_order_id"] not in (None, order.venue_id):
            yield Fault(subject, f"it is {order.venue_id} there, {child['broker_order_id']} here")


def _ends(order: VenueOrder, child: Any, voided: bool) -> set[str]:
    """How a child may have ended whose order ended like this: fills come after an end, and void
    executions take back what filled a child."""
    if order.ended is None:
        return set(CHILD_DONE)  # Said elsewhere: it is still open there.
    ends = {order.ended}
    if child["filled"] >= child["qty"]:
        ends.add("filled")
    if voided or child["adopted"]:
        ends.add("canceled")
    return ends


def _text(values: tuple[Any, ...]) -> str:
    return " ".join(str(value) for value in values if value is not None)
