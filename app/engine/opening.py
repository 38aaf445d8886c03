"""Desks on their way: each opens beside the turn, so that a broker that hangs holds up its own
account and no other."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from app.domain.instant import Instant
from app.engine.desk import Desk
from app.engine.leasing import Keeper
from app.store.database import unreachable
from app.store.leases import Lease, Lost

log = structlog.get_logger()

OPEN_SECONDS = 60.0
"""A desk that takes longer is given back, and tried again."""

LATE_SECONDS = 10.0
"""A desk that is not open by then is somebody's business."""

BACKOFF_SECONDS = 0.5
BACKOFF_MAX_SECONDS = 8.0

STILL_SECONDS = 5.0
STILL_AGAIN_SECONDS = 0.5
"""So long stepped market time waits for a desk at the first try, and at every other: one that hangs
must not stop the others' market."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A desk that is open, and the latest market time that its broker knows of."""

    desk: Desk
    latest: Instant


@dataclass(slots=True)
class _Tried:
    since: float
    why: str = "its broker has not answered yet"
    failures: int = 0
    again_at: float = 0.0


class Openings:
    """The desks of one worker that are being opened, at most one try an account at a time.

    `opens` opens one desk under its lease, and leaves nothing behind where it fails. The lease is
    renewed meanwhile like every other, and given back when the try ends without a desk. `stir` is
    called when a try has ended.
    """

    def __init__(
        self,
        opens: Callable[[str, Lease], Awaitable[Opened]],
        keeper: Keeper,
        stir: Callable[[], None],
    ) -> None:
        self._opens = opens
        self._keeper = keeper
        self._stir = stir
        self._tasks: dict[str, asyncio.Task[Opened | None]] = {}
        self._still_until: dict[str, float] = {}
        self._tried: dict[str, _Tried] = {}

    @property
    def accounts(self) -> frozenset[str]:
        """Whose desks are on their way."""
        return frozenset(self._tasks)

    @property
    def holds_time(self) -> bool:
        """Whether stepped market time has to stand still: an open desk may have to act first."""
        return any(time.monotonic() < until for until in self._still_until.values())

    @property
    def late(self) -> dict[str, str]:
        """Accounts whose desk has been wanted for long, and why it is not open."""
        now = time.monotonic()
        return {a: t.why for a, t in self._tried.items() if now - t.since > LATE_SECONDS}

    def forget(self, account: str) -> None:
        """Somebody else has it."""
        if account not in self._tasks:
            self._tried.pop(account, None)

    def may_begin(self, account: str) -> bool:
        """Whether its last try is long enough ago."""
        tried = self._tried.get(account)
        return tried is None or time.monotonic() >= tried.again_at

    def begin(self, account: str, lease: Lease) -> None:
        """Open the desk beside everything else."""
        assert account not in self._tasks, "one try at a time"
        task = asyncio.create_task(self._try(account, lease), name=f"open {lease.name}")
        task.add_done_callback(lambda _: self._stir())
        self._tasks[account] = task
        now = time.monotonic()
        still = STILL_AGAIN_SECONDS if account in self._tried else STILL_SECONDS
        self._still_until[account] = now + still
        self._tried.setdefault(account, _Tried(since=now))

    def ended(self) -> list[Opened]:
        """Desks that are open since this was last asked. Raises what our own mistake raised."""
        done = [account for account, task in self._tasks.items() if task.done()]
        return [found for account in done if (found := self._take(account)) is not None]

    async def cancel(self, account: str) -> Opened | None:
        """Give up one try. A desk that was open already is the caller's to let go."""
        task = self._tasks.get(account)
        if task is None:
            return None
        task.cancel()
        await asyncio.wait({task})
        return self._take(account)

    async def close(self) -> list[Opened]:
        """Give up every try; those that were open already are the caller's to let go."""
        found = [await self.cancel(account) for account in list(self._tasks)]
        return [one for one in found if one is not None]

    def _take(self, account: str) -> Opened | None:
        del self._still_until[account]
        task = self._tasks.pop(account)
        return None if task.cancelled() else task.result()

    async def _try(self, account: str, lease: Lease) -> Opened | None:
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                opened = await self._opens(account, lease)
        except BaseException as failure:
            await self._keeper.give_back(lease.name)
            if not isinstance(failure, OSError | Lost) and not unreachable(failure):
                raise
            log.warning("desk cannot be opened yet", account=account, error=_told(failure))
            self._wait_longer(account, _told(failure))
            return None
        self._tried.pop(account, None)
        return opened

    def _wait_longer(self, account: str, why: str) -> None:
        tried = self._tried[account]
        pause = min(BACKOFF_SECONDS * 2 ** min(tried.failures, 10), BACKOFF_MAX_SECONDS)
        tried.failures += 1
        tried.why = why
        tried.again_at = time.monotonic() + pause


def _told(away: BaseException) -> str:
    return str(away) or f"no answer within {OPEN_SECONDS:.0f} s"
