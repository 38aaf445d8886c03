"""What the venue takes: definite refusals, decided when an order comes in."""

from collections.abc import Sequence
from decimal import Decimal

from app.domain.instant import Instant
from app.domain.instrument import Instrument
from app.domain.quantity import is_multiple
from app.domain.session import Session, session_at
from app.domain.venue.records import Code


class NotTaken(Exception):
    """The order is refused. `code` is for machines."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def admit(
    instrument: Instrument,
    sessions: Sequence[Session],
    *,
    qty: Decimal,
    limit: Decimal,
    arrives_at: Instant,
) -> Session:
    """The session an order arrives in. Raises NotTaken."""
    if not _on_grid(qty, instrument.lot):
        raise NotTaken(Code.BAD_QUANTITY, f"{qty} is not a multiple of {instrument.lot} above 0")
    if not _on_grid(limit, instrument.tick):
        raise NotTaken(Code.BAD_PRICE, f"{limit} is not a multiple of {instrument.tick} above 0")
    session = session_at(sessions, arrives_at)
    if session is None:
        raise NotTaken(
            Code.MARKET_CLOSED, f"{instrument.symbol} does not trade when the order arrives"
        )
    return session


def _on_grid(value: Decimal, step: Decimal) -> bool:
    try:
        return value.is_finite() and value > 0 and is_multiple(value, step)
    except ArithmeticError:  # Too many digits to say.
        return False
