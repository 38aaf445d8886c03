"""The order in which cancels leave: within the broker's rate, what has to end before what moves."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from heapq import heappop, heappush

from app.domain.decide import MOVED, NOT_TAKEN, PATIENCE_ENDED
from app.domain.instant import Instant
from app.domain.message_rate import SHARE

LATE_SECONDS = 0.005


class Haste(IntEnum):
    """What a cancel is for; the smaller goes first."""

    END = 0
    """An order ends or stands still, or a child is where it must not be."""
    CROSS = 1
    """What rested makes room for what is due."""
    MOVE = 2
    """A child goes where the market went; one in SHARE of all cancels at most."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many children may be moved now, and a second."""

    left: int
    per_second: int


def haste_of(reason: str) -> Haste:
    """What a decision's cancel is for, by the reason it gives."""
    return {MOVED: Haste.MOVE, PATIENCE_ENDED: Haste.CROSS, NOT_TAKEN: Haste.CROSS}.get(
        reason, Haste.END
    )


class Cancels:
    """Hands each cancel to `leave` when its turn comes: at once, where no rate is stated.

    Times are on the monotonic clock. A child that waits already is not taken twice; it may only
    become more urgent.
    """

    def __init__(self, per_second: int | None, leave: Callable[[str, Instant], None]) -> None:
        self._gap = 1 / per_second if per_second is not None else 0.0
        self._leave = leave
        self._waiting: dict[str, tuple[Haste, int]] = {}
        self._queue: list[tuple[Haste, int, str, Instant]] = []
        self._number = 0
        self._free_at = self._moves_at = 0.0
        self._sooner = asyncio.Event()
        self._leading: asyncio.Task[None] | None = None

    def ask(self, child_id: str, at: Instant, haste: Haste = Haste.END) -> None:
        if not self._gap:
            self._leave(child_id, at)
            return
        known = self._waiting.get(child_id)
        if known is not None and known[0] <= haste:
            return
        self._number += 1
        self._waiting[child_id] = (haste, self._number)
        heappush(self._queue, (haste, self._number, child_id, at))
        self._sooner.set()
        if self._leading is None:
            self._leading = asyncio.ensure_future(self._lead())

    def room_for_moves(self) -> Room | None:
        """How many more moves would leave within about a second; None: any number."""
        if not self._gap:
            return None
        moves = sum(haste is Haste.MOVE for haste, _ in self._waiting.values())
        per_second = max(int(1 / (SHARE * self._gap)), 1)
        return Room(max(per_second - moves, 0), per_second)

    def waits(self, child_id: str) -> bool:
        """Whether its turn is still to come."""
        return child_id in self._waiting

    async def gone(self) -> None:
        """Wait until nothing waits any more."""
        if self._leading is not None:
            await asyncio.shield(self._leading)

    def forget_moves(self) -> None:
        """Nobody is kept waiting for these: the journal has them, and whoever owns the desk next
        asks for them again."""
        moves = [child for child, (haste, _) in self._waiting.items() if haste is Haste.MOVE]
        for child_id in moves:
            del self._waiting[child_id]
        self._sooner.set()

    async def _lead(self) -> None:
        try:
            while self._waiting:
                await self._next()
        finally:
            self._leading = None

    async def _next(self) -> None:
        """Let the most urgent go, or wait for its turn or for a more urgent one."""
        haste, number, child_id, at = self._queue[0]
        if self._waiting.get(child_id) != (haste, number):
            heappop(self._queue)
            return
        now = time.monotonic()
        turn = max(self._free_at, self._moves_at if haste is Haste.MOVE else 0.0)
        if turn > now:
            await self._wait(turn - now)
            return
        heappop(self._queue)
        del self._waiting[child_id]
        # A timer that rings late does not make the rate lower.
        left_at = turn if now - turn < LATE_SECONDS else now
        self._free_at = left_at + self._gap
        if haste is Haste.MOVE:
            self._moves_at = left_at + SHARE * self._gap
        self._leave(child_id, at)

    async def _wait(self, seconds: float) -> None:
        self._sooner.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._sooner.wait()
        except TimeoutError:
            return
