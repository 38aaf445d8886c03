"""What limits say to a desk: how large a child may be, and how many of them are too many.

A desk is the only sender of its account, so what it counts is exact. A limit on pace that is
reached throws a kill switch: a person looks, and releases it.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.instant import MINUTE, Instant
from app.domain.risk.bound import Bound, held_against
from app.domain.risk.limit import Held
from app.store import limits, paces
from app.store.database import Database

CHILDREN, REJECTIONS = "max_children_1m", "max_rejections_1m"


@dataclass(frozen=True, slots=True)
class Of:
    """Whose children: an order's symbol and strategy."""

    symbol: str
    strategy: str | None


class Restraints:
    """One desk's view of the limits that hold for children, and its count of them."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._version = -1
        self._bounds: tuple[Bound, ...] = ()
        self._counted: defaultdict[Bound, deque[Instant]] = defaultdict(deque)

    async def see(self, database: Database, now: Instant) -> bool:
        """Read what is set; whether it changed. What a new limit on pace counts is counted from
        the journal: neither a restart nor a change begins a window anew."""
        async with database.connection() as connection:
            if await limits.version(connection) == self._version:
                return False
            known = await limits.bounds(connection)
            before, self._version = self._bounds, known.version
            wanted = held_against(known.bounds, Held.CHILD, Held.PACE)
            self._bounds = tuple(b for b in wanted if b.hard is not None)
            if held_against(self._bounds, Held.PACE):
                self._recount(
                    await paces.lately(connection, account=self._account, since=now - MINUTE)
                )
        return before != self._bounds

    def _recount(self, found: Sequence[paces.Lately]) -> None:
        self._counted.clear()
        for at, symbol, strategy, refused in found:
            of = Of(symbol, strategy)
            self._count(CHILDREN, of, at, 1)
            if refused:
                self._count(REJECTIONS, of, at, 1)

    def largest(self, of: Of) -> tuple[Decimal | None, Decimal | None]:
        """How large a child may be, in quantity and in money; None: as large as it likes."""
        return self._least("max_child_qty", of), self._least("max_child_notional", of)

    def sending(self, ofs: Iterable[Of], now: Instant) -> Bound | None:
        """The limit that these children, sent now, would break. If none, they are counted."""
        wanted = list(ofs)
        for bound in self._bounds:
            if bound.limit.name == CHILDREN:
                mine = sum(1 for of in wanted if self.bears(bound, of))
                if mine and self._lately(bound, now) + mine > (bound.hard or 0):
                    return bound
        for of in wanted:
            self._count(CHILDREN, of, now, 1)
        return None

    def refused(self, ofs: Iterable[Of], now: Instant) -> Bound | None:
        """Count children that the broker refused; the limit that is broken with them."""
        for of in ofs:
            self._count(REJECTIONS, of, now, 1)
        broken = (
            b
            for b in self._bounds
            if b.limit.name == REJECTIONS and self._lately(b, now) > (b.hard or 0)
        )
        return next(broken, None)

    def rearm(self, bound: Bound) -> None:
        """A person will have looked before it goes on: from then on it is counted anew."""
        self._counted.pop(bound, None)

    def _count(self, name: str, of: Of, at: Instant, times: int) -> None:
        for bound in self._bounds:
            if bound.limit.name == name and self.bears(bound, of):
                self._counted[bound].extend([at] * times)

    def _lately(self, bound: Bound, now: Instant) -> int:
        counted = self._counted[bound]
        while counted and counted[0] <= now - MINUTE:
            counted.popleft()
        return len(counted)

    def _least(self, name: str, of: Of) -> Decimal | None:
        mine = [
            b.hard
            for b in self._bounds
            if b.limit.name == name and b.hard is not None and self.bears(b, of)
        ]
        return min(mine, default=None)

    def bears(self, bound: Bound, of: Of) -> bool:
        return bound.bears_on(
            account=self._account, key=None, strategy=of.strategy, symbol=of.symbol
        )
