"""Rest at a price and show a part: the next appears when the one before has filled."""

from decimal import Decimal

from app.domain.algorithm import Algorithm, Placement
from app.domain.parameters import (
    DISPLAY,
    MAX_CHILD,
    MIN_CHILD,
    SEED,
    SIZE_JITTER,
    WOULD_PRICE,
    Completion,
    completion,
)
from app.domain.plan import Plan
from app.domain.scheduling import finishing, whole
from app.domain.task import Anchor, Task


def plan(task: Task, anchor: Anchor) -> Plan:
    """One slice that may rest from the start; the guard `display` shows it part by part."""
    return finishing(task, anchor) or whole(task, anchor, due_at=None)


ALGORITHM = Algorithm(
    name="iceberg",
    title="Iceberg",
    doc="Rests at the limit price and never shows more than `display` at a time, a tenth of the"
    " order by default; the parts may differ in size, so that they are not recognised.",
    version=1,
    plan=plan,
    extended_hours=True,
    parameters=(
        DISPLAY,
        SIZE_JITTER,
        MIN_CHILD,
        MAX_CHILD,
        SEED,
        WOULD_PRICE,
        completion(Completion.LEAVE),
    ),
    needs_limit_price=True,
    placement=Placement.AT_LIMIT,
    shows=Decimal("0.1"),
    completes=False,
)
