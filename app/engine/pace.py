"""What limits say to a desk's children, and what follows where they are broken."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from app.domain.actions import Decision, Send
from app.domain.fact import ChildRejected
from app.domain.instant import Instant
from app.domain.risk.bound import Bound
from app.engine.restraints import Of, Restraints
from app.engine.tripping import trip
from app.engine.working import Working
from app.store.database import Database
from app.store.doorbell import Doorbell
from app.store.journal import Entry


class Pace:
    """One desk's restraints, with the kill switch that a broken one throws."""

    def __init__(self, account: str, database: Database, doorbell: Doorbell) -> None:
        self._database, self._doorbell = database, doorbell
        self._restraints = Restraints(account)

    async def see(self, now: Instant) -> bool:
        """Read the limits that hold for children; whether they changed."""
        return await self._restraints.see(self._database, now)

    def largest(self, order: Working) -> tuple[Decimal | None, Decimal | None]:
        """How large a child of an order may be, in quantity and in money."""
        return self._restraints.largest(_of(order))

    async def sending(self, acting: Sequence[tuple[Working, Decision]], now: Instant) -> None:
        """Count what these decisions send. Where that is a child too many, what the limit counts
        is halted, before any of them is committed."""
        left = [_of(o) for o, d in acting for a in d.actions if isinstance(a, Send)]
        while left and (bound := self._restraints.sending(left, now)) is not None:
            await self._trip(bound, f"{len(left)} more children were to be sent")
            left = [of for of in left if not self._restraints.bears(bound, of)]

    async def refused(
        self, entries: Iterable[Entry], orders: Mapping[str, Working], now: Instant
    ) -> None:
        """Count what the broker refused."""
        ofs = [
            _of(orders[entry.order_id])
            for entry in entries
            if entry.order_id in orders
            for fact in entry.facts
            if isinstance(fact, ChildRejected) and fact.by_broker
        ]
        bound = self._restraints.refused(ofs, now) if ofs else None
        if bound is not None:
            await self._trip(bound, "the broker refused one more")

    async def _trip(self, bound: Bound, said: str) -> None:
        await trip(self._database, self._doorbell, bound, said)
        self._restraints.rearm(bound)


def _of(order: Working) -> Of:
    return Of(order.symbol, order.strategy)
