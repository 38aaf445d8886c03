"""What this adapter remembers of orders: Alpaca's fills and cancels know only Alpaca's own ids."""

from collections import OrderedDict
from dataclasses import replace
from typing import Any

from app.brokers.alpaca.reading import Known, foreign, known_of, object_of
from app.domain.identity import parse_child

REMEMBERED = 50_000
"""Orders; what is forgotten is asked for again."""


class Directory:
    """Orders by both of their ids, the longest unheard of forgotten first. A leg goes by the child
    id of its head, whatever its own is."""

    def __init__(self) -> None:
        self._by_order: OrderedDict[str, Known] = OrderedDict()
        self._by_child: dict[str, Known] = {}
        self._legs: dict[str, list[str]] = {}
        self._sent: set[str] = set()
        """Child ids that went out from here and do not look like ours: none, in a house."""

    def sent(self, child_id: str) -> None:
        """A child goes out from here: it is ours, whatever its id looks like."""
        if parse_child(child_id) is None:
            self._sent.add(child_id)

    def is_ours(self, child_id: str) -> bool:
        return parse_child(child_id) is not None or child_id in self._sent

    def is_theirs(self, said: Any) -> bool:
        """Whether it is somebody else's order, or a leg of one, however well it is known here. Of a
        leg that nobody placed yet this says nothing."""
        if not foreign(said):
            return False
        known = self._by_order.get(str(said.get("id")))
        return not self.is_ours(said["client_order_id"] if known is None else known.child_id)

    def note(self, said: Any) -> Known:
        """Remember an order as Alpaca tells it, and its legs. Raises ValueError."""
        known = known_of(said)
        before = self._by_order.get(known.order_id)
        if before is not None and before.head != before.order_id:
            known = replace(known, child_id=before.child_id, head=before.head)
        elif before is not None and before.over:
            # News may come out of order; what was over stays so.
            known = before
        self._keep(known)
        if known.twin:
            for leg in object_of(said).get("legs") or ():
                self.note_leg(leg, known)
        return known

    def note_leg(self, said: Any, head: Known) -> Known:
        """Remember one of the orders of twins. Raises ValueError."""
        known = known_of(said)
        if known.order_id == head.order_id:
            return head
        known = replace(known, child_id=head.child_id, head=head.order_id)
        legs = self._legs.setdefault(head.order_id, [])
        if known.order_id not in legs:
            legs.append(known.order_id)
        self._keep(known)
        return known

    def settle(self, head_id: str) -> None:
        """All orders of twins are over."""
        known = self._by_order.get(head_id)
        if known is not None:
            self._by_order[head_id] = self._by_child[known.child_id] = replace(known, over=True)

    def order(self, order_id: str) -> Known | None:
        return self._by_order.get(order_id)

    def child(self, child_id: str) -> Known | None:
        return self._by_child.get(child_id)

    def legs(self, head_id: str) -> list[str]:
        """Of twins, the orders beside its head."""
        return self._legs.get(head_id, [])

    def ours_open(self) -> list[Known]:
        """Those that went out from this house."""
        return [k for k in self.open() if self.is_ours(k.child_id)]

    def open(self) -> list[Known]:
        """Orders of which no end was heard."""
        return [k for k in self._by_order.values() if not k.over and k.head == k.order_id]

    def open_twins(self, symbol: str) -> list[Known]:
        return [known for known in self.open() if known.twin and known.symbol == symbol]

    def symbol_of_asset(self, asset_id: str) -> str | None:
        found = (k.symbol for k in self._by_order.values() if k.asset_id == asset_id)
        return next(found, None) if asset_id else None

    def _keep(self, known: Known) -> None:
        self._by_order[known.order_id] = known
        self._by_order.move_to_end(known.order_id)
        if known.head == known.order_id:
            self._by_child[known.child_id] = known
        if len(self._by_order) > REMEMBERED:
            _, forgotten = self._by_order.popitem(last=False)
            self._legs.pop(forgotten.order_id, None)
            if forgotten.head == forgotten.order_id:
                self._by_child.pop(forgotten.child_id, None)
