"""Time-weighted: equal slices over equal stretches of time (Almgren and Chriss 2000, eq. 9)."""

from app.domain.algorithm import Algorithm, Kind, Parameter
from app.domain.plan import Plan
from app.domain.scheduling import SCHEDULED_PARAMETERS, scheduled
from app.domain.task import Anchor, Task


def plan(task: Task, anchor: Anchor) -> Plan:
    """Equal slices; the largest and smallest differ by one lot at most."""
    return scheduled(task, anchor, count=task.params["slices"], weigh=lambda a, b: 1.0)


ALGORITHM = Algorithm(
    name="twap",
    title="TWAP",
    doc="Equal child orders over a window, each at a slightly random time.",
    version=1,
    plan=plan,
    windowed=True,
    default_window_minutes=60,
    parameters=(
        Parameter(
            "slices",
            Kind.INTEGER,
            "Number of child orders.",
            default=10,
            minimum=1,
            maximum=1000,
        ),
        *SCHEDULED_PARAMETERS,
    ),
)
