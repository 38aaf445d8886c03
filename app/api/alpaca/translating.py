"""From an order as Alpaca's clients write it to a request of ours, or a refusal that says why not.

Nothing is read as something else: what we cannot do is refused by name.
"""

from decimal import Decimal
from typing import Any

from app.api.alpaca.bodies import AdvancedInstructions, OrderBody, Redirected, ReplaceBody
from app.domain.algos import BY_NAME
from app.domain.instant import DAY, SECOND, Micros
from app.domain.quantity import ZERO, Side
from app.domain.refusal import Refusal
from app.domain.request import AUTO, Request
from app.domain.routing import Thresholds, is_large
from app.domain.scene import Scene
from app.domain.session import session_at, session_from
from app.engine.accept import Routed
from app.engine.commands import Changes

_DIRECT = "DMA"


def request_of(body: OrderBody, account: str) -> Request:
    """The request, before the market is known. Raises Refusal for what we do not do."""
    _check_done_here(body)
    if body.type == "limit" and body.limit_price is None:
        raise Refusal(
            "limit_price_needed", "a limit order needs a limit_price", field="limit_price"
        )
    if body.type == "market" and body.limit_price is not None:
        raise Refusal(
            "limit_price_unexpected", "a market order has no limit_price", field="limit_price"
        )
    told = body.advanced_instructions
    return Request(
        account=account,
        symbol=body.symbol,
        side=body.side,
        qty=body.qty,
        notional=body.notional,
        algo=_algorithm(told, body.type) if told else _plain_algorithm(body),
        params=_params(told) if told else {},
        limit_price=body.limit_price,
        start=told.start_time if told else None,
        end=told.end_time if told else None,
        max_participation=told.max_percentage if told else None,
        time_in_force=body.time_in_force,
        extended_hours=body.extended_hours or False,
        client_order_id=body.client_order_id,
    )


_ELSEWHERE = ("stop_price", "trail_price", "trail_percent", "take_profit", "stop_loss", "legs")


def _check_done_here(body: OrderBody) -> None:
    if body.type not in ("market", "limit"):
        raise _not_done("type", f"{body.type} orders are not worked here: market and limit are")
    if body.time_in_force not in ("day", "ioc"):
        raise _not_done(
            "time_in_force",
            f"{body.time_in_force!r} is not worked here: orders are for the day, or ioc",
        )
    if body.time_in_force == "ioc" and body.advanced_instructions is not None:
        raise _not_done("time_in_force", "what is worked over time cannot be ioc")
    if body.order_class not in (None, "", "simple"):
        raise _not_done("order_class", f"{body.order_class!r} orders are not worked here")
    if body.extended_hours and (body.type, body.time_in_force) != ("limit", "day"):
        raise _not_done("extended_hours", "only limit orders for the day trade in extended hours")
    for name in _ELSEWHERE:
        if getattr(body, name) is not None:
            raise _not_done(name, f"{name} is not worked here")
    if body.position_intent not in (None, f"{body.side.value}_to_open"):
        raise _not_done(
            "position_intent",
            f"{body.position_intent!r} with {body.side.value} is not worked here: no order is held"
            " to closing alone; DELETE /v2/positions/{symbol} closes",
        )


def _not_done(field: str, message: str) -> Refusal:
    return Refusal("not_supported", message, field=field)


def _plain_algorithm(body: OrderBody) -> str:
    if body.time_in_force == "ioc":
        return "market"
    return "limit" if body.type == "limit" else AUTO


def _algorithm(told: AdvancedInstructions, kind: str) -> str:
    """The algorithm that instructions name. Raises Refusal."""
    if told.algorithm.upper() == _DIRECT:
        return "limit" if kind == "limit" else "market"
    name = told.algorithm.lower()
    if name not in (AUTO, *BY_NAME):
        known = ", ".join([_DIRECT, *(known.upper() for known in BY_NAME)])
        raise Refusal(
            "unknown_algorithm",
            f"no algorithm {told.algorithm!r}; there are: {known}",
            field="advanced_instructions.algorithm",
        )
    return name


def _params(told: AdvancedInstructions | Redirected) -> dict[str, Any]:
    """The algorithm's own parameters; what an order shows is its largest child."""
    if told.display_qty is None:
        return dict(told.params)
    return {**told.params, "max_child": told.display_qty}


def routed(default_algo: str, *, plain: bool, refuse: bool, thresholds: Thresholds) -> Routed:
    """How a request is worked once the market is known.

    `plain`: it came without instructions. One that would take a large quantity out of the market
    at once goes to the default algorithm, or is refused: it is never sent whole.
    """

    def choose(request: Request, scene: Scene) -> Request:
        immediate = request.time_in_force == "ioc"
        if immediate:
            request = _at_once(request, scene)
        if not plain:
            return _until_the_close(request, scene)
        if not _crosses(request, scene):
            return request
        if not _large(request, scene, thresholds):
            usual = not immediate and request.limit_price is None
            return _with(request, default_algo) if usual else request
        if refuse or immediate or default_algo == "market":
            raise Refusal(
                "large_market_order",
                "too large to be sent whole: say how it is to be worked in advanced_instructions",
                field="qty" if request.qty is not None else "notional",
            )
        chosen = default_algo
        small = _notional(request, scene) < thresholds.market_below
        # The router goes by money alone below its first bound: this one is large by volume.
        return _with(request, "twap" if chosen == AUTO and small else chosen)

    return choose


def _with(request: Request, algo: str) -> Request:
    return request._replace(algo=algo)


IMMEDIATE: Micros = 2 * SECOND
"""So long an immediate order has, for the way to the venue and back."""


def _at_once(request: Request, scene: Scene) -> Request:
    """Raises Refusal while the market is closed: there is nothing to be done at once."""
    if session_at(scene.sessions, scene.now) is None:
        raise Refusal("market_closed", "an ioc order needs an open market", field="time_in_force")
    return request._replace(end=scene.now + IMMEDIATE)


def _until_the_close(request: Request, scene: Scene) -> Request:
    """Instructions without an end last until the close, as Alpaca has it."""
    algorithm = BY_NAME.get(request.algo)
    if request.end is not None or algorithm is None or not algorithm.windowed:
        return request
    start = max(request.start or scene.now, scene.now)
    session = session_from(scene.sessions, start)
    if session is None:
        return request
    begins = max(start, session.opens_at)
    return request._replace(end=min(session.closes_at, begins + DAY))


def _price(scene: Scene) -> Decimal | None:
    if scene.quote is not None and scene.quote.uncrossed and scene.quote.bid > 0:
        return scene.quote.mid
    return scene.last


def _notional(request: Request, scene: Scene) -> Decimal:
    if request.notional is not None:
        return request.notional
    return (request.qty or ZERO) * (_price(scene) or ZERO)


def _large(request: Request, scene: Scene, thresholds: Thresholds) -> bool:
    price = _price(scene)
    if not price:
        return False  # Nothing is accepted without a price.
    notional = _notional(request, scene)
    qty = request.qty if request.qty is not None else notional / price
    return is_large(
        notional=notional, qty=qty, daily_volume=scene.daily_volume, thresholds=thresholds
    )


def _crosses(request: Request, scene: Scene) -> bool:
    """Whether it takes what the other side shows, at once."""
    if request.limit_price is None:
        return True
    quote = scene.quote
    if quote is None:
        return False
    if request.side is Side.BUY:
        return request.limit_price >= quote.ask
    return request.limit_price <= quote.bid


def changes_of(body: ReplaceBody, row: Any) -> Changes:
    """What a replacement changes of an order. Raises Refusal."""
    if body.time_in_force not in (None, "day"):
        raise _not_done("time_in_force", "orders are for the day")
    for name in ("stop_price", "trail"):
        if getattr(body, name) is not None:
            raise _not_done(name, f"{name} is not worked here")
    told = body.advanced_instructions
    if told is not None:
        _check_redirected(told, row)
    params = _params(told) if told else {}
    changes = Changes(
        qty=body.qty,
        limit_price=body.limit_price,
        end=told.end_time if told else None,
        max_participation=told.max_percentage if told else None,
        params=params or None,
    )
    if changes == Changes():
        raise Refusal("nothing_to_change", "give at least one field to change")
    return changes


def _check_redirected(told: Redirected, row: Any) -> None:
    if told.algorithm is not None and told.algorithm.lower() not in _names_of(row["algo"]):
        raise Refusal(
            "not_mutable",
            f"the order is worked by {row['algo'].upper()}; that cannot be changed in flight",
            field="advanced_instructions.algorithm",
        )
    if told.start_time is not None and told.start_time != row["start_at"]:
        raise Refusal(
            "not_mutable",
            "start_time cannot be changed in flight",
            field="advanced_instructions.start_time",
        )


def _names_of(algo: str) -> tuple[str, ...]:
    return (algo, _DIRECT.lower()) if algo in ("market", "limit") else (algo,)
