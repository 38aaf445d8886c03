"""Makes every stored decision of an order again, and says where another comes out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from app.domain.actions import Action, Decision
from app.domain.algos import BY_NAME
from app.domain.instant import rfc3339
from app.domain.lifecycle import IllegalMove
from app.domain.rerun import Inputs, Past, actions_of
from app.domain.task import Task
from app.engine.working import NO_MARKET
from app.store import rows
from app.store.decisions import INTENDED, RETERMED, Told, history
from app.store.frames import fact_of
from app.store.inputs import (
    FORM,
    NotStored,
    Profiles,
    desk_from_json,
    envelope_from_json,
    envelope_to_json,
    market_from_json,
    moment,
)
from app.store.rows import Row

Json = dict[str, Any]

__all__ = ["Verdict", "history", "verify"]

_UNREADABLE = (ArithmeticError, AssertionError, IllegalMove, LookupError, TypeError, ValueError)
"""What events or inputs raise that somebody has changed, or that we wrote wrongly."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one decision. `equal` None: it cannot be made again, `reason` says why.

    `stored` and `again` are its actions, envelope and binding guard, then and now.
    """

    seq: int
    child_id: str | None
    equal: bool | None
    reason: str | None = None
    stored: Json | None = None
    again: Json | None = None


def verify(row: Row, told: Sequence[Told]) -> Iterator[Verdict]:
    """A verdict for every decision of which something was stored, and every child; `row` is the
    order's, `told` all that happened to it."""
    task, known_from = _accepted(row, told)
    past, profiles = Past(task), Profiles()
    for place, event in enumerate(told):
        if event.decides or event.type == INTENDED:
            known = event.seq > known_from
            yield _verdict(row, past, profiles, told[place:], known=known)
        try:
            fact = fact_of(event.type, event.at, event.data)
            if fact is not None:
                past.add(fact)
        except _UNREADABLE as what:
            yield Verdict(event.seq, None, False, f"its events do not follow: {what!r}")
            return
        if event.seq == known_from:
            past.reterm(task._replace(qty=past.execution.task.qty))


def _accepted(row: Row, told: Sequence[Told]) -> tuple[Task, int]:
    """The order as it was accepted, and the last event before which its terms are not known: an
    amendment by a release that did not keep what it replaced."""
    amended = [event for event in told if event.type in RETERMED]
    known_from = max((e.seq for e in amended if "before" not in e.why), default=0)
    before = [e.why["before"] for e in amended if e.seq > known_from]
    task = rows.task(row)
    if before:
        task = rows.with_terms(task, before[0])
    return task._replace(qty=Decimal(told[0].data["order"]["qty"])), known_from


def _verdict(
    row: Row, past: Past, profiles: Profiles, told: Sequence[Told], *, known: bool
) -> Verdict:
    event = told[0]
    try:
        inputs = _inputs(event, past, profiles)
        if not known:
            raise NotStored("the order was amended since, what it asked for before is not there")
        made = _made(told)
        again = past.decide(inputs)
    except NotStored as missing:
        return Verdict(event.seq, event.child_id, None, f"not stored: {missing}")
    except _UNREADABLE as what:
        return Verdict(event.seq, event.child_id, False, f"cannot be made again: {what!r}")
    stored, now = _shown(made), _shown(again)
    if stored == now:
        return Verdict(event.seq, event.child_id, True)
    then, have = row["algo_version"], BY_NAME[row["algo"]].version
    if then != have:
        other = f"accepted for version {then} of {row['algo']}, this release has {have}"
        return Verdict(event.seq, event.child_id, None, other, stored, now)
    return Verdict(event.seq, event.child_id, False, None, stored, now)


def _inputs(event: Told, past: Past, profiles: Profiles) -> Inputs:
    """What the decision saw. Raises NotStored."""
    why, session = event.why, past.execution.task.session
    if not why:
        raise NotStored("nothing of what it saw")
    if why.get("form") != FORM:
        raise NotStored("only a part of what it saw")
    return Inputs(
        now=moment(why["now"]),
        desk=desk_from_json(why.get("desk", {})),
        market=market_from_json(why, session, profiles) if "envelope" in why else NO_MARKET,
    )


def _made(told: Sequence[Told]) -> Decision:
    """The decision as its events tell it."""
    why = told[0].why
    facts = [fact_of(e.type, e.at, e.data) for e in told[: told[0].facts]]
    return Decision(
        actions=actions_of([fact for fact in facts if fact is not None]),
        bound=why.get("bound"),
        envelope=envelope_from_json(why["envelope"]) if "envelope" in why else None,
    )


def _shown(decision: Decision) -> Json:
    """What is compared: when to look again, and for what, is nobody's action."""
    envelope = decision.envelope
    return {
        "actions": [_action(action) for action in decision.actions],
        "bound": decision.bound,
        "envelope": envelope and {k: _text(v) for k, v in envelope_to_json(envelope).items()},
    }


def _action(action: Action) -> Json:
    values = ((f.name, getattr(action, f.name)) for f in fields(action))
    said = {
        name: rfc3339(value) if name == "quote_at" else _text(value)
        for name, value in values
        if value is not None
    }
    return {"do": type(action).__name__.lower(), **said}


def _text(value: Any) -> Any:
    """Amounts that are the same look the same."""
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value
