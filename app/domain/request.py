"""What a client asks for when it enters a parent order, before anything is checked."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from app.domain.bracket import Bracket
from app.domain.instant import Instant, Micros
from app.domain.quantity import Side
from app.domain.task import OnRestart, Urgency

AUTO = "auto"


class Request(NamedTuple):
    """A parent order as asked for. Exactly one of `qty` and `notional` must be given.

    The body of an order says all but the first and the last two as they stand here.
    """

    account: str
    symbol: str
    side: Side
    qty: Decimal | None = None
    notional: Decimal | None = None
    algo: str = AUTO
    params: Mapping[str, Any] = MappingProxyType({})
    limit_price: Decimal | None = None
    start: Instant | None = None
    end: Instant | None = None
    duration: Micros | None = None
    max_participation: Decimal | None = None
    urgency: Urgency = Urgency.NORMAL
    priority: int = 0
    """Between orders, where not all can go first: higher before lower, −100 to 100."""
    on_restart: OnRestart = OnRestart.RESUME
    time_in_force: str = "day"
    """`day`, or `ioc`: done at once or not at all. Its window is short; nothing else differs."""
    client_order_id: str | None = None
    strategy: str | None = None
    reduce_only: bool = False
    """Never takes the account's position through zero; over when nothing is left to reduce."""
    extended_hours: bool = False
    """Works before the open and after the close too, by limit orders alone."""
    tags: tuple[str, ...] = ()
    confirm: tuple[str, ...] = ()
    """Names of soft limits that somebody knows of and wants to go beyond, this once."""
    bracket: Bracket | None = None
    """What becomes of what it fills."""
    smart: bool = True
    """Off: where the algorithm is ours to choose, the order is worked plainly."""
