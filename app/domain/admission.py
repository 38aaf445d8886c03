"""From a request to a task, or a refusal that names the field: the whole gate, pure."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from app.domain.admission_params import check_slices, check_would, shown
from app.domain.algorithm import Algorithm, Placement, complete
from app.domain.algos import BY_NAME
from app.domain.auction import check_auction
from app.domain.bracket_check import check_bracket
from app.domain.extended_hours import check_extended, hours_of
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.parameters import Completion
from app.domain.quantity import Side, floor_to, is_multiple, passive_tick
from app.domain.refusal import Refusal
from app.domain.request import AUTO, Request
from app.domain.routing import Route, route
from app.domain.scene import Rules, Scene, reference_now, reference_of, trusted
from app.domain.task import Task
from app.domain.window import window

PRIORITY_MAX = 100


class Admitted(NamedTuple):
    """A request that may be an order."""

    task: Task
    algorithm: Algorithm
    route: Route
    notional: Decimal
    """At the arrival price."""
    quote: Quote | None
    """At arrival; None where there was none, or none to be trusted."""
    daily_volume: Decimal | None = None


def admit(request: Request, order_id: str, scene: Scene, rules: Rules) -> Admitted:
    """Check everything about a request. Raises Refusal naming the field, and changes nothing."""
    instrument, hours = scene.instrument, scene.sessions
    if request.extended_hours:
        hours = hours_of(instrument.symbol, scene.days, allowed=rules.extended_hours)
    scene = trusted(scene, hours, rules.policy)
    reference = reference_of(scene)
    qty = _quantity(request, instrument, reference)
    _check_price(request, instrument)
    chosen = _route(request, qty, reference, scene, rules)
    algorithm = BY_NAME.get(chosen.algo)
    if algorithm is None:
        known = ", ".join([AUTO, *sorted(BY_NAME)])
        raise Refusal(
            "unknown_algorithm", f"no algorithm {chosen.algo!r}; there are: {known}", field="algo"
        )
    params = complete(algorithm, request.params)
    if request.extended_hours:
        check_extended(algorithm, params, request.bracket is not None)
    limit_price = _bounded(request.side, _limit_price(request, algorithm, scene), params, scene)
    _check_participation(request)
    _check_priority(request)
    asked_close = params.get("completion") == Completion.CLOSE
    session, start, end = window(
        request, algorithm, instrument.symbol, hours, scene.now, to_close=asked_close
    )
    check_slices(params, instrument)
    check_would(request.side, params, reference, rules.policy)
    params = shown(algorithm, params, qty, instrument)
    task = Task(
        order_id=order_id,
        account=request.account,
        instrument=instrument,
        side=request.side,
        qty=qty,
        algo=algorithm.name,
        start=start,
        end=end,
        session=session,
        curve=scene.curve_for(session, request.extended_hours),
        seed=str(params.get("seed", order_id)),
        policy=rules.policy,
        limit_price=limit_price,
        max_participation=request.max_participation,
        urgency=request.urgency,
        params=params,
        reduce_only=request.reduce_only,
        extended_hours=request.extended_hours,
    )
    check_auction(task, start)
    if request.bracket is not None:
        check_bracket(request.bracket, task, _expected(request.side, limit_price, scene))
    return Admitted(
        task,
        algorithm,
        chosen,
        notional=qty * reference,
        quote=scene.quote,
        daily_volume=scene.daily_volume,
    )


def _expected(side: Side, limit_price: Decimal | None, scene: Scene) -> Decimal:
    """The price at which an order fills at worst, as things stand: the far touch, or its limit."""
    quote = scene.quote
    quoted = quote is not None and quote.uncrossed and quote.bid > 0
    price = quote.far(side) if quote is not None and quoted else reference_of(scene)
    if limit_price is None:
        return price
    return min(price, limit_price) if side is Side.BUY else max(price, limit_price)


def _quantity(request: Request, instrument: Instrument, reference: Decimal) -> Decimal:
    if (request.qty is None) == (request.notional is None):
        raise Refusal("qty_or_notional", "give exactly one of qty and notional", field="qty")
    if request.qty is None:
        assert request.notional is not None, "checked above"
        if request.notional <= 0:
            raise Refusal("not_positive", "notional must be above zero", field="notional")
        qty = floor_to(request.notional / reference, instrument.lot)
        field = "notional"
    else:
        qty, field = request.qty, "qty"
        if qty <= 0:
            raise Refusal("not_positive", "qty must be above zero", field=field)
        if not is_multiple(qty, instrument.lot):
            raise Refusal(
                "wrong_lot", f"qty must be a whole multiple of {instrument.lot}", field=field
            )
    smallest = max(instrument.min_qty, instrument.lot)
    if qty < smallest:
        raise Refusal(
            "below_minimum",
            f"{format(qty, 'f')} is below the smallest quantity, {smallest}",
            field=field,
        )
    return qty


def _check_price(request: Request, instrument: Instrument) -> None:
    price = request.limit_price
    if price is None:
        return
    if price <= 0:
        raise Refusal("not_positive", "limit_price must be above zero", field="limit_price")
    if not is_multiple(price, instrument.tick):
        raise Refusal(
            "wrong_tick",
            f"limit_price must be a whole multiple of {instrument.tick}",
            field="limit_price",
        )


def check_amended(task: Task, scene: Scene, rules: Rules, changed: Collection[str]) -> None:
    """What an amended order must be, like a new one; `changed` names what was asked for.
    Raises Refusal, or Unavailable without a price to check against."""
    check_slices(dict(task.params), task.instrument)
    check_auction(task, task.start)
    if "params" in changed and task.params.get("would_price") is not None:
        reference = reference_now(scene, rules.policy, task.extended_hours)
        check_would(task.side, task.params, reference, rules.policy)


def _route(request: Request, qty: Decimal, reference: Decimal, scene: Scene, rules: Rules) -> Route:
    if request.algo != AUTO:
        return Route(request.algo, "asked for")
    if request.extended_hours and request.limit_price is None:
        return Route("smart_limit", "extended hours, where only limit orders are taken")
    if request.extended_hours:
        return Route("limit", "extended hours, with a limit price")
    if not request.smart:
        plain = "market" if request.limit_price is None else "limit"
        return Route(plain, "smart execution is off")
    return route(
        notional=qty * reference,
        qty=qty,
        daily_volume=scene.daily_volume,
        urgency=request.urgency,
        thresholds=rules.thresholds,
    )


def _limit_price(request: Request, algorithm: Algorithm, scene: Scene) -> Decimal | None:
    if request.limit_price is not None:
        return request.limit_price
    if not algorithm.needs_limit_price:
        if algorithm.placement is Placement.AT_LIMIT and request.params.get("stop") is None:
            said = f"{algorithm.name} needs a limit_price, a stop, or both"
            raise Refusal("limit_price_needed", said, field="limit_price")
        return None
    quote = scene.quote
    if request.algo == AUTO and quote is not None and quote.uncrossed and quote.bid > 0:
        return quote.near(request.side)
    raise Refusal(
        "limit_price_needed", f"{algorithm.name} needs a limit_price", field="limit_price"
    )


def _bounded(
    side: Side, limit_price: Decimal | None, params: Mapping[str, Any], scene: Scene
) -> Decimal | None:
    """The limit price, or a better one where the order bounds its slippage from arrival."""
    most = params.get("max_slippage")
    if most is None:
        return limit_price
    furthest = reference_of(scene) * (1 + side.sign * most)
    bound = passive_tick(furthest, scene.instrument.tick, side)
    if bound <= 0:
        raise Refusal("out_of_range", "max_slippage leaves no price", field="params.max_slippage")
    if limit_price is None:
        return bound
    return min(limit_price, bound) if side is Side.BUY else max(limit_price, bound)


def _check_priority(request: Request) -> None:
    if not -PRIORITY_MAX <= request.priority <= PRIORITY_MAX:
        raise Refusal(
            "out_of_range",
            f"priority lies between {-PRIORITY_MAX} and {PRIORITY_MAX}",
            field="priority",
        )


def _check_participation(request: Request) -> None:
    share = request.max_participation
    if share is not None and not 0 < share < 1:
        raise Refusal(
            "out_of_range",
            "max_participation is a fraction between 0 and 1 (0.1 is ten per cent)",
            field="max_participation",
        )
