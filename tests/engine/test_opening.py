"""A desk opens beside the others: a broker that hangs holds up its own account and no other."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from app.domain.instant import MINUTE
from app.engine import kill_switches, opening, oversight
from app.engine.kill_switches import Level, Scope, Target
from app.engine.leasing import Keeper
from app.engine.opening import STILL_SECONDS, Opened, Openings
from app.engine.worker import Worker
from app.ports import OrderReport
from app.store import leases
from app.store.database import Database
from app.store.leases import Lease, Lost
from tests.engine.test_recovery import Flaky
from tests.reruns import watched
from tests.world import CALLER, World, open_world

HANGS_SECONDS = 10.0

Opens = Callable[[str, Lease], Awaitable[Opened]]


class Hanging(Flaky):
    """The broker, which does not answer for long and then says that it could not."""

    async def open_orders(self) -> Sequence[OrderReport]:
        await asyncio.sleep(HANGS_SECONDS)
        raise ConnectionError("no answer within 10000 ms")


def hanging(worker: Worker, account: str, opened: list[Hanging]) -> None:
    real = worker._brokers[account]

    def opens(account: str, market: object) -> Hanging:
        opened.append(Hanging(real(account, market), []))  # type: ignore[arg-type]
        return opened[-1]

    worker._brokers[account] = opens  # type: ignore[index, assignment]


async def resting(world: World) -> str:
    order_id = await world.order(
        qty="300", algo="limit", limit_price="50.00", duration=300 * MINUTE
    )
    await world.until(lambda row: row["working"] > 0, order_id)
    return order_id


@pytest.mark.parametrize(
    ("feed", "seconds"), [("synthetic", STILL_SECONDS + 2), ("synthetic-live", 2)]
)
async def test_a_broker_that_hangs_while_its_desk_opens_holds_up_no_other_account(
    database_url: str, tmp_path: Path, feed: str, seconds: float
) -> None:
    opened: list[Hanging] = []
    served = ("main=paper", "b=paper")
    async with open_world(database_url, tmp_path, feed=feed, accounts=served, hold=False) as world:
        await world.kill_worker(lapsed=True)
        world.revive(lambda worker: hanging(worker, "b", opened))
        await watched(world)
        await world.let_go()
        order_id = await resting(world)
        assert set(world.worker.desks) == {"main"}
        begun = time.monotonic()
        await kill_switches.throw(
            world.service, CALLER, Target(Scope.ACCOUNT, "main"), Level.CANCEL, "drill"
        )
        await world.done(order_id)
        assert time.monotonic() - begun < seconds
        assert len(opened) == 1, "the try is under way"
        async with world.database.connection() as connection:
            assert await connection.fetchval(
                "SELECT until > clock_timestamp() FROM leases WHERE name = 'desk:b'"
            )
        ended = time.monotonic()
        world.stop.set()
        await world.task
        assert time.monotonic() - ended < 2, "nobody waits for it to stop"
        async with world.database.connection() as connection:
            assert not await connection.fetchval(
                "SELECT count(*) FROM leases WHERE name = 'desk:b' AND until > clock_timestamp()"
            )


async def test_a_desk_that_does_not_open_is_told(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "LATE_SECONDS", 0.5)
    monkeypatch.setattr(oversight, "LOOK_SECONDS", 0.2)
    served = ("main=paper", "b=paper")
    async with open_world(database_url, tmp_path, accounts=served) as world:
        await world.kill_worker(lapsed=True)
        world.revive(lambda worker: hanging(worker, "b", []))
        async with asyncio.timeout(20), world.database.connection() as connection:
            while not (found := await connection.fetch("SELECT * FROM alerts")):
                await asyncio.sleep(0.05)
        told = {(row["account"], row["rule"], row["severity"]) for row in found}
        assert told == {("b", "desk_not_open", "critical")}
        assert "has not answered yet" in found[0]["message"]


async def never(account: str, lease: Lease) -> Opened:
    await asyncio.sleep(60)
    raise AssertionError("nobody waits for so long")


async def mistaken(account: str, lease: Lease) -> Opened:
    raise KeyError("ours")


async def lost(account: str, lease: Lease) -> Opened:
    await asyncio.sleep(0.1)
    raise Lost(lease.name)


async def free(database: Database) -> bool:
    async with database.connection() as connection:
        return "desk:b" in (await leases.ownership(connection, ["desk:b"])).free


async def ended(openings: Openings) -> None:
    async with asyncio.timeout(5):
        while openings.accounts:
            assert openings.ended() == []
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("opens", [never, lost])
async def test_what_cannot_be_opened_is_given_back_and_tried_ever_later(
    database: Database, monkeypatch: pytest.MonkeyPatch, opens: Opens
) -> None:
    monkeypatch.setattr(opening, "OPEN_SECONDS", 0.1)
    keeper, rung = Keeper(database, "w1", lambda name: None), asyncio.Event()
    openings, pauses = Openings(opens, keeper, rung.set), []
    for _ in range(3):
        lease = await keeper.claim("desk:b")
        assert lease is not None
        openings.begin("b", lease)
        assert openings.accounts == {"b"}
        assert not await free(database)
        await ended(openings)
        assert rung.is_set()
        assert await free(database)
        begun = time.monotonic()
        while not openings.may_begin("b"):
            await asyncio.sleep(0.01)
        pauses.append(time.monotonic() - begun)
    assert pauses == pytest.approx([0.5, 1, 2], abs=0.4)


async def test_our_own_mistake_ends_the_worker(database: Database) -> None:
    keeper = Keeper(database, "w1", lambda name: None)
    openings = Openings(mistaken, keeper, lambda: None)
    lease = await keeper.claim("desk:b")
    assert lease is not None
    openings.begin("b", lease)
    with pytest.raises(KeyError):
        await ended(openings)
    assert await free(database)


async def test_a_try_that_is_given_up_leaves_nothing_behind(database: Database) -> None:
    keeper = Keeper(database, "w1", lambda name: None)
    openings = Openings(never, keeper, lambda: None)
    lease = await keeper.claim("desk:b")
    assert lease is not None
    openings.begin("b", lease)
    await asyncio.sleep(0)
    assert openings.holds_time
    assert await openings.cancel("b") is None
    assert (openings.accounts, openings.holds_time) == (frozenset(), False)
    assert await free(database)
