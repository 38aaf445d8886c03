"""The regime of one symbol, followed from bar to bar along its tape."""

from dataclasses import dataclass, replace

import numpy as np

from app.domain.instant import DAY, Instant
from app.domain.regime.components import Bars, Windows, components
from app.domain.regime.labels import Held, Rules, held, regime
from app.domain.regime.record import Components, Regime
from app.domain.regime.variance_ratio import Floats
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.tape_search import Integers

WINDOWS = Windows()
RULES = Rules()

AT_ONCE = 64
"""Bars: some ten milliseconds of work."""

GAP_BARS = 5
"""A move over longer than this is no return: a night, or a market that was not watched."""

WIDEST = 0.01
"""A quote further apart than this share of its price says nothing about the price."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What is known after the last bar: the bars that matter still, the label and its parts."""

    bars: Bars | None = None
    held: Held | None = None
    parts: Components | None = None
    to: Instant = 0
    """Up to when bars were looked at."""

    def regime(self, rules: Rules = RULES) -> Regime | None:
        if self.held is None or self.parts is None:
            return None
        return regime(self.held, self.parts, rules)


def follow(
    before: Followed,
    tape: Tape,
    session: Session,
    now: Instant,
    windows: Windows = WINDOWS,
    rules: Rules = RULES,
) -> Followed:
    """The same after the bars that are over at `now` and on the tape: `AT_ONCE` of them at most,
    who is `behind` asks again. However often it is asked on the way, the same comes out.

    `session` is the one that is open, or the next: its hours are taken for those of other days.
    """
    known = _known(tape, now, windows)
    ends = _ends(tape, max(before.to, tape.since), known, session, windows)
    if len(ends) > AT_ONCE:
        ends, known = ends[:AT_ONCE], int(ends[AT_ONCE - 1])
    if not len(ends):
        return replace(before, to=max(known, before.to))
    bars = _extended(before.bars, _sampled(tape, ends), session, windows)
    label, latest = before.held, before.parts
    for parts in components(bars, len(bars) - len(ends), windows):
        if parts is not None:
            label, latest = held(label, parts, rules), parts
    return Followed(_tail(bars, windows), label, latest, known)


def behind(of: Followed, tape: Tape, now: Instant, windows: Windows = WINDOWS) -> bool:
    """Whether bars are over that were not looked at."""
    return of.to < _known(tape, now, windows)


def along(bars: Bars, windows: Windows = WINDOWS, rules: Rules = RULES) -> list[Regime | None]:
    """The regime after each bar, as it was known then."""
    found: list[Regime | None] = []
    label: Held | None = None
    for parts in components(bars, 0, windows):
        if parts is not None:
            label = held(label, parts, rules)
        found.append(regime(label, parts, rules) if label is not None and parts else None)
    return found


def _known(tape: Tape, now: Instant, windows: Windows) -> Instant:
    return min(now, tape.until) // windows.bar * windows.bar


def _ends(tape: Tape, start: Instant, to: Instant, session: Session, windows: Windows) -> Integers:
    """The ends of bars in (start, to], within the session's hours, in which the market spoke."""
    bar = windows.bar
    ends = np.arange(start // bar + 1, to // bar + 1, dtype=np.int64) * bar
    since_open = (ends - session.opens_at - 1) % DAY
    ends = ends[since_open < session.length]
    spoke = np.zeros(len(ends), dtype=np.bool_)
    for at in (tape.quote_at, tape.trade_at):
        spoke |= at.searchsorted(ends) > at.searchsorted(ends - bar)
    return ends[spoke]


def _sampled(tape: Tape, ends: Integers) -> tuple[Integers, Floats]:
    """The price at the end of each bar: the middle of the quote, where there is a narrow one (the
    prices of trades bounce between bid and ask, which looks like coming back), else the last."""
    price = np.full(len(ends), np.nan)
    if len(tape.trade_at):
        rows = tape.trade_at.searchsorted(ends) - 1
        price = np.where(rows >= 0, tape.trade_price[np.maximum(rows, 0)], np.nan)
    if len(tape.quote_at):
        rows = tape.quote_at.searchsorted(ends) - 1
        bid, ask = (column[np.maximum(rows, 0)] for column in (tape.bid, tape.ask))
        narrow = (rows >= 0) & (bid < ask) & (ask - bid <= WIDEST * bid)
        price = np.where(narrow, (bid + ask) / 2, price)
    known = ~np.isnan(price)
    return ends[known], price[known] / tape.price_scale


def _extended(
    before: Bars | None, added: tuple[Integers, Floats], session: Session, windows: Windows
) -> Bars:
    at, price = added
    if before is not None:
        at, price = np.concatenate((before.at, at)), np.concatenate((before.price, price))
    joined = np.diff(at, prepend=at[:1] - DAY) <= GAP_BARS * windows.bar
    per_day = min(session.length, DAY) // windows.bar
    return Bars(at, price, joined.astype(np.int64), per_day)


def _tail(bars: Bars, windows: Windows) -> Bars:
    """Those that later bars will look back at."""
    kept = windows.history + windows.volatility + windows.ratio
    return Bars(bars.at[-kept:], bars.price[-kept:], bars.joined[-kept:], bars.per_day)
