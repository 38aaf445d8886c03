"""How long a doorbell keeps quiet after it rang."""

from hypothesis import given
from hypothesis import strategies as st

from app.store.doorbell import _pause


@given(st.floats(0, 10))
def test_ringing_takes_a_fifth_of_the_time_at_most_until_that_is_too_late(took: float) -> None:
    pause = _pause(took)
    assert 0.005 <= pause <= 0.02
    assert took * 4 <= pause or pause == 0.02
