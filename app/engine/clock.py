"""Market time: machine time when live; stepped, it moves when the engine has nothing to do."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Protocol

from app.domain.instant import SECOND, Instant, Micros
from app.engine.steady import steady

TURN_SECONDS = 0.05
"""The longest a clock waits before the loop looks around again."""

STEP_SECONDS = 1.0
"""A wall clock further away than this was set, by somebody or by a mistake."""

SLEW = 500e-6
"""How fast market time may run after the wall clock: what clocks are disciplined with."""

SPEED_MAX = 1e6
"""Faster than this, an idle market would run off the calendar's end within minutes."""


class Clock(Protocol):
    stepped: bool

    def now(self) -> Instant: ...

    async def wait(self, until: Instant | None, wake: asyncio.Event) -> None:
        """Let market time go on, to `until` at most; return early when woken."""
        ...


class LiveClock:
    """Market time is machine time: the wall clock read once, and what has passed since.

    It drifts after the wall clock slowly, so that a machine whose clock is disciplined stays
    right. A step of the wall clock is not followed: orders that trust their times would end, or
    make up for hours, at once. `step` then says by how much it is ahead of us, until it is back.
    """

    stepped = False

    def __init__(
        self, wall: Callable[[], float] = time.time, passed: Callable[[], float] = steady
    ) -> None:
        self._wall, self._passed = wall, passed
        self._at = passed()
        self._now = wall()
        self.step: Micros | None = None

    def now(self) -> Instant:
        at = self._passed()
        length, self._at = at - self._at, at
        self._now += length
        ahead = self._wall() - self._now
        self.step = round(ahead * SECOND) if abs(ahead) > STEP_SECONDS else None
        if self.step is None:
            most = length * SLEW
            self._now += min(max(ahead, -most), most)
        return round(self._now * SECOND)

    async def wait(self, until: Instant | None, wake: asyncio.Event) -> None:
        left = TURN_SECONDS
        if until is not None:
            left = min(max((until - self.now()) / SECOND, 0), TURN_SECONDS)
        await _woken(wake, left)


class SteppedClock:
    """Market time that jumps from one due moment to the next.

    It never passes a due moment, so what happens in the market does not depend on `speed`
    (market seconds a second; 0: as fast as possible, standing still while nothing is due).
    """

    stepped = True

    def __init__(self, start: Instant, *, speed: Decimal, held: bool) -> None:
        self._now = start
        self._speed = _bounded(speed)
        self._held = held
        self._based_at, self._base = time.monotonic(), start

    def now(self) -> Instant:
        return self._now

    def pace(self, *, speed: Decimal, held: bool) -> None:
        """Change the speed, or hold market time still."""
        if (_bounded(speed), held) != (self._speed, self._held):
            self._speed, self._held = _bounded(speed), held
            self._rebase()

    def jump(self, to: Instant) -> None:
        """Go to `to` at once (closed hours, recovery). Never backwards."""
        self._now = max(self._now, to)
        self._rebase()

    @property
    def held(self) -> bool:
        return self._held

    def idle(self, until: Instant | None) -> bool:
        """Whether market time stands still because nothing is due."""
        return self._speed == 0 and until is None

    async def wait(self, until: Instant | None, wake: asyncio.Event) -> None:
        if self._held or (self._speed == 0 and until is None):
            await _woken(wake, TURN_SECONDS)
        elif self._speed == 0:
            assert until is not None, "handled above"
            self._now = max(self._now, until)
            await asyncio.sleep(0)
        else:
            await self._walk(until, wake)

    async def _walk(self, until: Instant | None, wake: asyncio.Event) -> None:
        left = TURN_SECONDS
        if until is not None:
            left = min(max((until - self._paced()) / SECOND / self._speed, 0), TURN_SECONDS)
        await _woken(wake, left)
        reached = self._paced()
        self._now = max(self._now, reached if until is None else min(reached, until))

    def _paced(self) -> Instant:
        return self._base + int((time.monotonic() - self._based_at) * self._speed * SECOND)

    def _rebase(self) -> None:
        self._based_at, self._base = time.monotonic(), self._now


def _bounded(speed: Decimal) -> float:
    return min(float(speed), SPEED_MAX)


async def _woken(wake: asyncio.Event, at_most: float) -> None:
    if at_most <= 0:
        await asyncio.sleep(0)
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(at_most):
            await wake.wait()
