"""One order of an account after another ends without a single fill, or refused."""

from app.domain.alert import Alert, Rule, Severity, Sight, Thresholds, failed


def check(sight: Sight, thresholds: Thresholds) -> Alert | None:
    """Failed orders of the account in a row, the latest to end first; one that traded ends it."""
    if not failed(sight.execution) or sight.failed_orders < thresholds.failed_orders:
        return None
    task = sight.execution.task
    return Alert(
        rule=RULE.name,
        subject=task.account,
        severity=Severity.ERROR,
        message=f"{sight.failed_orders} orders of account {task.account} failed in a row,"
        f" the last in {task.instrument.symbol}: {sight.execution.reason or 'no reason told'}",
        data={
            "failed": str(sight.failed_orders),
            "threshold": str(thresholds.failed_orders),
            "status": sight.execution.status.value,
            "reason": sight.execution.reason or "",
        },
        order_id=task.order_id,
    )


RULE = Rule("failed_orders", "Orders of an account that fail, one after another.", check)
