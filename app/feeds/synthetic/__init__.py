"""A made-up market: the same seed always gives the same days, in whatever order they are asked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, sqrt
from typing import Any

from app.domain.auction import PRINTS_WITHIN
from app.domain.chance import symmetric
from app.domain.extended_hours import OUTSIDE_SHARE
from app.domain.instant import DAY, HOUR, Instant, Micros
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import Tape
from app.feeds.synthetic.day import DISPLAYED, DayPlan, made_day
from app.feeds.synthetic.profile import SYMBOLS, Profile, bin_volumes
from app.feeds.taped import TapedFeed, bin_of, days
from app.ports import Calendar, Feed

FEED = "synthetic"

STARTS_AT: Instant = 1_767_623_400_000_000
"""Monday, 2026-01-05, when New York opens."""

THIN = 0.25
"""Of what the session shows, moves and says, in extended hours."""

HORIZON = 60 * DAY
HISTORY = 40 * DAY


@dataclass(frozen=True, slots=True)
class SyntheticMarket:
    """Implements `taped.Source`: symbols start at their profile's price at `starts_at`."""

    calendar: Calendar
    seed: int
    symbols: Mapping[str, Profile]
    starts_at: Instant

    def instrument(self, symbol: str) -> Instrument | None:
        profile = self.symbols.get(symbol)
        return profile.instrument(symbol) if profile else None

    def around(self, symbol: str) -> tuple[Micros, Micros] | None:
        return self.calendar.around(self.symbols[symbol].calendar)

    def stretches(self, symbol: str, now: Instant) -> Sequence[Session]:
        return self._stretches(symbol, now, now + HORIZON)

    def tape(self, symbol: str, stretch: Session) -> Tape:
        before, after = self.around(symbol) or (0, 0)
        tape = self.session_tape(symbol, stretch)
        opens = self._level(symbol, stretch)
        if before:
            early = Session(stretch.opens_at - before, stretch.opens_at)
            tape = self._thin(symbol, early, opens).extended(tape)
        if after:
            # While the closing auction may print, nobody else does.
            late = Session(stretch.closes_at + PRINTS_WITHIN, stretch.closes_at + after)
            closes = opens * exp(self._move(symbol, stretch))
            tape = tape.extended(self._thin(symbol, late, closes))
        return tape

    def _thin(self, symbol: str, stretch: Session, level: float) -> Tape:
        """Extended hours: around one price, little of everything."""
        profile, hours = self.symbols[symbol], stretch.length / HOUR
        volume = float(profile.daily_volume) * OUTSIDE_SHARE * hours / 10
        plan = DayPlan(
            stretch=stretch,
            opens=level,
            closes=level,
            volatility=profile.volatility * THIN * sqrt(hours / 10),
            bin_length=stretch.length,
            volumes=[volume],
            shown=DISPLAYED * float(profile.daily_volume) * THIN,
            seed=f"{self._seed(symbol, stretch)}:extended",
            pace=THIN,
        )
        return made_day(profile.instrument(symbol), plan)

    def session_tape(self, symbol: str, stretch: Session) -> Tape:
        """A stretch without the hours around it."""
        profile = self.symbols[symbol]
        opens, seed = self._level(symbol, stretch), self._seed(symbol, stretch)
        volumes = bin_volumes(profile, stretch, bin_of(stretch), seed)
        plan = DayPlan(
            stretch=stretch,
            opens=opens,
            closes=opens * exp(self._move(symbol, stretch)),
            volatility=profile.volatility,
            bin_length=bin_of(stretch),
            volumes=volumes,
            shown=DISPLAYED * sum(volumes),
            seed=seed,
        )
        return made_day(profile.instrument(symbol), plan)

    def earlier(self, symbol: str, stretch: Session) -> Sequence[Session]:
        return self._stretches(symbol, stretch.opens_at - HISTORY, stretch.opens_at)

    def volumes(self, symbol: str, stretch: Session, bin_length: Micros) -> Sequence[float]:
        """What the stretch is meant to trade: its profile says so, no tape has to be made."""
        return bin_volumes(self.symbols[symbol], stretch, bin_length, self._seed(symbol, stretch))

    def variance(self, symbol: str, stretch: Session) -> float | None:
        """What the stretch's return is meant to vary by: its profile says so as well."""
        return self.symbols[symbol].volatility ** 2

    def _stretches(self, symbol: str, start: Instant, end: Instant) -> tuple[Session, ...]:
        # Whole days are asked for, so that the stretches do not depend on the hour of asking.
        first, last = start // DAY * DAY, -(-end // DAY) * DAY
        sessions = self.calendar.sessions(self.symbols[symbol].calendar, first, last)
        return tuple(s for s in days(sessions) if s.closes_at > start and s.opens_at < end)

    def _seed(self, symbol: str, stretch: Session) -> str:
        return f"{self.seed}:{symbol}:{stretch.opens_at}"

    def _move(self, symbol: str, stretch: Session) -> float:
        # The factor gives the even spread over [−1, 1) a standard deviation of one.
        chance = symmetric(self._seed(symbol, stretch), "move") * sqrt(3)
        return self.symbols[symbol].volatility * chance

    def _level(self, symbol: str, stretch: Session) -> float:
        """The price at the stretch's open: every move since the start, added up."""
        since = self._stretches(symbol, self.starts_at, stretch.opens_at)
        moves = sum(self._move(symbol, past) for past in since)
        return float(self.symbols[symbol].price) * exp(moves)


def open_feed(calendar: Calendar, options: Mapping[str, Any]) -> Feed:
    """Opens the feed. Options, all of them optional:

    `seed` (default 1), `starts_at` (an instant; the first market time), `symbols` (names out of
    the standard set, or a mapping of names to `Profile`s).
    """
    market = open_source(calendar, options)
    return TapedFeed(FEED, market, market.starts_at)


def open_source(calendar: Calendar, options: Mapping[str, Any]) -> SyntheticMarket:
    """The market that the feed plays, without the feed."""
    starts_at = int(options.get("starts_at") or STARTS_AT)
    chosen = _chosen(options.get("symbols"))
    return SyntheticMarket(calendar, int(options.get("seed", 1)), chosen, starts_at)


def _chosen(symbols: Mapping[str, Profile] | Iterable[str] | None) -> Mapping[str, Profile]:
    if symbols is None:
        return SYMBOLS
    if isinstance(symbols, Mapping):
        return dict(symbols)
    wanted = list(symbols)
    unknown = sorted(set(wanted) - set(SYMBOLS))
    if unknown:
        raise ValueError(
            f"the synthetic feed has no {', '.join(unknown)}; it has {', '.join(SYMBOLS)}"
        )
    return {symbol: SYMBOLS[symbol] for symbol in wanted}
