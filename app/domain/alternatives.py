"""What else an order could have become: each algorithm the router knows, with its expected cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.admission import Admitted
from app.domain.algorithm import Algorithm, complete
from app.domain.algos import BY_NAME
from app.domain.cost.calibration import Calibration
from app.domain.cost.model import Estimate
from app.domain.cost.order import conditions_of, estimate_order
from app.domain.request import AUTO, Request
from app.domain.routing import route, taken_for
from app.domain.scene import Rules, Scene
from app.domain.task import Task
from app.domain.window import default_end


@dataclass(frozen=True, slots=True)
class Alternative:
    """One algorithm: its estimate for this order, and why it was taken or not."""

    algo: str
    taken: bool
    why: str
    estimate: Estimate


def alternatives(
    admitted: Admitted, request: Request, scene: Scene, rules: Rules, calibration: Calibration
) -> tuple[Alternative, ...]:
    """The router's candidates and what was asked for, in the order of the rules."""
    conditions = conditions_of(admitted.quote, scene.volatility, scene.daily_volume)
    reasons = _reasons(admitted, request, scene, rules)
    if admitted.task.extended_hours:
        reasons = {name: why for name, why in reasons.items() if BY_NAME[name].extended_hours}
    found = []
    for name, why in reasons.items():
        algorithm, taken = BY_NAME[name], name == admitted.task.algo
        task = admitted.task if taken else _as(admitted.task, algorithm, request)
        expected = estimate_order(task, algorithm, conditions, scene.daily_volume, calibration)
        found.append(Alternative(name, taken, why, expected))
    return tuple(found)


def _reasons(admitted: Admitted, request: Request, scene: Scene, rules: Rules) -> Mapping[str, str]:
    chosen, known = admitted.route, taken_for(rules.thresholds)
    if request.algo == AUTO:
        said = {name: f"not taken: {when}" for name, when in known.items()}
        return said | {chosen.algo: chosen.reason}
    preferred = route(
        notional=admitted.notional,
        qty=admitted.task.qty,
        daily_volume=scene.daily_volume,
        urgency=request.urgency,
        thresholds=rules.thresholds,
    )
    said = {name: f"not asked for; auto takes it {when}" for name, when in known.items()}
    said[preferred.algo] = f"not asked for; auto would take it: {preferred.reason}"
    return said | {chosen.algo: chosen.reason}


def _as(task: Task, algorithm: Algorithm, request: Request) -> Task:
    """The same order under another algorithm: its own window unless the order named one, its own
    parameters but for the placement."""
    end = task.end
    if request.end is None and request.duration is None:
        end = default_end(task.start, task.session, algorithm)
    placement = task.params.get("placement")
    known = algorithm.parameter("placement")
    given: dict[str, Any] = {}
    if known is not None and placement in known.choices:
        given["placement"] = placement
    return task._replace(algo=algorithm.name, end=end, params=complete(algorithm, given))
