"""The parents of a backtest, drawn once by the seed: every algorithm gets the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import exp, log

from app.domain.chance import unit
from app.domain.instant import SECOND, Instant
from app.domain.instrument import Instrument
from app.domain.quantity import Side, floor_to
from app.domain.session import Session
from app.research.backtest.plan import Plan
from app.research.backtest.source import NoTape, Source
from app.tapes.day import day_name


@dataclass(frozen=True, slots=True)
class Market:
    """One symbol's session."""

    symbol: str
    session: Session

    @property
    def day(self) -> str:
        return day_name(self.session)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A parent before an algorithm works it. `share` is its size as a fraction of the trailing
    mean daily volume, None where its size was given."""

    number: int
    market: Market
    side: Side
    qty: Decimal
    start: Instant
    end: Instant
    share: float | None


@dataclass(frozen=True, slots=True)
class Deck:
    """All parents, and the sessions that could hold none, by reason."""

    parents: tuple[Drawn, ...]
    markets: int
    left_out: dict[str, int]


def draw(plan: Plan, source: Source) -> Deck:
    """The parents of a plan. Raises NoTape where there is nothing to draw from."""
    found: list[tuple[Market, Instrument, Decimal | None]] = []
    left_out: dict[str, int] = {}
    for market, instrument in _markets(plan, source):
        usual = None
        if plan.window is not None and market.session.length < plan.window:
            why = "shorter than the window"
        elif plan.shares is None:
            why = ""
        else:
            usual = source.past(market.symbol, market.session).daily_volume
            why = "" if usual else "no earlier day to size by"
        if why:
            left_out[why] = left_out.get(why, 0) + 1
        else:
            found.append((market, instrument, usual))
    if not found:
        reasons = ", ".join(f"{count} {why}" for why, count in left_out.items())
        raise NoTape(f"no session to draw from: {reasons or 'there are none in these days'}")
    parents = tuple(_parent(plan, number, found) for number in range(plan.parents))
    return Deck(parents, len(found), left_out)


def _markets(plan: Plan, source: Source) -> list[tuple[Market, Instrument]]:
    found = []
    for symbol in plan.symbols or source.symbols():
        instrument = source.instrument(symbol)
        if instrument is None:
            known = ", ".join(source.symbols()) or "none"
            raise NoTape(f"no symbol {symbol!r}; there are: {known}")
        for session in source.sessions(symbol, plan.range()):
            market = Market(symbol, session)
            if plan.days is None or plan.days[0] <= market.day <= plan.days[1]:
                found.append((market, instrument))
    return found


def _parent(
    plan: Plan, number: int, markets: Sequence[tuple[Market, Instrument, Decimal | None]]
) -> Drawn:
    def chance(what: str) -> float:
        return unit(plan.seed, "parent", number, what)

    market, instrument, usual = markets[int(chance("market") * len(markets))]
    session = market.session
    length = min(plan.window or session.length, session.length)
    room = (session.length - length) // SECOND
    start = session.opens_at + int(chance("start") * (room + 1)) * SECOND
    side = Side(plan.side) if plan.side != "random" else list(Side)[int(chance("side") * 2)]
    share = None
    if plan.shares is not None:
        low, high = (log(float(bound)) for bound in plan.shares)
        share = round(exp(low + (high - low) * chance("size")), 9)
    wanted = plan.qty if plan.qty is not None else (usual or Decimal(0)) * Decimal(repr(share))
    qty = max(floor_to(wanted, instrument.lot), instrument.min_qty, instrument.lot)
    return Drawn(number, market, side, qty, start, start + length, share)
