"""What this adapter remembers of orders: Alpaca's fills and cancels know only Alpaca's own ids."""

from collections import OrderedDict
from typing import Any

from app.brokers.alpaca.reading import Known, known_of

REMEMBERED = 50_000
"""Orders; what is forgotten is asked for again."""


class Directory:
    """Orders by both of their ids, the longest unheard of forgotten first."""

    def __init__(self) -> None:
        self._by_order: OrderedDict[str, Known] = OrderedDict()
        self._by_child: dict[str, Known] = {}

    def note(self, said: Any) -> Known:
        """Remember an order as Alpaca tells it. Raises ValueError."""
        known = known_of(said)
        before = self._by_order.get(known.order_id)
        if before is not None and before.over:
            # News may come out of order; what was over stays so.
            known = before
        self._by_order[known.order_id] = known
        self._by_order.move_to_end(known.order_id)
        self._by_child[known.child_id] = known
        if len(self._by_order) > REMEMBERED:
            _, forgotten = self._by_order.popitem(last=False)
            self._by_child.pop(forgotten.child_id, None)
        return known

    def order(self, order_id: str) -> Known | None:
        return self._by_order.get(order_id)

    def child(self, child_id: str) -> Known | None:
        return self._by_child.get(child_id)

    def open(self) -> list[Known]:
        """Orders of which no end was heard."""
        return [known for known in self._by_order.values() if not known.over]

    def symbol_of_asset(self, asset_id: str) -> str | None:
        found = (k.symbol for k in self._by_order.values() if k.asset_id == asset_id)
        return next(found, None) if asset_id else None
