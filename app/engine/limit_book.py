"""What one process knows of the limits that are set."""

import time
from collections.abc import Sequence

from app.domain.risk.bound import Bound, Bounds
from app.store import limits
from app.store.database import Database

REMEMBER_SECONDS = 0.25


class LimitBook:
    """What one process knows of the limits: at most a quarter of a second old, and told by the
    database where that is too old for an order."""

    def __init__(self, database: Database, house: Sequence[Bound] = ()) -> None:
        self._database = database
        self.house = tuple(house)
        self._known = Bounds()
        self._until = 0.0

    async def look(self) -> Bounds:
        """The limits that are set, without those of the house."""
        if time.monotonic() >= self._until:
            until = time.monotonic() + REMEMBER_SECONDS
            async with self._database.connection() as connection:
                self._known = await limits.bounds(connection)
            self._until = until
        return self._known

    def forget(self) -> None:
        self._until = 0.0
