"""The fills so far cost more against the arrival price than they should."""

from app.domain.alert import Alert, Rule, Severity, Sight, Thresholds
from app.domain.tca import slippage_bps


def check(sight: Sight, thresholds: Thresholds) -> Alert | None:
    """Average fill against arrival mid, in basis points; positive is a cost."""
    if sight.average_price is None or sight.arrival_mid is None or sight.arrival_mid <= 0:
        return None
    task = sight.execution.task
    cost = slippage_bps(task.side, sight.average_price, sight.arrival_mid)
    if cost <= thresholds.slippage_bps:
        return None
    return Alert(
        rule=RULE.name,
        subject=task.order_id,
        severity=Severity.WARNING,
        message=f"{task.side} {task.instrument.symbol} costs {cost:.1f} bps against arrival",
        data={
            "slippage_bps": f"{cost:.2f}",
            "threshold_bps": format(thresholds.slippage_bps, "f"),
            "average_price": f"{sight.average_price:.6f}",
            "arrival_mid": format(sight.arrival_mid, "f"),
        },
        order_id=task.order_id,
    )


RULE = Rule("excessive_slippage", "Fills cost more than the threshold against arrival.", check)
