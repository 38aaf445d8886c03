"""Orders with a stop, in the ledger of a venue that has two orders for one child of ours: the head,
under our name, and legs under names that nobody gave. They are read as the one order they are."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

Row = tuple[int, str, str | None]
"""An order's place, its client id, and how it ended."""


@dataclass(frozen=True, slots=True)
class Stop:
    price: Decimal
    limit: Decimal | None


@dataclass(frozen=True, slots=True)
class Twins:
    """By place: of legs their head, of heads their stop. `names`: of legs the head's client id."""

    heads: dict[int, int] = field(default_factory=dict)
    stops: dict[int, Stop] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def name(self, client_id: str) -> str:
        return self.names.get(client_id, client_id)

    def ends(self, rows: Iterable[Row]) -> dict[int, str | None]:
        """How each order ended, legs counted with their head: open while one of them is, filled
        once one of them is, for each is for what the others left."""
        found: dict[int, list[str | None]] = {}
        for seq, _, ended in sorted(rows):
            found.setdefault(self.heads.get(seq, seq), []).append(ended)
        return {seq: _end(ends) for seq, ends in found.items()}


def _end(ends: list[str | None]) -> str | None:
    if None in ends:
        return None
    if "filled" in ends:
        return "filled"
    return "canceled" if ends[0] == "replaced" else ends[0]


def twins_of(db: sqlite3.Connection, account: str) -> Twins:
    try:
        found = db.execute(
            "SELECT t.order_seq, t.head_seq, t.stop_price, t.stop_limit_price, o.client_id,"
            " h.client_id FROM twins t JOIN orders o ON o.seq = t.order_seq"
            " JOIN orders h ON h.seq = t.head_seq WHERE o.account = ?",
            (account,),
        ).fetchall()
    except sqlite3.OperationalError:
        return Twins()  # A venue without them.
    twins = Twins()
    for seq, head, price, limit, name, of in found:
        if seq == head:
            twins.stops[seq] = Stop(Decimal(price), limit and Decimal(limit))
        else:
            twins.heads[seq], twins.names[name] = head, of
    return twins
