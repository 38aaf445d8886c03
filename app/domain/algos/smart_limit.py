"""A limit order near the touch instead of a market order: patient first, and never far away."""

from app.domain.algorithm import Algorithm, Placement
from app.domain.parameters import (
    MAX_CHILD,
    MAX_SLIPPAGE,
    MIN_CHILD,
    SEED,
    SIZE_JITTER,
    Completion,
    completion,
)
from app.domain.plan import Plan
from app.domain.scheduling import finishes, patience, preferring, whole
from app.domain.task import Anchor, Task


def plan(task: Task, anchor: Anchor) -> Plan:
    """One slice, due when patience ends: what rested until then crosses, within the bound."""
    left = max(task.end - anchor.at, 1)
    latest = task.end - left // 10 if finishes(task) else task.end
    return whole(task, anchor, due_at=min(anchor.at + patience(task, left), latest))


ALGORITHM = Algorithm(
    name="smart_limit",
    title="Smart limit",
    doc="Rests near the touch, steps towards the market, and takes it when patience ends, all"
    " within a bound on the slippage from arrival; what the bound keeps it from is left. Use it"
    " where a market order would be too trusting.",
    version=1,
    plan=plan,
    extended_hours=True,
    windowed=True,
    default_window_minutes=10,
    parameters=(
        MAX_SLIPPAGE,
        *preferring(Placement.STEP_UP),
        MIN_CHILD,
        MAX_CHILD,
        SIZE_JITTER,
        SEED,
        completion(Completion.FINISH),
    ),
)
