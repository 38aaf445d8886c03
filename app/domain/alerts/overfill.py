"""The broker filled more than was asked."""

from app.domain.alert import Alert, Rule, Severity, Sight, Thresholds


def check(sight: Sight, thresholds: Thresholds) -> Alert | None:
    """Quantity beyond the order: nothing more is sent for it until somebody has looked."""
    execution = sight.execution
    if execution.excess <= 0:
        return None
    return Alert(
        rule=RULE.name,
        subject=execution.task.order_id,
        severity=Severity.CRITICAL,
        message=f"{format(execution.excess, 'f')} {execution.task.instrument.symbol} filled"
        " beyond the order",
        data={
            "excess": format(execution.excess, "f"),
            "filled": format(execution.filled, "f"),
            "qty": format(execution.task.qty, "f"),
        },
        order_id=execution.task.order_id,
    )


RULE = Rule("overfill", "More filled than asked.", check)
