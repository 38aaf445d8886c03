"""Rest at a price, and cross everything once a stop is hit: the exit of a bracket."""

from decimal import Decimal

from app.domain.algorithm import Algorithm, Kind, Parameter, Placement
from app.domain.exits import REASONS, is_forced
from app.domain.parameters import MAX_CHILD, MIN_CHILD
from app.domain.plan import Plan, staircase
from app.domain.scheduling import whole
from app.domain.task import Anchor, Task


def plan(task: Task, anchor: Anchor) -> Plan:
    """One slice: due at once where nothing is waited for any more, else it may rest at the limit
    price; without one it waits for its stop alone."""
    waits = task.params.get("stop") is not None or task.limit_price is not None
    if is_forced(task) or not waits:
        return whole(task, anchor, due_at=anchor.at)
    if task.limit_price is not None:
        return whole(task, anchor, due_at=None)
    return staircase([], done=anchor.done, interval=max(task.end - anchor.at, 1))


ALGORITHM = Algorithm(
    name="bracket",
    title="Bracket",
    doc="Rests at the limit price (the take-profit) until the touch it would take is at the stop or"
    " beyond it: then it cancels what rests and crosses everything, at any price inside the collar."
    " Without a limit price it waits for the stop alone; with neither it crosses at once.",
    version=1,
    plan=plan,
    parameters=(
        MIN_CHILD,
        MAX_CHILD,
        Parameter(
            "stop",
            Kind.DECIMAL,
            "The price of the touch at which everything crosses.",
            minimum=Decimal("0.000000000001"),
            mutable=True,
        ),
        Parameter(
            "close_before",
            Kind.SECONDS,
            "What is left crosses so long before the window's end.",
            minimum=0,
            maximum=86_400,
            mutable=True,
        ),
        Parameter(
            "forced",
            Kind.CHOICE,
            "Why everything crosses; set by the server when it does.",
            choices=REASONS,
        ),
    ),
    placement=Placement.AT_LIMIT,
    completes=False,
)
