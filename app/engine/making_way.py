"""What takes risk away at once is not held up by the account's own orders: their children that it
would trade with give way. The orders they belong to go on when it is done."""

from collections.abc import Awaitable, Callable, Sequence

from app.domain.fact import ChildCancelRequested
from app.domain.instant import Instant
from app.engine.halting import heard_of
from app.engine.shared import Shared
from app.store.journal import Entry

IN_THE_WAY = "in_the_way"

Record = Callable[[Sequence[Entry], Instant], Awaitable[None]]


class MakingWay:
    """One desk's. `record` writes facts down."""

    def __init__(self, shared: Shared, record: Record) -> None:
        self._roster, self._sender = shared.roster, shared.sender
        self._record = record

    async def look(self, now: Instant) -> bool:
        """Cancel what rests in the way of urgent orders that were held back by it; whether
        anything was. A child whose fate is not known has to be found first."""
        found: dict[str, set[str]] = {}
        for order in self._roster.held_up():
            for order_id, child_id in self._roster.in_the_way(order):
                found.setdefault(order_id, set()).add(child_id)
        entries = []
        for order_id, child_ids in found.items():
            leaving = [
                c for c in heard_of(self._roster.orders[order_id].execution) if c in child_ids
            ]
            for child_id in leaving:
                # Sent before it is written: a cancel waits for no commit.
                self._sender.cancel(child_id, now)
            facts = [ChildCancelRequested(now, child_id, IN_THE_WAY) for child_id in leaving]
            entries += [Entry(order_id, facts)] if facts else []
        await self._record(entries, now)
        return bool(entries)
