"""A finished order again, in virtual time: as it was, and with other parameters.

The order is taken as it stands at its end: amendments hold from the start, pauses, halts and the
account's other orders are left out. Where none of these were and the venue was the paper broker,
the replay as it was has the same children and fills as really happened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import reduce
from typing import Any

from app.domain import admission
from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.instant import MINUTE, SECOND, Instant, from_datetime, rfc3339
from app.domain.refusal import Conflict, Refusal, Unavailable
from app.domain.request import AUTO, Request
from app.domain.scene import Rules
from app.domain.scene import Scene as Met
from app.domain.seen import looks_back_to
from app.domain.session import join_adjacent
from app.domain.task import Task, Urgency
from app.domain.tca.analysis import Worked, analyse
from app.research.backtest.measure import worked
from app.research.backtest.source import NoTape, Source
from app.research.options import VenueOptions
from app.research.result import Run
from app.research.run import Scene, run
from app.store import views
from app.store.views.plain import text

AFTERWARDS = 6 * MINUTE
SHOWN_MAX = 1_000
AMOUNTS = ("qty", "limit_price", "max_participation")
FIELDS = (*AMOUNTS, "algo", "urgency", "start_time", "end_time", "duration")
REMOVED = "none"

NOTES = {
    "order.amended": "it was amended: what it became holds from the start here",
    "order.pause_requested": "it was paused: here it is not",
    "order.cancel_requested": "it was canceled: here it works on",
}


@dataclass(frozen=True, slots=True)
class Finished:
    """An order that is over: its task, and what really happened. `begins` is when its desk first
    looked at it: on its way there, a market that is played fast goes on."""

    task: Task
    accepted_at: Instant
    begins: Instant
    decision: Decimal | None
    really: Worked
    event_types: frozenset[str]

    def check(self) -> None:
        """Raises Conflict where it still works, or worked when no tape is known to be whole."""
        if self.task.extended_hours:
            why = "it worked in extended hours, of which no tape says how far it knows them"
            raise Conflict("not_replayed", f"the order cannot be replayed: {why}")
        if self.really.finished_at is None:
            raise Conflict("order_not_finished", "the order still works: replay it when it is over")


def what_if(
    order: Finished,
    source: Source,
    changes: Mapping[str, str],
    venue: VenueOptions,
    rules: Rules,
) -> dict[str, Any]:
    """The order as it was and as it would have been, beside what really happened.

    Raises Refusal for changes that cannot be, NoTape or FeedError without a tape of its time.
    """
    order.check()
    scene = scene_of(order.task, order.accepted_at, source, venue)
    baseline = run(order.task, scene, begins=order.begins)
    same = _children(worked(baseline)) == _children(order.really) and _fills(
        worked(baseline)
    ) == _fills(order.really)
    notes = [words for type, words in NOTES.items() if type in order.event_types]
    changed = None
    if changes:
        task, dropped = changed_task(order, scene, source, changes, rules)
        notes += [f"{name} is no parameter of {task.algo}: left out" for name in dropped]
        changed = _leg(run(task, scene, begins=order.begins), order.decision)
    return {
        "order_id": order.task.order_id,
        "set": dict(changes),
        "baseline_is_what_happened": same,
        "really": _shown(order.really, dict(order.task.params)),
        "baseline": _leg(baseline, order.decision),
        "changed": changed,
        "notes": notes,
    }


def scene_of(task: Task, accepted_at: Instant, source: Source, venue: VenueOptions) -> Scene:
    """The market of an order's time. Raises NoTape where there is none."""
    symbol = task.instrument.symbol
    if source.instrument(symbol) is None:
        known = ", ".join(source.symbols()) or "none"
        raise NoTape(f"the tape has no {symbol}; it has: {known}")
    since = min(accepted_at, looks_back_to(task), task.session.opens_at)
    if task.session.round_the_clock:
        since = min(accepted_at, looks_back_to(task))
    until = min(task.end + AFTERWARDS, task.session.closes_at)
    stretches = source.sessions(symbol, (since, until))
    if not any(s.opens_at <= task.start < s.closes_at for s in stretches):
        raise NoTape(f"there is no tape of {symbol} at {rfc3339(task.start)}")
    tapes = [source.tape(symbol, stretch) for stretch in stretches]
    tape = reduce(lambda earlier, later: earlier.extended(later), tapes)
    ahead = source.sessions(symbol, (accepted_at, task.session.closes_at))
    return Scene(tape, join_adjacent(ahead), venue=venue)


def changed_task(
    order: Finished, scene: Scene, source: Source, changes: Mapping[str, str], rules: Rules
) -> tuple[Task, list[str]]:
    """The task with other parameters, checked as an order is; and what the new algorithm does not
    know. Raises Refusal naming the field."""
    request, dropped = _request(order.task, changes)
    tape, at, symbol = scene.tape, order.accepted_at, order.task.instrument.symbol
    last = tape.last(at)
    sessions = [s for s in scene.sessions if s.closes_at > at]
    past = source.past(symbol, source.sessions(symbol, (order.task.start, order.task.end))[0])
    met = Met(
        instrument=order.task.instrument,
        sessions=sessions,
        curve=order.task.curve,
        quote=tape.quote(at),
        last=last[0] if last else None,
        last_at=last[1] if last else None,
        daily_volume=past.daily_volume,
        now=at,
        volatility=past.volatility,
    )
    house = replace(rules, policy=order.task.policy)
    try:
        task = admission.admit(request, order.task.order_id, met, house).task
    except Unavailable as missing:
        # Nothing will be there on another try: it is the past.
        raise Refusal(missing.code, missing.message, field=missing.field) from None
    return task._replace(session=order.task.session), dropped


def _request(task: Task, changes: Mapping[str, str]) -> tuple[Request, list[str]]:
    algo = changes.get("algo", task.algo)
    params, dropped = _params(task, algo, changes)
    amounts = {name: getattr(task, name) for name in AMOUNTS}
    amounts |= {name: _amount(name, changes[name]) for name in AMOUNTS if name in changes}
    start = _moment(changes, "start_time") or task.start
    duration = _seconds(changes["duration"]) if "duration" in changes else None
    end = _moment(changes, "end_time") or (None if duration is not None else task.end)
    windowed = BY_NAME[algo].windowed if algo in BY_NAME else False
    request = Request(
        account=task.account,
        symbol=task.instrument.symbol,
        side=task.side,
        algo=algo,
        params=params,
        start=start if windowed or "start_time" in changes else None,
        end=end,
        duration=duration,
        urgency=_urgency(changes.get("urgency", task.urgency.value)),
        **amounts,
    )
    return request, dropped


def _params(task: Task, algo: str, changes: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """What was asked of the old algorithm goes to the new one, as far as it knows it."""
    asked = {name: value for name, value in changes.items() if name not in FIELDS}
    if algo == task.algo:
        kept = dict(task.params)
        dropped: list[str] = []
    else:
        defaults = complete(BY_NAME[task.algo], {})
        chosen = {n: v for n, v in task.params.items() if defaults.get(n) != v}
        known = {p.name for p in BY_NAME[algo].parameters} if algo in BY_NAME else set()
        kept = {n: v for n, v in chosen.items() if n in known}
        dropped = sorted(set(chosen) - known) if algo != AUTO else []
    merged = kept | asked
    return {n: v for n, v in merged.items() if v != REMOVED}, dropped


def _amount(name: str, told: str) -> Decimal | None:
    if told == REMOVED and name != "qty":
        return None
    try:
        number = Decimal(told)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not -12 <= number.adjusted() <= 15:
        raise Refusal("bad_change", f"{name} is a number, not {told[:40]!r}", field=f"set.{name}")
    return number


def _moment(changes: Mapping[str, str], name: str) -> Instant | None:
    if name not in changes:
        return None
    try:
        return from_datetime(datetime.fromisoformat(changes[name]))
    except (ValueError, OverflowError):
        words = f"{name} is a time with a zone, such as 2026-01-05T14:30:00Z"
        raise Refusal("bad_change", words, field=f"set.{name}") from None


def _seconds(told: str) -> int:
    units = {"s": 1, "m": 60, "h": 3_600}
    factor = units.get(told[-1:], 1)
    digits = told[:-1] if told[-1:] in units else told
    number = _amount("duration", digits) or Decimal(0)
    return int(number * factor * SECOND)


def _urgency(told: str) -> Urgency:
    try:
        return Urgency(told)
    except ValueError:
        words = f"urgency is one of {', '.join(Urgency)}"
        raise Refusal("bad_change", words, field="set.urgency") from None


def _leg(done: Run, decision: Decimal | None) -> dict[str, Any]:
    return _shown(worked(done, decision), dict(done.task.params))


def _shown(told: Worked, params: Mapping[str, Any]) -> dict[str, Any]:
    costs = views.tca(told, analyse(told))
    names = ("status", "algo", "qty", "filled", "average_price", "fees", "arrival",
             "interval_vwap", "participation", "shortfall", "resting")  # fmt: skip
    return {
        **{name: costs[name] for name in names},
        "params": {name: str(value) for name, value in sorted(params.items())},
        "start_time": rfc3339(told.start),
        "end_time": rfc3339(told.end),
        "children_count": len(told.children),
        "fills_count": len(told.fills),
        "children": _children(told)[:SHOWN_MAX],
        "fills": _fills(told)[:SHOWN_MAX],
    }


def _children(told: Worked) -> list[dict[str, Any]]:
    return [
        {
            "number": child.number,
            "at": rfc3339(child.intended_at),
            "qty": text(child.qty),
            "price": text(child.price),
            "purpose": child.purpose,
            "filled": text(child.filled),
        }
        for child in told.children
    ]


def _fills(told: Worked) -> Sequence[dict[str, Any]]:
    numbers = {child.id: child.number for child in told.children}
    found = [
        {
            "at": rfc3339(fill.at),
            "child": numbers[fill.child_id],
            "qty": text(fill.qty),
            "price": text(fill.price),
            "fee": text(fill.fee),
        }
        for fill in told.fills
    ]
    return sorted(found, key=lambda f: (f["at"], f["child"], f["qty"], f["price"]))
