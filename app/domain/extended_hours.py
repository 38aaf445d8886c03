"""The hours before the open and after the close: who may trade in them, and how.

Brokers take nothing but limit orders then, and few people trade: an order has to ask for it, and
only algorithms that work by limit orders and lean on no usual volume know what to do.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from app.domain.algorithm import Algorithm
from app.domain.algos import BY_NAME
from app.domain.instant import Instant, Micros
from app.domain.parameters import Completion
from app.domain.refusal import Refusal
from app.domain.session import Session
from app.domain.volume import VolumeCurve

OUTSIDE_SHARE = 0.05
"""Of a day's volume, what trades outside of the session where nothing tells it: an assumption on
the low side, so that what an order would cost then is rather told too high."""


@dataclass(frozen=True, slots=True)
class TradingDay:
    """A session, and `whole`: the same with the hours around it in which limit orders trade."""

    session: Session
    whole: Session


def days_of(sessions: Iterable[Session], before: Micros, after: Micros) -> tuple[TradingDay, ...]:
    """Days with so much before each open and after each close; a market that never closes has no
    hours around its session."""
    return tuple(
        TradingDay(s, s)
        if s.round_the_clock
        else TradingDay(s, Session(s.opens_at - before, s.closes_at + after))
        for s in sessions
    )


def ahead(days: Iterable[TradingDay], now: Instant) -> tuple[TradingDay, ...]:
    """Those that are not over."""
    return tuple(day for day in days if day.whole.closes_at > now)


def wholes(days: Iterable[TradingDay]) -> tuple[Session, ...]:
    """When somebody trades who asks for it."""
    return tuple(day.whole for day in days)


def check_extended(algorithm: Algorithm, params: Mapping[str, Any], bracketed: bool) -> None:
    """Whether an order can be worked in extended hours. Raises Refusal."""
    if not algorithm.extended_hours:
        known = ", ".join(sorted(a.name for a in BY_NAME.values() if a.extended_hours))
        why = f"{algorithm.name} does not trade in extended hours; these do: {known}"
    elif params.get("completion") == Completion.CLOSE:
        why = "an order for the closing auction does not trade in extended hours"
    elif bracketed:
        # A stop that waits for the open protects nobody through the night.
        why = "exits trade in the session alone: give stop and target with an order of the session"
    else:
        return
    raise Refusal("no_extended_hours", why, field="extended_hours")


def hours_of(symbol: str, days: Sequence[TradingDay], *, allowed: bool) -> tuple[Session, ...]:
    """When an order that asks for extended hours trades. Raises Refusal where nobody does."""
    if not allowed:
        why = "this server takes no orders for extended hours (SLIPSTREAM_EXTENDED_HOURS)"
    elif not days:
        why = f"{symbol} has no extended hours here, as far as its feed knows"
    else:
        return wholes(days)
    raise Refusal("no_extended_hours", why, field="extended_hours")


def thin_outside(curve: VolumeCurve, day: TradingDay) -> VolumeCurve:
    """The curve of a whole day: the session's own, and a small share before and after it."""
    session, whole = day.session, day.whole
    around = whole.length - session.length
    if around <= 0:
        return curve
    each = OUTSIDE_SHARE / around
    inside = [edge for edge in curve.edges if 0 < edge < session.length]
    edges = [session.opens_at + offset for offset in (0, *inside, session.length)]
    parts = [curve.between(session, a, b) for a, b in pairwise(edges)]
    total = sum(parts) or 1.0
    shares = [
        (session.opens_at - whole.opens_at) * each,
        *(part / total * (1 - OUTSIDE_SHARE) for part in parts),
        (whole.closes_at - session.closes_at) * each,
    ]
    # Where there is nothing on one side, there is no bin.
    moments = pairwise((whole.opens_at, *edges, whole.closes_at))
    bins = [(b, share) for (a, b), share in zip(moments, shares, strict=True) if b > a]
    return VolumeCurve(
        (0, *(end - whole.opens_at for end, _ in bins)),
        tuple(share for _, share in bins),
        periodic=False,
        source=f"{curve.source}, thin outside the session",
    )
