"""Markets of studies: one session of one symbol, named `layout/symbol/YYYY-MM-DD`."""

from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from app.domain.instant import MINUTE, rfc3339
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.task import Policy
from app.research.options import VenueOptions
from app.research.run import Scene
from app.tapes.reading.recording import Records
from bench.studies.volumes import records

POLICY = Policy(max_quote_age=10 * MINUTE, collar=Decimal("0.05"))
"""Minutes without a trade have no bar: quotes made from bars may be that old."""


def market_of(layout: str, symbol: str, session: Session) -> str:
    return f"{layout}/{symbol}/{rfc3339(session.opens_at)[:10]}"


def date_of(market: str) -> str:
    return market.rsplit("/", 1)[1]


def symbol_of(market: str) -> str:
    return market.rsplit("/", 2)[1]


@lru_cache(maxsize=4)
def opened_records(data: Path, layout: str) -> Records:
    return records(data, layout)


def instrument_of(data: Path, layout: str, symbol: str) -> Instrument:
    found = opened_records(data, layout).instrument(symbol)
    assert found is not None, f"{layout} has no {symbol}"
    return found


@lru_cache(maxsize=4)
def opened(data: Path, venue: VenueOptions, market: str) -> Scene:
    """The tape of a market's session, at a venue."""
    layout, symbol, _ = market.split("/")
    kept = opened_records(data, layout)
    session = next(s for s in kept.stretches(symbol) if market_of(layout, symbol, s) == market)
    return Scene(kept.tape(symbol, session), (session,), venue=venue)
