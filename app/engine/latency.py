"""How fast a broker answers, as far as this desk has seen."""

from collections import deque

from app.domain.instant import SECOND, Micros

REMEMBERED = 64

ROUNDS = 4
"""A cancel, word of its end, a child in its place and word of that: so many answers."""

LEAST = 0.5
MOST = 32.0


class Latency:
    """The slowest of the last answers, made into the time that finishing an order takes."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=REMEMBERED)

    def learn(self, seconds: float) -> None:
        self._seconds.append(seconds)

    @property
    def margin(self) -> Micros:
        """From half a second up to 32 s, in doubling steps: it changes seldom."""
        needed = ROUNDS * max(self._seconds, default=0.0)
        margin = LEAST
        while margin < min(needed, MOST):
            margin *= 2
        return int(margin * SECOND)
