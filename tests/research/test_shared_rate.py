"""The broker's rate holds in virtual time as it does on a desk."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.desk import Desk
from app.domain.instant import MINUTE, SECOND
from app.domain.message_rate import pause_for
from app.domain.quantity import Side
from app.domain.tape import Tape
from app.domain.tape_build import Quotes, build_tape
from app.domain.task import Policy, Task
from app.domain.volume import default_curve
from app.research.entering import order_id
from app.research.options import Latency, VenueOptions
from app.research.result import Run
from app.research.run import Scene, run
from tests.research.test_queue import OPEN, SESSION, STOCK


def rising() -> Tape:
    """Both touches a cent up every second, for two minutes."""
    seconds = range(120)
    bids = [10_000 + second for second in seconds]
    return build_tape(
        "XYZ",
        price_scale=100,
        size_scale=1,
        until=SESSION.closes_at,
        quotes=Quotes(
            [OPEN + second * SECOND for second in seconds],
            bids,
            [bid + 20 for bid in bids],
            [500] * 120,
            [500] * 120,
        ),
    )


def followed(venue: VenueOptions, desk: Desk | None = None, pause: int = 1) -> Run:
    params = {"slices": 1, "jitter": 0, "placement": "peg", "patience": 300, "reprice_pause": pause}
    task = Task(
        order_id=order_id("rate"),
        account="research",
        instrument=STOCK,
        side=Side.BUY,
        qty=Decimal(100),
        algo="twap",
        start=OPEN,
        end=OPEN + 4 * MINUTE,
        session=SESSION,
        curve=default_curve(SESSION),
        seed="one",
        policy=Policy(10 * MINUTE, Decimal("0.5")),
        params=complete(BY_NAME["twap"], params),
    )
    scene = Scene(rising(), (SESSION,), venue=replace(venue, latency=Latency(0)))
    return run(task, scene, desk=desk or Desk(), explain=True)


def moments(found: Run) -> list[int]:
    return [(child.at - OPEN) // SECOND for child in found.children]


@pytest.mark.parametrize(("rate", "others"), [(10, 39), (10, 0), (1, 0), (200, 7), (None, 50)])
def test_the_pause_of_a_shared_desk_is_the_pause_of_its_formula(
    rate: int | None, others: int
) -> None:
    shared = VenueOptions(cancels_per_second=rate, others_following=others)
    desk = Desk(pause=pause_for(others + 1, rate))
    assert followed(shared, pause=0).children == followed(VenueOptions(), desk, 0).children


def test_forty_at_ten_a_second_stand_for_eight() -> None:
    shared = VenueOptions(cancels_per_second=10, others_following=39)
    assert moments(followed(shared))[:5] == [0, 8, 16, 24, 32]
    assert moments(followed(VenueOptions()))[:5] == [0, 1, 2, 3, 4]
