"""What the events make of an order beside its sums: terms, moments, reasons, counts (I26).

The sums, statuses and fills are folded in `fold`. Here is the rest that later decisions depend
on, so that a row which nobody's event accounts for is seen.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.audit.records import Fault
from app.audit.stories import Row, Story

AMENDED: dict[str, Callable[[str], Any]] = {
    "limit_price": Decimal,
    "max_participation": Decimal,
    "end": datetime.fromisoformat,
}
COLUMN = {"end": "end_at"}
FORCED = ("order.stop_hit", "order.exit_forced")
"""From here on an exit crosses everything: nothing bounds its price."""

REASONED = ("child.unknown", "child.canceled", "child.expired", "child.rejected")

State = dict[str, Any]


def order_faults(story: Story) -> list[Fault]:
    """Where the order's row is not what its events make of it."""
    state = _order(story)
    wrong = [
        f"{name} is {story.row[name]}, the events give {value}"
        for name, value in state.items()
        if story.row[name] != value
    ]
    wrong += [
        f"{name} is {story.row['params'].get(name)}, it was amended to {value}"
        for name, value in _amended_params(story.events).items()
        if story.row["params"].get(name) != value
    ]
    return [Fault(story.name, "; ".join(wrong))] if wrong else []


def child_faults(story: Story) -> list[Fault]:
    """Where a child's row is not what its events make of it."""
    made = _children(story.events)
    return [
        Fault(
            f"{story.name} {child['id']}",
            f"{name} is {child[name]}, the events give {value}",
        )
        for child in story.children
        for name, value in made.get(child["id"], {}).items()
        if child[name] != value
    ]


def _order(story: Story) -> State:
    state: State = {
        "reason": None,
        "cancel_reason": None,
        "pause_requested": False,
        "anchor_at": story.row["start_at"],
        "anchor_done": Decimal(0),
        "next_child": 1,
        "rejections": 0,
        "rejected_at": None,
    }
    resting: set[str] = set()
    for event in story.events:
        _hear(state, resting, event, story.row["start_at"])
    return state


def _hear(state: State, resting: set[str], event: Row, start: datetime) -> None:
    """`resting`: children that rest and that nobody asked to end."""
    kind, data, at = event["type"], event["data"], event["at"]
    name = data.get("child_id", "")
    if kind == "order.cancel_requested":
        state["cancel_reason"] = state["cancel_reason"] or data["reason"]
    elif kind == "order.replanned":
        state |= {"anchor_at": at, "anchor_done": Decimal(data["done"])}
    elif kind in ("order.pause_requested", "order.resume_requested", "order.amended", *FORCED):
        _command(state, event, start)
    elif kind.startswith("order.") and kind != "order.accepted":
        state["reason"] = data.get("reason")
    elif kind in ("child.intended", "child.adopted"):
        state["next_child"] = max(state["next_child"], data["number"] + 1)
        if data["purpose"] != "cross" and data.get("live", True):
            resting.add(name)
    elif kind == "child.cancel_requested":
        resting.discard(name)
    elif kind == "fill.booked":
        state |= {"rejections": 0, "rejected_at": None}
    elif _thrown_back(kind, data, resting):
        state |= {"rejections": state["rejections"] + 1, "rejected_at": at}


def _command(state: State, event: Row, start: datetime) -> None:
    kind, data = event["type"], event["data"]
    state["pause_requested"] = kind == "order.pause_requested" or (
        kind in ("order.amended", *FORCED) and state["pause_requested"]
    )
    if kind != "order.pause_requested":
        sums = data["order"]
        done = min(Decimal(sums["filled"]), Decimal(sums["qty"]))
        state |= {"anchor_at": max(event["at"], start), "anchor_done": done}
    if kind == "order.amended":
        read = {name: make(data[name]) for name, make in AMENDED.items() if name in data}
        state |= {COLUMN.get(name, name): value for name, value in read.items()}
    elif kind in FORCED:
        state["limit_price"] = None


def _thrown_back(kind: str, data: dict[str, Any], resting: set[str]) -> bool:
    """Refused, or resting and ended unasked."""
    if kind == "child.rejected":
        return not data.get("absent")
    return kind in ("child.canceled", "child.expired") and data["child_id"] in resting


def _amended_params(events: Iterable[Row]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for event in events:
        if event["type"] == "order.amended":
            found |= event["data"].get("params", {})
        elif event["type"] in FORCED:
            found["forced"] = event["data"].get("reason", "stop")
    return found


def _children(events: Iterable[Row]) -> dict[str, State]:
    found: dict[str, State] = {}
    for event in events:
        kind, data = event["type"], event["data"]
        child = found.setdefault(data["child_id"], {}) if "child_id" in data else {}
        if kind == "child.intended":
            child |= {"broker_order_id": None, "cancel_requested_at": None, "reason": None}
        elif kind == "child.adopted":
            ended = None if data["live"] else "adopted"
            known = data.get("broker_order_id")
            child |= {"broker_order_id": known, "cancel_requested_at": None, "reason": ended}
        elif kind == "child.sent":
            child["broker_order_id"] = data.get("broker_order_id")
        elif kind == "child.cancel_requested":
            child["cancel_requested_at"] = event["at"]
        elif kind in REASONED:
            child["reason"] = data.get("reason")
    return found
