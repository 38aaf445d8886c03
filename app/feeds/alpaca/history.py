"""What was: trades since a moment, and what the past days tell of a symbol's volume."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

import structlog

from app.domain.instant import MINUTE, Instant, rfc3339
from app.domain.session import Session
from app.domain.volatility import STEP, daily_volatility, realised_variance
from app.domain.volume import BIN, VolumeCurve, curve_from_history
from app.feeds.alpaca.line import Line, NotPermitted
from app.feeds.alpaca.options import Source
from app.feeds.alpaca.reading import (
    Bar,
    Level,
    Print,
    Record,
    Struck,
    bar_of,
    history_of,
    level_of,
    print_of,
)

log = structlog.get_logger()

NEAR = 10 * MINUTE
"""A longer stretch is read as minutes, but for its two ends: a busy symbol has a million trades a
day."""

TIMEFRAME = "5Min"
DAYS = 20
NOT_FOR_ALL = 16 * MINUTE
"""The newest quarter of an hour of all exchanges is sold, what is older is free."""

WHOLE = Decimal(1)
LEAST_COVERAGE = Decimal("0.005")
"""A smaller part of the volume says too little about the rest to be scaled up."""

_FINE = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Past:
    """What the days before tell. `coverage` is the share of the market's volume that the feed
    sees; 1 where it is not known, and nothing is made of what is not seen."""

    curve: VolumeCurve | None
    daily_volume: Decimal | None
    coverage: Decimal
    volatility: float | None = None


async def prints(
    line: Line,
    source: Source,
    symbol: str,
    start: Instant,
    now: Instant,
    until: Instant | None = None,
) -> list[Print | Struck]:
    """What traded from `start` on, before `until` or up to the present, in order. Raises
    FeedError."""
    end = now if until is None else until
    if end - start <= NEAR:
        return await _trades(line, source, symbol, start, until)
    first, last = -(-start // MINUTE) * MINUTE, (end // MINUTE - 2) * MINUTE
    found = await _trades(line, source, symbol, start, first) if start < first else []
    for bar in await _bars(line, source, symbol, "1Min", first, last):
        found.append(Print(0, bar.at + MINUTE - 1, bar.price, bar.volume))
    return found + await _trades(line, source, symbol, last, until)


async def recent(
    line: Line, source: Source, since: Mapping[str, Instant]
) -> dict[str, list[Print | Struck]]:
    """What traded of several symbols since a moment near by, in one question. Raises FeedError."""
    start = min(since.values())
    rows = await _trade_rows(line, source, ",".join(sorted(since)), start, None)
    return {symbol: _between(rows.get(symbol, ()), first, None) for symbol, first in since.items()}


async def latest(
    line: Line, source: Source, symbols: Iterable[str]
) -> tuple[dict[str, Level], dict[str, Print]]:
    """The newest quote and trade of each symbol, where there is one. Raises FeedError."""
    asked = ",".join(sorted(symbols))
    quotes = await line.data("quotes/latest", symbols=asked, feed=source.value)
    trades = await line.data("trades/latest", symbols=asked, feed=source.value)
    levels = ((s, level_of(told)) for s, told in (quotes.get("quotes") or {}).items())
    found = ((s, print_of(told)) for s, told in (trades.get("trades") or {}).items())
    return {s: x for s, x in levels if x is not None}, {s: x for s, x in found if x is not None}


async def past(
    line: Line, source: Source, symbol: str, sessions: Sequence[Session], now: Instant
) -> Past:
    """Volume curve, mean daily volume and coverage, from the sessions before `now` of the usual
    length. Raises FeedError.

    They are those of all exchanges, also where live data are of one alone: history is free.
    """
    done = [s for s in sessions if s.closes_at <= now - NOT_FOR_ALL]
    lengths = Counter(session.length for session in done).most_common(1)
    alike = [s for s in done if s.length == lengths[0][0]][-DAYS:]
    if not alike:
        return Past(None, None, WHOLE)
    try:
        bars = await _past_bars(line, Source.SIP, symbol, alike)
    except NotPermitted as refused:
        log.warning("volume of all exchanges not permitted", symbol=symbol, error=str(refused))
        bars = await _past_bars(line, source, symbol, alike)
        return Past(_curve(_volumes(bars)), None, WHOLE, _volatility(bars))
    market, moved = _volumes(bars), _volatility(bars)
    if source is Source.SIP:
        return Past(_curve(market), _mean(market), WHOLE, moved)
    seen = _volumes(await _past_bars(line, source, symbol, alike))
    # The coverage is an estimate: a day's volume scaled up by it is not compared with others.
    curve = _curve(market)
    unscaled = curve.unscaled() if curve is not None else None
    return Past(unscaled, _mean(market), coverage(seen, market), moved)


def coverage(seen: Iterable[Sequence[float]], market: Iterable[Sequence[float]]) -> Decimal:
    """The largest share that was seen of a day: what is scaled up by it is seldom more than what
    was traded."""
    sums = [(sum(s), sum(m)) for s, m in zip(seen, market, strict=True)]
    shares = [Decimal(int(s)) / Decimal(int(m)) for s, m in sums if m >= 1]
    largest = min(max(shares, default=WHOLE), WHOLE).quantize(_FINE, ROUND_CEILING)
    return largest if largest >= LEAST_COVERAGE else WHOLE


async def _trades(
    line: Line, source: Source, symbol: str, start: Instant, end: Instant | None
) -> list[Print | Struck]:
    rows = await _trade_rows(line, source, symbol, start, end)
    return _between(rows.get(symbol, ()), start, end)


async def _trade_rows(
    line: Line, source: Source, symbols: str, start: Instant, end: Instant | None
) -> dict[str, list[Record]]:
    stop = {} if end is None else {"end": rfc3339(end)}
    return await line.rows(
        "trades", symbols=symbols, start=rfc3339(start), feed=source.value, **stop
    )


def _between(rows: Sequence[Record], start: Instant, end: Instant | None) -> list[Print | Struck]:
    found = [
        told
        for told in history_of(rows)
        if isinstance(told, Struck) or (told.at >= start and (end is None or told.at < end))
    ]
    return sorted(found, key=lambda told: told.at if isinstance(told, Print) else 0)


async def _bars(
    line: Line, source: Source, symbol: str, timeframe: str, start: Instant, end: Instant
) -> list[Bar]:
    """The bars that begin in [start, end), in order."""
    rows = await line.rows(
        "bars",
        symbols=symbol,
        timeframe=timeframe,
        start=rfc3339(start),
        end=rfc3339(end),
        adjustment="raw",
        feed=source.value,
    )
    bars = [bar for row in rows.get(symbol, ()) if (bar := bar_of(row)) is not None]
    return sorted((b for b in bars if start <= b.at < end), key=lambda bar: bar.at)


async def _past_bars(
    line: Line, source: Source, symbol: str, sessions: Sequence[Session]
) -> Mapping[Session, Sequence[Bar]]:
    """The bars of each session, in order."""
    first, last = sessions[0].opens_at, sessions[-1].closes_at
    found: dict[Session, list[Bar]] = {session: [] for session in sessions}
    upcoming = iter(sessions)
    session: Session | None = next(upcoming)
    for bar in await _bars(line, source, symbol, TIMEFRAME, first, last):
        while session is not None and bar.at >= session.closes_at:
            session = next(upcoming, None)
        if session is not None and session.contains(bar.at):
            found[session].append(bar)
    return found


def _volumes(days: Mapping[Session, Sequence[Bar]]) -> list[list[float]]:
    """What each bin of the sessions, all of one length, traded."""
    counts = {session: [0.0] * -(-session.length // BIN) for session in days}
    for session, bars in days.items():
        for bar in bars:
            counts[session][(bar.at - session.opens_at) // BIN] += bar.volume
    return list(counts.values())


def _volatility(days: Mapping[Session, Sequence[Bar]]) -> float | None:
    """From the first bar's open along the closes of each session's quarters of an hour."""
    paths = []
    for session, bars in days.items():
        closes = {(bar.at - session.opens_at) // STEP: bar.close for bar in bars}
        paths.append([*(bar.open for bar in bars[:1]), *closes.values()])
    return daily_volatility(map(realised_variance, paths))


def _curve(volumes: Sequence[Sequence[float]]) -> VolumeCurve | None:
    return curve_from_history(volumes, bin_length=BIN, periodic=False)


def _mean(volumes: Sequence[Sequence[float]]) -> Decimal | None:
    days = [sum(day) for day in volumes if sum(day) > 0]
    return Decimal(int(sum(days) / len(days))) if days else None
