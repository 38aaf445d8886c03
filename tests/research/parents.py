"""Parent orders of every kind, drawn: whatever algorithms and placements there are."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from app.domain.algorithm import Kind, Parameter
from app.domain.algos import BY_NAME
from app.domain.instant import MINUTE, SECOND, Micros
from app.domain.quantity import Side, passive_tick
from app.domain.task import Urgency

AMOUNTS = {
    "min_child": (1, 100),
    "max_child": (100, 300),
    "lot": (1, 100),
    "child": (1, 100, 300),
    "display": (1, 100, 200),
}
NUMBERS = {
    "slices": st.integers(1, 12),
    "steps": st.integers(1, 5),
    "rate": st.sampled_from(["0.02", "0.1", "0.4"]),
    "kappa_t": st.sampled_from(["0", "3", "20"]),
    "size_jitter": st.sampled_from(["0.2", "0.5"]),
    "max_slippage": st.sampled_from(["0.0001", "0.002", "0.05"]),
    "seed": st.sampled_from(["a", "b", "c"]),
}
WOULD = "would_price"
"""The one parameter that only makes sense beside the market's price."""


@dataclass(frozen=True)
class Parent:
    """A parent in terms of its market: `size` in displayed sizes, `limit` and `would` in bps
    beyond the mid."""

    symbol: str
    side: Side
    algo: str
    size: float
    length: Micros
    limit: int | None
    would: int | None
    cap: str | None
    urgency: Urgency
    params: dict[str, Any]

    def qty(self, shown: float, lot: Decimal) -> Decimal:
        return max(int(self.size * shown / float(lot)), 1) * lot

    def limit_price(self, mid: Decimal, tick: Decimal) -> Decimal | None:
        return None if self.limit is None else self._price(self.limit, mid, tick)

    def asked(self, mid: Decimal, tick: Decimal) -> dict[str, Any]:
        """The parameters at today's price."""
        if self.would is None:
            return self.params
        return {**self.params, WOULD: self._price(self.would, mid, tick)}

    def _price(self, bps: int, mid: Decimal, tick: Decimal) -> Decimal:
        price = mid * (1 + self.side.sign * Decimal(bps) / 10_000)
        return max(passive_tick(price, tick, self.side), tick)


def _value(parameter: Parameter) -> st.SearchStrategy[Any]:
    if parameter.kind is Kind.CHOICE:
        return st.sampled_from(parameter.choices)
    if parameter.name in NUMBERS:
        return NUMBERS[parameter.name]
    if parameter.kind is Kind.SECONDS:
        return st.sampled_from(["0", "0.5", "7", "45"])
    if parameter.name in AMOUNTS:
        return st.sampled_from(AMOUNTS[parameter.name])
    assert parameter.name == WOULD, f"nobody draws {parameter.name}"
    return st.none()


@st.composite
def parents(draw: st.DrawFn, symbol: str, longest: Micros = 10 * MINUTE) -> Parent:
    # Exits are entered by the desk alone, beside a position: backtests make none.
    algorithm = BY_NAME[draw(st.sampled_from(sorted(set(BY_NAME) - {"bracket"})))]
    params = {}
    for parameter in algorithm.parameters:
        often = parameter.kind is Kind.CHOICE or draw(st.integers(0, 2)) == 0
        value = draw(_value(parameter)) if often else None
        if value is not None:
            params[parameter.name] = value
    limited = algorithm.needs_limit_price or draw(st.booleans())
    would = algorithm.parameter(WOULD) is not None and draw(st.integers(0, 3)) == 0
    return Parent(
        symbol=symbol,
        side=draw(st.sampled_from(list(Side))),
        algo=algorithm.name,
        size=draw(st.sampled_from([0.3, 2.0, 8.0, 25.0])),
        length=draw(st.integers(30, longest // SECOND)) * SECOND,
        limit=draw(st.integers(-15, 30)) if limited else None,
        would=draw(st.integers(-15, 5)) if would else None,
        urgency=draw(st.sampled_from(list(Urgency))),
        cap=draw(st.sampled_from([None, None, "0.01", "0.05", "0.3"])),
        params=params,
    )
