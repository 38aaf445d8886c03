"""Costs of many orders: means, spreads and standard errors, over all and by group.

Every order that was measured counts, filled or not: an average over completed orders alone hides
the opportunity cost of those that ran away. `mean` takes every order alike; `weighted` weighs it
by its money, which is what the account paid. The standard error is sd / √n: it says how far the
mean itself is uncertain, and belongs to every comparison.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.quantity import ZERO

PARTS = ("delay", "execution", "opportunity", "fees")
FIGURES = ("total", *PARTS, "arrival", "interval_vwap", "reversion_1m", "reversion_5m")
"""What is averaged, in basis points; the first five weigh by ordered, the others by filled
notional."""

_BY_ORDERED = frozenset(FIGURES[:5])


@dataclass(frozen=True, slots=True)
class Line:
    """One order as it counts in a summary. `bps` holds those of FIGURES that are known, `why`
    the reasons of the others; `ordered` and `filled` are money at the decision price."""

    order_id: str
    account: str
    broker: str
    symbol: str
    side: str
    algo: str
    strategy: str | None
    hour: int
    currency: str
    whole: bool
    ordered: Decimal | None
    filled: Decimal
    bps: Mapping[str, Decimal]
    why: Mapping[str, str]
    participation: Decimal | None = None
    score: float | None = None


GROUPS: Mapping[str, Callable[[Line], str | None]] = {
    "algo": lambda line: line.algo,
    "symbol": lambda line: line.symbol,
    "broker": lambda line: line.broker,
    "hour": lambda line: f"{line.hour:02d}",
    "strategy": lambda line: line.strategy,
    "side": lambda line: line.side,
}
"""By what orders can be grouped; the hour is that of the order's start, UTC."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure over some orders; None where too few have it, with the reason."""

    count: int
    mean: Decimal | None = None
    weighted: Decimal | None = None
    sd: Decimal | None = None
    standard_error: Decimal | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """Some orders together. `whole` were filled completely."""

    key: str | None
    orders: int
    whole: int
    currency: str | None
    ordered: Decimal | None
    figures: Mapping[str, Sample]
    participation: Sample
    score: Sample


def summary(lines: Iterable[Line], key: str | None = None) -> Summary:
    """All of them together."""
    of = tuple(lines)
    currencies = {line.currency for line in of}
    one = len(currencies) == 1
    known = [line.ordered for line in of if line.ordered is not None]
    return Summary(
        key=key,
        orders=len(of),
        whole=sum(line.whole for line in of),
        currency=next(iter(currencies)) if one else None,
        ordered=sum(known, ZERO) if one else None,
        figures={name: _figure(of, name, weigh=one) for name in FIGURES},
        participation=sample([(line.participation, line.filled) for line in of], weigh=one),
        score=sample([(_decimal(line.score), ZERO) for line in of], weigh=False),
    )


def grouped(lines: Iterable[Line], by: str) -> list[Summary]:
    """One summary a group, in the order of their keys. Raises KeyError for what GROUPS has not."""
    found: dict[str | None, list[Line]] = {}
    of = GROUPS[by]
    for line in lines:
        found.setdefault(of(line), []).append(line)
    keys = sorted(found, key=lambda key: (key is not None, key or ""))
    return [summary(found[key], key) for key in keys]


def sample(
    values: Sequence[tuple[Decimal | None, Decimal]], *, weigh: bool = True, why: str | None = None
) -> Sample:
    """Mean, spread and standard error of (value, weight) pairs; unknown values do not count."""
    known = [(value, weight) for value, weight in values if value is not None]
    n = len(known)
    if n == 0:
        return Sample(0, reason=why or "no order has it")
    mean = sum((value for value, _ in known), ZERO) / n
    total = sum((weight for _, weight in known), ZERO)
    weighted = None
    if weigh and total > 0:
        weighted = sum((value * weight for value, weight in known), ZERO) / total
    if n == 1:
        return Sample(1, mean, weighted, reason="one order has no spread")
    variance = sum(((value - mean) ** 2 for value, _ in known), ZERO) / (n - 1)
    sd = variance.sqrt()
    return Sample(n, mean, weighted, sd, sd / Decimal(n).sqrt())


def _figure(lines: Sequence[Line], name: str, *, weigh: bool) -> Sample:
    ordered = name in _BY_ORDERED
    values = [
        (line.bps.get(name), (line.ordered or ZERO) if ordered else line.filled) for line in lines
    ]
    reasons = Counter(why for line in lines if (why := line.why.get(name)) is not None)
    most = reasons.most_common(1)
    return sample(values, weigh=weigh, why=most[0][0] if most else None)


def _decimal(value: float | None) -> Decimal | None:
    return Decimal(repr(value)) if value is not None else None
