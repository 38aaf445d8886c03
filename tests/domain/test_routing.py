"""The size rule: which algorithm an `auto` order becomes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.algos import BY_NAME
from app.domain.routing import Route, Thresholds, route
from app.domain.task import Urgency

D = Decimal
LIMITS = Thresholds(market_below=D(10_000), vwap_above=D(100_000), vwap_participation=D("0.01"))


def chosen(
    notional: str | int,
    qty: str | int = 100,
    volume: str | int | None = 1_000_000,
    urgency: Urgency = Urgency.NORMAL,
) -> Route:
    return route(
        notional=D(notional),
        qty=D(qty),
        daily_volume=None if volume is None else D(volume),
        urgency=urgency,
        thresholds=LIMITS,
    )


@pytest.mark.parametrize("urgency", [Urgency.NORMAL, Urgency.HIGH])
@pytest.mark.parametrize(
    ("notional", "qty", "volume", "algo", "reason"),
    [
        ("0.01", 1, 1_000, "market", "notional below 10000"),
        ("9999.99", 100, 1_000, "market", "notional below 10000"),
        ("10000", 100, 1_000, "twap", "notional up to 100000"),
        ("100000", 900, 1_000, "twap", "notional up to 100000"),
        ("100000.01", 1_000, 100_000, "twap", "1.00% of daily volume"),
        ("100000.01", 1_001, 100_000, "vwap", "1.00% of daily volume"),
        ("5000000", 25_000, 100_000, "vwap", "25.00% of daily volume"),
        ("100000.01", 1, None, "vwap", "notional above 100000, daily volume not known"),
        ("100000.01", 1, 0, "vwap", "notional above 100000, daily volume not known"),
    ],
)
def test_size_chooses_and_says_why(
    notional: str, qty: int, volume: int | None, algo: str, reason: str, urgency: Urgency
) -> None:
    assert chosen(notional, qty, volume, urgency) == Route(algo, reason)


@pytest.mark.parametrize("notional", ["1", "50000", "5000000"])
def test_urgency_outweighs_size(notional: str) -> None:
    assert chosen(notional, urgency=Urgency.IMMEDIATE) == Route("market", "urgency immediate")
    assert chosen(notional, urgency=Urgency.LOW) == Route("limit", "urgency low")


amounts = st.decimals(D("1E-12"), D("9E+15"), allow_nan=False, allow_infinity=False)


@given(amounts, amounts, st.none() | st.just(D(0)) | amounts, st.sampled_from(Urgency))
def test_every_size_has_an_algorithm_that_exists(
    notional: Decimal, qty: Decimal, volume: Decimal | None, urgency: Urgency
) -> None:
    found = route(
        notional=notional, qty=qty, daily_volume=volume, urgency=urgency, thresholds=LIMITS
    )
    assert found.algo in BY_NAME
    assert found.reason
