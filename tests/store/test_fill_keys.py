"""An execution is known by account, broker and id, and by nothing less."""

import pytest

from app.store import children
from app.store.database import Database
from tests.store.seeds import ACCOUNT, BROKER, fill, intent, record, working


@pytest.mark.parametrize(
    ("account", "broker", "known"),
    [(ACCOUNT, BROKER, True), ("a2", BROKER, False), (ACCOUNT, "other", False)],
)
async def test_another_accounts_execution_of_that_name_is_another(
    database: Database, account: str, broker: str, known: bool
) -> None:
    order_id = await working(database)
    child = intent(order_id, 1, 100)
    await record(database, order_id, child)
    await record(database, order_id, fill(child.child_id, "e1", 40))
    async with database.connection() as connection:
        owners, booked = await children.known(
            connection,
            account=account,
            broker=broker,
            child_ids=[child.child_id],
            execution_ids=["e1"],
        )
    assert ("e1" in booked) is known
    assert (child.child_id in owners) is (account == ACCOUNT)
