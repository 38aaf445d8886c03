"""The legal moves of parent and child orders. A missing key is the illegal move."""

from enum import StrEnum


class OrderStatus(StrEnum):
    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    WORKING = "working"
    PAUSED = "paused"
    CLOSING = "closing"
    NEEDS_OPERATOR = "needs_operator"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class ChildStatus(StrEnum):
    INTENT = "intent"
    SENT = "sent"
    WORKING = "working"
    PARTIALLY_FILLED = "partially_filled"
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"


O, C = OrderStatus, ChildStatus  # noqa: E741 — the tables read as tables

ORDER_MOVES: dict[OrderStatus, frozenset[OrderStatus]] = {
    O.ACCEPTED: frozenset(
        {O.SCHEDULED, O.WORKING, O.PAUSED, O.CLOSING, O.REJECTED, O.NEEDS_OPERATOR}
    ),
    O.SCHEDULED: frozenset({O.WORKING, O.PAUSED, O.CLOSING, O.NEEDS_OPERATOR}),
    O.WORKING: frozenset({O.PAUSED, O.CLOSING, O.FILLED, O.NEEDS_OPERATOR}),
    O.PAUSED: frozenset({O.SCHEDULED, O.WORKING, O.CLOSING, O.FILLED, O.NEEDS_OPERATOR}),
    O.CLOSING: frozenset({O.FILLED, O.CANCELED, O.EXPIRED, O.REJECTED, O.NEEDS_OPERATOR}),
    O.NEEDS_OPERATOR: frozenset({O.CLOSING, O.FILLED}),
    # Terminal for the plan; a late fill still moves the quantities, never the status.
    O.FILLED: frozenset(),
    O.CANCELED: frozenset(),
    O.EXPIRED: frozenset(),
    O.REJECTED: frozenset(),
}

# A fill may cross our cancel, and a broker may fill what it said was gone: rows marked "late".
CHILD_MOVES: dict[ChildStatus, frozenset[ChildStatus]] = {
    C.INTENT: frozenset(
        {C.SENT, C.WORKING, C.PARTIALLY_FILLED, C.FILLED, C.CANCELED, C.REJECTED, C.EXPIRED}
        | {C.UNKNOWN}
    ),
    C.SENT: frozenset(
        {C.WORKING, C.PARTIALLY_FILLED, C.FILLED, C.CANCELED, C.REJECTED, C.EXPIRED, C.UNKNOWN}
    ),
    C.WORKING: frozenset({C.PARTIALLY_FILLED, C.FILLED, C.CANCELED, C.EXPIRED, C.REJECTED}),
    C.PARTIALLY_FILLED: frozenset({C.FILLED, C.CANCELED, C.EXPIRED, C.REJECTED}),
    C.UNKNOWN: frozenset(
        {C.SENT, C.WORKING, C.PARTIALLY_FILLED, C.FILLED, C.CANCELED, C.REJECTED, C.EXPIRED}
    ),
    # Its execution was declared void: it may work on, unless its order is over.
    C.FILLED: frozenset({C.UNKNOWN, C.CANCELED}),
    # A late fill, or one declared void: the sum that its end was believed for is another now.
    C.CANCELED: frozenset({C.FILLED, C.UNKNOWN}),
    C.EXPIRED: frozenset({C.FILLED, C.UNKNOWN}),
    C.REJECTED: frozenset({C.FILLED}),  # late
}

ORDER_DONE = frozenset({O.FILLED, O.CANCELED, O.EXPIRED, O.REJECTED})
CHILD_DONE = frozenset({C.FILLED, C.CANCELED, C.REJECTED, C.EXPIRED})


class IllegalMove(Exception):
    """A status change that the tables do not hold: our own mistake, never a user's."""

    def __init__(self, subject: str, old: StrEnum, new: StrEnum) -> None:
        super().__init__(f"{subject} cannot go from {old} to {new}")


def move_order(subject: str, old: OrderStatus, new: OrderStatus) -> OrderStatus:
    """`new`, if an order may go there from `old`."""
    if new not in ORDER_MOVES[old]:
        raise IllegalMove(f"order {subject}", old, new)
    return new


def move_child(subject: str, old: ChildStatus, new: ChildStatus) -> ChildStatus:
    """`new`, if a child may go there from `old`; staying where it is is no move."""
    if new is not old and new not in CHILD_MOVES[old]:
        raise IllegalMove(f"child {subject}", old, new)
    return new
