"""How often what follows the market may move, so that its broker's rate of messages is kept."""

from app.domain.execution import Execution
from app.domain.fact import Purpose
from app.domain.instant import SECOND, Micros
from app.domain.lifecycle import OrderStatus
from app.domain.placement import follows

SHARE = 2
"""Moves get one in so many of a broker's cancels; the others are kept for what has to end."""

LEAST: Micros = SECOND // 8
"""A shorter pause is none."""


def following_of(execution: Execution) -> int:
    """How many children of an order follow the market; while it works, one at least."""
    if execution.status is not OrderStatus.WORKING or not follows(execution.task):
        return 0
    return max(sum(child.purpose is Purpose.REST for child in execution.children), 1)


def pause_for(following: int, cancels_per_second: int | None) -> Micros:
    """The least time between two moves of one child, where `following` children of one desk
    follow the market: all of them together keep within their share of the rate.

    Whole doublings of LEAST, so that it does not change with each order; none without a rate.
    """
    if cancels_per_second is None or following <= 0:
        return 0
    needed = following * SHARE * SECOND
    pause = LEAST
    while pause * cancels_per_second < needed:
        pause *= 2
    return pause if pause > LEAST else 0


def pause_of(
    execution: Execution, before: Micros, following: int, cancels_per_second: int | None
) -> Micros:
    """The pause that holds for one order of such a desk, where it was `before`.

    It grows at once, and shrinks while nothing of the order rests: a shorter pause alone must not
    move a child.
    """
    if not follows(execution.task):
        return 0
    pause = pause_for(following, cancels_per_second)
    rests = any(child.purpose is Purpose.REST for child in execution.children)
    return max(pause, before) if rests else pause
