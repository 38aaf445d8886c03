"""What would happen to an order: checked and planned like an order, and then forgotten."""

from dataclasses import dataclass

from app.domain.admission import Admitted, admit
from app.domain.alternatives import Alternative
from app.domain.cost.frontier import Frontier, frontier_of
from app.domain.cost.model import Estimate
from app.domain.cost.participation import Share, shares_of
from app.domain.expected_path import expected_steps, follows_volume
from app.domain.plan import Step
from app.domain.quantity import ZERO
from app.domain.request import Request
from app.domain.risk.judge import Verdict
from app.domain.scene import Scene
from app.domain.task import Anchor
from app.engine.costing import expected, weighed
from app.engine.ids import new_id
from app.engine.limits import checked, proposal_of
from app.engine.quotes import scene_for
from app.engine.service import Caller, Service, check_broker
from app.store import halts
from app.store.restraint import verdicts_now


@dataclass(frozen=True, slots=True)
class Preview:
    """An order as it would be. Random slice times differ with the id that a real order gets."""

    admitted: Admitted
    priority: int
    steps: tuple[Step, ...]
    expected: bool
    """The market's volume decides when: `steps` are those that a usual day would bring."""
    scene: Scene
    verdicts: tuple[Verdict, ...]
    """Of each limit that bears on the order."""
    halt: str | None
    """The kill switch that bears on it."""
    estimate: Estimate
    alternatives: tuple[Alternative, ...]
    frontier: Frontier
    shares: tuple[Share, ...] | None
    """Of the market's volume, slice by slice; None without a daily volume."""


async def preview(service: Service, caller: Caller, request: Request) -> Preview:
    """Check and plan a request. A limit it breaks is a verdict; anything else raises Refusal."""
    caller.check_symbol(request.symbol)
    request = await service.strategies.applied(request)
    scene = await scene_for(service, request.symbol)
    admitted = admit(request, new_id(), scene, service.rules)
    task = admitted.task
    expected_path = follows_volume(task)
    if expected_path:
        steps = expected_steps(task, scene.daily_volume)
    else:
        steps = admitted.algorithm.plan(task, Anchor(task.start, ZERO)).steps
    estimate = expected(service, request, admitted, scene)
    check_broker(service, task)
    # An order too large is still shown with its schedule.
    limited, _ = await checked(
        service, proposal_of(caller, request, admitted), frozenset(request.confirm)
    )
    async with service.database.connection() as connection:
        verdicts = await verdicts_now(connection, limited)
        halted = await halts.halts(connection, account=request.account)
    return Preview(
        admitted=admitted,
        priority=request.priority,
        steps=steps,
        expected=expected_path,
        scene=scene,
        verdicts=verdicts,
        halt=halts.halt_for(
            halted,
            symbol=request.symbol,
            strategy=request.strategy,
            reduces=request.reduce_only,
        ),
        estimate=estimate,
        alternatives=weighed(service, request, admitted, scene),
        frontier=frontier_of(estimate, task.qty, admitted.notional / task.qty),
        shares=shares_of(steps, task, scene.daily_volume, expected=expected_path),
    )
