"""What a slow broker costs before the end of a window."""

import pytest

from app.domain.instant import MILLISECOND, SECOND
from app.engine.latency import REMEMBERED, Latency


@pytest.mark.parametrize(
    ("answers", "margin"),
    [
        ([], 500 * MILLISECOND),
        ([0.01, 0.125], 500 * MILLISECOND),
        ([0.126], SECOND),
        ([0.01, 0.9, 0.01], 4 * SECOND),
        ([60.0], 32 * SECOND),
    ],
)
def test_it_is_four_answers_of_the_slowest(answers: list[float], margin: int) -> None:
    latency = Latency()
    for seconds in answers:
        latency.learn(seconds)
    assert latency.margin == margin


def test_a_bad_moment_is_forgotten() -> None:
    latency = Latency()
    latency.learn(5.0)
    for _ in range(REMEMBERED):
        latency.learn(0.01)
    assert latency.margin == 500 * MILLISECOND
