"""Wrong versions of the product's own code, planted in the running process."""

import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.engine import adoption, queue, roster, sorting, working


@dataclass(frozen=True, slots=True)
class Wrong:
    """In the source of `function`, `old` stands exactly once and becomes `new`; what the
    simulation finds then begins with `breaks`, or one of them."""

    function: Any
    old: str
    new: str
    breaks: str | tuple[str, ...]


_RANK = inspect.getattr_static(working.Working, "rank").fget
_TOO_FEW = "if state.status in CHILD_DONE and state.filled != filled:"

WRONG: dict[str, Wrong] = {
    "end counted with fewer fills": Wrong(
        sorting._facts, _TOO_FEW, _TOO_FEW.replace("!=", "<"), "I3 "
    ),
    "end counted whatever was filled": Wrong(sorting._facts, _TOO_FEW, "if False:", "I3 "),
    "filled once, and void since: never over": Wrong(
        sorting._facts, "filled < owner.qty", "False", "I28 waits for an operator"
    ),
    "bust not heard": Wrong(
        sorting._void_of, "if isinstance(report, BustReport):", "if False:", "I1 lost or invented"
    ),
    "correction that voids nothing": Wrong(
        sorting._void_of, "report.corrects is not None", "False", "I1 lost or invented"
    ),
    "lost child not taken in": Wrong(
        sorting._place_others,
        "sorting.lost.append(Lost(child_id, parent, tuple(told)))",
        "pass",
        (
            "I3 more at the broker",
            "I19 over, but the broker works it",
            "I7 orders that the journal does not know",
        ),
    ),
    "adopted child doubled": Wrong(
        adoption.adoption, "qty=terms.qty", "qty=2 * terms.qty", "I7 adopted as what it is not"
    ),
    "adopted under another number": Wrong(
        adoption.adoption, "number=named[1]", "number=named[1] + 1", "I7 adopted as what it is not"
    ),
    "adopted child given up": Wrong(
        adoption.adoption,
        "live=open_there and not lost.parent.done",
        "live=False",
        ("I3 more at the broker", "I19 over, but the broker works it"),
    ),
    "one too many at work": Wrong(
        queue.Queue.full_for, ">= self._max", "> self._max", "C1 more at work"
    ),
    "priority ignored": Wrong(
        _RANK, "(-self.priority, self.order_id)", "(0, self.order_id)", "C1 begun before its turn"
    ),
    "place of an order that is over": Wrong(
        queue.Queue.drop, "self._begun.discard(order.order_id)", "pass", "C1 a place is free"
    ),
    "nobody called to a free place": Wrong(
        roster.Roster._wake_next, "if turn is not None", "if False", "C1 a place is free"
    ),
    "beginning not seen at the same moment": Wrong(
        queue.Queue.note, "self._begun.add(order.order_id)", "pass", "C1 more at work"
    ),
    "place taken by a pause": Wrong(queue._has_begun, "and not unsent", "", "C1 more at work"),
}


@contextmanager
def planted(wrong: Wrong) -> Iterator[None]:
    """The function works wrongly meanwhile, whoever calls it."""
    function = wrong.function
    source = textwrap.dedent(inspect.getsource(function)).removeprefix("@property\n")
    assert source.count(wrong.old) == 1, f"{function.__name__} has {wrong.old!r} not once"
    source = "from __future__ import annotations\n" + source.replace(wrong.old, wrong.new)
    names: dict[str, Any] = {}
    exec(compile(source, "wrong", "exec"), {**function.__globals__}, names)
    right = function.__code__
    function.__code__ = names[function.__name__].__code__
    try:
        yield
    finally:
        function.__code__ = right
