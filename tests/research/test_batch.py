"""Many parents: in the order given, the same on one core and on several."""

import pytest

from app.research.batch import Parent, Study, run_all
from app.research.result import Run
from app.research.summary import summarized
from tests.research.markets import a_parent, opened

STUDY = Study(opened, summarized, seed="s")
PARENTS = [
    a_parent(symbol, day, number)
    for number in range(4)
    for day in range(2)
    for symbol in ("ACME", "GLOBEX")
]


def test_as_given_and_the_same_on_every_core() -> None:
    told: list[tuple[int, int]] = []
    alone = run_all(STUDY, PARENTS, processes=1, progress=lambda done, of: told.append((done, of)))
    assert [s.order_id for s in alone] == [p.task.order_id for p in PARENTS]
    assert told == [(4, 16), (8, 16), (12, 16), (16, 16)]
    assert all(s.outcome.arrival.bps is not None for s in alone)
    assert run_all(STUDY, PARENTS, processes=2) == alone


def test_the_seed_moves_what_the_venue_draws() -> None:
    other = Study(opened, summarized, seed="t")
    one, two = (run_all(study, PARENTS, processes=1) for study in (STUDY, other))
    assert one != two
    assert [s.order_id for s in one] == [s.order_id for s in two]


def fails(parent: Parent, run: Run) -> int:
    raise ValueError(f"{parent.market} cannot be measured")


def test_what_a_worker_raises_is_raised_here() -> None:
    with pytest.raises(ValueError, match="cannot be measured"):
        run_all(Study(opened, fails), PARENTS, processes=2)
