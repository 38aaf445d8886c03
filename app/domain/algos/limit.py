"""Rest at a price: nothing must be done, everything may be."""

from app.domain.algorithm import Algorithm, Placement
from app.domain.parameters import MAX_CHILD, MIN_CHILD, WOULD_PRICE, Completion, completion
from app.domain.plan import Plan
from app.domain.scheduling import finishing, whole
from app.domain.task import Anchor, Task


def plan(task: Task, anchor: Anchor) -> Plan:
    """One slice that may rest from the start and never has to cross, unless it is to finish."""
    return finishing(task, anchor) or whole(task, anchor, due_at=None)


ALGORITHM = Algorithm(
    name="limit",
    title="Limit",
    doc="Rests at the limit price until the window ends; what the market does not take is left.",
    version=2,
    plan=plan,
    extended_hours=True,
    parameters=(MIN_CHILD, MAX_CHILD, WOULD_PRICE, completion(Completion.LEAVE)),
    needs_limit_price=True,
    placement=Placement.AT_LIMIT,
    completes=False,
)
