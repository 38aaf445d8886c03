"""One worked parent as figures: the same analysis that an order of the server gets."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from app.domain.fact import Filled, Intended, Purpose
from app.domain.instant import Instant
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import ZERO
from app.domain.tape import Tape
from app.domain.task import Task
from app.domain.tca.analysis import (
    NOTHING_SENT,
    Analysis,
    Worked,
    WorkedChild,
    WorkedFill,
    analyse,
    executions,
    line,
)
from app.domain.tca.shortfall import Price
from app.domain.tca.spread import HORIZONS, NOT_CAPTURED, Mark, aftermath
from app.research.result import Run
from app.store.views.plain import rounded, text

AFTER_CLOSE, NO_QUOTE = "after_close", "no_quote"
COSTS = ("total", "delay", "execution", "opportunity", "fees", "arrival", "interval_vwap")
AFTERWARDS = ("reversion_1m", "reversion_5m", "markout_1m", "markout_5m")
SHARES = ("completion", "participation", "rest_share", "fill_probability")
PLACES = 6


def worked(run: Run, decision: Decimal | None = None) -> Worked:
    """A run as the analysis of costs wants it. `decision`: the mid at arrival, where it is known
    better than by the tape."""
    task, arrival, tape = run.task, run.arrival, run.tape
    if decision is None and arrival is not None and arrival.uncrossed:
        decision = arrival.mid
    purposes = {child.child_id: child.purpose for child in run.children}
    done = run.over if run.execution.done else None
    moments = {fill.at + after for fill in run.fills for after in (0, *HORIZONS)}
    return Worked(
        order_id=task.order_id,
        client_order_id="",
        account=task.account,
        broker="virtual",
        symbol=task.instrument.symbol,
        currency=task.instrument.currency,
        side=task.side,
        algo=task.algo,
        strategy=None,
        status=run.execution.status.value,
        qty=task.qty,
        filled=run.execution.filled,
        notional=run.filled_notional,
        fees=run.fees,
        accepted_at=run.begun,
        start=task.start,
        end=task.end,
        finished_at=done,
        decision=decision,
        begin=_begin(run, tape),
        last_fill=max((fill.at for fill in run.fills), default=None),
        market=run.traded,
        own_included=False,
        measured_to=min(max(run.over, task.start), task.end),
        marks=marks(tape, task, moments | ({done} if done is not None else set())),
        children=_children(run, tape),
        fills=tuple(_fill(fill, n, purposes[fill.child_id]) for n, fill in enumerate(run.fills)),
    )


def figures(run: Run) -> dict[str, Any]:
    """What is kept of one run: costs in basis points, positive = cost; shares as fractions."""
    told = worked(run)
    found = analyse(told)
    known = line(told, found)
    after = aftermath(executions(told), told.marks)
    shown: dict[str, Any] = {
        "status": told.status,
        "reason": run.execution.reason,
        "filled": text(told.filled),
        "average_price": text(rounded(found.outcome.average_price, 10)),
        "children": len(told.children),
        "fills": len(told.fills),
    }
    bps = {**known.bps, **_markouts(after.markout)}
    shown |= {name: text(rounded(bps.get(name), PLACES)) for name in (*COSTS, *AFTERWARDS)}
    return shown | _shares(told, found) | {"why": dict(sorted(known.why.items()))}


def _markouts(measures: Iterable[Any]) -> dict[str, Decimal]:
    names = ("markout_1m", "markout_5m")
    return {n: m.bps for n, m in zip(names, measures, strict=True) if m.bps is not None}


def _shares(told: Worked, found: Analysis) -> dict[str, str | None]:
    rested = sum((f.qty for f in told.fills if f.purpose == Purpose.REST), ZERO)
    shares = {
        "completion": told.filled / told.qty,
        "participation": found.outcome.participation,
        "rest_share": rested / told.filled if told.filled > 0 else None,
        "fill_probability": found.resting.probability,
    }
    return {name: text(rounded(shares[name], PLACES)) for name in SHARES}


def marks(tape: Tape, task: Task, moments: Iterable[Instant]) -> dict[Instant, Mark]:
    """What the market showed at these moments, as the server would have kept it."""
    return {at: _mark(tape, task, at) for at in moments}


def _mark(tape: Tape, task: Task, at: Instant) -> Mark:
    if at >= task.session.closes_at:
        return Mark(at, None, None, AFTER_CLOSE)
    if not tape.since <= at <= tape.until:
        return Mark(at, None, None, NOT_CAPTURED)
    quote = tape.quote(at)
    if quote is None or quote.bid <= 0 or quote.ask <= 0:
        return Mark(at, None, None, NO_QUOTE)
    return Mark(at, quote.bid, quote.ask)


def _begin(run: Run, tape: Tape) -> Price:
    if not run.children:
        return Price(None, NOTHING_SENT)
    seen = _mark(tape, run.task, run.children[0].at)
    return Price(seen.mid, seen.reason)


def _children(run: Run, tape: Tape) -> tuple[WorkedChild, ...]:
    filled: dict[str, Decimal] = {}
    for fill in run.fills:
        filled[fill.child_id] = filled.get(fill.child_id, ZERO) + fill.qty
    live = {child.id: child.status for child in run.execution.children}
    return tuple(
        _child(child, filled.get(child.child_id, ZERO), live.get(child.child_id), tape, run.task)
        for child in run.children
    )


def _child(
    child: Intended, filled: Decimal, live: ChildStatus | None, tape: Tape, task: Task
) -> WorkedChild:
    over = ChildStatus.FILLED if filled >= child.qty else ChildStatus.CANCELED
    seen = _mark(tape, task, child.at)
    return WorkedChild(
        id=child.child_id,
        number=child.number,
        purpose=child.purpose.value,
        status=(live or over).value,
        over=live is None,
        qty=child.qty,
        price=child.price,
        filled=filled,
        intended_at=child.at,
        quote=seen if seen.mid is not None else None,
    )


def _fill(fill: Filled, number: int, purpose: Purpose) -> WorkedFill:
    return WorkedFill(
        execution_id=fill.execution_id or str(number),
        child_id=fill.child_id,
        at=fill.at,
        qty=fill.qty,
        price=fill.price,
        fee=fill.fee,
        liquidity=str(fill.liquidity),
        purpose=purpose.value,
    )
