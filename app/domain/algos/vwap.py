"""Volume-weighted: slices follow the expected volume curve (Chen, Feng, Palomar 2016, eq. 40), and
where days of history say how, the curve is bent as volume arrives (eq. 41)."""

from app.domain.adaptive import Adaptive
from app.domain.algorithm import Algorithm, Kind, Parameter
from app.domain.instant import MINUTE
from app.domain.plan import Trajectory
from app.domain.scheduling import SCHEDULED_PARAMETERS, laid_out, scheduled
from app.domain.task import Anchor, Task

ON, OFF = "on", "off"


def plan(task: Task, anchor: Anchor) -> Trajectory:
    """Slices weighed by the curve's share of each stretch, over the time that is left."""

    def weigh(start: int, end: int) -> float:
        return task.curve.between(task.session, start, end)

    count = task.params.get("slices") or _default_slices(task)
    static = scheduled(task, anchor, count=count, weigh=weigh)
    if not adapts(task):
        return static
    slots, steps = laid_out(task, anchor, count=count, weigh=weigh)
    return Adaptive(task, static, slots, steps)


def adapts(task: Task) -> bool:
    """Whether the order's plan looks at the volume that arrives."""
    return task.curve.dynamics is not None and task.params.get("adaptive") == ON


def _default_slices(task: Task) -> int:
    return min(max((task.end - task.start) // (5 * MINUTE), 2), 1000)


ALGORITHM = Algorithm(
    name="vwap",
    title="VWAP",
    doc="Child orders sized by the intraday volume curve: from the feed's history where it has"
    " any, then also bent as the day's volume arrives; else a default U (flat for markets that"
    " never close).",
    version=2,
    plan=plan,
    windowed=True,
    profiled=adapts,
    parameters=(
        Parameter(
            "slices",
            Kind.INTEGER,
            "Number of child orders. Default: one for every five minutes.",
            minimum=1,
            maximum=1000,
        ),
        Parameter(
            "adaptive",
            Kind.CHOICE,
            "on: what is expected of the rest of the day follows the volume that arrives, within a"
            " tenth of the order from the curve, until 80 % of it are over. off: the curve stays.",
            default=ON,
            choices=(ON, OFF),
            mutable=True,
        ),
        *SCHEDULED_PARAMETERS,
    ),
)
