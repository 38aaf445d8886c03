"""A batch is committed in two steps: what the first entered is told, whatever becomes of the rest;
and no step enters what a kill switch bears on, however long it waited."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from app.engine.intake import Intake
from app.store import intake
from app.store.arrival import Accepted, Halted, Verdict
from app.store.controls import Level, Scope, Switch, throw
from app.store.database import Database, unreachable
from tests.store.seeds import an_arrival, plant, value

WHO_WAITS = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@asynccontextmanager
async def writer(database: Database) -> AsyncIterator[Intake]:
    opened = Intake(database)
    opened.start()
    yield opened
    await opened.close()


async def somebody_waits(database: Database) -> None:
    async with asyncio.timeout(60):
        while not await value(database, f"SELECT count(*) {WHO_WAITS}"):
            await asyncio.sleep(0.01)


def fresh(verdict: object) -> bool:
    return isinstance(verdict, Accepted) and not verdict.replayed


async def test_a_committed_order_is_answered_though_its_neighbour_loses_the_connection(
    pools: list[Database],
) -> None:
    async with writer(pools[0]) as opened, pools[1].transaction() as blocker:
        await blocker.execute("LOCK idempotency IN EXCLUSIVE MODE")
        answers = [opened.put(an_arrival()), opened.put(an_arrival(key="one"))]
        await somebody_waits(pools[2])
        await blocker.fetch(f"SELECT pg_terminate_backend(pid) {WHO_WAITS}")
        plain, keyed = await asyncio.gather(*answers, return_exceptions=True)
    assert fresh(plain), plain
    assert isinstance(keyed, BaseException)
    assert unreachable(keyed), keyed
    assert await value(pools[0], "SELECT count(*) FROM orders") == 1


async def test_a_committed_order_is_answered_before_the_rest_is(pools: list[Database]) -> None:
    async with writer(pools[0]) as opened:
        async with pools[1].transaction() as blocker:
            await blocker.execute("LOCK idempotency IN EXCLUSIVE MODE")
            plain, keyed = opened.put(an_arrival()), opened.put(an_arrival(key="one"))
            async with asyncio.timeout(60):
                assert fresh(await plain)
            assert not keyed.done()
        assert fresh(await keyed)


async def test_a_committed_order_is_no_repetition_though_its_neighbours_are_refused(
    database: Database,
) -> None:
    async with writer(database) as opened:
        plain = opened.put(an_arrival())
        bad = opened.put(an_arrival(key="bad", side="sideways"))
        good = opened.put(an_arrival(key="good"))
        told = await asyncio.gather(plain, bad, good, return_exceptions=True)
    assert [fresh(one) for one in told] == [True, False, True], told
    assert isinstance(told[1], asyncpg.CheckViolationError)


async def test_a_caller_that_went_away_has_its_order_though_a_neighbour_is_refused(
    database: Database,
) -> None:
    async with writer(database) as opened:
        bad = opened.put(an_arrival(key="bad", side="sideways"))
        other, gone = opened.put(an_arrival(key="other")), opened.put(an_arrival(key="gone"))
        gone.cancel()
        with pytest.raises(asyncpg.CheckViolationError):
            await bad
        assert fresh(await other)
        assert fresh(await opened.put(an_arrival()))
    assert await value(database, "SELECT count(*) FROM idempotency") == 2


async def test_each_verdict_is_told_once_at_its_place(database: Database) -> None:
    batch = [an_arrival(key="a"), an_arrival(), an_arrival(signal="b"), an_arrival()]
    told: list[tuple[int, Verdict]] = []
    verdicts = await intake.insert(database, batch, lambda *one: told.append(one))
    assert sorted(place for place, _ in told[:2]) == [1, 3], "what comes alone is entered first"
    assert sorted(place for place, _ in told[2:]) == [0, 2]
    assert all(verdict is verdicts[place] for place, verdict in told)


# Kill switches thrown while a batch waits.


async def throw_all(database: Database) -> Switch:
    async with database.transaction() as connection:
        return await throw(
            connection, scope=Scope.SYMBOL, name="XYZ", level=Level.HALT, reason="drill", by="k1"
        )


@pytest.mark.parametrize("key", [None, "one"])
async def test_a_batch_that_waited_for_a_name_enters_nothing_under_a_switch_thrown_meanwhile(
    pools: list[Database], key: str | None
) -> None:
    held = an_arrival(client_order_id="a-name")
    batch = [an_arrival(client_order_id="a-name", key=key), an_arrival(key=key and "two")]
    async with pools[1].transaction() as other:
        await other.execute("SAVEPOINT before")
        await plant(other, "orders", held.order)
        entering = asyncio.create_task(intake.insert(pools[0], batch))
        await somebody_waits(pools[2])
        switch = await throw_all(pools[2])
        await other.execute("ROLLBACK TO before")
    assert await entering == [Halted(switch)] * 2
    for table in ("orders", "idempotency", "events WHERE order_id IS NOT NULL"):
        assert await value(pools[0], f"SELECT count(*) FROM {table}") == 0
