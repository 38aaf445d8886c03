"""Imbalance of the book: the published fixture, its mirror image, and where updates are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.flow.imbalance import queue_imbalance, updates, weighted_mid
from tests.domain.markets import STORIES, Quoted, Story, tape_of

FIXTURE = [
    (10000, 500, 10001, 400),
    (10000, 700, 10001, 400),
    (10000, 600, 10001, 400),
    (10000, 600, 10001, 250),
    (10001, 300, 10002, 800),
    (10001, 300, 10002, 900),
    (10000, 550, 10002, 900),
    (10000, 550, 10001, 200),
]
"""quant.md §4; prices in cents."""


def quoted(rows: list[tuple[int, int, int, int]]) -> list[Quoted]:
    return [Quoted(1 + n, *row) for n, row in enumerate(rows)]


def test_the_fixture_of_order_flow_imbalance() -> None:
    found = updates(tape_of(quoted(FIXTURE)), 0, len(FIXTURE))
    assert found.e.tolist() == [0, 200, -100, 150, 550, -100, -300, -200]
    assert found.e.sum() == 200
    assert found.depth[0] == 450


def test_its_mirror_image_is_its_negative() -> None:
    turned = [(20000 - a, q, 20000 - b, p) for b, p, a, q in FIXTURE]
    assert updates(tape_of(quoted(turned)), 0, len(turned)).e.sum() == -200


def test_unchanged_quotes_add_nothing() -> None:
    rows = [FIXTURE[0]] * 5
    assert updates(tape_of(quoted(rows)), 0, 5).e.tolist() == [0] * 5


def test_locked_and_crossed_rows_are_passed_over() -> None:
    """As if they had not been there: the update after them is against the last usable row."""
    locked, crossed = (10001, 5, 10001, 9), (10002, 9999, 10001, 9999)
    rows = [FIXTURE[0], locked, crossed, *FIXTURE[1:]]
    found = updates(tape_of(quoted(rows)), 0, len(rows))
    assert found.e.tolist() == [0, 200, -100, 150, 550, -100, -300, -200]


def test_imbalance_and_weighted_mid() -> None:
    assert queue_imbalance(300, 100) == 0.5
    assert weighted_mid(100.00, 300, 100.01, 100) == pytest.approx(100.0075)
    assert queue_imbalance(0, 0) is None


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(1, 1e4), st.floats(0.01, 10))
def test_imbalance_is_bounded_and_turns_with_the_book(
    bid_size: int, ask_size: int, bid: float, spread: float
) -> None:
    imbalance = queue_imbalance(bid_size, ask_size)
    assert imbalance is not None
    assert -1 <= imbalance <= 1
    assert queue_imbalance(ask_size, bid_size) == -imbalance
    middle = weighted_mid(bid, bid_size, bid + spread, ask_size)
    assert bid - 1e-6 <= middle <= bid + spread + 1e-6


@given(STORIES, st.integers(0, 40))
def test_it_adds_up_wherever_it_is_cut(story: Story, cut: int) -> None:
    tape = story.tape()
    rows = len(tape.quote_at)
    cut = min(cut, rows)
    whole = updates(tape, 0, rows)
    parts = [updates(tape, 0, cut), updates(tape, cut, rows)]
    assert [e for part in parts for e in part.e] == whole.e.tolist()
    assert [at for part in parts for at in part.at] == whole.at.tolist()


@given(STORIES)
def test_every_update_is_the_negative_of_its_mirror_image(story: Story) -> None:
    rows = len(story.quotes)
    there = updates(story.tape(), 0, rows).e
    assert updates(story.mirrored().tape(), 0, rows).e.tolist() == (-there).tolist()
