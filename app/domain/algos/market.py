"""Everything at once: cross until nothing is left."""

from app.domain.algorithm import Algorithm
from app.domain.parameters import MAX_CHILD, MIN_CHILD
from app.domain.plan import Plan
from app.domain.scheduling import whole
from app.domain.task import Anchor, Task


def plan(task: Task, anchor: Anchor) -> Plan:
    """One slice, due at once. Sums to what the anchor left to do."""
    return whole(task, anchor, due_at=anchor.at)


ALGORITHM = Algorithm(
    name="market",
    title="Market",
    doc="Takes the far touch, again at each new quote, until the quantity is done. A limit price,"
    " where given, is never crossed.",
    version=1,
    plan=plan,
    parameters=(MIN_CHILD, MAX_CHILD),
)
