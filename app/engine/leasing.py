"""Holds this worker's leases: renews them, and says whether one is still young enough to send."""

import asyncio
from collections.abc import Callable

import structlog

from app.engine.steady import steady
from app.failpoints import reach
from app.store import leases
from app.store.background import Background
from app.store.database import Database, unreachable
from app.store.leases import TTL_SECONDS, Lease

log = structlog.get_logger()

RENEWALS = 5
"""So often a lease is renewed in the time it lasts: some may be missed."""

SAFE_SHARE = 2 / 3
"""No sending in the last third of a lease, measured from before we asked for it."""

RENEW_SECONDS = TTL_SECONDS / RENEWALS
SAFE_SECONDS = TTL_SECONDS * SAFE_SHARE


class Keeper:
    """The leases of one worker. `lost` is called with the name of one that is no longer ours."""

    def __init__(
        self,
        database: Database,
        owner: str,
        lost: Callable[[str], None],
        seconds: float = TTL_SECONDS,
    ) -> None:
        self._database = database
        self._owner = owner
        self._lost = lost
        self._seconds = seconds
        self._held: dict[str, Lease] = {}
        self._safe_until: dict[str, float] = {}
        self.loop = Background(self._run, "leases")

    def start(self) -> None:
        self.loop.start()

    async def close(self) -> None:
        """Give everything back, so that the next owner need not wait."""
        await self.loop.close()
        self._safe_until.clear()
        for lease in list(self._held.values()):
            await self._release(lease)
        self._held.clear()

    async def claim(self, name: str) -> Lease | None:
        """Try to own `name`. None: somebody else does."""
        asked = steady()
        async with self._database.connection() as connection:
            lease = await leases.claim(
                connection, name=name, owner=self._owner, seconds=self._seconds
            )
        if lease is not None:
            self._held[name] = lease
            self._safe_until[name] = asked + self._seconds * SAFE_SHARE
        return lease

    def safe(self, name: str) -> bool:
        """Whether something may still be sent under the lease."""
        return steady() < self._safe_until.get(name, 0.0)

    async def give_back(self, name: str) -> None:
        """Let go of one lease at once."""
        self._safe_until.pop(name, None)
        lease = self._held.get(name)
        if lease is not None:
            await self._release(lease)
            # Not before: a `close` that cuts in gives back what is still held.
            if self._held.get(name) is lease:
                self._held.pop(name)

    def drop(self, name: str) -> None:
        """Forget a lease that is not ours any more."""
        self._held.pop(name, None)
        self._safe_until.pop(name, None)

    async def _release(self, lease: Lease) -> None:
        try:
            async with self._database.connection() as connection:
                await leases.release(connection, lease, owner=self._owner)
                reach("lease.given_back")
        except Exception as failure:
            if not unreachable(failure):
                raise
            log.warning("lease not given back, it will run out", lease=lease.name)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds / RENEWALS)
            try:
                await self._renew()
            except Exception as failure:
                if not unreachable(failure):
                    raise
                # Nothing is sent once the safe time is over; trying goes on.
                log.warning("leases not renewed", error=str(failure))

    async def _renew(self) -> None:
        held = [lease for name, lease in self._held.items() if name in self._safe_until]
        if not held:
            return
        asked = steady()
        async with self._database.connection() as connection:
            ours = await leases.renew(connection, held, owner=self._owner, seconds=self._seconds)
            reach("lease.renewed")
        for lease in held:
            if self._held.get(lease.name) is not lease or lease.name not in self._safe_until:
                continue  # Given back, or claimed anew, while the database answered.
            if lease.name in ours:
                self._safe_until[lease.name] = asked + self._seconds * SAFE_SHARE
            else:
                self.drop(lease.name)
                self._lost(lease.name)
