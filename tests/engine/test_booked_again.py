"""What was told once and could not be booked is told again, and booked."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.store.database import Database
from app.store.journal import Contradiction
from tests.engine.test_inbox import an_order, booking, execution
from tests.store.seeds import value


async def test_an_execution_of_a_failed_booking_counts_when_it_is_told_again(
    database: Database,
) -> None:
    _, (one, two) = await an_order(database, 1, 2)
    impossible = replace(execution(40, "e2", two), price=Decimal(0))
    with pytest.raises(Contradiction):
        await booking(database, execution(40, "e1", one), impossible)
    assert await value(database, "SELECT filled FROM orders") == 0
    booked = await booking(database, execution(40, "e1", one))
    assert [f.execution_id for recorded in booked.recorded for f in recorded.booked] == ["e1"]
    assert await value(database, "SELECT filled FROM orders") == 40
    assert await value(database, "SELECT qty FROM positions") == 40
