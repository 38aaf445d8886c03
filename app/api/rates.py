"""How often a key may ask, and how often an address may fail to show one: buckets of tokens.

They live in this process: of several API processes each has its own. A cancel or kill switch takes
no token, and the reads that steer them have a bucket of their own: whoever has traded too fast can
still see what is open and end it.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.api.errors import Problem

RATE_LIMITED = "rate_limited"
_BUCKETS_MAX = 10_000
_MINUTE = 60.0

STEERING = frozenset(
    {
        "/orders",
        "/orders/{order_id}",
        "/orders/{order_id}/children",
        "/orders:by_client_order_id",
        "/positions",
        "/risk/kill-switches",
        "/v2/orders",
        "/v2/orders/{order_id}",
        "/v2/orders:by_client_order_id",
        "/v2/positions",
    }
)
"""What is read to know what to cancel."""


@dataclass(frozen=True, slots=True)
class RateRules:
    """Requests a second of one key, and how many at once; keys an address may get wrong a minute.
    0 is no limit."""

    per_key: float = 0
    burst: int = 0
    failures: int = 0


class Buckets:
    """A bucket for every name: `burst` tokens at first, `rate` new ones a second."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, name: str) -> float:
        """Seconds until there is a token; 0: now."""
        missing = 1 - self._tokens(name)
        return missing / self._rate if missing > 0 else 0.0

    def take(self, name: str, tokens: float = 1) -> float:
        """Take tokens where there is one, going into debt for the rest; else the wait for it."""
        wait = self.wait(name)
        if not wait:
            self._keep(name, self._tokens(name) - tokens)
        return wait

    def _tokens(self, name: str) -> float:
        left, since = self._left.get(name, (self._burst, 0.0))
        return min(left + (self._clock() - since) * self._rate, self._burst)

    def _keep(self, name: str, tokens: float) -> None:
        if len(self._left) >= _BUCKETS_MAX:
            self._forget_the_full()
        self._left[name] = (tokens, self._clock())

    def _forget_the_full(self) -> None:
        """A full bucket is as good as none. Where most are in use the older half goes, so that
        nobody can make every request search them all."""
        used = [(n, kept) for n, kept in self._left.items() if self._tokens(n) < self._burst]
        self._left = dict(used[-(_BUCKETS_MAX // 2) :])


class Rates:
    """The buckets of one app."""

    def __init__(self, rules: RateRules, clock: Callable[[], float] = time.monotonic) -> None:
        burst = max(rules.burst, 1)
        self._on = rules.per_key > 0
        self._work = Buckets(rules.per_key, burst, clock)
        self._steering = Buckets(rules.per_key, burst, clock)
        self._counting = rules.failures > 0
        self._failures = Buckets(rules.failures / _MINUTE, max(rules.failures, 1), clock)

    def charge(self, key_id: str, scope: str, method: str, path: str, tokens: int = 1) -> None:
        """Raises Problem 429 for a key that asks too often."""
        if not self._on or scope == "cancel":
            return
        steers = scope == "read" and method == "GET" and path in STEERING
        wait = (self._steering if steers else self._work).take(key_id, tokens)
        if wait:
            raise too_often(wait, "this key asks more often than it may")

    def check_address(self, address: str) -> None:
        """Raises Problem 429 for an address that has shown too many wrong keys."""
        wait = self._failures.wait(address) if self._counting else 0
        if wait:
            raise too_often(wait, "too many wrong keys came from this address")

    def failed(self, address: str) -> None:
        """An address has shown a wrong key."""
        if self._counting:
            self._failures.take(address)


def too_often(wait: float, message: str) -> Problem:
    return Problem(429, RATE_LIMITED, message, {"Retry-After": str(max(math.ceil(wait), 1))})
