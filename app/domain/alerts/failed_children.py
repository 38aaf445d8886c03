"""The broker refuses one child after another."""

from app.domain.alert import Alert, Rule, Severity, Sight, Thresholds


def check(sight: Sight, thresholds: Thresholds) -> Alert | None:
    """Refusals in a row, without a fill between."""
    execution = sight.execution
    if execution.rejections < thresholds.failed_children:
        return None
    return Alert(
        rule=RULE.name,
        subject=execution.task.order_id,
        severity=Severity.ERROR,
        message=f"{execution.rejections} children of {execution.task.instrument.symbol}"
        " refused in a row",
        data={
            "rejections": str(execution.rejections),
            "threshold": str(thresholds.failed_children),
        },
        order_id=execution.task.order_id,
    )


RULE = Rule("failed_children", "Children refused by the broker, one after another.", check)
