"""An exit has to cross and cannot: its price lies beyond the collar, nothing is quoted, or a kill
switch holds it."""

from app.domain.alert import Alert, Rule, Severity, Sight, Thresholds
from app.domain.exits import is_forced
from app.domain.instant import SECOND, rfc3339

PATIENCE = 5 * SECOND
"""What was shown is taken at once; what is shown next comes soon in a market that trades."""


def check(sight: Sight, thresholds: Thresholds) -> Alert | None:
    """Forced, and without a fill for longer than that, in market time."""
    since, task = sight.behind_since, sight.execution.task
    if since is None or not is_forced(task) or sight.now - since < PATIENCE:
        return None
    left = task.qty - sight.execution.filled
    return Alert(
        rule=RULE.name,
        subject=task.order_id,
        severity=Severity.CRITICAL,
        message=f"{left:f} {task.instrument.symbol} of an exit have to cross"
        f" ({task.params['forced']}) and do not: {_why(sight.bound)}",
        data={
            "behind_since": rfc3339(since),
            "left": format(left, "f"),
            "bound": sight.bound or "none",
        },
        order_id=task.order_id,
    )


def _why(bound: str | None) -> str:
    if bound == "halt":
        return "a kill switch holds every child back"
    if bound in ("collar", "no_quote", "crossed_book", "stale_quote"):
        return f"there is no price inside the collar ({bound})"
    return "what is offered is too little" if bound is None else f"held back by {bound}"


RULE = Rule("exit_waits", "An exit that has to cross does not.", check)
