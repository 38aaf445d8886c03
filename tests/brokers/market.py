"""Hand-made markets for broker tests: a tape in a few rows, one instrument, one session."""

from collections.abc import Iterable
from decimal import Decimal

from app.domain.fact import Purpose, TimeInForce
from app.domain.instant import SECOND, Instant
from app.domain.instrument import Instrument
from app.domain.quantity import Side
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.tape_build import Quotes, Trades, build_tape
from app.ports import Ticket

SYMBOL = "ACME"
START = 1_760_000_000 * SECOND
SESSION = Session(START, START + 1000 * SECOND)
INSTRUMENT = Instrument(SYMBOL, Decimal("0.01"), Decimal(1), Decimal(1), "XNYS")

QuoteRow = tuple[int, int, int, int, int]
"""At, bid, bid size, offer, offer size; prices in cents, times in the test's own unit."""
TradeRow = tuple[int, int, int]
"""At, price, size."""


def market(
    quotes: Iterable[QuoteRow] = (),
    trades: Iterable[TradeRow] = (),
    *,
    unit: int = SECOND,
    until: Instant = SESSION.closes_at,
) -> Tape:
    """The tape of SYMBOL; times count `unit`s from START."""
    q, t = sorted(quotes, key=lambda r: r[0]), sorted(trades, key=lambda r: r[0])
    return build_tape(
        SYMBOL,
        price_scale=100,
        size_scale=1,
        since=START - SECOND,
        until=until,
        quotes=Quotes(
            at=[START + r[0] * unit for r in q],
            bid=[r[1] for r in q],
            bid_size=[r[2] for r in q],
            ask=[r[3] for r in q],
            ask_size=[r[4] for r in q],
        ),
        trades=Trades(
            at=[START + r[0] * unit for r in t],
            price=[r[1] for r in t],
            size=[r[2] for r in t],
        ),
    )


def at(seconds: float) -> Instant:
    return START + round(seconds * SECOND)


def ticket(
    child_id: str,
    side: Side = Side.BUY,
    qty: int | str = 100,
    limit: str = "10.00",
    *,
    moment: Instant = START,
    time_in_force: TimeInForce = TimeInForce.DAY,
    symbol: str = SYMBOL,
    send_by: Instant | None = None,
    stop: str | None = None,
    stop_limit: str | None = None,
) -> Ticket:
    return Ticket(
        child_id=child_id,
        symbol=symbol,
        side=side,
        qty=Decimal(qty),
        limit_price=Decimal(limit),
        time_in_force=time_in_force,
        purpose=Purpose.CROSS if time_in_force is TimeInForce.IOC else Purpose.REST,
        at=moment,
        send_by=send_by,
        stop_price=None if stop is None else Decimal(stop),
        stop_limit_price=None if stop_limit is None else Decimal(stop_limit),
    )
