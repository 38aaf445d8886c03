"""Volume-weighted: slices follow the expected volume curve (Chen, Feng, Palomar 2016, eq. 40)."""

from app.domain.algorithm import Algorithm, Kind, Parameter
from app.domain.instant import MINUTE
from app.domain.plan import Plan
from app.domain.scheduling import SCHEDULED_PARAMETERS, scheduled
from app.domain.task import Anchor, Task


def plan(task: Task, anchor: Anchor) -> Plan:
    """Slices weighed by the curve's share of each stretch, over the time that is left."""
    return scheduled(
        task,
        anchor,
        count=task.params.get("slices") or _default_slices(task),
        weigh=lambda a, b: task.curve.between(task.session, a, b),
    )


def _default_slices(task: Task) -> int:
    return min(max((task.end - task.start) // (5 * MINUTE), 2), 1000)


ALGORITHM = Algorithm(
    name="vwap",
    title="VWAP",
    doc="Child orders sized by the intraday volume curve: from the feed's history where it has"
    " any, else a default U (flat for markets that never close).",
    version=1,
    plan=plan,
    windowed=True,
    parameters=(
        Parameter(
            "slices",
            Kind.INTEGER,
            "Number of child orders. Default: one for every five minutes.",
            minimum=1,
            maximum=1000,
        ),
        *SCHEDULED_PARAMETERS,
    ),
)
