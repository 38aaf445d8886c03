"""How many requests a minute Alpaca allows, and who may use them: cancels always can.

Alpaca counts over all of an account's requests. Some tokens may be spent in a burst and the rest
comes evenly, so that no minute sees more than the limit. The last tokens are kept: questions stop
first, then orders; cancels may take every one.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from enum import Enum

BURST = 0.25
"""The part of a minute's requests that may go at once; the others follow evenly."""

RETRY_SECONDS = 1.0
"""Waited after a 429 that does not say for how long."""

RESET_SECONDS_MAX = 60.0


class Use(Enum):
    """What a request is for, and the part of the burst it has to leave for what is above it."""

    CANCEL = 0.0
    ORDER = 0.2
    QUESTION = 0.4


class Exhausted(Exception):
    """No request was allowed in time; nothing was sent."""


class Budget:
    """Tokens of one account; times are on the monotonic clock."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._set(per_minute)
        self._tokens = self._burst
        self._filled_at = self._cancels_at = self._others_at = clock()

    @property
    def tokens(self) -> float:
        """How many requests could leave now, for cancels."""
        self._refill()
        return self._tokens

    async def take(self, use: Use, seconds: float) -> None:
        """Wait until one request may leave. Raises Exhausted after `seconds`."""
        give_up = self._clock() + seconds
        while (wait := self._wait(use)) > 0:
            left = give_up - self._clock()
            if wait > left:
                # It would not come in time; the place in the queue is given up now.
                raise Exhausted(f"the rate limit leaves no request within {seconds:.1f} s")
            await asyncio.sleep(wait)
        self._tokens -= 1

    def learn(self, status: int, headers: Mapping[str, str], now: float) -> None:
        """What an answer tells of the limit. `now` is seconds since 1970.

        After a 429 everything waits until the limit is said to be over, except that a cancel tries
        again a second later.
        """
        limit, left = _whole(headers, "X-RateLimit-Limit"), _whole(headers, "X-RateLimit-Remaining")
        self._refill()
        if limit is not None and limit > 0:
            self._set(limit)
        if status == 429:
            reset = _whole(headers, "X-RateLimit-Reset")
            pause = RETRY_SECONDS if reset is None else reset - now
            pause = min(max(pause, RETRY_SECONDS), RESET_SECONDS_MAX)
            self._cancels_at = self._clock() + RETRY_SECONDS
            self._others_at = self._clock() + pause
        elif left is not None:
            self._tokens = min(self._tokens, left)

    def _wait(self, use: Use) -> float:
        self._refill()
        missing = 1 + use.value * self._burst - self._tokens
        allowed_at = self._cancels_at if use is Use.CANCEL else self._others_at
        refused = allowed_at - self._clock()
        return max(missing / self._rate, refused, 0.0)

    def _refill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now

    def _set(self, per_minute: int) -> None:
        self._burst = max(2.0, per_minute * BURST)
        self._rate = per_minute * (1 - BURST) / 60


def _whole(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else None
