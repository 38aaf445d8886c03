"""Kill switches as rows: numbered, kept, and never crossed by an intent."""

import asyncio
import time
from typing import Any

import asyncpg
import pytest

from app.domain.instant import Instant
from app.store import controls, halts, intake, leases
from app.store.arrival import Accepted, Clash, Halted
from app.store.controls import Level, Scope, Switch
from app.store.database import Database
from app.store.halts import Halt, Halts
from app.store.leases import Lease
from tests.store.seeds import ACCOUNT, an_arrival, fetch, know, task, value, working


async def throw(
    database: Database,
    scope: Scope = Scope.ALL,
    name: str = "*",
    level: Level = Level.HALT,
    reason: str = "drill",
) -> Switch:
    async with database.transaction() as connection:
        return await controls.throw(
            connection, scope=scope, name=name, level=level, reason=reason, by="k1"
        )


async def release(database: Database, scope: Scope = Scope.ALL, name: str = "*") -> Switch | None:
    async with database.transaction() as connection:
        return await controls.release(connection, scope=scope, name=name, reason="over", by="k2")


async def in_force(database: Database, *accounts: str) -> list[tuple[str, str]]:
    async with database.connection() as connection:
        found = await controls.thrown(connection, accounts=accounts or None)
    return [(switch.scope.value, switch.name) for switch in found]


async def test_changes_are_numbered_kept_and_told(database: Database) -> None:
    first = await throw(database, Scope.SYMBOL, "XYZ")
    second = await throw(database, Scope.ACCOUNT, ACCOUNT, Level.CANCEL)
    third = await throw(database)
    released = await release(database, Scope.SYMBOL, "XYZ")
    assert released is not None
    assert [s.version for s in (first, second, third, released)] == [1, 2, 3, 4]
    assert (released.halted, released.reason, released.changed_by) == (False, "over", "k2")
    assert await in_force(database) == [("account", ACCOUNT), ("all", "*")]
    log = await fetch(
        database, "SELECT version, scope, halted, changed_by FROM control_log ORDER BY version"
    )
    assert [tuple(row) for row in log] == [
        (1, "symbol", True, "k1"),
        (2, "account", True, "k1"),
        (3, "all", True, "k1"),
        (4, "symbol", False, "k2"),
    ]
    told = await fetch(database, "SELECT account, type, data FROM events ORDER BY id")
    assert [(t["account"], t["type"], t["data"]["thrown"]) for t in told] == [
        ("*", "control.changed", True),
        (ACCOUNT, "control.changed", True),
        ("*", "control.changed", True),
        ("*", "control.changed", False),
    ]
    assert told[0]["data"]["symbol"] == "XYZ"


@pytest.mark.parametrize(
    "change",
    ["UPDATE control_log SET reason = ''", "DELETE FROM control_log", "TRUNCATE control_log"],
)
async def test_the_log_of_changes_cannot_be_rewritten(database: Database, change: str) -> None:
    await throw(database)
    with pytest.raises(asyncpg.RestrictViolationError, match="only ever added"):
        await fetch(database, change)


async def test_thrown_again_it_rises_and_never_falls(database: Database) -> None:
    await throw(database, level=Level.CANCEL)
    again = await throw(database, level=Level.HALT)
    assert (again.level, again.version) == (Level.CANCEL, 1)
    assert await value(database, "SELECT count(*) FROM control_log") == 1
    worded = await throw(database, level=Level.HALT, reason="still")
    assert (worded.level, worded.reason, worded.version) == (Level.CANCEL, "still", 2)
    await release(database)
    assert await release(database) is None
    fresh = await throw(database, level=Level.HALT)
    assert (fresh.level, fresh.version) == (Level.HALT, 4)


async def test_what_was_never_thrown_is_not_released(database: Database) -> None:
    assert await release(database, Scope.STRATEGY, "momentum") is None
    assert await value(database, "SELECT version FROM controls WHERE scope = 'all'") == 0


async def test_a_switch_bears_on_its_own(database: Database) -> None:
    for scope, name in (
        (Scope.ACCOUNT, "a2"),
        (Scope.SYMBOL, "XYZ"),
        (Scope.STRATEGY, "momentum"),
    ):
        switch = await throw(database, scope, name)
        hits = {
            (account, symbol, strategy)
            for account in ("a1", "a2")
            for symbol in ("XYZ", "momentum")
            for strategy in (None, "momentum")
            if switch.bears_on(account=account, symbol=symbol, strategy=strategy)
        }
        assert hits
        assert all(
            {Scope.ACCOUNT: a, Scope.SYMBOL: s, Scope.STRATEGY: t}[scope] == name
            for a, s, t in hits
        )
        assert len(hits) == 4
    assert await in_force(database, "a1") == [("strategy", "momentum"), ("symbol", "XYZ")]


async def test_open_orders_in_scope_are_counted(database: Database) -> None:
    await working(database, symbol="XYZ")
    await working(database, symbol="ABC")
    for scope, name, count in (
        (Scope.ALL, "*", 2),
        (Scope.SYMBOL, "ABC", 1),
        (Scope.SYMBOL, "DEF", 0),
        (Scope.ACCOUNT, ACCOUNT, 2),
        (Scope.STRATEGY, "momentum", 0),
    ):
        switch = await throw(database, scope, name)
        async with database.connection() as connection:
            assert await controls.open_orders(connection, switch) == count, scope


async def owned(database: Database, account: str = ACCOUNT) -> Lease:
    async with database.connection() as connection:
        lease = await leases.claim(connection, name=f"desk:{account}", owner="w1", seconds=60)
    assert lease is not None
    return lease


async def test_a_switch_is_later_than_every_intent_it_waited_for(database: Database) -> None:
    """Its moment is taken after the wait: else an intent would look as if it had slipped by."""
    lease = await owned(database)
    async with halts.intending(database, account=ACCOUNT, lease=lease) as (connection, _):
        throwing = asyncio.create_task(throw(database, Scope.SYMBOL, "XYZ"))
        await asyncio.sleep(0.2)
        assert not throwing.done()
        intended_at: Instant = await connection.fetchval("SELECT clock_timestamp()")
    assert (await throwing).changed_at > intended_at


async def test_an_intent_that_comes_after_a_waiting_switch_waits_behind_it(
    database: Database,
) -> None:
    lease = await owned(database)

    async def intend() -> Halts:
        async with halts.intending(database, account=ACCOUNT, lease=lease) as (_, halted):
            return halted

    async with halts.intending(database, account=ACCOUNT, lease=lease):
        throwing = asyncio.create_task(throw(database, Scope.SYMBOL, "XYZ"))
        await asyncio.sleep(0.2)
        later = asyncio.create_task(intend())
        await asyncio.sleep(0.2)
        assert not throwing.done()
        assert not later.done()
    await throwing
    assert await later == {("symbol", "XYZ"): Halt("drill")}


@pytest.mark.slow
async def test_a_crowd_of_intents_does_not_hold_a_switch_up(database_url: str) -> None:
    """Locks that are shared without a pause must not starve the one who wants it alone."""
    database = await Database.open(database_url, connections=9)
    stop = asyncio.Event()

    async def intending(account: str) -> int:
        turns, lease = 0, await owned(database, account)
        while not stop.is_set():
            async with halts.intending(database, account=account, lease=lease) as (connection, _):
                await connection.execute("SELECT pg_sleep(0.005)")
            turns += 1
        return turns

    crowd = [asyncio.create_task(intending(f"a{n}")) for n in range(8)]
    await asyncio.sleep(0.3)
    took = []
    for n in range(20):
        begun = time.monotonic()
        await throw(database, Scope.SYMBOL, f"S{n}")
        took.append(time.monotonic() - begun)
    stop.set()
    turns = await asyncio.gather(*crowd)
    await database.close()
    assert min(turns) > 5
    assert max(took) < 10, f"thrown after {max(took):.3f} s"


# The door.


@pytest.mark.parametrize(
    ("scope", "name", "over"),
    [
        (Scope.ALL, "*", {}),
        (Scope.ACCOUNT, ACCOUNT, {}),
        (Scope.SYMBOL, "XYZ", {}),
        (Scope.STRATEGY, "momentum", {"strategy": "momentum"}),
    ],
)
async def test_a_switch_shuts_the_door_and_answers_what_was_accepted(
    database: Database, scope: Scope, name: str, over: dict[str, Any]
) -> None:
    before = an_arrival(task(), key="first", signal="s1", client_order_id="mine", **over)
    await know(database, task())
    (entered,) = await intake.insert(database, [before])
    assert isinstance(entered, Accepted)
    switch = await throw(database, scope, name)
    fresh = an_arrival(task(), key="second", signal="s2", **over)
    again = an_arrival(task(), client_order_id="mine", **over)
    by_key = an_arrival(task(), key="first", **over)
    other = an_arrival(task(symbol="ABC"), **(over | {"strategy": "value", "account": "a2"}))
    alone = an_arrival(task(), **over)
    verdicts = await intake.insert(database, [fresh, again, by_key, other, alone])
    assert verdicts[0] == verdicts[4] == Halted(switch)
    for repeated in verdicts[1:3]:
        assert isinstance(repeated, Accepted)
        assert repeated.replayed
        assert repeated.row["id"] == entered.row["id"]
    assert isinstance(verdicts[3], Accepted) == (scope is not Scope.ALL)
    # What was refused leaves no name behind: after the release the same request is new.
    assert await value(database, "SELECT count(*) FROM idempotency") == 1
    assert await value(database, "SELECT count(*) FROM signals") == 1
    await release(database, scope, name)
    (now,) = await intake.insert(database, [fresh])
    assert isinstance(now, Accepted)
    assert not now.replayed


async def test_a_name_of_another_order_stays_refused_under_a_switch(database: Database) -> None:
    await know(database, task())
    await intake.insert(database, [an_arrival(task(), key="k", client_order_id="mine")])
    await throw(database)
    reused = an_arrival(task(), key="k", body="another")
    renamed = an_arrival(task(), client_order_id="mine", body="another")
    verdicts = await intake.insert(database, [reused, renamed])
    assert verdicts[0] == Clash("key")
    assert isinstance(verdicts[1], Halted)
