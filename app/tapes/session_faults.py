"""What is wrong with whole sessions: gaps, wrong hours, missing days, splits."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from app.domain.instant import DAY, HOUR, MINUTE, Micros, rfc3339
from app.domain.session import Session
from app.tapes.day import day_name
from app.tapes.findings import Finding, finding
from app.tapes.profile import BIN, best_offset
from app.tapes.sketch import Sketch

MOSTLY = 0.8
JUMP = 3.0
"""Volume at the open is more than so many times that of the bar before."""

GAP = 10 * MINUTE
"""What is shorter is never a gap,"""
USUAL_GAPS = 3
"""and neither is what is shorter than so many times the longest pause of an ordinary day."""

RATIOS = (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50, 1.5)
SPLIT_TOLERANCE = 0.05
FULL_DAY = 4 * HOUR
"""Shorter sessions say too little about hours."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What session checks need beside the sketches."""

    symbol: str
    scheduled: Sequence[Session]
    """All sessions of the calendar from the first to the last with data."""
    splits: Mapping[str, float]
    """Known splits by the first day at the new price: 7.0 is seven new shares for one."""
    bar_length: Micros | None
    """None for ticks."""


def session_faults(sketches: Sequence[Sketch], known: Watched) -> Iterator[Finding]:
    if not sketches:
        return
    yield from _missing(sketches, known)
    yield from _half_days(sketches, known)
    yield from _outside(sketches, known)
    if not sketches[0].session.round_the_clock:
        yield from _shifted(sketches, known)
        yield from _misstamped(sketches, known)
    yield from _gaps(sketches, known)
    yield from split_findings(sketches, known)


def _missing(sketches: Sequence[Sketch], known: Watched) -> Iterator[Finding]:
    rows = {sketch.session.opens_at: sketch.outside_rows for sketch in sketches}
    silent = {s.session.opens_at for s in sketches if not s.rows[s.inside].any()}
    for session in known.scheduled:
        if session.opens_at not in rows or session.opens_at in silent:
            around = rows.get(session.opens_at, 0)
            text = f"no row of the session that opens at {rfc3339(session.opens_at)}"
            text += f", {around} around it" if around else ""
            yield finding("missing_session", known.symbol, day_name(session), 1, text)


def _half_days(sketches: Sequence[Sketch], known: Watched) -> Iterator[Finding]:
    usual = max(session.length for session in known.scheduled)
    for sketch in sketches:
        if sketch.session.length < usual:
            ends = rfc3339(sketch.session.closes_at)
            text = f"the session closes at {ends}, after {sketch.session.length / HOUR:g} h"
            yield finding("half_day", known.symbol, day_name(sketch.session), 1, text)


def _outside(sketches: Sequence[Sketch], known: Watched) -> Iterator[Finding]:
    for sketch in sketches:
        if sketch.outside_rows:
            total = max(sketch.volume + sketch.outside, 1)
            text = f"{sketch.outside / total:.1%} of the day's volume stands outside of the session"
            day = day_name(sketch.session)
            yield finding("outside_sessions", known.symbol, day, sketch.outside_rows, text)


def _shifted(sketches: Sequence[Sketch], known: Watched) -> Iterator[Finding]:
    """By regime of daylight saving: hours labelled as other hours are off by 4 h or by 5 h."""
    groups: dict[int, list[Sketch]] = defaultdict(list)
    for sketch in sketches:
        if sketch.session.length >= FULL_DAY:
            groups[sketch.session.opens_at % DAY].append(sketch)
    for group in groups.values():
        if group[0].length > BIN:
            continue
        found = best_offset(_profile(group), group[0].session.length)
        if found.clear and abs(found.move) >= 2 * BIN:
            text = (
                f"looks shifted by {-found.move / HOUR:+g} h: the day's volume fits the session"
                f" at {found.fit:.2f} if moved by {found.move / HOUR:+g} h,"
                f" at {found.fit_here:.2f} as it is"
            )
            day = day_name(group[0].session)
            yield finding("shifted", known.symbol, day, len(group), text)


def _profile(group: Sequence[Sketch]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """The mean day in bins of a quarter of an hour, from 12 h before the open to 12 h after."""
    total = np.zeros(2 * 12 * HOUR // BIN)
    for sketch in group:
        per_bin = BIN // sketch.length
        count = len(total) * per_bin
        volumes = sketch.volumes[:count].astype(np.float64)
        day = np.add.reduceat(volumes, np.arange(0, count, per_bin))
        if day.sum():
            total += day / day.sum()
    return total


def _misstamped(sketches: Sequence[Sketch], known: Watched) -> Iterator[Finding]:
    """Bars read as stamped at the wrong end stand one bar beside the open."""
    if known.bar_length is None or not MINUTE <= known.bar_length <= HOUR:
        return
    beside = [_beside_the_open(sketch) for sketch in sketches]
    day = day_name(sketches[0].session)
    for name, step, text in (
        ("stamped_at_end", 1, "days begin one bar after the open: times look like ends of bars"),
        ("stamped_at_start", -1, "days begin one bar before the open: times look like starts"),
    ):
        if beside.count(step) > MOSTLY * len(sketches):
            yield finding(name, known.symbol, day, beside.count(step), text)


def _beside_the_open(sketch: Sketch) -> int:
    """How many bars after the open the day's trading begins: where its volume jumps."""
    open_bin = sketch.inside.start
    volumes = sketch.volumes.astype(np.float64)
    jumps = {
        step: volumes[open_bin + step] / max(volumes[open_bin + step - 1], 1.0)
        for step in (-1, 0, 1)
    }
    step = max(jumps, key=lambda step: jumps[step])
    return step if jumps[step] > JUMP else 0


def _gaps(sketches: Sequence[Sketch], known: Watched) -> Iterator[Finding]:
    sketches = [sketch for sketch in sketches if sketch.rows[sketch.inside].any()]
    if not sketches:
        return
    runs = {sketch.session: _pauses(sketch) for sketch in sketches}
    longest = [max((length for _, length in found), default=0) for found in runs.values()]
    usual = float(np.median(longest)) * sketches[0].length
    least = max(GAP, 2 * sketches[0].length, USUAL_GAPS * usual if len(sketches) > 2 else 0)
    for sketch in sketches:
        gaps = [
            (at, count * sketch.length)
            for at, count in runs[sketch.session]
            if count * sketch.length >= least
        ]
        if not gaps:
            continue
        at, length = max(gaps, key=lambda gap: gap[1])
        lost = sum(length for _, length in gaps)
        name = "half_missing" if 2 * lost >= sketch.session.length else "gap"
        text = f"nothing for {length / MINUTE:g} min from {rfc3339(at)}"
        yield finding(name, known.symbol, day_name(sketch.session), len(gaps), text)


def _pauses(sketch: Sketch) -> list[tuple[int, int]]:
    """Runs of bins without a row inside of the session: when they begin, and how many bins."""
    quiet = sketch.rows[sketch.inside] == 0
    if sketch.session.round_the_clock:
        # A day of a market that never closes begins and ends where its data do.
        busy = np.flatnonzero(~quiet)
        quiet[: busy[0]] = quiet[busy[-1] :] = False
    empty = np.concatenate(([0], quiet, [0])).astype(np.int8)
    edges = np.diff(empty)
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    opens = sketch.session.opens_at
    return [
        (opens + int(a) * sketch.length, int(b - a)) for a, b in zip(starts, stops, strict=True)
    ]


def split_findings(sketches: Sequence[Sketch], known: Watched) -> Iterator[Finding]:
    """Known splits, and prices that jump from close to open as a split would make them."""
    for before, after in pairwise(sketches):
        if not before.close or not after.open:
            continue
        day, ratio = day_name(after.session), before.close / after.open
        announced = [first for first in known.splits if day_name(before.session) < first <= day]
        looks = split_ratio(ratio)
        for first in announced:
            factor = known.splits[first]
            seen = abs(ratio / factor - 1) < 0.2
            shown = "raw prices show it" if seen else "the prices do not show it"
            text = f"{_ratio(factor)} split; {shown}"
            yield finding("split", known.symbol, day, 1, text)
        if looks and not announced:
            text = (
                f"close to open is {ratio:.3f}:1, as of a {_ratio(looks)} split that nobody told;"
                " its overnight return is left out of volatility"
            )
            yield finding("looks_split", known.symbol, day, 1, text)


def split_ratio(ratio: float) -> float | None:
    """The split that a ratio of close to next open looks like."""
    for factor in (*RATIOS, *(1 / known for known in RATIOS)):
        if abs(ratio / factor - 1) < SPLIT_TOLERANCE:
            return float(factor)
    return None


def _ratio(factor: float) -> str:
    if factor == 1.5:
        return "3:2"
    return f"{factor:g}:1" if factor >= 1 else f"1:{1 / factor:g}"
