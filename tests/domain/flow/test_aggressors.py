"""Who was the aggressor: by the quote that stood before, in its middle by the last move."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.flow.aggressor import AT_MID, QUOTE, TICK, UNTOLD, signed
from tests.domain.markets import STORIES, Dealt, Quoted, Story, tape_of

WIDE = Quoted(10, 10, 5, 14, 5)


def told(deals: list[Dealt], quotes: list[Quoted]) -> list[tuple[int, int]]:
    found = signed(tape_of(quotes, deals), 0, len(deals))
    return list(zip(found.sign.tolist(), found.rule.tolist(), strict=True))


def test_against_the_middle_and_in_it_by_the_last_move() -> None:
    deals = [Dealt(11 + n, price, 1) for n, price in enumerate([14, 12, 12, 10, 12, 13, 11])]
    assert told(deals, [WIDE]) == [
        (1, QUOTE),
        (-1, AT_MID),
        (-1, AT_MID),
        (-1, QUOTE),
        (1, AT_MID),
        (1, QUOTE),
        (-1, QUOTE),
    ]


def test_without_a_usable_quote_by_the_last_move_alone() -> None:
    deals = [Dealt(1 + n, price, 1) for n, price in enumerate([12, 12, 13, 13, 11])]
    alone = [(0, UNTOLD), (0, UNTOLD), (1, TICK), (1, TICK), (-1, TICK)]
    assert told(deals, []) == alone
    assert told(deals, [Quoted(1, 12, 1, 12, 1)]) == alone, "locked"
    assert told(deals, [WIDE]) == alone, "quoted later"


def test_a_quote_at_the_moment_of_the_trade_is_its_consequence() -> None:
    """A buyer took the offer at 14: the quote that follows at that moment is higher."""
    assert told([Dealt(20, 14, 1)], [WIDE, Quoted(20, 15, 5, 19, 5)]) == [(1, QUOTE)]


@given(STORIES, st.integers(0, 40))
def test_it_does_not_depend_on_where_a_stretch_is_cut(story: Story, cut: int) -> None:
    tape, rows = story.tape(), len(story.deals)
    cut = min(cut, rows)
    whole = signed(tape, 0, rows)
    parts = [signed(tape, 0, cut), signed(tape, cut, rows)]
    assert [s for part in parts for s in part.sign] == whole.sign.tolist()
    assert [r for part in parts for r in part.rule] == whole.rule.tolist()


def test_a_move_long_past_is_still_the_last_one() -> None:
    deals = [Dealt(1, 11, 1), *(Dealt(2 + n, 12, 1) for n in range(1000))]
    assert signed(tape_of([], deals), 990, 1001).sign.tolist() == [1] * 11


@given(STORIES)
def test_sellers_are_buyers_in_the_mirror(story: Story) -> None:
    rows = len(story.deals)
    there = signed(story.tape(), 0, rows)
    turned = signed(story.mirrored().tape(), 0, rows)
    assert turned.sign.tolist() == (-there.sign).tolist()
    assert turned.rule.tolist() == there.rule.tolist()
