"""The journal: facts in, rows and events out, the same as the domain folds them, whoever writes."""

import asyncio
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.execution import Execution
from app.domain.fact import (
    Amended,
    BecameUnknown,
    ChildCanceled,
    ChildExpired,
    Filled,
    Moved,
    Paused,
    Purpose,
    Replanned,
    Rested,
    Resumed,
    Sent,
)
from app.domain.instant import MINUTE
from app.domain.lifecycle import ORDER_DONE, OrderStatus
from app.domain.market import Traded
from app.domain.quantity import ZERO, Side
from app.engine.ids import new_id
from app.store import journal, open_orders, rows
from app.store.database import Database
from app.store.journal import Entry
from app.store.open_orders import Measured
from tests.domain.tasks import OPEN
from tests.store.histories import UNSHRUNK, Memory, chunks, histories, total
from tests.store.seeds import (
    ACCOUNT,
    BROKER,
    enter,
    fetch,
    fill,
    intent,
    record,
    record_entries,
    row_of,
    task,
    value,
    working,
)

D = Decimal
SUMS = ("filled", "working", "unknown", "unsent", "canceled")


async def load(database: Database, order_id: str) -> tuple[Execution, int]:
    async with database.connection() as connection:
        return (await journal.load(connection, account=ACCOUNT, order_ids=[order_id]))[order_id]


async def events_of(database: Database, order_id: str) -> list[Any]:
    return await fetch(
        database, "SELECT seq, type, data FROM events WHERE order_id = $1 ORDER BY seq", order_id
    )


def check_events(events: Sequence[Any]) -> None:
    """No gap, and every sum adds up."""
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    for event in events[1:]:
        order = event["data"]["order"]
        parts = sum(D(order[name]) for name in SUMS)
        assert parts == D(order["qty"]) + D(order["excess"])
        assert order["symbol"] == "XYZ"


# One writer: the database says what the domain says.


@given(data=st.data(), algo=st.sampled_from(["twap", "limit"]), side=st.sampled_from(Side))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=UNSHRUNK)
async def test_the_fold_in_the_database_is_the_fold_in_memory(
    database: Database, data: st.DataObject, algo: str, side: Side
) -> None:
    of = task(algo, 100, side=side)
    facts, memory = data.draw(histories(of))
    await fetch(database, "DELETE FROM positions")
    await enter(database, of)
    for group in chunks(data.draw, facts):
        await record(database, of.order_id, *group)
    await check_same(database, memory)


async def check_same(database: Database, memory: Memory) -> None:
    order_id = memory.execution.task.order_id
    execution, _ = await load(database, order_id)
    assert execution == memory.execution
    children = await fetch(database, "SELECT * FROM children WHERE order_id = $1", order_id)
    assert {c["id"]: rows.child(c) for c in children} == memory.children
    qty, notional, fees = total(memory.booked)
    row = await row_of(database, order_id)
    assert (row["filled"], row["filled_notional"], row["fees"]) == (qty, notional, fees)
    assert (row["finished_at"] is not None) == memory.execution.done
    fills = await fetch(database, "SELECT * FROM fills WHERE order_id = $1", order_id)
    told = {f.execution_id: (f.child_id, f.qty, f.price, f.fee, f.at) for f in memory.booked}
    keys = ("child_id", "qty", "price", "fee", "at")
    assert {f["execution_id"]: tuple(f[k] for k in keys) for f in fills} == told
    events = await events_of(database, order_id)
    check_events(events)
    assert row["seq"] == len(events)
    assert [e["type"] for e in events[1:]] == [name for name, _ in memory.events]
    for event, (_, state) in zip(events[1:], memory.events, strict=True):
        assert D(event["data"]["order"]["filled"]) == state.filled
        assert D(event["data"]["order"]["unsent"]) == state.unsent
        assert event["data"]["order"]["status"] == state.status
    positions = await fetch(database, "SELECT * FROM positions")
    if memory.booked:
        held, expected = rows.position(positions[0]), memory.position
        assert (held.qty, held.fees) == (expected.qty, expected.fees)
        assert abs(held.average_price - expected.average_price) < D("1E-9")
        assert abs(held.realised - expected.realised) < D("1E-6")


async def test_a_repeated_report_is_no_event_and_no_version(database: Database) -> None:
    order_id = await working(database)
    child = intent(order_id, 1, 100)
    await record(database, order_id, child)
    first = await record(database, order_id, Sent(OPEN, child.child_id, "b1"))
    again = await record(database, order_id, Sent(OPEN + 5, child.child_id, "b1"))
    assert again.version == first.version
    assert again.booked == ()
    assert (await load(database, order_id))[1] == first.version
    check_events(await events_of(database, order_id))


async def test_what_is_recorded_is_what_is_loaded(database: Database) -> None:
    order_id = await working(database)
    child = intent(order_id, 1, 100)
    recorded = await record(database, order_id, child)
    assert (recorded.execution, recorded.version) == await load(database, order_id)
    booked = fill(child.child_id, "e1", 40)
    recorded = await record(database, order_id, booked, booked)
    assert recorded.booked == (booked,)
    assert (recorded.execution, recorded.version) == await load(database, order_id)
    assert not recorded.stale


async def test_two_entries_of_one_order_are_one_after_the_other(database: Database) -> None:
    order_id = await working(database)
    entries = [Entry(order_id, [Paused(OPEN)]), Entry(order_id, [Resumed(OPEN + 1)])]
    both = await record_entries(database, entries)
    assert both[0].execution == both[1].execution
    check_events(await events_of(database, order_id))


async def test_an_order_that_is_not_there_books_nothing_at_all(database: Database) -> None:
    order_id = await working(database)
    entries = [
        Entry(order_id, [Paused(OPEN)]),
        Entry("00000000-0000-7000-8000-000000000000", [Paused(OPEN)]),
    ]
    with pytest.raises(KeyError):
        await record_entries(database, entries)
    assert not (await load(database, order_id))[0].pause_requested


async def test_the_why_of_a_child_is_kept_for_ever(database: Database) -> None:
    order_id = await working(database)
    child = intent(order_id, 1, 100)
    entry = Entry(order_id, [child], why={child.child_id: {"bound": "lot", "filled": D("1.50")}})
    await record_entries(database, [entry])
    await record(database, order_id, Sent(OPEN, child.child_id, "b1"))
    why = await value(database, "SELECT why FROM children")
    assert why == {"bound": "lot", "filled": "1.50"}


async def test_the_end_is_when_it_ended_and_a_late_fill_does_not_move_it(
    database: Database,
) -> None:
    order_id = await working(database)
    child = intent(order_id, 1, 100)
    await record(database, order_id, child)
    ending = [
        ChildCanceled(OPEN + 1, child.child_id),
        Moved(OPEN + 2, OrderStatus.CLOSING, "user"),
        Moved(OPEN + 3, OrderStatus.CANCELED, "user"),
    ]
    await record(database, order_id, *ending)
    await record(database, order_id, fill(child.child_id, "e1", 30, at=OPEN + MINUTE))
    row = await row_of(database, order_id)
    assert row["finished_at"] == OPEN + 3
    assert (row["status"], row["filled"], row["canceled"], row["excess"]) == (
        "canceled",
        30,
        970,
        0,
    )
    assert (await load(database, order_id))[0].children == ()
    check_events(await events_of(database, order_id))
    position = (await fetch(database, "SELECT * FROM positions"))[0]
    assert (position["qty"], position["average_price"]) == (30, 10)


async def test_an_over_fill_is_excess_and_counted(database: Database) -> None:
    order_id = await working(database, qty=100)
    child = intent(order_id, 1, 100)
    await record(database, order_id, child)
    await record(database, order_id, fill(child.child_id, "e1", 130))
    row = await row_of(database, order_id)
    assert (row["filled"], row["excess"], row["working"]) == (130, 30, 0)
    check_events(await events_of(database, order_id))
    with pytest.raises(AssertionError, match="explanation"):
        await record(database, order_id, intent(order_id, 2, 1))
    assert await value(database, "SELECT count(*) FROM children") == 1


async def test_sums_stay_exact_to_the_last_digit(database: Database) -> None:
    order_id = await working(database, qty="1.00000003")
    child = intent(order_id, 1, "1.00000003")
    await record(database, order_id, child)
    third = D("0.33333333")
    for n in range(3):
        await record(database, order_id, fill(child.child_id, f"e{n}", third, price="30123.45"))
    row = await row_of(database, order_id)
    assert row["filled"] == 3 * third
    assert row["working"] == D("0.00000004")
    assert row["filled_notional"] == 3 * third * D("30123.45")


async def test_a_flip_realises_and_reopens(database: Database) -> None:
    buy = await working(database, qty=100)
    sell = await working(database, task(qty=150, side=Side.SELL))
    bought, sold = intent(buy, 1, 100), intent(sell, 1, 150, side=Side.SELL)
    await record(database, buy, bought)
    await record(database, sell, sold)
    await record(database, buy, fill(bought.child_id, "e1", 100, price=10))
    await record(database, sell, fill(sold.child_id, "e2", 150, price="12.5"))
    (held,) = await fetch(database, "SELECT * FROM positions")
    assert (held["qty"], held["average_price"]) == (-50, D("12.5"))
    assert (held["realised"], held["fees"]) == (250, D("0.02"))


# Decisions name the version they were made on.


async def test_a_decision_on_an_old_version_is_dropped_whole(database: Database) -> None:
    order_id = await working(database)
    _, version = await load(database, order_id)
    await record(database, order_id, Paused(OPEN))
    before = await events_of(database, order_id)
    decision = (intent(order_id, 1, 10), Replanned(OPEN, ZERO, "late"))
    dropped = await record(database, order_id, *decision, version=version)
    assert dropped.stale
    assert dropped.execution.pause_requested
    assert (dropped.execution, dropped.version) == await load(database, order_id)
    assert await events_of(database, order_id) == before
    assert await value(database, "SELECT count(*) FROM children") == 0
    taken = await record(database, order_id, *decision, version=dropped.version)
    assert not taken.stale
    assert await value(database, "SELECT count(*) FROM children") == 1


async def test_a_stale_neighbour_does_not_hold_up_the_others(database: Database) -> None:
    old, new = await working(database), await working(database)
    entries = [Entry(old, [Paused(OPEN)], version=1), Entry(new, [Paused(OPEN)], version=2)]
    first, second = await record_entries(database, entries)
    assert (first.stale, second.stale) == (True, False)
    assert [(await load(database, o))[0].pause_requested for o in (old, new)] == [False, True]


async def test_facts_from_outside_are_always_booked(database: Database) -> None:
    order_id = await working(database)
    child = intent(order_id, 1, 100)
    await record(database, order_id, child)
    for n in range(3):
        recorded = await record(database, order_id, fill(child.child_id, f"e{n}", 1))
        assert not recorded.stale
    assert (await load(database, order_id))[0].filled == 3


async def test_of_many_decisions_on_one_version_one_is_taken(database: Database) -> None:
    order_id = await working(database)
    _, version = await load(database, order_id)
    decisions = (
        record(database, order_id, intent(order_id, 1, 600), version=version) for _ in range(12)
    )
    outcomes = await asyncio.gather(*decisions)
    assert sum(not outcome.stale for outcome in outcomes) == 1
    execution, _ = await load(database, order_id)
    assert (execution.working, len(execution.children)) == (600, 1)


# Many writers.


async def three_orders(database: Database) -> tuple[list[str], list[tuple[str, Filled]]]:
    """Three orders on two symbols, a child each, and thirty executions of them."""
    tasks = [
        task(qty=500),
        task(qty=500, side=Side.SELL),
        task(qty=500, symbol="ABC"),
    ]
    fills: list[tuple[str, Filled]] = []
    for n, of in enumerate(tasks):
        await working(database, of)
        child = intent(of.order_id, 1, 100, side=of.side, purpose=Purpose.REST)
        await record(database, of.order_id, child)
        for i in range(10):
            made = fill(child.child_id, f"e{n}-{i}", i + 1, price=f"{10 + i}.25")
            fills.append((of.order_id, made))
    return [of.order_id for of in tasks], fills


@pytest.mark.parametrize("seed", range(3))
async def test_executions_are_booked_once_however_many_tell_them(
    pools: list[Database], seed: int
) -> None:
    orders, fills = await three_orders(pools[0])

    async def teller(number: int) -> list[Filled]:
        chance, booked = random.Random(seed * 100 + number), []
        told = list(fills)
        chance.shuffle(told)
        while told:
            batch = [told.pop() for _ in range(min(chance.randint(1, 6), len(told)))]
            chance.shuffle(batch)
            entries = [Entry(order_id, [made]) for order_id, made in batch]
            for recorded in await record_entries(pools[number % 3], entries):
                booked += recorded.booked
        return booked

    told = await asyncio.gather(*(teller(number) for number in range(12)))
    booked = [made for each in told for made in each]
    assert sorted(booked, key=lambda f: f.execution_id) == sorted(
        (made for _, made in fills), key=lambda f: f.execution_id
    )
    for order_id in orders:
        own = [made for owner, made in fills if owner == order_id]
        row = await row_of(pools[0], order_id)
        assert (row["filled"], row["filled_notional"], row["fees"]) == total(own)
        events = await events_of(pools[0], order_id)
        assert [e["seq"] for e in events] == list(range(1, row["seq"] + 1))
        names = [e["data"]["execution_id"] for e in events if e["type"] == "fill.booked"]
        assert sorted(names) == sorted(f.execution_id for f in own)
        last = [D(e["data"]["order"]["filled"]) for e in events if e["type"] == "fill.booked"]
        assert last == sorted(set(last)), "each fill's event shows the sum after it"
    await check_positions(pools[0])


async def check_positions(database: Database) -> None:
    """Quantity and fees are sums; what was paid is what is held and what was realised."""
    for held in await fetch(database, "SELECT * FROM positions"):
        signed = await fetch(
            database,
            "SELECT CASE side WHEN 'buy' THEN qty ELSE -qty END AS qty, price, fee"
            " FROM fills WHERE symbol = $1",
            held["symbol"],
        )
        assert held["qty"] == sum(f["qty"] for f in signed)
        assert held["fees"] == sum(f["fee"] for f in signed)
        paid = sum(f["qty"] * f["price"] for f in signed)
        assert abs(held["qty"] * held["average_price"] - held["realised"] - paid) < D("1E-6")


async def test_the_sequence_of_an_order_has_no_gap_under_many_writers(database: Database) -> None:
    order_id = await working(database)

    async def writer(number: int) -> None:
        for n in range(6):
            await record(database, order_id, Replanned(OPEN + n, D(number), "again"))

    await asyncio.gather(*(writer(number) for number in range(8)))
    events = await events_of(database, order_id)
    assert len(events) == 2 + 48
    check_events(events)
    assert (await load(database, order_id))[1] == 2 + 48


async def test_a_failed_booking_leaves_no_gap(database: Database) -> None:
    order_id = await working(database)
    child = intent(order_id, 1, 100)
    await record(database, order_id, child)

    async def fails(n: int) -> None:
        with pytest.raises(KeyError):
            await record(
                database, order_id, fill(child.child_id, f"e{n}", 1), Rested(OPEN, "slghost-1")
            )

    async def works(n: int) -> None:
        await record(database, order_id, fill(child.child_id, f"e{n}", 1))

    await asyncio.gather(*((fails if n % 2 else works)(n) for n in range(20)))
    check_events(await events_of(database, order_id))
    assert (await row_of(database, order_id))["filled"] == 10
    # What failed with its neighbour can be told again: mark and effect never separate.
    await asyncio.gather(*(works(n) for n in range(20)))
    assert (await row_of(database, order_id))["filled"] == 20


async def test_two_writers_in_opposite_order_never_wait_in_a_circle(
    pools: list[Database],
) -> None:
    here, there, _ = pools
    tasks = [task(qty=500, symbol="ABC"), task(qty=500, symbol="XYZ")]
    orders = [await working(here, of) for of in tasks]
    for order_id in orders:
        await record(here, order_id, intent(order_id, 1, 400))

    async def writer(database: Database, ids: list[str], name: str) -> None:
        for n in range(25):
            entries = [
                Entry(o, [fill(intent(o, 1, 1).child_id, f"{name}{n}{o}", 1)], attention=True)
                for o in ids
            ]
            await record_entries(database, entries)

    async def looker() -> None:
        for _ in range(50):
            async with here.connection() as connection:
                await open_orders.take_attention(connection, account=ACCOUNT, broker=BROKER)

    forth, back = orders, orders[::-1]
    await asyncio.gather(writer(here, forth, "a"), writer(there, back, "b"), looker())
    assert [(await row_of(here, o))["filled"] for o in orders] == [50, 50]
    await check_positions(here)


async def test_a_desk_that_looks_waits_for_nobody_in_a_circle(pools: list[Database]) -> None:
    """`take_attention` and the journal lock the same orders: both by id, wherever the rows lie."""
    ids = sorted(new_id() for _ in range(2))
    for order_id in reversed(ids):
        await enter(pools[0], task()._replace(order_id=order_id))

    async def look() -> list[str]:
        async with pools[1].connection() as connection:
            return await open_orders.take_attention(connection, account=ACCOUNT, broker=BROKER)

    async with pools[0].transaction() as connection:
        await journal.load(connection, account=ACCOUNT, order_ids=ids[:1], lock=True)
        looking = asyncio.create_task(look())
        await asyncio.sleep(0.1)
        await journal.load(connection, account=ACCOUNT, order_ids=ids[1:], lock=True)
    assert await looking == ids


async def test_of_a_crowd_the_oldest_are_looked_at_first(database: Database) -> None:
    ids = sorted([new_id() for _ in range(5)])
    for order_id in reversed(ids):
        await enter(database, task()._replace(order_id=order_id))
    seen = []
    for _ in range(4):
        async with database.connection() as connection:
            seen.append(
                await open_orders.take_attention(
                    connection, account=ACCOUNT, broker=BROKER, at_most=2
                )
            )
    assert seen == [ids[:2], ids[2:4], ids[4:], []]


async def test_a_locked_order_is_not_changed_by_anybody_else(database: Database) -> None:
    order_id = await working(database)
    async with database.transaction() as connection:
        await journal.load(connection, account=ACCOUNT, order_ids=[order_id], lock=True)
        other = asyncio.create_task(record(database, order_id, Paused(OPEN)))
        await asyncio.sleep(0.05)
        assert not other.done()
        await journal.record(
            connection,
            account=ACCOUNT,
            broker=BROKER,
            entries=[Entry(order_id, [Amended(OPEN, qty=D(900))])],
        )
    recorded = await other
    assert (recorded.execution.task.qty, recorded.execution.pause_requested) == (900, True)


# What a desk loads.


async def test_the_desk_loads_what_is_open_with_what_is_alive(database: Database) -> None:
    done, going = await working(database, qty=10), await working(database)
    child, gone, unknown = (intent(going, n, 10) for n in (1, 2, 3))
    await record(database, going, child, gone, unknown)
    await record(database, going, ChildExpired(OPEN, gone.child_id))
    await record(database, going, BecameUnknown(OPEN, unknown.child_id, "timeout"))
    await record(database, done, intent(done, 1, 10))
    await record(database, done, fill(intent(done, 1, 1).child_id, "e1", 10))
    await record(database, done, Moved(OPEN, OrderStatus.FILLED))
    async with database.connection() as connection:
        ids = await open_orders.all_open(connection, account=ACCOUNT, broker=BROKER)
        loaded = await open_orders.load(connection, account=ACCOUNT, order_ids=ids)
        others = await open_orders.all_open(connection, account=ACCOUNT, broker="other")
    assert others == []
    (one,) = loaded
    assert (one.execution, one.version) == await load(database, going)
    assert [c.id for c in one.execution.children] == [child.child_id, unknown.child_id]
    assert (one.execution.working, one.execution.unknown) == (10, 10)
    finished, _ = await load(database, done)
    assert finished.status in ORDER_DONE


async def test_attention_is_taken_once(database: Database) -> None:
    first, second = await enter(database), await enter(database)

    async def take() -> list[str]:
        async with database.connection() as connection:
            return await open_orders.take_attention(connection, account=ACCOUNT, broker=BROKER)

    taken = await asyncio.gather(*(take() for _ in range(6)))
    assert sorted(o for each in taken for o in each) == sorted([first, second])
    await record(database, first, Moved(OPEN, OrderStatus.WORKING))
    assert await take() == [], "what the desk does itself calls for nobody"
    await record_entries(database, [Entry(second, [Paused(OPEN)], attention=True)])
    assert await take() == [second]


async def test_a_measure_never_goes_back_in_time(database: Database) -> None:
    order_id = await enter(database)
    for volume, to in ((10, 5), (20, 9), (25, 9), (15, 7)):
        async with database.connection() as connection:
            measured = Measured(order_id, Traded(D(volume), D(volume * 10)), OPEN + to)
            await open_orders.measure(connection, account=ACCOUNT, measured=[measured])
    row = await row_of(database, order_id)
    assert (row["market_volume"], row["measured_to"]) == (25, OPEN + 9)
    assert row["version"] == 1


async def test_what_is_measured_again_waits_for_nobody_and_for_no_disk(database: Database) -> None:
    held, free = [await enter(database) for _ in range(2)]
    measured = [Measured(one, Traded(D(1), D(10)), OPEN + 1) for one in (held, free)]
    async with (
        database.transaction() as holder,
        database.connection() as connection,
        asyncio.timeout(10),
    ):
        await holder.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", held)
        await open_orders.measure(connection, account=ACCOUNT, measured=measured, again=True)
        # What follows it on the same connection is waited for.
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
    assert (await row_of(database, held))["measured_to"] is None
    assert (await row_of(database, free))["measured_to"] == OPEN + 1


async def test_an_amended_order_is_loaded_as_amended(database: Database) -> None:
    order_id = await working(database)
    changes = Amended(
        OPEN + 1,
        qty=D(1200),
        limit_price=D("10.01"),
        end=OPEN + 20 * MINUTE,
        max_participation=D("0.1"),
        params={"patience": D("2.5")},
    )
    recorded = await record(database, order_id, changes)
    loaded, _ = await load(database, order_id)
    assert loaded == recorded.execution
    assert loaded.task.params["patience"] == D("2.5")
    (event,) = [e for e in await events_of(database, order_id) if e["type"] == "order.amended"]
    assert event["data"]["qty"] == "1200"
    assert event["data"]["end"].endswith("Z")
    assert event["data"]["params"] == {"patience": "2.5"}
    assert loaded.task._replace(order_id="") != task()._replace(order_id="")
