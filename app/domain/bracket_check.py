"""What a bracket has to be before its order is accepted. Raises Refusal naming the field."""

from decimal import Decimal

from app.domain.bracket import Basis, Bracket, Level, levels, ratio, shown_ratio
from app.domain.quantity import Side, is_multiple
from app.domain.refusal import Refusal
from app.domain.task import Task

_PERCENT_MAX = Decimal(100)


def check_bracket(bracket: Bracket, task: Task, price: Decimal) -> None:
    """Levels on their sides of `price`, the one at which the order would fill, and enough reward
    for the risk there."""
    if bracket.take_profit is None and bracket.stop_loss is None:
        raise Refusal(
            "level_needed",
            "exit_policy, min_reward_risk and exit_at_close go with take_profit or stop_loss",
            field="take_profit",
        )
    if task.reduce_only:
        raise Refusal(
            "contradiction", "an order that only reduces has no exits", field="reduce_only"
        )
    tick = task.instrument.tick
    _check_level("take_profit", bracket.take_profit, tick)
    _check_level("stop_loss", bracket.stop_loss, tick)
    at = levels(bracket, task.side, price, tick)
    above, below = ("above", "below") if task.side is Side.BUY else ("below", "above")
    sign = task.side.sign
    if at.target is not None and sign * (at.target - price) <= 0:
        raise _wrong_side("take_profit", at.target, above, price)
    if at.stop is not None and sign * (price - at.stop) <= 0:
        raise _wrong_side("stop_loss", at.stop, below, price)
    found = ratio(task.side, price, at)
    if found is not None and found < bracket.minimum:
        raise Refusal(
            "risk.reward_risk",
            f"reward to risk is {shown_ratio(found)} at {price:f}, {bracket.minimum:f} is needed",
            field="take_profit",
            detail={
                "reward_risk": shown_ratio(found),
                "min_reward_risk": format(bracket.minimum, "f"),
                "price": format(price, "f"),
            },
        )


def _check_level(field: str, level: Level | None, tick: Decimal) -> None:
    if level is None:
        return
    if level.value <= 0:
        raise Refusal("not_positive", f"{field} must be above zero", field=field)
    if level.basis is not Basis.PERCENT and not is_multiple(level.value, tick):
        raise Refusal("wrong_tick", f"{field} must be a whole multiple of {tick}", field=field)
    if level.basis is Basis.PERCENT and level.value >= _PERCENT_MAX:
        raise Refusal("out_of_range", f"{field} must be below 100 per cent", field=field)


def _wrong_side(field: str, level: Decimal, where: str, price: Decimal) -> Refusal:
    return Refusal(
        "risk.wrong_side",
        f"{field} of {level:f} is not {where} {price:f}, where the order would fill",
        field=field,
        detail={"price": format(price, "f")},
    )
