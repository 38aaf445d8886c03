"""What a decision may know of the account that the order belongs to."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.instant import Micros
from app.domain.quantity import ZERO, Side


@dataclass(frozen=True, slots=True)
class Desk:
    """What belongs to the account, not to the order.

    `halt` names the control that forbids new children; `own_bid` and `own_ask` are the best
    prices at which other orders of this account rest in the same symbol. `queued`: as many
    orders work already as the account may have at once, and this one is not among them; who
    comes first is not decided here. `margin` is how long a cancel and a child after it take at
    this broker: what has to be done by the end of a window begins so much earlier. `auction`: the
    broker takes children for the closing auction; `auctioned` are the sides on which other orders
    of this account have some there, in the same symbol. `pause` is the least time between two
    moves of a child that follows the market: so many share the broker's rate of messages. For an
    order that only reduces, `held` is the account's position in its symbol (signed; None: not
    told), and `reducing` what other orders may still fill on its side; `netted`: others of
    the account hold against what its own strategy holds. `stops`: the broker rests a stop beside a
    limit, and nobody of the account is to trade on the other side of the symbol meanwhile.
    `own_stop`: a stop of another order of the account rests on the other side of the symbol.
    `child_qty` and `child_notional` are the most that a limit allows one child.
    """

    halt: str | None = None
    own_bid: Decimal | None = None
    own_ask: Decimal | None = None
    queued: bool = False
    margin: Micros = 0
    auction: bool = True
    auctioned: frozenset[Side] = frozenset()
    pause: Micros = 0
    held: Decimal | None = None
    reducing: Decimal = ZERO
    netted: bool = False
    child_qty: Decimal | None = None
    child_notional: Decimal | None = None
    stops: bool = False
    own_stop: bool = False
