"""A made-up market that trades now, round the clock: the same for whoever looks at it.

What happens at a moment is a pure function of seed, symbol and time: any number of processes,
started whenever, see the same quotes and trades. It is made in hours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, sqrt
from typing import Any

from app.domain.chance import symmetric
from app.domain.extended_hours import TradingDay
from app.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant
from app.domain.session import Session
from app.domain.tape import QUOTE_COLUMNS, TRADE_COLUMNS, Tape
from app.domain.tape_search import after
from app.domain.volume import default_curve
from app.feeds.synthetic.day import DISPLAYED, DayPlan, made_day
from app.feeds.synthetic.profile import SYMBOLS, Profile
from app.feeds.synthetic.seeded import generator
from app.ports import Calendar, Feed, Watched

FEED = "synthetic-live"

SUMS = ("cum_volume", "cum_notional")

BIN = 15 * MINUTE
BIN_NOISE = 0.15
HORIZON = 60 * DAY
LEAD = SECOND
"""A tape is told this much ahead, to the next whole second: the paper venue must know what the
market does when an order reaches it. Whoever decides asks for a moment, and sees nothing later."""

KEPT = HOUR
"""How far back a tape reaches where nobody needs more."""

KEPT_MOST = 3 * DAY
"""How far back at most: 14 MB a symbol and day."""


@dataclass(slots=True)
class _Kept:
    """One symbol: the hours made so far, the part of them that has happened, and the moment up to
    which growth was told."""

    profile: Profile
    hours: Tape
    tape: Tape
    grown_to: Instant


class LiveSynthetic:
    """Implements `ports.Feed` for machine time."""

    name = FEED
    starts_at: Instant | None = None
    own_volume_included = False

    def __init__(self, seed: int, symbols: Mapping[str, Profile]) -> None:
        self._seed, self._symbols = seed, symbols
        self._kept: dict[str, _Kept] = {}
        self._needed: dict[str, Instant] = {}
        self._updated: list[str] = []

    async def watch(
        self, symbol: str, now: Instant, since: Instant | None = None
    ) -> Watched | None:
        profile = self._symbols.get(symbol)
        if profile is None:
            return None
        self._needed.pop(symbol, None)
        if since is not None:
            self._needed[symbol] = since
        kept = self._kept.get(symbol)
        if kept is None or kept.hours.since > self._first(symbol, now):
            hours = self._made(symbol, self._first(symbol, now), now)
            self._kept[symbol] = _Kept(profile, hours, _until(hours, _known(now)), now)
        midnight = now // DAY * DAY
        session = Session(midnight, midnight + HORIZON)
        instrument = _always(profile).instrument(symbol)
        return Watched(
            instrument,
            (session,),
            default_curve(session),
            profile.daily_volume,
            volatility=profile.volatility,
            days=(TradingDay(session, session),),
        )

    async def keep(self, symbol: str, since: Instant) -> None:
        self._needed[symbol] = min(since, self._needed.get(symbol, since))
        kept = self._kept.get(symbol)
        if kept is not None and since < kept.hours.since:
            now = kept.tape.until
            kept.hours = self._made(symbol, self._first(symbol, now), now)
            kept.tape = _until(kept.hours, now)

    def tape(self, symbol: str) -> Tape:
        return self._kept[symbol].tape

    async def advance(self, now: Instant) -> Mapping[str, str]:
        for symbol, kept in self._kept.items():
            if _known(now) > kept.tape.until:
                self._grow(symbol, kept, now)
            if _spoke(kept.tape, kept.grown_to, now):
                self._updated.append(symbol)
            kept.grown_to = max(now, kept.grown_to)
        return {}

    def updated(self) -> Sequence[str]:
        updated, self._updated = self._updated, []
        return tuple(dict.fromkeys(updated))

    async def close(self) -> None:
        return None

    def _grow(self, symbol: str, kept: _Kept, now: Instant) -> None:
        known, first = _known(now), self._first(symbol, now)
        if known - kept.hours.until > KEPT:
            # Asleep for hours: what is not needed is not made.
            kept.hours = self._made(symbol, min(first, kept.hours.since), now)
        while kept.hours.until < known:
            kept.hours = kept.hours.extended(self._hour(symbol, kept.hours.until))
        if kept.hours.since + HOUR <= first:
            kept.hours = kept.hours.trimmed(first // HOUR * HOUR)
        kept.tape = _until(kept.hours, known)

    def _first(self, symbol: str, now: Instant) -> Instant:
        """From when on the tape is needed."""
        usual = now - KEPT
        return max(min(self._needed.get(symbol, usual), usual), now - KEPT_MOST)

    def _made(self, symbol: str, since: Instant, now: Instant) -> Tape:
        first = since // HOUR * HOUR
        made = self._hour(symbol, first)
        for start in range(first + HOUR, _known(now), HOUR):
            made = made.extended(self._hour(symbol, start))
        return made

    def _hour(self, symbol: str, start: Instant) -> Tape:
        profile, seed = self._symbols[symbol], f"{self._seed}:{symbol}"
        usual = float(profile.daily_volume) * BIN / DAY
        noise = generator(f"{seed}:{start}", "volume").lognormal(0, BIN_NOISE, HOUR // BIN)
        plan = DayPlan(
            stretch=Session(start, start + HOUR),
            opens=level(profile, seed, start),
            closes=level(profile, seed, start + HOUR),
            volatility=profile.volatility * sqrt(HOUR / DAY),
            bin_length=BIN,
            volumes=[usual * factor for factor in noise.tolist()],
            shown=DISPLAYED * float(profile.daily_volume),
            seed=f"{seed}:{start}",
        )
        return made_day(_always(profile).instrument(symbol), plan)


def level(profile: Profile, seed: str, at: Instant) -> float:
    """The price at a full hour: around the profile's for ever, moving as much as it should.

    Each day and each hour has a level of its own, one between two days; no sum over the past has
    to be kept, so the price of any hour is known at once.
    """
    day, part = at // DAY, at % DAY / DAY
    days = symmetric(seed, "day", day) * (1 - part) + symmetric(seed, "day", day + 1) * part
    hours = symmetric(seed, "hour", at // HOUR) * sqrt(HOUR / DAY)
    # The difference of two even spreads over [−1, 1) has a variance of two thirds.
    return float(profile.price) * exp(profile.volatility * sqrt(1.5) * (days + hours))


def open_feed(calendar: Calendar, options: Mapping[str, Any]) -> Feed:
    """Opens the feed. Options: `seed` (default 1); `symbols`, a mapping of names to `Profile`s
    (default: the standard set)."""
    return LiveSynthetic(int(options.get("seed", 1)), options.get("symbols") or SYMBOLS)


def _always(profile: Profile) -> Profile:
    return replace(profile, calendar="24/7")


def _known(now: Instant) -> Instant:
    return (now // SECOND + 1) * SECOND + LEAD


def _until(hours: Tape, known: Instant) -> Tape:
    """The part of made hours that is known: views on their columns, nothing is copied."""
    quotes, trades = after(hours.quote_at, known), after(hours.trade_at, known)
    columns = {name: getattr(hours, name)[:quotes] for name in QUOTE_COLUMNS}
    columns |= {name: getattr(hours, name)[:trades] for name in TRADE_COLUMNS}
    columns |= {name: getattr(hours, name)[: trades + 1] for name in SUMS}
    return replace(hours, **columns, until=known)


def _spoke(tape: Tape, since: Instant, now: Instant) -> bool:
    """Whether a quote or a trade happened in (since, now]."""
    at = tape.next_event(since)
    return at is not None and at <= now
