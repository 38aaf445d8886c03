"""How fast an order was worked, by what each decision said of its envelope (I11).

A TWAP's staircase is drawn again with plain sums: equal slices of what was left at the anchor, in
equal stretches up to the order's end. Within its stretch a slice may come at any moment, and lots
are whole: so the stairs leave the straight line by a slice and a lot or two.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

from app.audit.records import Fault
from app.audit.stories import Story

CATCH_UP = 2
"""What is late goes out at most so many slices at a time."""

CLAIMED = ("filled", "working", "unknown")
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000


@dataclass(slots=True)
class Decided:
    """What one decision saw, and what it sent in all."""

    child_id: str
    seq: int
    why: dict[str, Any]
    sent: Decimal

    @property
    def claimed(self) -> Decimal:
        """filled + working + unknown, as it thought"""
        return sum((Decimal(self.why[name]) for name in CLAIMED), Decimal(0))

    @property
    def must(self) -> Decimal:
        return Decimal(self.why["envelope"]["must"])

    @property
    def may(self) -> Decimal:
        return Decimal(self.why["envelope"]["may"])


@dataclass(frozen=True, slots=True)
class Line:
    """The straight line of a TWAP at one decision: what should be done by then, the size of a
    slice, and what whole lots and smallest children may add."""

    done: Decimal
    slice: Decimal
    slack: Decimal
    burst: Decimal


def beyond_envelope(story: Story) -> Iterator[Fault]:
    """Decisions that sent more than they said they might."""
    for decided in _decisions(story):
        room = decided.may - decided.claimed
        if decided.sent > room:
            yield Fault(
                f"{story.name} {decided.child_id}",
                f"sends {decided.sent}, the envelope leaves {room} of {decided.may}",
            )


def off_the_line(story: Story) -> Iterator[Fault]:
    """Decisions of a TWAP whose envelope is not that of equal slices."""
    for decided, line in _lines(story):
        reach = line.slice + line.slack
        if abs(decided.may - line.done) > reach or abs(decided.must - line.done) > reach:
            yield Fault(
                f"{story.name} {decided.child_id}",
                f"must {decided.must}, may {decided.may}; the line is at {_text(line.done)},"
                f" a slice is {_text(line.slice)}",
            )


def bursts(story: Story) -> Iterator[Fault]:
    """Decisions of a TWAP that sent what was late at once."""
    for decided, line in _lines(story):
        if decided.sent > line.burst:
            yield Fault(
                f"{story.name} {decided.child_id}",
                f"sends {decided.sent} at once, a slice is {_text(line.slice)}",
            )


def _decisions(story: Story) -> list[Decided]:
    """Children by the decision that made them: those of one have its version."""
    intended = {
        event["data"].get("child_id"): event["seq"]
        for event in story.events
        if event["type"] == "child.intended"
    }
    found: dict[Any, Decided] = {}
    for child in story.children:
        why, seq = child["why"], intended.get(child["id"])
        if child["adopted"] or seq is None or not why.get("envelope") or "version" not in why:
            continue
        decided = found.setdefault(why["version"], Decided(child["id"], seq, why, Decimal(0)))
        decided.sent += child["qty"]
    return list(found.values())


def _lines(story: Story) -> Iterator[tuple[Decided, Line]]:
    """Decisions on terms that still stand: what was asked for before an amendment is in no row.
    What goes to the closing auction leaves the line. Slices that are uneven on purpose, or an order
    that takes everything at a price it likes, have none."""
    params = story.row["params"]
    uneven = Decimal(params.get("size_jitter") or 0) > 0
    if story.row["algo"] != "twap" or uneven or params.get("would_price") is not None:
        return
    amended = max((e["seq"] for e in story.events if e["type"] == "order.amended"), default=0)
    auctioned = {child["id"] for child in story.children if child["purpose"] == "close"}
    for decided in _decisions(story):
        if decided.seq > amended and decided.child_id not in auctioned:
            yield decided, _line(story.row, decided.why)


def _line(row: Any, why: dict[str, Any]) -> Line:
    params, grid, qty = row["params"], row["instrument"], row["qty"]
    done, anchor = Decimal(why["anchor"]["done"]), datetime.fromisoformat(why["anchor"]["at"])
    rest, left = qty - done, max((row["end_at"] - anchor) // MICROSECOND, 1)
    gone = (datetime.fromisoformat(why["now"]) - anchor) // MICROSECOND
    count = int(params["slices"])
    length = max((row["end_at"] - row["start_at"]) // MICROSECOND // count, 1)
    slices = min(max(round(left / length), 1), count)
    # Where slices would be larger than what may be caught up with, there are more of them.
    slices = max(slices, min(ceil(rest * count / (CATCH_UP * qty)), left // SECOND))
    lot = max(Decimal(grid["lot"]), Decimal(params.get("lot") or 0))
    smallest = max(Decimal(grid["min_qty"]), Decimal(params.get("min_child") or 0))
    size = rest / slices
    return Line(
        done=done + rest * gone / left,
        slice=size,
        slack=2 * lot + smallest,
        # Slices below the smallest child are merged, and what is then left at the end as well.
        burst=CATCH_UP * (size + lot + 2 * smallest),
    )


def _text(value: Decimal) -> str:
    return format(value.quantize(Decimal("0.001")), "f")
