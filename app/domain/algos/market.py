"""Everything at once: cross until nothing is left."""

from decimal import Decimal

from app.domain.algorithm import MAX_CHILD, Algorithm
from app.domain.plan import Plan, Step, staircase
from app.domain.task import Anchor, Task


def plan(task: Task, anchor: Anchor) -> Plan:
    """One slice, due at once. Sums to what the anchor left to do."""
    left: Decimal = task.qty - anchor.done
    step = Step(anchor.at, anchor.at, left)
    return staircase([step], done=anchor.done, interval=task.end - anchor.at)


ALGORITHM = Algorithm(
    name="market",
    title="Market",
    doc="Takes the far touch, again at each new quote, until the quantity is done. A limit price,"
    " where given, is never crossed.",
    version=1,
    plan=plan,
    parameters=(MAX_CHILD,),
)
