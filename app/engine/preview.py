"""What would happen to an order: checked and planned like an order, and then forgotten."""

from dataclasses import dataclass, fields, replace
from decimal import Decimal

from app.domain.admission import Admitted, Scene, admit
from app.domain.limits import Limits, measured
from app.domain.plan import Plan
from app.domain.quantity import ZERO
from app.domain.request import Request
from app.domain.task import Anchor
from app.engine.ids import new_id
from app.engine.quotes import scene_for
from app.engine.service import Service
from app.store import controls


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one limit or halt says. `limit` None: there is no such limit."""

    name: str
    passed: bool
    limit: Decimal | None = None
    value: Decimal | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """An order as it would be. Random slice times differ with the id that a real order gets."""

    admitted: Admitted
    priority: int
    plan: Plan
    scene: Scene
    verdicts: tuple[Verdict, ...]


async def preview(service: Service, request: Request) -> Preview:
    """Check and plan a request. A limit it breaks is a verdict; anything else raises Refusal."""
    scene = await scene_for(service, request.symbol)
    # Without limits, so that an order too large is still shown with its schedule.
    admitted = admit(request, new_id(), scene, replace(service.rules, limits=Limits()))
    task = admitted.task
    return Preview(
        admitted=admitted,
        priority=request.priority,
        plan=admitted.algorithm.plan(task, Anchor(task.start, ZERO)),
        scene=scene,
        verdicts=(*_limits(service, request, admitted), await _halt(service, request)),
    )


def _limits(service: Service, request: Request, admitted: Admitted) -> list[Verdict]:
    limits, qty = service.rules.limits, admitted.task.qty
    values = measured(qty, request.limit_price, admitted.notional / qty)
    verdicts = []
    for limit in fields(limits):
        bound, value = getattr(limits, limit.name), values[limit.name]
        verdicts.append(Verdict(limit.name, bound is None or value <= bound, bound, value))
    return verdicts


async def _halt(service: Service, request: Request) -> Verdict:
    async with service.database.connection() as connection:
        halted = await controls.halts(connection, account=request.account)
    reason = controls.halt_for(halted, symbol=request.symbol, strategy=request.strategy)
    return Verdict("kill_switch", reason is None, reason=reason)
