"""Intents: fenced by the lease, the halts and the version; what does not pass writes nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from app.domain.fact import ChildCancelRequested, ChildRejected, Fact, Moved, Sent
from app.domain.identity import child_id
from app.domain.lifecycle import OrderStatus
from app.store import halts, leases
from app.store.database import Connection, Database
from app.store.halts import Halt
from app.store.intents import conclude, intend
from app.store.journal import Entry, Recorded
from app.store.leases import Lease, Lost
from tests.domain.tasks import OPEN
from tests.store.seeds import (
    ACCOUNT,
    BROKER,
    fetch,
    fill,
    intent,
    record,
    row_of,
    task,
    value,
    working,
)

LONG = 600.0
"""Seconds: nobody renews these leases, and a busy machine takes its time."""


@dataclass
class Desk:
    """One account's owner, as far as intents are concerned."""

    database: Database
    lease: Lease
    strategy: str | None = None

    async def intend(
        self, order_id: str, *facts: Fact, version: int | None = None, symbol: str = "XYZ"
    ) -> tuple[list[Recorded], dict[str, str]]:
        return await self.intend_all([Entry(order_id, facts, version)], symbol)

    async def intend_all(
        self, entries: Sequence[Entry], symbol: str = "XYZ"
    ) -> tuple[list[Recorded], dict[str, str]]:
        return await intend(
            self.database,
            account=ACCOUNT,
            broker=BROKER,
            lease=self.lease,
            entries=entries,
            symbols={e.order_id: symbol for e in entries},
            strategies={e.order_id: self.strategy for e in entries},
        )


@pytest.fixture
async def desk(database: Database) -> Desk:
    async with database.connection() as connection:
        lease = await leases.claim(connection, name="desk:a1", owner="w1", seconds=LONG)
    assert lease is not None
    return Desk(database, lease, "momentum")


async def throw(connection: Connection, scope: str, name: str, halted: bool = True) -> None:
    """A switch, as DESIGN §4.3 has it: the row of `all` is updated by every change."""
    await connection.execute(
        "UPDATE controls SET version = version + 1 WHERE scope = 'all' AND name = '*'"
    )
    await connection.execute(
        "INSERT INTO controls (scope, name, halted, reason) VALUES ($1, $2, $3, 'drill')"
        " ON CONFLICT (scope, name) DO UPDATE SET halted = $3, reason = 'drill',"
        " changed_at = clock_timestamp()",
        scope,
        name,
        halted,
    )


async def state(database: Database) -> list[Any]:
    """All that an intent could write."""
    tables = ("orders", "children", "events", "fills", "positions")
    return [await fetch(database, f"SELECT * FROM {table}") for table in tables]


async def test_an_intent_is_a_row_and_a_reservation_before_anything_leaves(desk: Desk) -> None:
    order_id = await working(desk.database)
    recorded, stopped = await desk.intend(order_id, intent(order_id, 1, 300))
    assert stopped == {}
    assert recorded[0].execution.working == 300
    (child,) = await fetch(desk.database, "SELECT status, epoch, qty FROM children")
    assert tuple(child) == ("intent", desk.lease.epoch, 300)
    assert (await row_of(desk.database, order_id))["working"] == 300


# The lease.


async def lose_to_another(desk: Desk) -> None:
    await fetch(desk.database, "UPDATE leases SET until = clock_timestamp()")
    async with desk.database.connection() as connection:
        assert await leases.claim(connection, name="desk:a1", owner="w2") is not None


async def run_out(desk: Desk) -> None:
    await fetch(desk.database, "UPDATE leases SET until = clock_timestamp()")


async def give_back(desk: Desk) -> None:
    async with desk.database.connection() as connection:
        await leases.release(connection, desk.lease, owner="w1")


@pytest.mark.parametrize("lose", [lose_to_another, run_out, give_back])
async def test_without_the_lease_nothing_is_written(desk: Desk, lose: Any) -> None:
    order_id = await working(desk.database)
    await lose(desk)
    before = await state(desk.database)
    with pytest.raises(Lost):
        await desk.intend(order_id, intent(order_id, 1, 300))
    assert await state(desk.database) == before


async def test_facts_need_no_lease(desk: Desk) -> None:
    order_id = await working(desk.database)
    child = intent(order_id, 1, 300)
    await desk.intend(order_id, child)
    await lose_to_another(desk)
    await record(desk.database, order_id, Sent(OPEN, child.child_id, "b1"))
    await record(desk.database, order_id, fill(child.child_id, "e1", 100))
    assert (await row_of(desk.database, order_id))["filled"] == 100


# The version and the excess.


async def test_of_two_decisions_on_one_version_one_child_comes(desk: Desk) -> None:
    order_id = await working(desk.database)
    decisions = (desk.intend(order_id, intent(order_id, 1, 600), version=2) for _ in range(6))
    outcomes = await asyncio.gather(*decisions)
    assert sorted(recorded[0].stale for recorded, _ in outcomes) == [False] + [True] * 5
    assert (await row_of(desk.database, order_id))["working"] == 600


async def test_excess_forbids_any_new_child(desk: Desk) -> None:
    order_id = await working(desk.database, qty=100)
    child = intent(order_id, 1, 50)
    await desk.intend(order_id, child)
    await record(desk.database, order_id, fill(child.child_id, "e1", 101))
    before = await state(desk.database)
    with pytest.raises(AssertionError, match="explanation"):
        await desk.intend(order_id, intent(order_id, 2, 1))
    assert await state(desk.database) == before


async def test_more_than_is_left_is_not_intended(desk: Desk) -> None:
    order_id = await working(desk.database, qty=100)
    before = await state(desk.database)
    with pytest.raises(AssertionError, match="below zero"):
        await desk.intend(order_id, intent(order_id, 1, 60), intent(order_id, 2, 41))
    assert await state(desk.database) == before


# The halts.

BEARING = [("all", "*"), ("account", ACCOUNT), ("strategy", "momentum"), ("symbol", "XYZ")]
OTHERS = [("account", "a2"), ("strategy", "XYZ"), ("symbol", "momentum"), ("symbol", "xyz")]


@pytest.mark.parametrize(("scope", "name"), BEARING)
async def test_a_halt_stops_new_children(desk: Desk, scope: str, name: str) -> None:
    order_id = await working(desk.database)
    async with desk.database.transaction() as connection:
        await throw(connection, scope, name)
    before = await state(desk.database)
    recorded, stopped = await desk.intend(order_id, intent(order_id, 1, 300))
    assert recorded == []
    assert stopped == {order_id: f"{scope}:{name}: drill"}
    assert await state(desk.database) == before
    async with desk.database.transaction() as connection:
        await throw(connection, scope, name, halted=False)
    recorded, stopped = await desk.intend(order_id, intent(order_id, 1, 300))
    assert (len(recorded), stopped) == (1, {})


@pytest.mark.parametrize(("scope", "name"), OTHERS)
async def test_a_halt_of_something_else_stops_nothing(desk: Desk, scope: str, name: str) -> None:
    order_id = await working(desk.database)
    async with desk.database.transaction() as connection:
        await throw(connection, scope, name)
    recorded, stopped = await desk.intend(order_id, intent(order_id, 1, 300))
    assert (len(recorded), stopped) == (1, {})


async def test_an_order_without_strategy_is_no_strategys(desk: Desk) -> None:
    desk.strategy = None
    order_id = await working(desk.database)
    async with desk.database.transaction() as connection:
        await throw(connection, "strategy", "None")
    assert (await desk.intend(order_id, intent(order_id, 1, 300)))[1] == {}


async def test_a_halt_lets_cancels_and_ends_through(desk: Desk) -> None:
    order_id = await working(desk.database)
    child = intent(order_id, 1, 300)
    await desk.intend(order_id, child)
    async with desk.database.transaction() as connection:
        await throw(connection, "all", "*")
    ending: list[Fact] = [
        ChildCancelRequested(OPEN, child.child_id, "halt"),
        Moved(OPEN, OrderStatus.CLOSING, "requested"),
    ]
    recorded, stopped = await desk.intend(order_id, *ending)
    assert stopped == {}
    assert recorded[0].execution.status is OrderStatus.CLOSING


async def test_a_halted_order_does_not_hold_up_its_neighbours(desk: Desk) -> None:
    halted, free = await working(desk.database), await working(desk.database, task(symbol="ABC"))
    async with desk.database.transaction() as connection:
        await throw(connection, "symbol", "XYZ")
    entries = [Entry(o, [intent(o, 1, 10)]) for o in (halted, free)]
    recorded, stopped = await intend(
        desk.database,
        account=ACCOUNT,
        broker=BROKER,
        lease=desk.lease,
        entries=entries,
        symbols={halted: "XYZ", free: "ABC"},
        strategies={halted: None, free: None},
    )
    assert [r.order_id for r in recorded] == [free]
    assert set(stopped) == {halted}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("scope", "name"), BEARING)
async def test_a_switch_that_is_being_thrown_is_waited_for_and_seen(
    desk: Desk, scope: str, name: str, known: bool
) -> None:
    """Thrown before our commit: no intent may commit after it. `known`: its row was there."""
    order_id = await working(desk.database)
    if known:
        async with desk.database.transaction() as connection:
            await throw(connection, scope, name, halted=False)
    async with desk.database.transaction() as connection:
        await throw(connection, scope, name)
        intending = asyncio.create_task(desk.intend(order_id, intent(order_id, 1, 300)))
        await asyncio.sleep(0.1)
        assert not intending.done()
    _, stopped = await intending
    assert set(stopped) == {order_id}
    assert await value(desk.database, "SELECT count(*) FROM children") == 0


async def test_a_switch_waits_for_the_intents_before_it(desk: Desk) -> None:
    order_id = await working(desk.database)
    thrown = asyncio.Event()

    async def switch() -> int:
        async with desk.database.transaction() as connection:
            await throw(connection, "symbol", "XYZ")
        thrown.set()
        return int(await value(desk.database, "SELECT count(*) FROM children"))

    async with desk.database.transaction() as blocker:
        # The intent has looked at the switches and now waits for its order.
        await blocker.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", order_id)
        intending = asyncio.create_task(desk.intend(order_id, intent(order_id, 1, 300)))
        await asyncio.sleep(0.1)
        switching = asyncio.create_task(switch())
        await asyncio.sleep(0.1)
        assert not thrown.is_set()
    await intending
    assert await switching == 1, "once the switch is thrown, every intent before it is there"


async def test_after_a_switch_not_one_intent_commits(pools: list[Database]) -> None:
    """Many orders being worked at full speed while somebody throws the switch, again and again."""
    async with pools[0].connection() as connection:
        lease = await leases.claim(connection, name="desk:a1", owner="w1", seconds=LONG)
    assert lease is not None
    desk = Desk(pools[0], lease)
    orders = [await working(pools[0], qty=10_000) for _ in range(4)]
    halted = asyncio.Event()

    async def work(order_id: str) -> None:
        number = 1
        while not halted.is_set():
            recorded, _ = await desk.intend(order_id, intent(order_id, number, 1))
            number += len(recorded)

    for drill in range(5):
        scope, name = BEARING[drill % 2] if drill < 4 else ("symbol", "XYZ")
        workers = [asyncio.create_task(work(order_id)) for order_id in orders]
        await asyncio.sleep(0.05)
        async with pools[1].transaction() as connection:
            await throw(connection, scope, name)
        at_once = await value(pools[1], "SELECT count(*) FROM children")
        await asyncio.sleep(0.05)
        halted.set()
        await asyncio.gather(*workers)
        assert await value(pools[1], "SELECT count(*) FROM children") == at_once
        async with pools[1].transaction() as connection:
            await throw(connection, scope, name, halted=False)
            await connection.execute("UPDATE children SET status = 'filled'")
        orders = [await working(pools[0], qty=10_000) for _ in range(4)]
        halted.clear()
    assert at_once > 0


async def test_halts_are_told_without_a_lock_too(desk: Desk) -> None:
    async with desk.database.transaction() as connection:
        await throw(connection, "symbol", "XYZ")
        await throw(connection, "account", "a2")
        await throw(connection, "strategy", "momentum", halted=False)
    async with desk.database.connection() as connection:
        found = await halts.halts(connection, account=ACCOUNT)
        assert found == {("symbol", "XYZ"): Halt("drill")}
        await connection.execute("UPDATE controls SET reason = NULL")
        assert await halts.halts(connection, account="a2") == {
            ("symbol", "XYZ"): Halt("halted"),
            ("account", "a2"): Halt("halted"),
        }


async def test_an_order_is_told_the_same_halt_everywhere(desk: Desk) -> None:
    """The first that bears on it, in a preview as by an intent."""
    async with desk.database.connection() as connection:
        for n in range(20, 9, -1):
            await throw(connection, "symbol", f"X{n}")
        await connection.execute("ANALYZE controls")  # Few rows: read as they lie.
        told = list(await halts.halts(connection, account=ACCOUNT))
    async with halts.intending(desk.database, account=ACCOUNT, lease=desk.lease) as (_, held):
        assert told == list(held) == sorted(told)


async def test_what_an_owner_concludes_is_fenced_and_never_stale(desk: Desk) -> None:
    """Absence, restart policies: another owner knows better, a moved version does not undo it."""
    database = desk.database
    order_id = await working(database)
    await record(database, order_id, intent(order_id, 1, 100))
    absent = ChildRejected(OPEN, child_id(order_id, 1), "absent", absent=True)

    async def concluded(lease: Lease) -> list[Recorded]:
        return await conclude(
            database,
            account=ACCOUNT,
            broker=BROKER,
            lease=lease,
            entries=[Entry(order_id, [absent])],
        )

    before = await row_of(database, order_id)
    with pytest.raises(Lost):
        await concluded(replace(desk.lease, epoch=desk.lease.epoch - 1))
    assert await row_of(database, order_id) == before
    [done] = await concluded(desk.lease)
    assert (done.stale, done.execution.unsent) == (False, done.execution.task.qty)
