"""From a request to a task, or a refusal that names the field: the whole gate, pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from app.domain.algorithm import Algorithm, complete
from app.domain.algos import BY_NAME
from app.domain.instant import DAY, MINUTE, SECOND, Instant, Micros, rfc3339
from app.domain.instrument import Instrument
from app.domain.limits import Limits, check_limits
from app.domain.market import Quote
from app.domain.quantity import floor_to, is_multiple
from app.domain.refusal import Refusal, Unavailable
from app.domain.request import AUTO, Request
from app.domain.routing import Route, Thresholds, route
from app.domain.session import Session, session_at, session_from
from app.domain.task import Policy, Task
from app.domain.volume import VolumeCurve, default_curve

WINDOW_MIN: Micros = SECOND
PRIORITY_MAX = 100


@dataclass(frozen=True, slots=True)
class Rules:
    """What the house checks and assumes, from settings."""

    limits: Limits
    thresholds: Thresholds
    policy: Policy


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known of the market when an order arrives."""

    instrument: Instrument
    sessions: Sequence[Session]
    curve: VolumeCurve | None
    quote: Quote | None
    last: Decimal | None
    last_at: Instant | None
    daily_volume: Decimal | None
    now: Instant


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may be an order."""

    task: Task
    algorithm: Algorithm
    route: Route
    notional: Decimal
    """At the arrival price; what limits were checked against."""
    quote: Quote | None
    """At arrival; None where there was none, or none to be trusted."""


def admit(request: Request, order_id: str, scene: Scene, rules: Rules) -> Admitted:
    """Check everything about a request. Raises Refusal naming the field, and changes nothing."""
    scene = _trusted(scene, rules.policy)
    instrument = scene.instrument
    reference = _reference(scene)
    qty = _quantity(request, instrument, reference)
    _check_price(request, instrument)
    field = "qty" if request.qty is not None else "notional"
    check_limits(qty, request.limit_price, reference, rules.limits, field)
    chosen = _route(request, qty, reference, scene, rules)
    algorithm = BY_NAME.get(chosen.algo)
    if algorithm is None:
        known = ", ".join([AUTO, *sorted(BY_NAME)])
        raise Refusal(
            "unknown_algorithm", f"no algorithm {chosen.algo!r}; there are: {known}", field="algo"
        )
    limit_price = _limit_price(request, algorithm, scene)
    _check_participation(request)
    _check_priority(request)
    session, start, end = _window(request, algorithm, scene)
    params = complete(algorithm, request.params)
    _check_slices(params, instrument)
    return Admitted(
        task=Task(
            order_id=order_id,
            account=request.account,
            instrument=instrument,
            side=request.side,
            qty=qty,
            algo=algorithm.name,
            start=start,
            end=end,
            session=session,
            curve=scene.curve or default_curve(session),
            seed=str(params.get("seed", order_id)),
            policy=rules.policy,
            limit_price=limit_price,
            max_participation=request.max_participation,
            params=params,
        ),
        algorithm=algorithm,
        route=chosen,
        notional=qty * reference,
        quote=scene.quote,
    )


def _trusted(scene: Scene, policy: Policy) -> Scene:
    """The scene without prices that are too old to check anything against."""
    # A closed market is silent by nature: what it said last is the price there is.
    if session_at(scene.sessions, scene.now) is None:
        return scene
    oldest = scene.now - policy.max_quote_age
    quoted = scene.quote is not None and scene.quote.at >= oldest
    traded = scene.last_at is not None and scene.last_at >= oldest
    return replace(
        scene, quote=scene.quote if quoted else None, last=scene.last if traded else None
    )


def _reference(scene: Scene) -> Decimal:
    """The arrival price. Without one nothing can be checked, so nothing is accepted."""
    if scene.quote is not None and scene.quote.uncrossed and scene.quote.bid > 0:
        return scene.quote.mid
    if scene.last is not None and scene.last > 0:
        return scene.last
    raise Unavailable(
        "no_reference_price",
        f"there is no fresh price for {scene.instrument.symbol} to check the order against",
        field="symbol",
    )


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
    """An amended order is held against the same limits as a new one, at today's price.

    `changed` names what the amendment asks for. Raises Refusal, or Unavailable without a price.
    """
    _check_slices(dict(task.params), task.instrument)
    if not {"qty", "limit_price"} & set(changed):
        return
    reference = _reference(_trusted(scene, rules.policy))
    field = "qty" if "qty" in changed else "limit_price"
    check_limits(task.qty, task.limit_price, reference, rules.limits, field)


def _route(request: Request, qty: Decimal, reference: Decimal, scene: Scene, rules: Rules) -> Route:
    if request.algo != AUTO:
        return Route(request.algo, "asked for")
    return route(
        notional=qty * reference,
        qty=qty,
        daily_volume=scene.daily_volume,
        urgency=request.urgency,
        thresholds=rules.thresholds,
    )


def _limit_price(request: Request, algorithm: Algorithm, scene: Scene) -> Decimal | None:
    if request.limit_price is not None or not algorithm.needs_limit_price:
        return request.limit_price
    quote = scene.quote
    if request.algo == AUTO and quote is not None and quote.uncrossed and quote.bid > 0:
        return quote.near(request.side)
    raise Refusal(
        "limit_price_needed", f"{algorithm.name} needs a limit_price", field="limit_price"
    )


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


def _check_slices(params: dict[str, Any], instrument: Instrument) -> None:
    for name in ("lot", "min_child", "max_child"):
        value = params.get(name)
        if value is not None and (value <= 0 or not is_multiple(value, instrument.lot)):
            raise Refusal(
                "wrong_lot",
                f"{name} must be a whole multiple of {instrument.lot}",
                field=f"params.{name}",
            )
    largest, smallest = params.get("max_child"), params.get("min_child")
    if largest is not None and smallest is not None and largest < smallest:
        raise Refusal("out_of_range", "max_child is below min_child", field="params.max_child")


def _window(
    request: Request, algorithm: Algorithm, scene: Scene
) -> tuple[Session, Instant, Instant]:
    start, session = _start(request, scene)
    if request.end is not None and request.duration is not None:
        raise Refusal("end_or_duration", "give end_time or duration, not both", field="duration")
    if request.end is not None:
        end, field = request.end, "end_time"
    elif request.duration is not None:
        end, field = start + request.duration, "duration"
    else:
        end, field = _default_end(start, session, algorithm), "end_time"
    if end < start + WINDOW_MIN:
        raise Refusal(
            "end_before_start", f"the window must end after {rfc3339(start)}", field=field
        )
    if end > session.closes_at:
        raise Refusal(
            "window_outside_session",
            f"the window must end by the session's close, {rfc3339(session.closes_at)}",
            field=field,
        )
    return session, start, end


def _start(request: Request, scene: Scene) -> tuple[Instant, Session]:
    """The start and its session. A start in the past is now; none given: now or the next open."""
    symbol = scene.instrument.symbol
    if request.start is None:
        session = session_from(scene.sessions, scene.now)
        if session is None:
            raise Unavailable("no_session", f"{symbol} has no further session", field="symbol")
        return max(session.opens_at, scene.now), session
    start = max(request.start, scene.now)
    session = session_at(scene.sessions, start)
    if session is None:
        raise Refusal(
            "window_outside_session",
            f"{symbol} is not traded at {rfc3339(start)}",
            field="start_time",
        )
    return start, session


def _default_end(start: Instant, session: Session, algorithm: Algorithm) -> Instant:
    if algorithm.default_window_minutes is not None:
        return min(start + algorithm.default_window_minutes * MINUTE, session.closes_at)
    return min(start + DAY, session.closes_at)
