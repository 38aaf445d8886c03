"""Tells what each account has gained or lost, and stops one that has lost too much."""

import time
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal

from app.domain.instant import Instant
from app.domain.quantity import ZERO
from app.domain.risk.bound import Bound
from app.domain.risk.limit import Scope
from app.engine.tripping import trip
from app.store import limits, market_state, profits
from app.store.controls import Level
from app.store.database import Database
from app.store.doorbell import Doorbell
from app.store.profits import Lost

LOOK_SECONDS = 1.0


class Losses:
    """One worker's look at the accounts whose desks it owns."""

    def __init__(self, database: Database, doorbell: Doorbell) -> None:
        self._database = database
        self._doorbell = doorbell
        self._looked_at = -LOOK_SECONDS

    async def look(self, accounts: Collection[str], now: Instant) -> None:
        """Tell, at most once a second; throw the kill switch of whoever lost too much."""
        if not accounts or time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        async with self._database.transaction() as connection:
            await market_state.need_not_last(connection)
            await profits.tell(connection, sorted(accounts), now)
        async with self._database.connection() as connection:
            known = await limits.bounds(connection)
            # Of all accounts: a limit of the house counts those of other workers as well.
            lost = await profits.all_lost(connection)
        for bound, value in broken(known.bounds, lost):
            # What closes goes on: a stop that waits only loses more.
            said = f"lost {value:.2f}"
            await trip(self._database, self._doorbell, bound, said, level=Level.CLOSE_ONLY)


def broken(bounds: Sequence[Bound], lost: Sequence[Lost]) -> Iterator[tuple[Bound, Decimal]]:
    """Hard limits on loss that are broken, with what was lost."""
    for bound in bounds:
        if bound.hard is None or bound.limit.name not in ("max_daily_loss", "max_drawdown"):
            continue
        today = bound.limit.name == "max_daily_loss"
        mine = [
            one.today if today else one.drawdown
            for one in lost
            if bound.scope is Scope.ALL or bound.name == one.account
        ]
        if mine and sum(mine, ZERO) > bound.hard:
            yield bound, sum(mine, ZERO)
