"""An order is behind what it must have done, and nothing moves."""

from app.domain.alert import Alert, Rule, Severity, Sight, Thresholds
from app.domain.instant import rfc3339, seconds


def check(sight: Sight, thresholds: Thresholds) -> Alert | None:
    """Behind its envelope for longer than the threshold, in market time."""
    since = sight.behind_since
    if since is None or sight.now - since < thresholds.stalled_after:
        return None
    task = sight.execution.task
    return Alert(
        rule=RULE.name,
        subject=task.order_id,
        severity=Severity.WARNING,
        message=f"{task.side} {task.instrument.symbol} has made no progress for"
        f" {seconds(sight.now - since):.0f} s although children are due",
        data={
            "behind_since": rfc3339(since),
            "filled": format(sight.execution.filled, "f"),
            "threshold_seconds": f"{seconds(thresholds.stalled_after):.0f}",
        },
        order_id=task.order_id,
    )


RULE = Rule("stalled_order", "Due children make no progress.", check)
