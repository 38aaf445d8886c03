"""The fold of one order's events, done again with plain sums.

`working` and `unknown` are what open children may still fill. `excess` is what filled + working +
unknown were brought to above the quantity: by a fill or an adopted child, never by an intent; a
void execution takes from it first, and the end of an order what did not fill. What is not filled
then is canceled.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.audit.legal import CHILD_DONE, CHILD_ENDS, ORDER_DONE, ORDER_MOVES

ZERO = Decimal(0)
OPEN_CHILDREN = 100
Data = Mapping[str, Any]
Booking = tuple[str, Decimal, Decimal, Decimal]


class Illegal(Exception):
    """An event that cannot follow on what came before; the message says why."""


@dataclass(slots=True)
class Child:
    number: int
    qty: Decimal
    price: Decimal
    status: str = "intent"
    filled: Decimal = ZERO

    @property
    def leaves(self) -> Decimal:
        return ZERO if self.status in CHILD_DONE else max(self.qty - self.filled, ZERO)


@dataclass(slots=True)
class Order:
    """One order as its events tell it; `open` are the children that may still fill.

    `trespasses` are sends that something forbade, `crowds` those beyond the most that may be
    open, `unproven` moves out of `unknown` that nothing bears out.
    """

    qty: Decimal
    status: str = "accepted"
    filled: Decimal = ZERO
    excess: Decimal = ZERO
    stopping: str | None = None
    paused: bool = False
    children: dict[str, Child] = field(default_factory=dict)
    open: dict[str, Child] = field(default_factory=dict)
    fills: dict[str, Booking] = field(default_factory=dict)
    void: dict[str, Booking] = field(default_factory=dict)
    trespasses: list[str] = field(default_factory=list)
    crowds: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)

    @property
    def claimed(self) -> Decimal:
        """filled + working + unknown"""
        return self.filled + sum((c.leaves for c in self.open.values()), ZERO)

    def sums(self) -> dict[str, Decimal]:
        """The quantities as rows and events name them."""
        working = unknown = ZERO
        for child in self.open.values():
            if child.status == "unknown":
                unknown += child.leaves
            else:
                working += child.leaves
        over = self.qty + self.excess - self.filled
        done = self.status in ORDER_DONE
        return {
            "qty": self.qty,
            "filled": self.filled,
            "working": working,
            "unknown": unknown,
            "canceled": over if done else ZERO,
            "unsent": ZERO if done else over - working - unknown,
            "excess": self.excess,
        }


def fold(order: Order, kind: str, data: Data) -> None:
    """Move `order` by one event. Raises Illegal, and KeyError for an event without its fields."""
    name = data.get("child_id", "")
    child = order.children.get(name)
    was = child.status if child is not None else None
    step = _STEPS.get(kind)
    if step is not None:
        step(order, data)
    elif kind.startswith("order."):
        _move(order, kind.removeprefix("order."))
    else:
        raise Illegal(f"no event is called {kind}")
    if child is not None and not child.leaves:
        order.open.pop(name, None)
    if was == "unknown" and child is not None and child.status != was and not _proves(kind, data):
        order.unproven.append(f"child {name} left unknown by {kind} without evidence")


def _proves(kind: str, data: Data) -> bool:
    """Whether an event is evidence of what became of a child: it names whose word it is."""
    words = {"child.sent": "broker_order_id", "child.rejected": "reason"}
    return bool(data.get(words[kind])) if kind in words else True


def _move(order: Order, status: str) -> None:
    if status not in ORDER_MOVES.get(order.status, frozenset()):
        raise Illegal(f"an order cannot go from {order.status} to {status}")
    order.status = status
    if status not in ORDER_DONE:
        return
    if any(c.leaves for c in order.open.values()):
        raise Illegal(f"{status} while a child is open")
    # What was held beyond the quantity and never filled was no excess after all.
    order.excess = max(order.filled - order.qty, ZERO)


def _amend(order: Order, data: Data) -> None:
    if "qty" in data:
        order.qty = Decimal(data["qty"])


def _stop(order: Order, data: Data) -> None:
    order.stopping = "after a cancel was asked for"


def _pause(order: Order, data: Data) -> None:
    order.paused = True


def _resume(order: Order, data: Data) -> None:
    order.paused = False


def _intend(order: Order, data: Data) -> None:
    name = data["child_id"]
    forbidden = {
        order.stopping: order.stopping is not None,
        "while paused": order.paused,
        "while more is filled than was asked for": order.excess > 0,
        f"while {order.status}": order.status != "working",
    }
    order.trespasses += [f"child {name} is sent {why}" for why, so in forbidden.items() if so]
    if len(order.open) >= OPEN_CHILDREN:
        order.crowds.append(f"child {name} is sent while {len(order.open)} are open")
    _begin(order, data, "intent")


def _begin(order: Order, data: Data, status: str) -> None:
    name = data["child_id"]
    if name in order.children:
        raise Illegal(f"child {name} is intended a second time")
    child = Child(data["number"], Decimal(data["qty"]), Decimal(data["price"]), status)
    order.children[name] = child
    if child.leaves:
        order.open[name] = child


def _adopt(order: Order, data: Data) -> None:
    if data["live"] and order.status in ORDER_DONE:
        raise Illegal(f"a live child is adopted while {order.status}")
    _begin(order, data, "sent" if data["live"] else "canceled")
    order.excess = max(order.excess, order.claimed - order.qty)


def _child(order: Order, data: Data) -> Child:
    found = order.children.get(data["child_id"])
    if found is None:
        raise Illegal(f"child {data['child_id']} was never intended")
    return found


def _sent(order: Order, data: Data) -> None:
    child = _child(order, data)
    if child.status in ("intent", "unknown"):
        child.status = "partially_filled" if child.filled else "sent"


def _rested(order: Order, data: Data) -> None:
    child = _child(order, data)
    if child.status in ("intent", "sent", "unknown"):
        child.status = "partially_filled" if child.filled else "working"


def _unknown(order: Order, data: Data) -> None:
    child = _child(order, data)
    if child.status not in ("intent", "sent"):
        raise Illegal(f"child {data['child_id']} cannot go from {child.status} to unknown")
    child.status = "unknown"


def _asked(order: Order, data: Data) -> None:
    _child(order, data)


def _ended(status: str) -> Callable[[Order, Data], None]:
    def end(order: Order, data: Data) -> None:
        child = _child(order, data)
        if child.status not in CHILD_ENDS:
            raise Illegal(f"child {data['child_id']} cannot go from {child.status} to {status}")
        child.status = status

    return end


def _fill(order: Order, data: Data) -> None:
    child, name = _child(order, data), data["execution_id"]
    if name in order.fills or name in order.void:
        raise Illegal(f"execution {name} is booked a second time")
    qty, price, fee = Decimal(data["qty"]), Decimal(data["price"]), Decimal(data["fee"])
    order.fills[name] = (data["child_id"], qty, price, fee)
    order.filled += qty
    child.filled += qty
    if child.filled >= child.qty:
        child.status = "filled"
    elif child.status not in CHILD_DONE:
        child.status = "partially_filled"
    order.excess = max(order.excess, order.claimed - order.qty)


OVER_BY_SUM = ("filled", "canceled", "expired")


def _bust(order: Order, data: Data) -> None:
    child, name = _child(order, data), data["execution_id"]
    booked = order.fills.pop(name, None)
    told = tuple(Decimal(data[key]) for key in ("qty", "price", "fee"))
    if booked is None or booked != (data["child_id"], *told):
        raise Illegal(f"execution {name} is void, but it is not booked like that")
    order.void[name] = booked
    before = order.claimed
    room = order.qty + order.excess - before + booked[1]
    order.filled -= booked[1]
    child.filled -= booked[1]
    # Over by a sum that is another now: in doubt, where what it may have filled is not sent yet.
    if child.status in OVER_BY_SUM and ZERO < child.qty - child.filled <= room:
        if order.status not in ORDER_DONE:
            child.status = "unknown"
            order.open[data["child_id"]] = child
        elif child.status == "filled":
            child.status = "canceled"
    order.excess = max(order.excess - max(before - order.claimed, ZERO), ZERO)


_STEPS: dict[str, Callable[[Order, Data], None]] = {
    "order.amended": _amend,
    "order.cancel_requested": _stop,
    "order.pause_requested": _pause,
    "order.resume_requested": _resume,
    "order.replanned": lambda order, data: None,
    "order.stop_hit": lambda order, data: None,
    "order.exit_forced": lambda order, data: None,
    "child.intended": _intend,
    "child.adopted": _adopt,
    "child.sent": _sent,
    "child.working": _rested,
    "child.unknown": _unknown,
    "child.cancel_requested": _asked,
    "child.canceled": _ended("canceled"),
    "child.expired": _ended("expired"),
    "child.rejected": _ended("rejected"),
    "fill.booked": _fill,
    "fill.busted": _bust,
}
