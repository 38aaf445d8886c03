"""The alert on fills far from the market's own price over the order's interval."""

from decimal import Decimal

import pytest

from app.domain.alert import Severity, Sight, Thresholds
from app.domain.alerts.vwap_deviation import RULE
from app.domain.execution import accepted
from app.domain.quantity import Side
from tests.domain.tasks import OPEN, a_task

D = Decimal


def sight(side: Side, average: str | None, vwap: str | None) -> Sight:
    return Sight(
        accepted(a_task(side=side)),
        D(average) if average is not None else None,
        None,
        None,
        OPEN,
        D(vwap) if vwap is not None else None,
    )


@pytest.mark.parametrize(
    ("side", "average", "deviation", "word"),
    [
        (Side.BUY, "101.01", "101.00", "worse"),
        (Side.BUY, "98.99", "-101.00", "better"),
        (Side.SELL, "98.99", "101.00", "worse"),
        (Side.SELL, "101.01", "-101.00", "better"),
    ],
)
def test_it_speaks_beyond_one_per_cent_either_way(
    side: Side, average: str, deviation: str, word: str
) -> None:
    found = RULE.check(sight(side, average, "100"), Thresholds())
    assert found is not None
    assert found.severity is Severity.WARNING
    assert found.data["deviation_bps"] == deviation
    assert word in found.message


@pytest.mark.parametrize("average", ["100", "101", "99", None])
@pytest.mark.parametrize("side", list(Side))
def test_it_is_silent_up_to_the_threshold(side: Side, average: str | None) -> None:
    assert RULE.check(sight(side, average, "100"), Thresholds()) is None


@pytest.mark.parametrize("vwap", [None, "0"])
def test_without_a_market_price_there_is_nothing_to_compare(vwap: str | None) -> None:
    assert RULE.check(sight(Side.BUY, "200", vwap), Thresholds()) is None


def test_the_threshold_is_a_setting() -> None:
    strict = Thresholds(vwap_deviation_bps=D(5))
    assert RULE.check(sight(Side.BUY, "100.06", "100"), strict) is not None
    assert RULE.check(sight(Side.BUY, "100.05", "100"), strict) is None
