"""The answer to a new order, written before the order is entered, but for what the database tells.

What an order is made of lies at hand when it is checked. After its commit others have been worked
on in between, and all of it would have had to be kept (what it is worth: docs/performance.md).
"""

from collections.abc import Callable
from typing import NamedTuple

import orjson

from app.domain.instant import rfc3339
from app.store.arrival import Arrival
from app.store.entering import row_of
from app.store.rows import Row
from app.store.views.plain import Answer

_GAP = b'"created_at":null,"updated_at":null'
"""Within a text its quotes would be escaped, and nothing in an answer but the order itself has
fields of these names."""


class Ahead(NamedTuple):
    """An answer's JSON, before and after the moments that the database tells; of which order, and
    of which version of it."""

    before: bytes
    after: bytes | None
    order_id: str
    version: int

    def at(self, told: Row) -> bytes:
        """The answer, with the order's moments as they were told."""
        if self.after is None:
            return self.before
        created, updated = rfc3339(told["created_at"]), rfc3339(told["updated_at"])
        moments = f'"created_at":"{created}","updated_at":"{updated}"'
        return b"".join((self.before, moments.encode(), self.after))


def ahead(arrival: Arrival, shown: Callable[[Row], Answer]) -> Ahead:
    """What `shown` will say of the order once it is entered as it is."""
    row = row_of(arrival.order, arrival.market)
    row["created_at"] = row["updated_at"] = None
    before, *after = orjson.dumps(shown(row)).split(_GAP)
    assert len(after) < 2, "an answer shows one order"
    return Ahead(before, after[0] if after else None, row["id"], row["version"])
