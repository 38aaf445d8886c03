"""The closing auction at the venue: orders for it rest unseen until it has printed.

Five minutes after the close its price is known for certain: the largest print since the close,
where the tape has any, else the last trade before it (a tape without auctions). Who may fill at
that price fills whole: how much else was offered in the auction is on no tape, so its depth is not
modelled, nor what an order does to its price. The others expire.
"""

from decimal import Decimal

from app.domain.auction import PRINTS_WITHIN
from app.domain.fact import TimeInForce
from app.domain.instant import Instant
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.venue.book import Match, Working
from app.domain.venue.records import Liquidity, Order


def is_for_auction(order: Order) -> bool:
    return order.time_in_force is TimeInForce.CLS


def ends_at(time_in_force: TimeInForce, session: Session) -> Instant:
    """When an order is over that arrives in a session, if nothing ends it before."""
    if time_in_force is TimeInForce.CLS:
        return session.closes_at + PRINTS_WITHIN
    return session.closes_at


def too_late(order: Order, at: Instant) -> bool:
    """Whether a cancel finds the order in an auction that is over."""
    return is_for_auction(order) and at >= _close_of(order)


def uncross(tape: Tape | None, working: Working) -> Match | None:
    """What the auction fills of an order; None: nothing. It neither takes what was shown nor was
    it shown itself: of the two words there are, it is called a maker's."""
    order = working.order
    price = closing_price(tape, _close_of(order)) if tape is not None else None
    if price is None or order.side.sign * (price - order.limit) > 0:
        return None
    return Match(working, working.leaves, price, Liquidity.MAKER)


def closing_price(tape: Tape, close: Instant) -> Decimal | None:
    """The price of the closing print; None where the tape does not know the close, or no trade."""
    if tape.until < close:
        return None
    prints = tape.prints(close - 1, close + PRINTS_WITHIN - 1)
    if len(prints.at):
        return tape.price(prints.price[prints.size.argmax()])
    last = tape.last(close - 1)
    return last[0] if last is not None else None


def _close_of(order: Order) -> Instant:
    return order.expires_at - PRINTS_WITHIN
