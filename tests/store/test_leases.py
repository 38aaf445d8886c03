"""Ownership: one at a time, by the database's clock, with an epoch that only grows."""

import asyncio

import pytest

from app.store import leases, views
from app.store.database import Database
from app.store.leases import TTL_SECONDS, WORKER, Lease, Lost
from tests.store.seeds import fetch, value

NAME = "desk:a1"


async def claim(database: Database, owner: str) -> Lease | None:
    async with database.connection() as connection:
        return await leases.claim(connection, name=NAME, owner=owner)


async def claimed(database: Database, owner: str) -> Lease:
    lease = await claim(database, owner)
    assert lease is not None
    return lease


async def hold(database: Database, lease: Lease) -> None:
    async with database.transaction() as connection:
        await leases.hold(connection, lease)


async def run_out(database: Database, seconds: float = 0.001) -> None:
    """As if that much time had passed since the lease ended."""
    await fetch(
        database,
        "UPDATE leases SET until = clock_timestamp() - make_interval(secs => $1)",
        seconds,
    )


async def test_one_of_many_claimers_wins(pools: list[Database]) -> None:
    for _ in range(3):
        outcomes = await asyncio.gather(*(claim(pools[n % 3], f"w{n}") for n in range(20)))
        winners = [(n, lease) for n, lease in enumerate(outcomes) if lease is not None]
        assert len(winners) == 1
        number, lease = winners[0]
        row = (await fetch(pools[0], "SELECT owner, epoch FROM leases"))[0]
        assert tuple(row) == (f"w{number}", lease.epoch)
        await run_out(pools[0])
    assert lease.epoch == 3


async def test_a_lease_lasts_its_time_by_the_databases_clock(database: Database) -> None:
    await claimed(database, "w1")
    left = await value(
        database, "SELECT extract(epoch FROM until - clock_timestamp())::float8 FROM leases"
    )
    assert TTL_SECONDS - 1 < left <= TTL_SECONDS
    assert await claim(database, "w2") is None
    assert await claim(database, "w1") is None, "not even by its owner: that is what renewing is"


async def test_inside_a_long_transaction_the_clock_goes_on(database: Database) -> None:
    """`now()` stands still in a transaction; a lease that ended meanwhile must be seen ended."""
    lease = await claimed(database, "w1")
    async with database.transaction() as connection:
        await connection.execute("SELECT 1")
        await fetch(database, "UPDATE leases SET until = clock_timestamp() + interval '50 ms'")
        await asyncio.sleep(0.1)
        with pytest.raises(Lost):
            await leases.hold(connection, lease)
        second = await leases.claim(connection, name=NAME, owner="w2")
        assert second is not None


async def test_an_ended_lease_is_anybodys_and_the_old_epoch_is_lost(database: Database) -> None:
    old = await claimed(database, "w1")
    await hold(database, old)
    await run_out(database)
    with pytest.raises(Lost):
        await hold(database, old)
    new = await claimed(database, "w2")
    assert new.epoch == old.epoch + 1
    with pytest.raises(Lost):
        await hold(database, old)
    await hold(database, new)


async def test_an_owner_that_takes_its_own_lease_again_is_another_epoch(
    database: Database,
) -> None:
    old = await claimed(database, "w1")
    await run_out(database)
    new = await claimed(database, "w1")
    assert new.epoch == old.epoch + 1
    with pytest.raises(Lost):
        await hold(database, old)
    async with database.connection() as connection:
        assert await leases.renew(connection, [old], owner="w1") == set()


async def test_renewing_extends_what_is_ours_and_names_it(database: Database) -> None:
    ours = await claimed(database, "w1")
    other = Lease("desk:other", 1, 0.0)
    await fetch(database, "UPDATE leases SET until = clock_timestamp() + interval '1 s'")
    async with database.connection() as connection:
        assert await leases.renew(connection, [ours, other], owner="w1") == {NAME}
        assert await leases.renew(connection, [], owner="w1") == set()
        assert await leases.renew(connection, [ours], owner="w2") == set()
    left = await value(
        database, "SELECT extract(epoch FROM until - clock_timestamp())::float8 FROM leases"
    )
    assert left > TTL_SECONDS - 1
    assert await value(database, "SELECT epoch FROM leases") == ours.epoch


async def test_what_was_given_back_is_free_at_once_and_not_renewed(database: Database) -> None:
    lease = await claimed(database, "w1")
    async with database.connection() as connection:
        await leases.release(connection, lease, owner="w1")
        # A renewal that was on its way must not bring it back to somebody who has gone.
        assert await leases.renew(connection, [lease], owner="w1") == set()
    with pytest.raises(Lost):
        await hold(database, lease)
    second = await claimed(database, "w2")
    assert second.epoch == 2


async def test_nobody_gives_back_what_is_somebody_elses(database: Database) -> None:
    old = await claimed(database, "w1")
    await run_out(database)
    new = await claimed(database, "w2")
    async with database.connection() as connection:
        await leases.release(connection, old, owner="w1")
        await leases.release(connection, new, owner="w1")
    await hold(database, new)


async def test_how_long_nobody_had_it(database: Database) -> None:
    first = await claimed(database, "w1")
    assert first.orphaned_seconds < 1
    await attend(database, first)
    await run_out(database, 90)
    orphan = await claimed(database, "w2")
    assert 90 <= orphan.orphaned_seconds < 95
    await attend(database, orphan)
    async with database.connection() as connection:
        await leases.release(connection, orphan, owner="w2")
    await fetch(database, "UPDATE leases SET free_since = free_since - interval '61 s'")
    assert 61 <= (await claimed(database, "w3")).orphaned_seconds < 66


@pytest.mark.parametrize("ended", ["died", "gave it back"])
async def test_who_left_before_attending_to_it_leaves_it_orphaned(
    database: Database, ended: str
) -> None:
    """An owner that dies as it opens, or whose broker is away, does not end an absence."""
    await attend(database, await claimed(database, "w1"))
    await run_out(database, 90)
    second = await claimed(database, "w2")
    if ended == "died":
        await run_out(database, 1)
    else:
        async with database.connection() as connection:
            await leases.release(connection, second, owner="w2")
    third = await claimed(database, "w3")
    assert 90 <= third.orphaned_seconds < 100
    await attend(database, second)  # Too late: it is not its own any more.
    await run_out(database, 1)
    fourth = await claimed(database, "w4")
    assert 90 <= fourth.orphaned_seconds < 100
    await attend(database, fourth)
    await run_out(database, 1)
    assert (await claimed(database, "w5")).orphaned_seconds < 5


async def attend(database: Database, lease: Lease) -> None:
    async with database.connection() as connection:
        await leases.attend(connection, lease)


async def test_a_claimer_waits_for_an_intent_that_holds_the_lease(database: Database) -> None:
    """The lease may end while an intent commits; the next epoch begins only after it."""
    lease = await claimed(database, "w1")
    await fetch(database, "UPDATE leases SET until = clock_timestamp() + interval '100 ms'")
    async with database.transaction() as connection:
        await leases.hold(connection, lease)
        await asyncio.sleep(0.15)
        claiming = asyncio.create_task(claim(database, "w2"))
        await asyncio.sleep(0.1)
        assert not claiming.done()
    second = await claiming
    assert second is not None
    assert second.epoch == 2


async def test_intents_of_one_owner_do_not_wait_for_each_other(database: Database) -> None:
    lease = await claimed(database, "w1")
    async with database.transaction() as connection:
        await leases.hold(connection, lease)
        async with asyncio.timeout(30):
            await hold(database, lease)


async def test_who_owns_what_can_be_seen(database: Database) -> None:
    await claimed(database, "w1")
    async with database.connection() as connection:
        (seen,) = await views.leases(connection)
    assert (seen["name"], seen["owner"], seen["epoch"], seen["held"]) == (NAME, "w1", 1, True)
    await run_out(database)
    async with database.connection() as connection:
        (seen,) = await views.leases(connection)
    assert (seen["owner"], seen["held"]) == (None, False)


async def test_a_lease_lasts_as_long_as_its_claimer_says(database: Database) -> None:
    async with database.connection() as connection:
        lease = await leases.claim(connection, name=NAME, owner="w1", seconds=0.1)
        assert lease is not None
        assert await leases.renew(connection, [lease], owner="w1", seconds=0.15) == {NAME}
        await asyncio.sleep(0.2)
        assert await leases.claim(connection, name=NAME, owner="w2") is not None


async def test_who_lives_and_what_is_free(database: Database) -> None:
    async with database.connection() as connection:
        asked = ["desk:a", "desk:b", "desk:c"]
        assert await leases.ownership(connection, asked) == leases.Ownership(0, tuple(asked))
        for worker in ("w1", "w2", "dead"):
            await leases.claim(connection, name=WORKER + worker, owner=worker)
        await leases.claim(connection, name="desk:b", owner="w1")
        await leases.claim(connection, name="desk:c", owner="dead")
        await connection.execute(
            "UPDATE leases SET until = clock_timestamp() - interval '1 ms' WHERE owner = 'dead'"
        )
        there = await leases.ownership(connection, asked)
        assert there == leases.Ownership(2, ("desk:a", "desk:c"))
        await connection.execute(
            "UPDATE leases SET until = clock_timestamp() - interval '6 minutes'"
            " WHERE name IN ('worker:dead', 'desk:c')"
        )
        await leases.forget_workers(connection)
        names = await connection.fetch("SELECT name FROM leases ORDER BY name")
    assert [row["name"] for row in names] == ["desk:b", "desk:c", "worker:w1", "worker:w2"]


async def test_what_a_dead_owner_held_is_free_at_once_and_nothing_else_is(
    database: Database,
) -> None:
    """One of the same host and process id is somebody else: his mark is another."""
    dead, other = leases.owner_name("h", 7, "a"), leases.owner_name("h", 7, "b")
    async with database.connection() as connection:
        for name, owner in (("desk:a1", dead), ("worker:x", dead), ("desk:a2", other)):
            assert await leases.claim(connection, name=name, owner=owner) is not None
        assert await leases.release_dead(connection, owner=dead) == ["desk:a1", "worker:x"]
        assert await leases.release_dead(connection, owner=dead) == []
        heir = await leases.claim(connection, name=NAME, owner="heir")
        assert heir is not None
        assert (heir.epoch, heir.orphaned_seconds < 1) == (2, True)
        # Somebody who comes late with the same news takes nothing from the heir.
        assert await leases.release_dead(connection, owner=dead) == []
        assert await leases.claim(connection, name="desk:a2", owner="heir") is None
    with pytest.raises(Lost):
        await hold(database, Lease(NAME, 1, 0.0))
    await hold(database, heir)


async def test_what_ran_out_before_it_was_freed_is_missed_since_then(database: Database) -> None:
    await attend(database, await claimed(database, "dead"))
    await run_out(database, 90)
    async with database.connection() as connection:
        assert await leases.release_dead(connection, owner="dead") == []
    assert 90 <= (await claimed(database, "heir")).orphaned_seconds < 95


async def test_freeing_waits_for_an_intent_of_the_dead_that_is_still_committing(
    database: Database,
) -> None:
    lease = await claimed(database, "dead")

    async def free() -> list[str]:
        async with database.connection() as connection:
            return await leases.release_dead(connection, owner="dead")

    async with database.transaction() as connection:
        await leases.hold(connection, lease)
        freeing = asyncio.create_task(free())
        await asyncio.sleep(0.1)
        assert not freeing.done()
        assert await claim(database, "heir") is None
    assert await freeing == [NAME]
    heir = await claimed(database, "heir")
    assert heir.epoch == 2
