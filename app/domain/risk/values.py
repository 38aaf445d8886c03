"""What an order would bring each limit to: one function a limit, in the limit's own unit."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType

from app.domain.instant import DAY, MINUTE, SECOND, Micros
from app.domain.quantity import ZERO, Side
from app.domain.risk.usage import Holding, Proposal, Usage

ONE = Decimal(1)


class Unknown(Exception):
    """Something that a limit is held against is not known. The message says what.

    Whoever cannot be checked is refused: a limit that lets through what it does not know is none.
    """


Value = Callable[[Proposal, Usage], Decimal]


def _limit_distance(proposal: Proposal, usage: Usage) -> Decimal:
    if proposal.limit_price is None:
        return ZERO
    distance = proposal.side.sign * (proposal.limit_price / proposal.reference - 1)
    return max(ZERO, distance)


def _daily_share(proposal: Proposal, usage: Usage) -> Decimal:
    if not proposal.daily_volume:
        raise Unknown(f"nobody knows the daily volume of {proposal.symbol}")
    return proposal.qty / proposal.daily_volume


def _short(proposal: Proposal, usage: Usage) -> Decimal:
    """Whether the order's account may come to be short of its symbol by it, or shorter; a flag."""
    if proposal.side is Side.BUY or proposal.reduce_only:
        return ZERO
    held = usage.holding(proposal)
    return ONE if held is not None and held.least < 0 else ZERO


def _position_qty(proposal: Proposal, usage: Usage) -> Decimal:
    mine = [h for h in usage.holdings if h.symbol == proposal.symbol]
    return max(abs(sum((h.most for h in mine), ZERO)), abs(sum((h.least for h in mine), ZERO)))


def _position_notional(proposal: Proposal, usage: Usage) -> Decimal:
    return _position_qty(proposal, usage) * proposal.price


def _priced(holding: Holding) -> Decimal:
    if holding.price is None:
        raise Unknown(f"nobody knows what {holding.symbol} is worth")
    return holding.price


def _gross(proposal: Proposal, usage: Usage) -> Decimal:
    return sum((h.worst * _priced(h) for h in usage.holdings if h.worst), ZERO)


def _net(proposal: Proposal, usage: Usage) -> Decimal:
    held = [h for h in usage.holdings if h.worst]
    return max(
        abs(sum((h.most * _priced(h) for h in held), ZERO)),
        abs(sum((h.least * _priced(h) for h in held), ZERO)),
    )


def _entered(window: Micros) -> Value:
    return lambda proposal, usage: Decimal(usage.entered[window])


def _value(window: Micros) -> Value:
    return lambda proposal, usage: usage.value[window]


def _loss(proposal: Proposal, usage: Usage) -> Decimal:
    if usage.loss is None:
        raise Unknown("nobody has told today's profit and loss")
    return max(ZERO, usage.loss)


def _drawdown(proposal: Proposal, usage: Usage) -> Decimal:
    if usage.drawdown is None:
        raise Unknown("nobody has told the account's drawdown")
    return max(ZERO, usage.drawdown)


VALUES: Mapping[str, Value] = MappingProxyType(
    {
        "max_order_qty": lambda proposal, usage: proposal.qty,
        "max_order_notional": lambda proposal, usage: proposal.value,
        "max_limit_distance": _limit_distance,
        "max_daily_share": _daily_share,
        "restricted": lambda proposal, usage: ONE,
        "no_short": _short,
        "max_open_orders": lambda proposal, usage: Decimal(usage.open_orders),
        "max_position_qty": _position_qty,
        "max_position_notional": _position_notional,
        "max_gross_exposure": _gross,
        "max_net_exposure": _net,
        "max_orders_1s": _entered(SECOND),
        "max_orders_10s": _entered(10 * SECOND),
        "max_orders_1m": _entered(MINUTE),
        "max_notional_1s": _value(SECOND),
        "max_notional_10s": _value(10 * SECOND),
        "max_notional_1m": _value(MINUTE),
        "max_notional_1d": _value(DAY),
        "max_daily_loss": _loss,
        "max_drawdown": _drawdown,
    }
)

WINDOWS: tuple[Micros, ...] = (SECOND, 10 * SECOND, MINUTE, DAY)
"""Over which orders entered are counted."""

EASED = frozenset(
    {"max_position_qty", "max_position_notional", "max_gross_exposure", "max_net_exposure"}
)
"""An order that only takes a position back and makes none of these worse passes, however far
beyond the limit it is already. One that may turn the position round is a new position."""

SPARED = frozenset({"max_daily_loss", "max_drawdown"})
"""An order that only takes a position back passes: closing is what has to be possible then."""
