"""What an order is expected to cost, as it is accepted or asked about."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from app.domain.admission import Admitted
from app.domain.alternatives import Alternative, alternatives
from app.domain.cost.calibration import PUBLISHED, Calibration
from app.domain.cost.model import Conditions, Estimate
from app.domain.cost.order import conditions_of, estimate_order
from app.domain.cost.plain import plain
from app.domain.quantity import digits
from app.domain.request import AUTO, Request
from app.domain.scene import Scene
from app.engine.service import Service


def calibration_for(service: Service, account: str) -> Calibration:
    """What the outcomes at this account's broker have taught so far."""
    return service.costs.get(service.broker_of[account], PUBLISHED)


def expected(service: Service, request: Request, admitted: Admitted, scene: Scene) -> Estimate:
    conditions = _conditions(scene, admitted.quote is not None)
    return estimate_order(
        admitted.task,
        admitted.algorithm,
        conditions,
        scene.daily_volume,
        calibration_for(service, request.account),
    )


@lru_cache(maxsize=256)
def _conditions(scene: Scene, quoted: bool) -> Conditions:
    """Every order that meets this scene meets the same."""
    return conditions_of(scene.quote if quoted else None, scene.volatility, scene.daily_volume)


def weighed(
    service: Service, request: Request, admitted: Admitted, scene: Scene
) -> tuple[Alternative, ...]:
    """The algorithms that the router knows, with their estimates."""
    calibration = calibration_for(service, request.account)
    return alternatives(admitted, request, scene, service.rules, calibration)


def snapshot(
    service: Service, request: Request, admitted: Admitted, scene: Scene
) -> Mapping[str, Any]:
    """The estimate as it is kept with the order; the alternatives where the router chose."""
    if request.algo != AUTO:
        return _kept(expected(service, request, admitted, scene), admitted)
    known = weighed(service, request, admitted, scene)
    taken = next(one.estimate for one in known if one.taken)
    return {**_kept(taken, admitted), "alternatives": [brief(one) for one in known]}


def _kept(estimate: Estimate, admitted: Admitted) -> dict[str, Any]:
    # As little as will do: every order that is accepted waits for it. The rest is made when read.
    return {**plain(estimate), "notional": digits(admitted.notional)}


def brief(one: Alternative) -> dict[str, Any]:
    """An alternative as JSON."""
    total, sd = one.estimate.total, one.estimate.sd
    return {
        "algo": one.algo,
        "taken": one.taken,
        "why": one.why,
        "total_bps": None if total is None else format(total, "f"),
        "sd_bps": None if sd is None else format(sd, "f"),
        "reason": one.estimate.reason,
    }
