"""The market that our figures and our peers' are measured on, and our side of the comparison."""

import numpy as np

from app.research.options import Latency, VenueOptions
from app.research.run import Scene, run
from bench.peers.__main__ import the_cases
from bench.peers.market import LEAST_SHOWN, SESSION, SLICES, made


def test_the_tape_has_one_row_a_moment_and_none_on_a_slice() -> None:
    columns = made(50_000, 7)
    assert (np.diff(columns.at) > 0).all()
    assert ((columns.at - SESSION.opens_at) % (SESSION.length // SLICES) != 0).all()
    assert (columns.ask - columns.bid == 1).all()
    assert min(columns.bid_size.min(), columns.ask_size.min()) >= LEAST_SHOWN
    assert SESSION.opens_at <= columns.trade_at.min() <= columns.trade_at.max() < SESSION.closes_at


def test_every_case_is_worked_to_its_end() -> None:
    tape = made(50_000, 7).tape()
    for case in the_cases():
        done = run(case.task, Scene(tape, (SESSION,), venue=VenueOptions(Latency(0))))
        if case.counts:
            assert done.execution.filled == case.task.qty, case.name
        if case.name == "twap cross":
            moments = [SESSION.opens_at + SESSION.length * k // SLICES for k in range(SLICES)]
            assert [child.at for child in done.children] == moments
            for fill in done.fills:
                quote = tape.quote(fill.at)
                assert quote is not None
                assert (fill.price, fill.qty) == (quote.ask, case.task.qty / SLICES)
