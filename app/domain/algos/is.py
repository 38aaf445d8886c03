"""Implementation shortfall: sooner rather than evenly, as far as the order's urgency pays for it
(Almgren and Chriss 2000, equation 18)."""

from math import exp

from app.domain.algorithm import Algorithm, Kind, Parameter
from app.domain.impact.trajectory import urgency_pace
from app.domain.instant import MINUTE, Instant
from app.domain.plan import Plan
from app.domain.scheduling import SCHEDULED_PARAMETERS, scheduled
from app.domain.task import Anchor, Task

SLICES_MAX = 1000


def plan(task: Task, anchor: Anchor) -> Plan:
    """Slices in the proportions of the optimal trajectory over the time that is left.

    kappa is that of the whole window, so planning anew on the way changes nothing that was still
    to come (time consistency, section 3.1).
    """
    given = task.params.get("kappa_t")
    pace = float(given) if given is not None else urgency_pace(task.urgency)
    kappa = pace / (task.end - task.start)

    def weigh(start: Instant, end: Instant) -> float:
        # cosh(kappa (T − t)) at the slot's middle, but for a factor that all slots share.
        middle = (start + end) / 2
        sooner = exp(-kappa * (middle - anchor.at))
        return sooner * (1 + exp(-2 * kappa * (task.end - middle)))

    return scheduled(task, anchor, count=_count(task), weigh=weigh)


def _count(task: Task) -> int:
    given = task.params.get("slices")
    return int(given) if given else min(max((task.end - task.start) // (5 * MINUTE), 2), SLICES_MAX)


ALGORITHM = Algorithm(
    name="is",
    title="Implementation shortfall",
    doc="Trades sooner the more urgent the order is: less risk that the price runs away from the"
    " arrival price, for more market impact (Almgren and Chriss 2000).",
    version=1,
    plan=plan,
    windowed=True,
    default_window_minutes=60,
    parameters=(
        Parameter(
            "kappa_t",
            Kind.DECIMAL,
            "Urgency as kappa T of Almgren and Chriss: 0 is TWAP, 3 their worked example, 10 almost"
            " everything in the first fifth of the window. Default: 1, 3, 6 or 12 by the order's"
            " urgency.",
            minimum=0,
            maximum=100,
            mutable=True,
        ),
        Parameter(
            "slices",
            Kind.INTEGER,
            "Number of child orders. Default: one for every five minutes.",
            minimum=1,
            maximum=SLICES_MAX,
        ),
        *SCHEDULED_PARAMETERS,
    ),
)
