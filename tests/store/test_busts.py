"""An execution that is declared void takes back all that it moved, once."""

from decimal import Decimal

from app.store.database import Database
from app.store.fill_ledger import Void
from app.store.journal import Entry
from tests.domain.tasks import OPEN
from tests.store.seeds import fetch, fill, intent, record, record_entries, working


async def test_a_bust_takes_back_position_and_fees_once(database: Database) -> None:
    order_id = await working(database)
    child = intent(order_id, 1, 100)
    await record(database, order_id, child)
    await record(
        database,
        order_id,
        fill(child.child_id, "e1", 40),
        fill(child.child_id, "e2", 10, price=12),
    )
    void = Void(child.child_id, "e1", OPEN, "erroneous")
    for _ in range(2):
        await record_entries(database, [Entry(order_id, [], voids=[void])])
    (position,) = await fetch(database, "SELECT * FROM positions")
    # Taken back at its own price: what was paid for what is left is what the other one cost.
    paid = position["qty"] * position["average_price"] - position["realised"]
    assert (position["qty"], paid) == (10, 120)
    assert position["fees"] == Decimal("0.01")
    (order,) = await fetch(database, "SELECT * FROM orders")
    assert (order["filled"], order["filled_notional"]) == (10, 120)
    void_ = await fetch(database, "SELECT execution_id FROM fills WHERE busted_at IS NOT NULL")
    assert [row["execution_id"] for row in void_] == ["e1"]
