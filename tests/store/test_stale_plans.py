"""What is worked all day reads no table whole, though nobody has counted the tables for long.

A session keeps its plans until the next count. One that was made for a thousand orders, where to
read them all looks cheap, goes on so when there are nine thousand.
"""

import itertools
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from app.domain.instant import SECOND
from app.domain.market import Traded
from app.domain.quantity import Side
from app.engine.inbox import book
from app.ports import ExecutionReport
from app.store import leases, open_orders
from app.store.database import Database
from app.store.drafts import Known
from app.store.intents import intend
from app.store.journal import Entry, Recorded
from app.store.leases import Lease
from tests.domain.tasks import OPEN
from tests.store.growth import grow, scanned
from tests.store.seeds import ACCOUNT, BROKER, fetch, intent, record, working


@pytest.fixture
async def database(own_url: str) -> AsyncIterator[Database]:
    # One connection: its statistics are told at once.
    database = await Database.open(own_url, connections=1)
    yield database
    await database.close()


OWN = 200
"""Rows of a table in a turn: the order's own children, some forty, are read by four statements."""


class Turns:
    """One order's children, intended and filled one by one, as a desk does it."""

    def __init__(self, database: Database, lease: Lease, order_id: str) -> None:
        self._database = database
        self._lease = lease
        self._order_id = order_id
        self._numbers = itertools.count(3)
        self.known: Known | None = None

    async def turn(self) -> None:
        n = next(self._numbers)
        child = intent(self._order_id, n, 1)
        recorded, _ = await intend(
            self._database,
            account=ACCOUNT,
            broker=BROKER,
            lease=self._lease,
            entries=[Entry(self._order_id, [child])],
            symbols={self._order_id: "XYZ"},
            strategies={self._order_id: None},
            known=self.known,
        )
        self._remember(recorded[0])
        amounts = (Decimal(1), Decimal(10), Decimal(0))
        told = (child.child_id, f"b{n}", f"e{n}", "XYZ", Side.BUY, *amounts, "taker", OPEN)
        booked = await book(
            self._database,
            account=ACCOUNT,
            broker=BROKER,
            reports=[ExecutionReport(*told)],
            known=self.known,
        )
        self._remember(booked.recorded[0])
        traded = Traded(Decimal(n), Decimal(n))
        measured = open_orders.Measured(self._order_id, traded, OPEN + n * SECOND)
        async with self._database.connection() as connection:
            mine = {"account": ACCOUNT, "broker": BROKER}
            await open_orders.take_attention(connection, **mine, at_most=250)
            await open_orders.measure(connection, account=ACCOUNT, measured=[measured], again=True)

    def _remember(self, recorded: Recorded) -> None:
        assert not recorded.stale
        if self.known is not None:
            self.known = {self._order_id: (recorded.version, recorded.execution)}


@pytest.mark.parametrize("remembered", [False, True])
@pytest.mark.parametrize("counted", [300, 1_000, 2_000])
async def test_plans_made_for_few_orders_do_for_many(
    database: Database, counted: int, remembered: bool
) -> None:
    order_id = await working(database)
    await record(database, order_id, intent(order_id, 1, 1), intent(order_id, 2, 1))
    await grow(database, order_id, counted)
    await fetch(database, "ANALYZE")
    async with database.connection() as connection:
        lease = await leases.claim(connection, name="desk:a1", owner="w1", seconds=600)
    assert lease is not None
    turns = Turns(database, lease, order_id)
    await scanned(database, turns.turn)
    turns.known = {} if remembered else None
    await scanned(database, turns.turn)
    await grow(database, order_id, 8 * counted, name="later")
    assert await scanned(database, turns.turn, few=OWN) == {}
