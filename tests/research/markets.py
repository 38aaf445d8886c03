"""Markets that any process can open by name."""

from decimal import Decimal

from app.calendars import ExchangeCalendars
from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.instant import MILLISECOND, SECOND
from app.domain.instrument import Instrument
from app.domain.quantity import Side
from app.domain.session import Session
from app.domain.task import Policy, Task
from app.domain.volume import default_curve
from app.feeds.synthetic import STARTS_AT, SYMBOLS, SyntheticMarket
from app.research.batch import Parent
from app.research.entering import order_id
from app.research.options import Latency, VenueOptions
from app.research.run import Scene

DRAWN = VenueOptions(Latency(2 * MILLISECOND, spread=30 * MILLISECOND))


def made_up() -> SyntheticMarket:
    return SyntheticMarket(ExchangeCalendars(), 3, SYMBOLS, STARTS_AT)


def days(symbol: str, count: int) -> list[Session]:
    return list(made_up().stretches(symbol, STARTS_AT)[:count])


def opened(market: str) -> Scene:
    """`SYMBOL:day`, a session of the made-up market."""
    symbol, day = market.split(":")
    session = days(symbol, int(day) + 1)[int(day)]
    return Scene(made_up().tape(symbol, session), (session,), venue=DRAWN)


def a_parent(symbol: str, day: int, number: int, slices: int = 5) -> Parent:
    session = days(symbol, day + 1)[day]
    instrument = made_up().instrument(symbol)
    assert isinstance(instrument, Instrument)
    start = session.opens_at + number * 60 * SECOND
    task = Task(
        order_id=order_id("batch", symbol, day, number),
        account="research",
        instrument=instrument,
        side=list(Side)[number % 2],
        qty=Decimal(500 + 100 * number),
        algo="twap",
        start=start,
        end=start + 600 * SECOND,
        session=session,
        curve=default_curve(session),
        seed=f"{symbol}:{day}:{number}",
        policy=Policy(60 * SECOND, Decimal("0.05")),
        params=complete(BY_NAME["twap"], {"slices": slices}),
    )
    return Parent(f"{symbol}:{day}", task)
