"""A connection that fails again and again is left alone for a while, and everybody can see it."""

import time
from collections.abc import Callable
from enum import StrEnum

import structlog

log = structlog.get_logger()

FAILURES = 5
"""In a row, until nothing is sent any more."""

PAUSE_SECONDS = (1.0, 30.0)
"""The first pause, and the longest; each that follows a failed try is twice as long."""


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Broken(Exception):
    """The connection is left alone; nothing was sent."""


class Breaker:
    """One connection's. After its pause one request may try; its answer decides."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.state = State.CLOSED
        self.why = ""
        self._clock = clock
        self._failures = 0
        self._pause = PAUSE_SECONDS[0]
        self._tries_at = 0.0

    def check(self) -> None:
        """Raises Broken unless a request may be sent now. Whoever may has to tell how it went."""
        if self.state is State.CLOSED:
            return
        if self.state is State.OPEN and self._clock() >= self._tries_at:
            self._become(State.HALF_OPEN)
            # Whoever tries may never tell: another may, a pause later.
            self._tries_at = self._clock() + self._pause
            return
        if self.state is State.HALF_OPEN and self._clock() >= self._tries_at:
            self._tries_at = self._clock() + self._pause
            return
        raise Broken(f"the connection for {self.name} is broken: {self.why}")

    def succeeded(self) -> None:
        self._failures, self._pause, self.why = 0, PAUSE_SECONDS[0], ""
        self._become(State.CLOSED)

    def failed(self, why: str) -> None:
        self._failures += 1
        self.why = why
        if self.state is State.HALF_OPEN:
            self._pause = min(2 * self._pause, PAUSE_SECONDS[1])
        elif self._failures < FAILURES or self.state is State.OPEN:
            return
        self._tries_at = self._clock() + self._pause
        self._become(State.OPEN)

    def _become(self, state: State) -> None:
        if state is self.state:
            return
        old, self.state = self.state, state
        tell = log.info if state is State.CLOSED else log.warning
        tell("broker connection", connection=self.name, state=state, was=old, why=self.why)
