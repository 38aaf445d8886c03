"""Cases that gates are asked about."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.domain.flow.record import Classified, Flow, Frame, Level
from app.domain.gate import Case, ExpectedCost, StrategyKind
from app.domain.gates import BY_NAME
from app.domain.instant import MINUTE, SECOND
from app.domain.market import Quote
from app.domain.quantity import Side
from app.domain.regime.record import Components, Label, Regime
from app.domain.ruling import Decision, choose, rule

NOW = 1_000 * MINUTE


def asked(gate: str, case: Case, **params: Any) -> Decision:
    """One gate alone."""
    return rule(case, [choose(gate, params)])


def quote(bid_size: str = "300", ask_size: str = "100") -> Quote:
    return Quote(
        Decimal("100.00"), Decimal("100.02"), Decimal(bid_size), Decimal(ask_size), NOW, NOW
    )


def frame(
    length: int, strength: float | None = 2.0, trades: float | None = 0.5, end: int = NOW
) -> Frame:
    return Frame(
        length=length,
        end=end,
        ofi=strength,
        strength=strength,
        updates=0 if strength is None else 100,
        trade_imbalance=trades,
        trades=0 if trades is None else 50,
        bought=Decimal(75),
        sold=Decimal(25),
    )


def flow() -> Flow:
    """All for buyers."""
    return Flow(
        at=NOW,
        imbalance=0.5,
        frames=tuple(frame(length) for length in (10 * SECOND, MINUTE, 5 * MINUTE)),
        cvd=Decimal(400),
        cvd_volume=Decimal(1000),
        cvd_since=0,
        footprint=tuple(Level(Decimal(100 + n), Decimal(9), Decimal(1)) for n in range(4)),
        classified=Classified(0.9, 0.1, 0.0),
    )


def regime(label: Label = Label.TRENDING, confidence: float = 0.9) -> Regime:
    parts = Components(NOW, 1.2, 2.0, 0.01, 0.01, 0.5, 0.0, 500)
    return Regime(NOW, label, NOW - MINUTE, confidence, parts)


def flat_cost(bps: str) -> Any:
    """The same at any size."""
    return lambda qty: ExpectedCost(Decimal(bps))


def root_cost(bps: str, of: int = 1000) -> Any:
    """Growing with the root of the size, `bps` at `of`."""
    return lambda qty: ExpectedCost(Decimal(bps) * (qty / of).sqrt())


def case(side: Side = Side.BUY, **given: Any) -> Case:
    whole = Case(
        side=side,
        qty=Decimal(1000),
        now=NOW,
        at=NOW - SECOND,
        kind=StrategyKind.MOMENTUM,
        confidence=0.8,
        expected_edge=Decimal(20),
        reference=Decimal("100.01"),
        stop=Decimal(99) if side is Side.BUY else Decimal(101),
        target=Decimal(104) if side is Side.BUY else Decimal(96),
        quote=quote(),
        flow=flow(),
        regime=regime(),
        cost_at=flat_cost("5"),
    )
    return replace(whole, **given)


EVERY = [choose(name, {}) for name in BY_NAME]
