"""Failed and slow orders, at, below and above their thresholds."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.alert import Severity, Sight, Thresholds, failed
from app.domain.alerts import alerts, failed_orders, slow_execution
from app.domain.execution import accepted
from app.domain.instant import SECOND
from app.domain.lifecycle import OrderStatus
from tests.domain.tasks import OPEN, a_task

D = Decimal
O = OrderStatus  # noqa: E741
LIMITS = Thresholds(failed_orders=3, slow_share=D("0.2"), slow_after=60 * SECOND)


def sight(
    status: OrderStatus = O.WORKING, *, filled: int = 0, now: int = OPEN, **seen: Any
) -> Sight:
    execution = replace(accepted(a_task()), status=status, filled=D(filled))
    return Sight(execution, None, None, None, now, **seen)


@pytest.mark.parametrize(
    ("status", "filled", "in_a_row", "told"),
    [
        (O.REJECTED, 0, 3, True),
        (O.REJECTED, 0, 7, True),
        (O.REJECTED, 0, 2, False),
        (O.EXPIRED, 0, 3, True),
        (O.EXPIRED, 1, 3, False),
        (O.CANCELED, 0, 3, False),
        (O.FILLED, 1000, 3, False),
    ],
)
def test_failed_orders(status: OrderStatus, filled: int, in_a_row: int, told: bool) -> None:
    seen = sight(status, filled=filled, failed_orders=in_a_row)
    alert = failed_orders.check(seen, LIMITS)
    assert (alert is not None) is told
    if alert is not None:
        assert (alert.severity, alert.subject) == (Severity.ERROR, seen.execution.task.account)
        assert alert.data["failed"] == str(in_a_row)


@pytest.mark.parametrize(
    ("must", "seconds", "severity"),
    [
        (299, 999, None),
        (300, 59, None),
        (300, 60, Severity.INFO),
        (499, 60, Severity.INFO),
        (500, 60, Severity.WARNING),
        (1000, 60, Severity.WARNING),
    ],
)
def test_behind_by_far_for_long(must: int, seconds: int, severity: Severity | None) -> None:
    """100 of 1000 are filled: 300 due are a fifth of the order behind."""
    now = OPEN + seconds * SECOND
    seen = sight(filled=100, now=now, must=D(must), slow_since=OPEN)
    alert = slow_execution.check(seen, LIMITS)
    assert (alert.severity if alert else None) == severity
    assert slow_execution.check(replace(seen, slow_since=None), LIMITS) is None


@pytest.mark.parametrize(("filled", "told"), [(801, False), (800, True), (0, True)])
def test_out_of_time(filled: int, told: bool) -> None:
    alert = slow_execution.check(sight(O.EXPIRED, filled=filled), LIMITS)
    assert (alert is not None) is told
    if alert is not None:
        assert alert.severity is Severity.ERROR
        assert "unfilled" in alert.message


def test_both_rules_are_found() -> None:
    seen = sight(O.EXPIRED, failed_orders=3)
    assert {a.rule for a in alerts(seen, LIMITS)} == {"failed_orders", "slow_execution"}
    assert failed(seen.execution)


@pytest.mark.parametrize("filled", [0, 300])
def test_what_is_left_as_told_is_no_failure(filled: int) -> None:
    task = a_task("limit", limit="99.00", params={"completion": "leave"})
    execution = replace(accepted(task), status=O.EXPIRED, filled=D(filled))
    assert not alerts(Sight(execution, None, None, None, OPEN, failed_orders=3), LIMITS)
