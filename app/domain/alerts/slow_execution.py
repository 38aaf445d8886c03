"""An order lags far behind what it must have done, or its time ran out."""

from decimal import Decimal

from app.domain.alert import Alert, Rule, Severity, Sight, Thresholds, leaves
from app.domain.instant import seconds
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import ZERO

WORSE = 2
"""So many times the threshold is no mere note any more."""


def check(sight: Sight, thresholds: Thresholds) -> Alert | None:
    """Behind by more than a share of the order for a while: a note; by twice that, a warning. An
    order that expired with that much unfilled: an error, unless it was told to leave its rest."""
    execution = sight.execution
    qty = execution.task.qty
    if execution.status is OrderStatus.EXPIRED and not leaves(execution):
        share = max(qty - execution.filled, ZERO) / qty
        late = share >= thresholds.slow_share
        return _alert(sight, thresholds, share, Severity.ERROR) if late else None
    if execution.done or sight.slow_since is None or sight.must is None:
        return None
    share = max(sight.must - execution.filled, ZERO) / qty
    if sight.now - sight.slow_since < thresholds.slow_after or share < thresholds.slow_share:
        return None
    worse = share >= WORSE * thresholds.slow_share
    return _alert(sight, thresholds, share, Severity.WARNING if worse else Severity.INFO)


def _alert(sight: Sight, thresholds: Thresholds, share: Decimal, severity: Severity) -> Alert:
    task = sight.execution.task
    ended = sight.execution.done
    return Alert(
        rule=RULE.name,
        subject=task.order_id,
        severity=severity,
        message=f"{task.side} {task.instrument.symbol}"
        + (
            f" ended with {share:.0%} unfilled" if ended else f" is {share:.0%} behind its schedule"
        ),
        data={
            "behind_share": f"{share:.4f}",
            "threshold_share": format(thresholds.slow_share, "f"),
            "threshold_seconds": f"{seconds(thresholds.slow_after):.0f}",
            "filled": format(sight.execution.filled, "f"),
            "qty": format(task.qty, "f"),
        },
        order_id=task.order_id,
    )


RULE = Rule("slow_execution", "Far behind schedule, or out of time.", check)
