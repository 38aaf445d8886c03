"""Time-weighted: equal slices over equal stretches of time (Almgren and Chriss 2000, eq. 9)."""

from app.domain.algorithm import (
    MAX_CHILD,
    MIN_CHILD,
    PATIENCE,
    PLACEMENT,
    SEED,
    SLICE_LOT,
    Algorithm,
    Kind,
    Parameter,
)
from app.domain.plan import Plan
from app.domain.scheduling import scheduled
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
        Parameter(
            "jitter",
            Kind.SECONDS,
            "Each slice moves by up to this much either way, half a slice's time at most.",
            default=30,
            minimum=0,
            maximum=3600,
        ),
        PLACEMENT,
        PATIENCE,
        SLICE_LOT,
        MIN_CHILD,
        MAX_CHILD,
        SEED,
    ),
)
