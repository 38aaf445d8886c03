"""The limits there are: what each counts, in what unit, and where it may be set.

Everything is counted on orders *entered*, not on what they came to: an order that is open counts
whole until it is finished (SEC rule 15c3-5, RTS 6 article 15).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Scope(StrEnum):
    """Whose orders a bound counts. `all` has the one name `*`."""

    ALL = "all"
    ACCOUNT = "account"
    KEY = "key"
    STRATEGY = "strategy"
    SYMBOL = "symbol"


class Unit(StrEnum):
    QTY = "qty"
    MONEY = "money"
    FRACTION = "fraction"
    COUNT = "count"
    SECONDS = "seconds"
    FLAG = "flag"


class Held(StrEnum):
    """What a limit is held against, and when."""

    ORDER = "order"
    """One parent order, as it is entered."""
    USAGE = "usage"
    """What is open, held or was entered lately, this order with it."""
    CHILD = "child"
    """Each child order: the desk makes it smaller."""
    PACE = "pace"
    """What a desk does by itself: beyond it a kill switch is thrown, for a person to release."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One kind of limit. `scopes` are those it can be counted over."""

    name: str
    unit: Unit
    held: Held
    counts: str
    scopes: frozenset[Scope] = frozenset(Scope)

    @property
    def asks(self) -> bool:
        """Whether a person may be asked to confirm what goes beyond it."""
        return self.held in (Held.ORDER, Held.USAGE)


# Nobody's position but an account's is known: fills of several strategies net out in it.
_POSITIONS = frozenset({Scope.ALL, Scope.ACCOUNT, Scope.SYMBOL})
_MONEY = frozenset({Scope.ALL, Scope.ACCOUNT})
_DESK = frozenset({Scope.ALL, Scope.ACCOUNT, Scope.STRATEGY, Scope.SYMBOL})

_ALL = (
    Limit("max_order_qty", Unit.QTY, Held.ORDER, "quantity of one order"),
    Limit("max_order_notional", Unit.MONEY, Held.ORDER, "value of one order, at the worse price"),
    Limit(
        "max_limit_distance",
        Unit.FRACTION,
        Held.ORDER,
        "how far a limit price lies beyond the market, as a fraction of it",
    ),
    Limit("max_daily_share", Unit.FRACTION, Held.ORDER, "quantity over the usual daily volume"),
    Limit("restricted", Unit.FLAG, Held.ORDER, "orders that are not to be entered at all"),
    Limit(
        "no_short",
        Unit.FLAG,
        Held.USAGE,
        "sales beyond what is held and not being sold by any open order",
        _POSITIONS,
    ),
    Limit("max_open_orders", Unit.COUNT, Held.USAGE, "orders that are not finished"),
    Limit(
        "max_position_qty",
        Unit.QTY,
        Held.USAGE,
        "position in the symbol if everything open on one side fills",
        _POSITIONS,
    ),
    Limit(
        "max_position_notional",
        Unit.MONEY,
        Held.USAGE,
        "the same, at the market's price",
        _POSITIONS,
    ),
    Limit(
        "max_gross_exposure",
        Unit.MONEY,
        Held.USAGE,
        "value of all positions without their signs, open orders filled at the worse side",
        _POSITIONS,
    ),
    Limit(
        "max_net_exposure",
        Unit.MONEY,
        Held.USAGE,
        "value of all positions with their signs, open orders filled at the worse side",
        _POSITIONS,
    ),
    Limit("max_orders_1s", Unit.COUNT, Held.USAGE, "orders entered within a second"),
    Limit("max_orders_10s", Unit.COUNT, Held.USAGE, "orders entered within ten seconds"),
    Limit("max_orders_1m", Unit.COUNT, Held.USAGE, "orders entered within a minute"),
    Limit("max_notional_1s", Unit.MONEY, Held.USAGE, "value of orders entered within a second"),
    Limit("max_notional_10s", Unit.MONEY, Held.USAGE, "… within ten seconds"),
    Limit("max_notional_1m", Unit.MONEY, Held.USAGE, "… within a minute"),
    Limit("max_notional_1d", Unit.MONEY, Held.USAGE, "… within 24 hours"),
    Limit(
        "duplicate_seconds",
        Unit.SECONDS,
        Held.USAGE,
        "time since an order of the same account, symbol, side and quantity",
    ),
    Limit("max_daily_loss", Unit.MONEY, Held.USAGE, "loss since the day (UTC) began", _MONEY),
    Limit("max_drawdown", Unit.MONEY, Held.USAGE, "loss since the best moment there was", _MONEY),
    Limit("max_child_qty", Unit.QTY, Held.CHILD, "quantity of one child order", _DESK),
    Limit("max_child_notional", Unit.MONEY, Held.CHILD, "value of one child order", _DESK),
    Limit("max_children_1m", Unit.COUNT, Held.PACE, "child orders sent within a minute", _DESK),
    Limit(
        "max_rejections_1m",
        Unit.COUNT,
        Held.PACE,
        "child orders that brokers refused within a minute",
        _DESK,
    ),
)

LIMITS: Mapping[str, Limit] = MappingProxyType({limit.name: limit for limit in _ALL})

CONFIRMABLE = tuple(limit.name for limit in _ALL if limit.asks)
"""Names that `confirm` may give."""
