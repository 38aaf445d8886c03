"""What a day could know from the days before it: volume curve, daily volume, volatility.

All take earlier sessions of the same dataset only. Half days are left out of curve and daily
volume: both are of sessions of the usual length. Volumes before a known split are counted in
shares of after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from math import log, sqrt

import numpy as np

from app.domain.instant import Micros
from app.domain.quantity import floor_to
from app.domain.volume import BIN, PERIODIC_BIN, VolumeCurve, curve_from_history
from app.tapes.columns import Entry
from app.tapes.day import day_name
from app.tapes.errors import TapeError
from app.tapes.session_faults import split_ratio
from app.tapes.store import Stored

DAYS = 20


class Estimate(StrEnum):
    CLOSE_TO_CLOSE = "close_to_close"
    PARKINSON = "parkinson"


@dataclass(frozen=True, slots=True)
class Volatility:
    """Standard deviation of a day's log return, as a fraction (0.02 is 2 % a day).

    `returns` days went into it; `left_out` are days whose price jumped as by a split that nobody
    told. `adjusted` are days whose known split was taken out.
    """

    daily: float
    estimate: Estimate
    returns: int
    adjusted: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def earlier(stored: Stored, day: str) -> tuple[Entry, ...]:
    """The sessions before a day, in order; `day` itself need not be stored."""
    return tuple(e for e, name in zip(stored.entries, stored.days, strict=True) if name < day)


def trailing_curve(
    stored: Stored, day: str, days: int = DAYS, bin_length: Micros | None = None
) -> VolumeCurve | None:
    """Mean share of each bin over the `days` sessions of usual length before `day`; in the bins of
    the feeds' own curves, unless told."""
    before = _alike(earlier(stored, day))[-days:]
    if not before:
        return None
    periodic = before[0].session.round_the_clock
    length = bin_length or (PERIODIC_BIN if periodic else BIN)
    _divides(stored, length)
    rows = [stored.session_bins(entry, length).tolist() for entry in before]
    return curve_from_history(rows, bin_length=length, periodic=periodic)


def mean_daily_volume(stored: Stored, day: str, days: int = DAYS) -> Decimal | None:
    """Mean shares traded inside of the sessions of usual length before `day`; whole lots."""
    before = _alike(earlier(stored, day))[-days:]
    if not before:
        return None
    factors = [_shares_since(stored, entry, day) for entry in before]
    units = [entry.volume * factor for entry, factor in zip(before, factors, strict=True)]
    mean = Decimal(float(np.mean(units))) / stored.manifest.size_scale
    return floor_to(mean, stored.manifest.lot)


def volatility(
    stored: Stored,
    day: str,
    days: int = DAYS,
    estimate: Estimate = Estimate.CLOSE_TO_CLOSE,
) -> Volatility | None:
    """Daily volatility over the `days` sessions before `day`; None from less than two returns.

    Close to close: standard deviation of log returns between closes inside of sessions, nights
    among them. Parkinson (1980): sqrt(mean(ln(high/low)²) / (4 ln 2)); the session only, nights
    not counted, so that it is usually the smaller one.
    """
    before = [entry for entry in earlier(stored, day) if entry.close > 0]
    if estimate is Estimate.PARKINSON:
        ranges = [log(entry.high / entry.low) ** 2 for entry in before[-days:]]
        if len(ranges) < 2:
            return None
        return Volatility(sqrt(float(np.mean(ranges)) / (4 * log(2))), estimate, len(ranges))
    return _close_to_close(stored, before[-days - 1 :])


def _close_to_close(stored: Stored, entries: Sequence[Entry]) -> Volatility | None:
    returns, adjusted, left_out = [], [], []
    for previous, entry in pairwise(entries):
        name, factor = day_name(entry.session), _split_between(stored, previous, entry)
        if factor != 1.0:
            adjusted.append(name)
        elif split_ratio(previous.close / entry.open) is not None:
            left_out.append(name)
            continue
        returns.append(log(entry.close * factor / previous.close))
    if len(returns) < 2:
        return None
    return Volatility(
        float(np.std(returns, ddof=1)),
        Estimate.CLOSE_TO_CLOSE,
        len(returns),
        tuple(adjusted),
        tuple(left_out),
    )


def _split_between(stored: Stored, previous: Entry, entry: Entry) -> float:
    """New shares for an old one between two sessions; 1 for prices that are adjusted already."""
    return _factor(stored, day_name(previous.session), day_name(entry.session))


def _shares_since(stored: Stored, entry: Entry, day: str) -> float:
    return _factor(stored, day_name(entry.session), day)


def _factor(stored: Stored, after: str, until: str) -> float:
    if stored.manifest.adjusted == "adjusted":
        return 1.0
    known = stored.manifest.splits.items()
    return float(np.prod([ratio for first, ratio in known if after < first <= until]))


def _alike(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The sessions of usual length; what is usual is known from the past alone."""
    longest = max((entry.session.length for entry in entries), default=0)
    return [entry for entry in entries if entry.session.length == longest]


def _divides(stored: Stored, bin_length: Micros) -> None:
    length = stored.dataset.bar_length
    if length is not None and bin_length % length:
        raise TapeError(f"bins of {bin_length} µs are not made of bars of {length} µs")
