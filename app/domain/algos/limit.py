"""Rest at a price: nothing must be done, everything may be."""

from app.domain.algorithm import MAX_CHILD, Algorithm
from app.domain.plan import Plan, Step, staircase
from app.domain.task import Anchor, Task


def plan(task: Task, anchor: Anchor) -> Plan:
    """One slice that may rest from the start and never has to cross."""
    step = Step(anchor.at, None, task.qty - anchor.done)
    return staircase([step], done=anchor.done, interval=task.end - anchor.at)


ALGORITHM = Algorithm(
    name="limit",
    title="Limit",
    doc="Rests at the limit price until the window ends; what the market does not take is left.",
    version=1,
    plan=plan,
    parameters=(MAX_CHILD,),
    needs_limit_price=True,
)
