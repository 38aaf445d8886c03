"""Implementation shortfall (Perold 1988, expanded after Wagner and Kissell): paper return minus
actual return, in four parts that sum to it exactly.

With D the mid at the decision, B the mid when work began, E the mid at the order's end, X the
ordered, F the filled and U = max(X − F, 0) the unfilled quantity, N the money of the fills and
s = +1 for a buy, −1 for a sell:

    delay       = s × F × (B − D)
    execution   = s × (N − F × B)
    opportunity = s × U × (E − D)
    fees        = what was paid, rebates negative
    total       = s × (N − F × D) + opportunity + fees

Money is exact (decimals keep 60 digits here: `app/__init__.py`). Basis points are of X × D, each
part rounded to a millionth and the total their sum. A part whose price is not known is None with a
reason; `trading` (delay + execution) and the total need no B, and stay known without it.
"""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.quantity import ZERO, Side

_BPS = Decimal(10_000)
_MILLIONTH = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a cost: money, and basis points of the ordered notional."""

    money: Decimal | None
    bps: Decimal | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked and what came of it. `notional` is price × quantity of all fills."""

    side: Side
    ordered: Decimal
    filled: Decimal
    notional: Decimal
    fees: Decimal

    @property
    def unfilled(self) -> Decimal:
        return max(self.ordered - self.filled, ZERO)


@dataclass(frozen=True, slots=True)
class Price:
    """A mid at one of the moments that count, or why it is not known."""

    mid: Decimal | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The parts and their total. `trading` is delay + execution."""

    decision: Price
    begin: Price
    end: Price
    delay: Part
    execution: Part
    opportunity: Part
    fees: Part
    trading: Part
    total: Part


def shortfall(asked: Asked, decision: Price, begin: Price, end: Price) -> Shortfall:
    """The cost of `asked` against the mid at its decision."""
    paper = _paper(asked, decision)
    if paper is None:
        return _unknown(asked, decision, begin, end)
    delay, execution = _while_trading(asked, decision, begin, paper)
    trading = _sum(delay, execution)
    if trading.money is None:
        trading = _part(_traded(asked, decision), paper)
    opportunity = _opportunity(asked, decision, end, paper)
    fees = _part(asked.fees, paper)
    total = _sum(trading, opportunity, fees)
    return Shortfall(decision, begin, end, delay, execution, opportunity, fees, trading, total)


def _paper(asked: Asked, decision: Price) -> Decimal | None:
    """What everything would have been worth at the decision; None: no such price."""
    if decision.mid is None or decision.mid <= 0:
        return None
    return asked.ordered * decision.mid


def _unknown(asked: Asked, decision: Price, begin: Price, end: Price) -> Shortfall:
    missing = Part(None, None, decision.reason or "the decision price is not above zero")
    fees = Part(asked.fees, None, missing.reason)
    return Shortfall(decision, begin, end, missing, missing, missing, fees, missing, missing)


def _while_trading(
    asked: Asked, decision: Price, begin: Price, paper: Decimal
) -> tuple[Part, Part]:
    if asked.filled == 0:
        return _part(ZERO, paper), _part(ZERO, paper)
    if begin.mid is None or decision.mid is None:
        missing = Part(None, None, begin.reason)
        return missing, missing
    delay = asked.side.sign * asked.filled * (begin.mid - decision.mid)
    execution = asked.side.sign * (asked.notional - asked.filled * begin.mid)
    return _part(delay, paper), _part(execution, paper)


def _traded(asked: Asked, decision: Price) -> Decimal:
    assert decision.mid is not None, "there is a paper value"
    return asked.side.sign * (asked.notional - asked.filled * decision.mid)


def _opportunity(asked: Asked, decision: Price, end: Price, paper: Decimal) -> Part:
    if asked.unfilled == 0:
        return _part(ZERO, paper)
    if end.mid is None or decision.mid is None:
        return Part(None, None, end.reason)
    return _part(asked.side.sign * asked.unfilled * (end.mid - decision.mid), paper)


def _part(money: Decimal, paper: Decimal) -> Part:
    return Part(money, (money / paper * _BPS).quantize(_MILLIONTH))


def _sum(*parts: Part) -> Part:
    money, bps = ZERO, ZERO
    for part in parts:
        if part.money is None or part.bps is None:
            return Part(None, None, part.reason)
        money, bps = money + part.money, bps + part.bps
    return Part(money, bps)
