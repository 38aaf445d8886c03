"""Sessions: open inclusive, close exclusive, and what touches is one."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.domain.instant import DAY, HOUR
from app.domain.session import Session, join_adjacent, session_at, session_from

MORNING, AFTERNOON = Session(10, 20), Session(30, 40)
DAYS = (MORNING, AFTERNOON)

spans = st.builds(
    lambda opens, length: Session(opens, opens + length), st.integers(0, 40), st.integers(1, 9)
)


def test_the_open_belongs_to_a_session_and_the_close_does_not() -> None:
    assert [MORNING.contains(at) for at in (9, 10, 19, 20)] == [False, True, True, False]
    assert [session_at(DAYS, at) for at in (9, 10, 19, 20, 30)] == [
        None,
        MORNING,
        MORNING,
        None,
        AFTERNOON,
    ]


def test_outside_sessions_the_next_one_counts() -> None:
    found = [session_from(DAYS, at) for at in (0, 10, 19, 20, 39, 40)]
    assert found == [MORNING, MORNING, MORNING, AFTERNOON, AFTERNOON, None]
    assert session_from((), 0) is None


def test_a_day_without_a_close_is_round_the_clock() -> None:
    assert Session(0, DAY).round_the_clock
    assert Session(5, 5 + 3 * DAY).round_the_clock
    assert not Session(0, 23 * HOUR).round_the_clock
    assert Session(3, 10).length == 7


@given(st.lists(spans, max_size=6))
def test_joined_sessions_are_open_at_the_same_moments_and_never_touch(parts: list[Session]) -> None:
    joined = join_adjacent(parts)
    for at in range(60):
        assert any(s.contains(at) for s in joined) == any(s.contains(at) for s in parts)
    for before, after in pairwise(joined):
        assert before.closes_at < after.opens_at
    assert join_adjacent(reversed(parts)) == joined
