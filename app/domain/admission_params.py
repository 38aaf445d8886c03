"""What admission asks of an algorithm's own parameters, beside what each of them is."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.domain.algorithm import Algorithm
from app.domain.instrument import Instrument
from app.domain.quantity import ZERO, Side, ceil_to, floor_to, is_multiple
from app.domain.refusal import Refusal
from app.domain.task import Policy

_IN_LOTS = ("lot", "min_child", "max_child", "child", "display")
_SIZED = frozenset((*_IN_LOTS, "would_price"))


def check_slices(params: Mapping[str, Any], instrument: Instrument) -> None:
    """Sizes in whole lots, prices in whole ticks, and none of them against another."""
    if _SIZED.isdisjoint(params):
        return
    for name in _IN_LOTS:
        value = params.get(name)
        if value is not None and (value <= 0 or not is_multiple(value, instrument.lot)):
            raise Refusal(
                "wrong_lot",
                f"{name} must be a whole multiple of {instrument.lot}",
                field=f"params.{name}",
            )
    would = params.get("would_price")
    if would is not None and (would <= 0 or not is_multiple(would, instrument.tick)):
        raise Refusal(
            "wrong_tick",
            f"would_price must be a whole multiple of {instrument.tick}",
            field="params.would_price",
        )
    largest, smallest = params.get("max_child"), params.get("min_child")
    if largest is not None and smallest is not None and largest < smallest:
        raise Refusal("out_of_range", "max_child is below min_child", field="params.max_child")
    part = params.get("display")
    if part is not None and smallest is not None and part < smallest:
        raise Refusal("out_of_range", "display is below min_child", field="params.display")


def check_would(side: Side, params: Mapping[str, Any], reference: Decimal, policy: Policy) -> None:
    """Further beyond the market than the collar it is a slip: everything would be taken at once."""
    would = params.get("would_price")
    furthest = reference * (1 + side.sign * policy.collar)
    if would is not None and side.sign * (would - furthest) > 0:
        raise Refusal(
            "out_of_range",
            f"would_price {would} is further beyond the market ({reference}) than the collar of"
            f" {policy.collar} allows",
            field="params.would_price",
        )


def shown(
    algorithm: Algorithm, params: dict[str, Any], qty: Decimal, instrument: Instrument
) -> dict[str, Any]:
    """With the part that is shown by default spelled out: of the quantity accepted."""
    if algorithm.shows is None or params.get("display") is not None:
        return params
    least = max(params.get("min_child") or ZERO, instrument.min_qty, instrument.lot)
    part = max(floor_to(qty * algorithm.shows, instrument.lot), ceil_to(least, instrument.lot))
    return params | {"display": part}
