"""Exits that have nothing to reduce because others of the account hold against their strategy.

An account's positions are net: a strategy's hundred are still there, and have to be watched, while
another one's short hundred hide them. Such an exit waits; it ends where its own strategy has closed
what it holds.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from app.domain.instant import Instant
from app.domain.quantity import ZERO
from app.engine.working import EXIT, Working
from app.store import exits, positions
from app.store.database import Connection


class Netting:
    """Finds those exits. What a strategy holds is summed again only after a fill in its symbol: it
    may have many orders."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._known: dict[tuple[str, str | None], tuple[Instant, Decimal]] = {}

    async def look(
        self,
        connection: Connection,
        orders: Sequence[Working],
        held: Mapping[str, Decimal],
    ) -> frozenset[str]:
        """The ids of those among `orders`. `held` is what the account holds."""
        hidden = [o for o in orders if o.role == EXIT and not _left(o, held.get(o.symbol, ZERO))]
        if not hidden:
            return frozenset()
        moved = await positions.moved(
            connection, account=self._account, symbols={o.symbol for o in hidden}
        )
        found = [o for o in hidden if _left(o, await self._own(connection, o, moved))]
        return frozenset(order.order_id for order in found)

    async def _own(
        self, connection: Connection, order: Working, moved: Mapping[str, Instant]
    ) -> Decimal:
        whose, at = (order.symbol, order.strategy), moved.get(order.symbol, 0)
        known = self._known.get(whose)
        if known is not None and known[0] == at:
            return known[1]
        own = await exits.own_position(
            connection, account=self._account, symbol=order.symbol, strategy=order.strategy
        )
        self._known[whose] = (at, own)
        return own


def _left(order: Working, position: Decimal) -> bool:
    """Whether the order's side could take away a lot of the position."""
    task = order.execution.task
    return -task.side.sign * position >= task.instrument.lot
