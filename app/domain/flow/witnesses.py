"""What each part of the order flow says about a side: for it, against it, neutral, or not known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.flow.imbalance import queue_imbalance
from app.domain.flow.measure import LENGTHS
from app.domain.flow.record import Flow, Frame, Level
from app.domain.instant import Instant, Micros, seconds
from app.domain.market import Quote
from app.domain.quantity import Side

FOR, AGAINST, NEUTRAL = "for", "against", "neutral"

LEAST_UPDATES, LEAST_TRADES, LEAST_LEVELS = 5, 3, 3
"""Fewer than these say nothing: quotes and trades made from bars do not pass for a flow."""


@dataclass(frozen=True, slots=True)
class Rules:
    """From where on a figure is for or against a side; see the gate's parameters."""

    book: float
    strength: float
    trades: float
    levels: float
    delta: float


@dataclass(frozen=True, slots=True)
class Witness:
    """`vote` None: not known. `figures` are positive where they speak for buyers."""

    name: str
    vote: str | None
    figures: Mapping[str, Any] = field(default_factory=dict)
    timeframe: bool = False


def hear(
    side: Side,
    quote: Quote | None,
    flow: Flow | None,
    now: Instant,
    rules: Rules,
) -> tuple[Witness, ...]:
    """All six, in their order, whatever is known of them."""
    by_length = {frame.length: frame for frame in flow.frames} if flow is not None else {}
    return (
        _book(side, quote, rules),
        *(_frame(side, length, by_length.get(length), now, rules) for length in LENGTHS),
        _delta(side, flow, rules),
        _footprint(side, flow, now, rules),
    )


def _book(side: Side, quote: Quote | None, rules: Rules) -> Witness:
    """Of the latest quote, what we show there ourselves among it."""
    if quote is None or not quote.uncrossed:
        return Witness("book", None)
    bid, ask = quote.bid_size, quote.ask_size
    imbalance = queue_imbalance(float(bid), float(ask))
    if imbalance is None:
        return Witness("book", None)
    # A share p of the touch is an imbalance of 2p − 1.
    vote = _vote(side.sign * imbalance, 2 * rules.book - 1)
    return Witness("book", vote, {"imbalance": imbalance, "bid": str(bid), "ask": str(ask)})


def _frame(side: Side, length: Micros, frame: Frame | None, now: Instant, rules: Rules) -> Witness:
    """For a side where its book or its trades are and neither is against it."""
    name = f"{seconds(length):g} s"
    if frame is None or now - frame.end >= 2 * length:
        return Witness(name, None, timeframe=True)
    votes = []
    figures = {"ofi": frame.ofi, "strength": frame.strength, "trades": frame.trade_imbalance}
    if frame.strength is not None and frame.updates >= LEAST_UPDATES:
        votes.append(_vote(side.sign * frame.strength, rules.strength))
    if frame.trade_imbalance is not None and frame.trades >= LEAST_TRADES:
        votes.append(_vote(side.sign * frame.trade_imbalance, rules.trades))
    return Witness(name, _together(votes), figures, timeframe=True)


def _delta(side: Side, flow: Flow | None, rules: Rules) -> Witness:
    if flow is None or flow.cvd_volume <= 0:
        return Witness("delta", None)
    share = float(flow.cvd / flow.cvd_volume)
    return Witness("delta", _vote(side.sign * share, rules.delta), {"share": share})


def _footprint(side: Side, flow: Flow | None, now: Instant, rules: Rules) -> Witness:
    """At how many prices of the longest timeframe the one or the other side was the aggressor."""
    longest = max((f for f in flow.frames), key=lambda f: f.length, default=None) if flow else None
    if flow is None or longest is None or now - longest.end >= 2 * longest.length:
        return Witness("footprint", None)
    if len(flow.footprint) < LEAST_LEVELS:
        return Witness("footprint", None, {"levels": len(flow.footprint)})
    share = sum(map(_leans, flow.footprint)) / len(flow.footprint)
    figures = {"levels": len(flow.footprint), "share": share}
    return Witness("footprint", _vote(side.sign * share, rules.levels), figures)


def _leans(level: Level) -> int:
    return (level.bought > level.sold) - (level.bought < level.sold)


def _vote(towards: float, threshold: float) -> str:
    if towards >= threshold and towards > 0:
        return FOR
    return AGAINST if towards <= -threshold and towards < 0 else NEUTRAL


def _together(votes: list[str]) -> str | None:
    if not votes:
        return None
    if FOR in votes and AGAINST not in votes:
        return FOR
    return AGAINST if AGAINST in votes and FOR not in votes else NEUTRAL
