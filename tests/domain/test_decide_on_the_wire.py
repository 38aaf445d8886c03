"""Decisions while children are on their way and nobody has answered yet."""

from app.domain.actions import Send
from app.domain.execution import Execution
from app.domain.fact import Purpose
from app.domain.fold import apply
from app.domain.instant import MINUTE, SECOND
from tests.domain.tasks import OPEN, a_task
from tests.domain.test_decide import choose, intended, market, working


def test_a_child_on_its_way_to_rest_is_not_sent_again() -> None:
    """The limit price keeps the due slice from crossing: it is sent to rest with the next one,
    once."""
    task = a_task("twap", 500, limit="99", params={"slices": 5, "jitter": 0})
    sent = _all_at(working(task), OPEN + 2 * MINUTE + 10 * SECOND)
    assert [(s.purpose, s.qty) for s in sent] == [(Purpose.REST, 200)]


def _all_at(ex: Execution, now: int) -> list[Send]:
    """What is sent at one moment while nothing is acknowledged."""
    sent: list[Send] = []
    while sends := [a for a in choose(ex, market(at=now), now).actions if isinstance(a, Send)]:
        (send,) = sends
        sent.append(send)
        assert len(sent) < 20
        ex = apply(ex, intended(ex.next_child, int(send.qty), send.purpose, str(send.price)))
    return sent
