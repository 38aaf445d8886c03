"""An order for which there is no room among the working ones waits until there is."""

from dataclasses import replace

import pytest

from app.domain.actions import Decision, Move, Send
from app.domain.decide import decide
from app.domain.desk import Desk
from app.domain.execution import Execution, accepted
from app.domain.fact import CancelRequested, Moved, Paused, Resumed
from app.domain.fold import apply
from app.domain.instant import MINUTE, SECOND, Instant
from app.domain.lifecycle import OrderStatus
from tests.domain.tasks import OPEN, a_task
from tests.domain.test_algos import plan_of
from tests.domain.test_decide import market, working

QUEUED = Desk(queued=True)
END = OPEN + 10 * MINUTE


def choose(ex: Execution, desk: Desk, now: Instant = OPEN) -> Decision:
    return decide(ex, plan_of(ex.task, ex.anchor), desk, market(at=now), now)


def test_an_accepted_order_is_scheduled_and_waits_to_its_end_at_most() -> None:
    ex = accepted(a_task())
    assert choose(ex, QUEUED).actions == (Move(OrderStatus.SCHEDULED),)
    ex = apply(ex, Moved(OPEN, OrderStatus.SCHEDULED))
    waits = Decision(look_at=END, bound="concurrency")
    assert choose(ex, QUEUED) == choose(ex, QUEUED, OPEN + MINUTE) == waits
    assert choose(ex, QUEUED, END).actions == (Move(OrderStatus.CLOSING, "window_ended"),)
    assert choose(ex, Desk(), OPEN + MINUTE).actions == (Move(OrderStatus.WORKING),)


def test_before_its_start_an_order_waits_for_its_start() -> None:
    ex = apply(accepted(a_task()), Moved(OPEN, OrderStatus.SCHEDULED))
    assert choose(ex, QUEUED, OPEN - SECOND) == Decision(look_at=OPEN)


def test_an_order_at_work_is_never_queued_again() -> None:
    ex = working(a_task("market"))
    (send,) = choose(ex, QUEUED).actions
    assert isinstance(send, Send)


@pytest.mark.parametrize(
    ("next_child", "status"), [(1, OrderStatus.SCHEDULED), (2, OrderStatus.WORKING)]
)
def test_resumed_it_queues_only_if_it_never_began(next_child: int, status: OrderStatus) -> None:
    ex = apply(working(a_task()), Paused(OPEN))
    ex = replace(apply(ex, Moved(OPEN, OrderStatus.PAUSED)), next_child=next_child)
    ex = apply(ex, Resumed(OPEN))
    assert choose(ex, QUEUED).actions == (Move(status, "resumed"),)


def test_a_queued_order_is_canceled_and_paused_as_any() -> None:
    ex = apply(accepted(a_task()), Moved(OPEN, OrderStatus.SCHEDULED))
    canceled = apply(ex, CancelRequested(OPEN, "user"))
    assert choose(canceled, QUEUED).actions == (Move(OrderStatus.CLOSING, "user"),)
    paused = apply(ex, Paused(OPEN))
    assert choose(paused, QUEUED).actions == (Move(OrderStatus.PAUSED, "requested"),)
