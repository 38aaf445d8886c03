"""Removes what is finished and old enough, by one worker at a time, beside the order path."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from app.engine.ids import new_id
from app.engine.leasing import Keeper
from app.failpoints import reach
from app.store import event_log, retention
from app.store.archive import Archive, NotArchived, documents
from app.store.background import Background
from app.store.database import Database, unreachable
from app.store.leases import Lease, Lost

log = structlog.get_logger()

LEASE = "housekeeping"
ROUND_SECONDS = 60.0
BREATH_SECONDS = 0.05
"""Between two batches: orders go first."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long finished orders stay, by the machine's time since they last changed, and where
    they are written before they go (None: nowhere)."""

    days: timedelta
    archive: Path | None = None


class Housekeeping:
    """A round a minute, in the worker that gets the lease. `keeping` None: all stays for ever."""

    def __init__(self, database: Database, keeping: Keeping | None) -> None:
        self._database = database
        self._keeping = keeping
        self._keeper = Keeper(database, f"{socket.gethostname()}:{new_id()[-6:]}", _lost)
        self._archive = Archive(keeping.archive) if keeping and keeping.archive else None
        self.loop = Background(self._run, "housekeeping")

    def start(self) -> None:
        self._keeper.start()
        self.loop.start()

    async def close(self) -> None:
        await self.loop.close()
        await self._keeper.close()

    async def round(self) -> int:
        """Remove all that may go now; how many orders did. 0 too where another worker does it."""
        if self._keeping is None:
            return 0
        lease = await self._keeper.claim(LEASE)
        if lease is None:
            return 0
        try:
            return await self._remove(lease, self._keeping.days.total_seconds())
        finally:
            await self._keeper.give_back(LEASE)

    async def _run(self) -> None:
        while True:
            self._keeper.loop.check()
            try:
                removed = await self.round()
                if removed:
                    log.info("finished orders removed", orders=removed)
            except Lost:
                log.warning("lease lost", lease=LEASE)
            except NotArchived as failure:
                # No file, no removal: the orders stay until they can be archived.
                log.error("finished orders not archived", error=str(failure))
            except Exception as failure:
                if not unreachable(failure):
                    raise
                log.warning("housekeeping without a database", error=str(failure))
            await asyncio.sleep(ROUND_SECONDS)

    async def _remove(self, lease: Lease, older_than: float) -> int:
        removed = 0
        async with self._database.connection() as connection:
            await event_log.forget_silent(connection)
            accounts = await retention.accounts(connection)
        for account in accounts:
            removed += await _all(partial(self._batch, lease, account, older_than))
            await _all(partial(self._loose_events, lease, account, older_than))
        for loose in (retention.remove_loose_signals, retention.remove_loose_keys):
            await _all(partial(loose, self._database, lease, older_than=older_than))
        return removed

    async def _loose_events(self, lease: Lease, account: str, older_than: float) -> int:
        removed = await retention.remove_loose_events(
            self._database, lease, account=account, older_than=older_than
        )
        return removed.events

    async def _batch(self, lease: Lease, account: str, older_than: float) -> int:
        """Archive some, then remove them; how many went."""
        async with self._database.connection() as connection:
            finished = await retention.removable(connection, account=account, older_than=older_than)
            found = await documents(connection, finished) if self._archive else []
        if self._archive:
            await asyncio.to_thread(self._archive.write, found)
            reach("retention.archived")
            # Only what is in a file now: the rest changed meanwhile, and waits for the next round.
            written = {(document.order_id, document.version) for document in found}
            finished = [f for f in finished if (f.id, f.version) in written]
        if not finished:
            return 0
        removed = await retention.remove(self._database, lease, finished)
        reach("retention.removed")
        return removed.orders


async def _all(batch: Callable[[], Awaitable[int]]) -> int:
    """Batch after batch until one finds nothing; how many went."""
    total = 0
    while went := await batch():
        total += went
        await asyncio.sleep(BREATH_SECONDS)
    return total


def _lost(name: str) -> None:
    log.warning("lease lost", lease=name)
