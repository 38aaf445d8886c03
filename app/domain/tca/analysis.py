"""One order's costs, whole: from what was written down of it to every figure with its reason.

Pure: the server reads the records from its store, a backtest makes them in memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.instant import HOUR, Instant
from app.domain.market import Traded
from app.domain.quantity import Side
from app.domain.tca.benchmark import Outcome, measure
from app.domain.tca.quality import Comparison, Estimate, compared
from app.domain.tca.shortfall import Asked, Price, Shortfall, shortfall
from app.domain.tca.spread import (
    HORIZONS,
    NOT_CAPTURED,
    NOT_YET,
    Aftermath,
    Execution,
    Mark,
    Measure,
    Resting,
    aftermath,
    resting,
    reversion,
)
from app.domain.tca.summary import Line

PURPOSES = ("rest", "cross")

NO_ARRIVAL, NOTHING_SENT, NOT_FINISHED = (
    "no quote at acceptance",
    "nothing was sent",
    "the order is not finished",
)


@dataclass(frozen=True, slots=True)
class WorkedChild:
    """One child. `quote` is what its decision saw (None: not kept)."""

    id: str
    number: int
    purpose: str
    status: str
    over: bool
    qty: Decimal
    price: Decimal
    filled: Decimal
    intended_at: Instant
    quote: Mark | None


@dataclass(frozen=True, slots=True)
class WorkedFill:
    """One fill that counts; busted ones are left out."""

    execution_id: str
    child_id: str
    at: Instant
    qty: Decimal
    price: Decimal
    fee: Decimal
    liquidity: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Worked:
    """One order as it was worked. `decision` is the mid at its acceptance, `begin` the one that
    its first child saw. `now` is the market time of the look: what is later is not due yet."""

    order_id: str
    client_order_id: str
    account: str
    broker: str
    symbol: str
    currency: str
    side: Side
    algo: str
    strategy: str | None
    status: str
    qty: Decimal
    filled: Decimal
    notional: Decimal
    fees: Decimal
    accepted_at: Instant
    start: Instant
    end: Instant
    finished_at: Instant | None
    decision: Decimal | None
    begin: Price
    last_fill: Instant | None
    market: Traded | None = None
    own_included: bool | None = None
    measured_to: Instant | None = None
    estimate: Estimate | None = None
    marks: Mapping[Instant, Mark] = field(default_factory=dict)
    children: tuple[WorkedChild, ...] = ()
    fills: tuple[WorkedFill, ...] = ()
    now: Instant | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """What an order cost. `reversion` and the aftermaths go by HORIZONS."""

    outcome: Outcome
    shortfall: Shortfall
    reversion: tuple[Measure, ...]
    aftermath: Mapping[str, Aftermath]
    resting: Resting
    comparison: Comparison


def analyse(worked: Worked) -> Analysis:
    """Every figure of one order."""
    marks = _told(worked)
    outcome = measure(
        side=worked.side,
        filled=worked.filled,
        filled_notional=worked.notional,
        fees=worked.fees,
        arrival_mid=worked.decision,
        market=worked.market,
        own_included=worked.own_included,
    )
    asked = Asked(worked.side, worked.qty, worked.filled, worked.notional, worked.fees)
    decision = Price(worked.decision, None if worked.decision is not None else NO_ARRIVAL)
    parts = shortfall(asked, decision, worked.begin, _end(worked, marks))
    return Analysis(
        outcome=outcome,
        shortfall=parts,
        reversion=tuple(
            reversion(worked.side, worked.last_fill, marks, after) for after in HORIZONS
        ),
        aftermath={p: aftermath(executions(worked, p), marks) for p in PURPOSES},
        resting=resting(
            (c.qty, c.filled) for c in worked.children if c.over and c.purpose == "rest"
        ),
        comparison=_comparison(worked, parts),
    )


def executions(worked: Worked, purpose: str | None = None) -> tuple[Execution, ...]:
    """The fills as their price is judged, of one purpose or all."""
    return tuple(
        Execution(f.at, worked.side, f.qty, f.price, f.purpose)
        for f in worked.fills
        if purpose in (None, f.purpose)
    )


def line(worked: Worked, analysis: Analysis) -> Line:
    """The order as it counts in a summary."""
    found = analysis.shortfall
    measures = {
        "total": (found.total.bps, found.total.reason),
        "delay": (found.delay.bps, found.delay.reason),
        "execution": (found.execution.bps, found.execution.reason),
        "opportunity": (found.opportunity.bps, found.opportunity.reason),
        "fees": (found.fees.bps, found.fees.reason),
        "arrival": (analysis.outcome.arrival.bps, analysis.outcome.arrival.reason),
        "interval_vwap": (
            analysis.outcome.interval_vwap.bps, analysis.outcome.interval_vwap.reason,
        ),
        "reversion_1m": (analysis.reversion[0].bps, analysis.reversion[0].reason),
        "reversion_5m": (analysis.reversion[1].bps, analysis.reversion[1].reason),
    }  # fmt: skip
    return Line(
        order_id=worked.order_id,
        account=worked.account,
        broker=worked.broker,
        symbol=worked.symbol,
        side=worked.side.value,
        algo=worked.algo,
        strategy=worked.strategy,
        hour=worked.start // HOUR % 24,
        currency=worked.currency,
        whole=worked.filled >= worked.qty,
        ordered=worked.qty * worked.decision if worked.decision is not None else None,
        filled=worked.notional,
        bps={name: bps for name, (bps, _) in measures.items() if bps is not None},
        why={name: why or "" for name, (bps, why) in measures.items() if bps is None},
        participation=analysis.outcome.participation,
        score=analysis.comparison.quality.score,
    )


def _told(worked: Worked) -> Mapping[Instant, Mark]:
    """The marks, and those that are missing with the reason."""
    moments = {f.at + after for f in worked.fills for after in (0, *HORIZONS)}
    if worked.last_fill is not None:
        moments |= {worked.last_fill + after for after in (0, *HORIZONS)}
    if worked.finished_at is not None:
        moments.add(worked.finished_at)
    missing = {at: Mark(at, None, None, _why(at, worked.now)) for at in moments}
    return missing | dict(worked.marks)


def _why(at: Instant, now: Instant | None) -> str:
    return NOT_YET if now is not None and at > now else NOT_CAPTURED


def _end(worked: Worked, marks: Mapping[Instant, Mark]) -> Price:
    if worked.finished_at is None:
        return Price(None, NOT_FINISHED)
    mark = marks[worked.finished_at]
    return Price(mark.mid, mark.reason)


def _comparison(worked: Worked, found: Shortfall) -> Comparison:
    """Models know no tariffs: the outcome without fees. An open order has no outcome yet."""
    if worked.finished_at is None:
        return compared(worked.estimate, None, NOT_FINISHED)
    if found.total.bps is None or found.fees.bps is None:
        return compared(worked.estimate, None, found.total.reason)
    return compared(worked.estimate, found.total.bps - found.fees.bps)
