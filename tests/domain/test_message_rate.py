"""How long what follows the market stands still, so that its broker's rate is kept."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.actions import Decision
from app.domain.desk import Desk
from app.domain.execution import Execution, accepted
from app.domain.fact import Intended, Moved, Purpose, TimeInForce
from app.domain.fold import apply
from app.domain.instant import SECOND, Instant
from app.domain.lifecycle import OrderStatus
from app.domain.market import Market
from app.domain.message_rate import LEAST, SHARE, following_of, pause_for, pause_of
from app.domain.quantity import Side
from tests.domain.tasks import OPEN, a_task
from tests.domain.test_decide import markets, orders
from tests.domain.test_placement import patient, row
from tests.domain.toyworld import Venue, World, ended

rates = st.integers(1, 2_000)
many = st.integers(0, 20_000)


@given(following=many, more=many, rate=rates)
def test_all_moves_together_keep_within_their_share(following: int, more: int, rate: int) -> None:
    pause = pause_for(following, rate)
    assert following * SECOND * SHARE <= rate * max(pause, LEAST)
    assert pause == 0 or (pause // LEAST).bit_count() == 1
    assert pause <= pause_for(following + more, rate)
    # Not longer than it must be.
    assert pause == 0 or following * SECOND * SHARE > rate * pause // 2


@pytest.mark.parametrize(
    ("following", "rate", "seconds"), [(200, 10, 64), (1, 2, 1), (1, 100, 0), (9, None, 0)]
)
def test_what_it_comes_to(following: int, rate: int | None, seconds: int) -> None:
    assert pause_for(following, rate) == seconds * SECOND


def working(placement: str, children: int = 0) -> Execution:
    task = a_task("twap", 1000, params={"placement": placement})
    found = apply(accepted(task), Moved(OPEN, OrderStatus.WORKING))
    for n in range(1, children + 1):
        rests = Intended(
            OPEN, f"c{n}", n, Side.BUY, Decimal(10), Decimal(9), Purpose.REST, TimeInForce.DAY, OPEN
        )
        found = apply(found, rests)
    return found


def test_only_what_follows_the_market_counts() -> None:
    counted = {
        (placement, n): following_of(working(placement, n))
        for placement in ("cross", "rest_then_cross", "peg", "step_up")
        for n in (0, 3)
    }
    assert {k: v for k, v in counted.items() if v} == {
        ("peg", 0): 1,
        ("peg", 3): 3,
        ("step_up", 0): 1,
        ("step_up", 3): 3,
    }
    assert following_of(accepted(a_task("twap", params={"placement": "peg"}))) == 0


def test_a_pause_grows_at_once_and_shrinks_where_nothing_rests() -> None:
    resting, idle = working("peg", 1), working("peg")
    assert pause_of(resting, 0, 200, 10) == pause_of(idle, 0, 200, 10) == 64 * SECOND
    assert pause_of(resting, 64 * SECOND, 1, 10) == 64 * SECOND
    assert pause_of(idle, 64 * SECOND, 1, 10) == SECOND // 4
    assert pause_of(working("rest_then_cross", 1), 0, 200, 10) == 0


@pytest.mark.parametrize("placement", ["peg", "step_up"])
@pytest.mark.parametrize("pause", [0, 4, 16])
def test_no_child_moves_sooner_than_its_desk_allows(placement: str, pause: int) -> None:
    world = patient(placement=placement, steps=20)
    world.desk = Desk(pause=pause * SECOND)
    world.rows = [row(s, f"99.{10 + s}", "100.20") for s in range(80)]
    moves = [at for at, _ in world.run().sends]
    assert len(moves) > 2
    assert all(b - a >= pause * SECOND for a, b in pairwise(moves[:-1]))


@dataclass
class Crowded(World):
    """An order whose desk fills and empties with others that follow the market."""

    others: Callable[[Instant], int] = lambda now: 0

    def decide(self, market: Market) -> Decision:
        following = self.others(self.now) + following_of(self.execution)
        pause = pause_of(self.execution, self.desk.pause, following, 10)
        self.desk = replace(self.desk, pause=pause)
        return super().decide(market)


@given(data=st.data(), seed=st.integers(0, 10**6))
@settings(deadline=None)
def test_who_comes_and_goes_beside_it_moves_no_child(data: st.DataObject, seed: int) -> None:
    """The world decides at every moment at which nothing is due, and nothing may come of it."""
    task = data.draw(orders().filter(lambda t: t.params.get("placement") in ("peg", "step_up")))
    rows = data.draw(markets(task))
    venue = Venue(rng=Random(seed), hits=0.1)

    def others(now: Instant) -> int:
        return Random(seed + now).choice([0, 0, 3, 50, 200])

    assert ended(Crowded(task, rows, venue, others=others).run())


def test_when_a_crowd_goes_the_pause_of_what_stands_stays() -> None:
    plain = patient(placement="peg", length=200)
    rows = [row(s, "99.90" if s < 10 else "99.95", "100.20") for s in range(60)]
    world = Crowded(
        plain.task, rows, Venue(hits=0), others=lambda now: 100 if now < OPEN + 15 * SECOND else 0
    )
    assert [(at - OPEN) // SECOND for at, _ in world.run().sends] == [0, 32, 60]
