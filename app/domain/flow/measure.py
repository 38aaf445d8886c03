"""The order flow of one symbol at a moment, from its tape up to that moment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import sqrt

import numpy as np

from app.domain.flow.aggressor import AT_MID, QUOTE, TICK, Signed, signed
from app.domain.flow.footprint import footprint
from app.domain.flow.imbalance import Updates, queue_imbalance, updates
from app.domain.flow.record import Classified, Flow, Frame, Level
from app.domain.instant import MINUTE, SECOND, Instant, Micros
from app.domain.tape import Tape
from app.domain.tape_search import after

LENGTHS: tuple[Micros, ...] = (10 * SECOND, MINUTE, 5 * MINUTE)


@dataclass(frozen=True, slots=True)
class Delta:
    """Cumulative volume delta since `since`, up to and with `at`, in the tape's size units."""

    since: Instant
    at: Instant
    bought: int = 0
    sold: int = 0
    untold: int = 0


def delta(tape: Tape, before: Delta, now: Instant) -> Delta:
    """The same up to and with `now`: however often it is asked, the sums are the same."""
    low, high = after(tape.trade_at, before.at), after(tape.trade_at, now)
    if low >= high:
        return replace(before, at=max(now, before.at))
    sign, size = signed(tape, low, high).sign, tape.trade_size[low:high]
    return Delta(
        before.since,
        now,
        bought=before.bought + int(size[sign > 0].sum()),
        sold=before.sold + int(size[sign < 0].sum()),
        untold=before.untold + int(size[sign == 0].sum()),
    )


def measure(
    tape: Tape, now: Instant, cumulative: Delta, lengths: Sequence[Micros] = LENGTHS
) -> Flow:
    """What is known at `now`: frames are the last ones that are over by then, on a grid of their
    own length, and those that the tape knows whole. `cumulative` is up to `now` (`delta`)."""
    known = min(now, tape.until)
    spans = [(length, known // length * length) for length in lengths]
    spans = [(length, end) for length, end in spans if end - length >= tape.since]
    start = min((end - length for length, end in spans), default=known)
    low, high = (int(row) for row in tape.trade_at.searchsorted([start, known + 1]))
    signs = signed(tape, low, high)
    rows = [int(row) for row in tape.quote_at.searchsorted([start, known + 1])]
    changes = updates(tape, *rows)
    frames = tuple(_frame(tape, span, low, signs, changes) for span in spans)
    scale = tape.size_scale
    return Flow(
        at=now,
        imbalance=_book(tape, now),
        frames=frames,
        cvd=Decimal(cumulative.bought - cumulative.sold) / scale,
        cvd_volume=Decimal(cumulative.bought + cumulative.sold + cumulative.untold) / scale,
        cvd_since=cumulative.since,
        footprint=_footprint(tape, spans, low, signs),
        classified=_classified(tape, low, signs),
    )


def _book(tape: Tape, now: Instant) -> float | None:
    quote = tape.quote(now)
    if quote is None or not quote.uncrossed:
        return None
    return queue_imbalance(float(quote.bid_size), float(quote.ask_size))


def _frame(
    tape: Tape, span: tuple[Micros, Instant], low: int, signs: Signed, changes: Updates
) -> Frame:
    length, end = span
    first, last = (int(row) for row in tape.trade_at.searchsorted([end - length, end]))
    sign, size = signs.sign[first - low : last - low], tape.trade_size[first:last]
    bought, sold = int(size[sign > 0].sum()), int(size[sign < 0].sum())
    volume = int(size.sum())
    begin, stop = (int(row) for row in changes.at.searchsorted([end - length, end]))
    e, depth = changes.e[begin:stop], changes.depth[begin:stop]
    spread = sqrt(float(e @ e))
    return Frame(
        length=length,
        end=end,
        ofi=float(e.sum() / depth.mean()) if len(e) else None,
        strength=float(e.sum() / spread) if spread > 0 else None,
        updates=len(e),
        trade_imbalance=(bought - sold) / volume if volume else None,
        trades=last - first,
        bought=tape.size(np.int64(bought)),
        sold=tape.size(np.int64(sold)),
    )


def _footprint(
    tape: Tape, spans: Sequence[tuple[Micros, Instant]], low: int, signs: Signed
) -> tuple[Level, ...]:
    if not spans:
        return ()
    length, end = max(spans)
    first, last = (int(row) for row in tape.trade_at.searchsorted([end - length, end]))
    return footprint(tape, first, last, signs.sign[first - low : last - low])


def _classified(tape: Tape, low: int, signs: Signed) -> Classified | None:
    size = tape.trade_size[low : low + len(signs.rule)]
    total = int(size.sum())
    if not total:
        return None
    quote, at_mid, tick = (
        float(size[signs.rule == rule].sum() / total) for rule in (QUOTE, AT_MID, TICK)
    )
    return Classified(quote, at_mid, tick)
