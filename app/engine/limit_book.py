"""What one process knows of the limits that are set."""

from collections.abc import Sequence

from app.domain.risk.bound import Bound, Bounds
from app.engine.remembered import Remembered
from app.store import limits
from app.store.database import Database

REMEMBER_SECONDS = 0.25


class LimitBook:
    """What one process knows of the limits: at most a quarter of a second old, and told by the
    database where that is too old for an order."""

    def __init__(self, database: Database, house: Sequence[Bound] = ()) -> None:
        self._database = database
        self.house = tuple(house)
        self._known = Remembered(self._read, REMEMBER_SECONDS)

    async def look(self) -> Bounds:
        """The limits that are set, without those of the house."""
        return await self._known.look()

    def at_hand(self) -> Bounds | None:
        """The same, where nobody has to be asked."""
        return self._known.at_hand()

    def forget(self) -> None:
        self._known.forget()

    async def _read(self) -> Bounds:
        async with self._database.connection() as connection:
            return await limits.bounds(connection)
