"""What an execution cost, against the arrival price and the market's own interval VWAP.

Signs: positive = cost, for buys and sells alike (side × (fill − benchmark)). A benchmark that is
not known is None with a reason, never a substitute.
"""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.market import Traded
from app.domain.quantity import ZERO, Side

_BPS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Slippage:
    """Cost against one benchmark: basis points of it, and money for what was filled."""

    benchmark: Decimal | None
    bps: Decimal | None
    money: Decimal | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The cost of one order so far. `participation` is own over market volume, own included;
    `own_included` says whether the interval VWAP holds our own fills (None: not known); fees are
    in money, positive = cost."""

    filled: Decimal
    average_price: Decimal | None
    arrival: Slippage
    interval_vwap: Slippage
    fees: Decimal
    participation: Decimal | None
    own_included: bool | None = None


def slippage_bps(side: Side, price: Decimal, benchmark: Decimal) -> Decimal:
    """side × (price − benchmark) / benchmark, in basis points."""
    return side.sign * (price - benchmark) / benchmark * _BPS


def measure(
    *,
    side: Side,
    filled: Decimal,
    filled_notional: Decimal,
    fees: Decimal,
    arrival_mid: Decimal | None,
    market: Traded | None,
    own_included: bool | None = None,
) -> Outcome:
    """Cost of `filled` at `filled_notional` (price × quantity) against both benchmarks.

    `own_included`: whether `market` counts our own fills (None: not known, taken as not).
    """
    average = filled_notional / filled if filled > 0 else None
    vwap = market.vwap if market is not None else None
    without = "no market volume was recorded" if market is None else "the market did not trade"
    others = market.volume if market is not None else ZERO
    total = max(others, filled) if own_included else others + filled
    return Outcome(
        filled=filled,
        average_price=average,
        arrival=_against(side, filled, average, arrival_mid, "no quote at arrival"),
        interval_vwap=_against(side, filled, average, vwap, without),
        fees=fees,
        participation=filled / total if market is not None and total > 0 else None,
        own_included=own_included if market is not None else None,
    )


def _against(
    side: Side, filled: Decimal, average: Decimal | None, benchmark: Decimal | None, without: str
) -> Slippage:
    if benchmark is None:
        return Slippage(None, None, None, without)
    if benchmark <= 0:
        return Slippage(benchmark, None, None, "the benchmark is not above zero")
    if average is None:
        return Slippage(benchmark, None, None, "nothing was filled")
    money = side.sign * (average - benchmark) * filled
    return Slippage(benchmark, slippage_bps(side, average, benchmark), money)
