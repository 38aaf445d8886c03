"""Orders on their way in: many at once, a verdict each, one order a name however often it comes."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest

from app.engine.ids import new_id
from app.engine.intake import Intake
from app.store import intake, signals
from app.store.arrival import Accepted, Arrival, Clash, Verdict
from app.store.database import Database
from app.store.intake import find_earlier
from tests.store.seeds import ACCOUNT, an_arrival, fetch, plant, sha, signal_columns, task, value


async def insert(database: Database, *arrivals: Arrival) -> list[Verdict]:
    return await intake.insert(database, arrivals)


async def count(database: Database, table: str) -> int:
    return int(await value(database, f"SELECT count(*) FROM {table}"))


async def counts(database: Database) -> dict[str, int]:
    return {t: await count(database, t) for t in ("orders", "idempotency", "signals", "events")}


@asynccontextmanager
async def writer(database: Database) -> AsyncIterator[Intake]:
    opened = Intake(database)
    opened.start()
    yield opened
    await opened.close()


def orders_in(verdicts: Sequence[Verdict]) -> set[str]:
    return {verdict.row["id"] for verdict in verdicts if isinstance(verdict, Accepted)}


async def test_an_order_its_key_its_signal_and_its_events_come_together(
    database: Database,
) -> None:
    arrival = an_arrival(key="one", signal="s1")
    (verdict,) = await insert(database, arrival)
    assert isinstance(verdict, Accepted)
    assert not verdict.replayed
    assert verdict.row["id"] == arrival.order["id"]
    assert await counts(database) == {"orders": 1, "idempotency": 1, "signals": 1, "events": 2}
    (signal,) = await fetch(database, "SELECT * FROM signals")
    assert signal["order_id"] == arrival.order["id"]
    xids = await fetch(
        database,
        "SELECT DISTINCT xmin::text FROM signals UNION"
        " SELECT xmin::text FROM orders UNION"
        " SELECT xmin::text FROM idempotency UNION"
        " SELECT xid::text FROM events",
    )
    assert len(xids) == 1, "one transaction"
    types = await fetch(database, "SELECT type, data, seq FROM events ORDER BY id")
    assert [(e["type"], e["seq"]) for e in types] == [
        ("order.accepted", 1),
        ("signal.decided", None),
    ]
    assert types[1]["data"]["order_id"] == arrival.order["id"]


async def test_a_signal_without_its_order_is_not_kept(database: Database) -> None:
    await insert(database, an_arrival(client_order_id="mine"))
    (verdict,) = await insert(
        database, an_arrival(client_order_id="mine", key="one", signal="s1", body="other")
    )
    assert verdict == Clash("order")
    assert await counts(database) == {"orders": 1, "idempotency": 0, "signals": 0, "events": 1}


# The same again, and something else under the same name.

NAMED: list[dict[str, Any]] = [
    {"key": "one"},
    {"client_order_id": "mine"},
    {"signal": "s1"},
    {"key": "one", "client_order_id": "mine", "signal": "s1"},
]


@pytest.mark.parametrize("names", NAMED)
async def test_the_same_again_is_the_same_order(database: Database, names: dict[str, Any]) -> None:
    (first,) = await insert(database, an_arrival(**names))
    before = await counts(database)
    (second,) = await insert(database, an_arrival(**names))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert (second.row["id"], second.replayed) == (first.row["id"], True)
    assert await counts(database) == before


CLASHES = list(zip(NAMED, ("key", "order", "signal", "key"), strict=True))


@pytest.mark.parametrize(("names", "what"), CLASHES)
async def test_the_same_name_for_something_else_is_a_clash(
    database: Database, names: dict[str, Any], what: str
) -> None:
    await insert(database, an_arrival(**names))
    before = await counts(database)
    assert await insert(database, an_arrival(**names, body="other")) == [Clash(what)]
    assert await counts(database) == before
    assert set(orders_in(await insert(database, an_arrival()))), "and nothing is left locked"


async def test_two_hundred_identical_arrivals_are_one_order(database: Database) -> None:
    async with writer(database) as opened:
        arrivals = [an_arrival(key="one", client_order_id="mine") for _ in range(200)]
        verdicts = await asyncio.gather(*(opened.put(arrival) for arrival in arrivals))
    assert len(orders_in(verdicts)) == 1
    fresh = [v for v in verdicts if isinstance(v, Accepted) and not v.replayed]
    assert len(fresh) == 1
    assert await counts(database) == {"orders": 1, "idempotency": 1, "signals": 0, "events": 1}


@pytest.mark.parametrize("seed", range(4))
async def test_several_processes_make_one_order_a_key(pools: list[Database], seed: int) -> None:
    """The same requests at every process at once, in any order, each process naming them anew."""
    keys = [f"key-{n}" for n in range(60)]

    async def process(number: int) -> dict[str, str]:
        chance, told = random.Random(seed * 10 + number), list(keys)
        chance.shuffle(told)
        async with writer(pools[number]) as opened:
            arrivals = [an_arrival(key=key, signal=f"s-{key}") for key in told]
            verdicts = await asyncio.gather(*(opened.put(arrival) for arrival in arrivals))
        assert all(isinstance(verdict, Accepted) for verdict in verdicts)
        return {key: verdict.row["id"] for key, verdict in zip(told, verdicts, strict=True)}

    answers = await asyncio.gather(*(process(number) for number in range(3)))
    assert answers[0] == answers[1] == answers[2]
    expected = {"orders": 60, "idempotency": 60, "signals": 60, "events": 120}
    assert await counts(pools[0]) == expected


TABLES = {"key": "idempotency", "signal": "signals", "client_order_id": "orders"}


@pytest.mark.parametrize("name", TABLES)
async def test_whole_batches_never_wait_for_each_other_in_a_circle(
    pools: list[Database], name: str
) -> None:
    """The same names in opposite order of the order ids; who has the middle one first is made to
    let both batches wait for it."""
    ids = sorted(new_id() for _ in range(22))
    names = [f"n{n:02}" for n in range(11)]

    def batch(own: list[str], wanted: list[str]) -> list[Arrival]:
        pairs = zip(own, wanted, strict=True)
        return [an_arrival(task()._replace(order_id=o), **{name: want}) for o, want in pairs]

    middle = an_arrival(**{name: names[5]})
    row = {"key": middle.idempotency, "signal": middle.signal}.get(name, middle.order)
    async with pools[2].transaction() as blocker:
        await blocker.execute("SAVEPOINT before")
        await plant(blocker, TABLES[name], row)
        forth = asyncio.create_task(intake.insert(pools[0], batch(ids[:11], names)))
        back = asyncio.create_task(intake.insert(pools[1], batch(ids[11:], names[::-1])))
        await asyncio.sleep(0.15)
        await blocker.execute("ROLLBACK TO before")
    one, two = await asyncio.gather(forth, back)
    assert len(orders_in([*one, *two])) == 11
    assert await count(pools[0], "orders") == 11


async def test_a_batch_with_bad_neighbours(database: Database) -> None:
    """A verdict a row, at the place of its row; the good ones are not held up."""
    await insert(database, an_arrival(key="taken"), an_arrival(client_order_id="taken"))
    (told,) = await insert(database, an_arrival(signal="taken"))
    assert isinstance(told, Accepted)
    batch = [
        an_arrival(key="a"),
        an_arrival(key="taken", body="other"),
        an_arrival(client_order_id="b"),
        an_arrival(client_order_id="taken", body="other", key="c"),
        an_arrival(signal="taken", body="other", key="d"),
        an_arrival(signal="e"),
        an_arrival(signal="taken"),
    ]
    random.Random(5).shuffle(batch)
    verdicts = await insert(database, *batch)
    for arrival, verdict in zip(batch, verdicts, strict=True):
        other = arrival.order["body_sha256"] != sha("body")
        if other:
            assert isinstance(verdict, Clash)
            assert verdict.what == clashing(arrival)
        else:
            assert isinstance(verdict, Accepted)
            assert verdict.replayed == (
                arrival.signal is not None and "taken" in str(arrival.signal)
            )
            assert (verdict.row["id"] == arrival.order["id"]) != verdict.replayed
    # The keys of those refused are free: they may name another order.
    again = await insert(database, an_arrival(key="c"), an_arrival(key="d"))
    assert len(orders_in(again)) == 2


def clashing(arrival: Arrival) -> str:
    if arrival.idempotency is not None and arrival.idempotency["key"] == "taken":
        return "key"
    return "signal" if arrival.signal is not None else "order"


async def test_a_row_that_the_database_refuses_fails_alone(database: Database) -> None:
    async with writer(database) as opened:
        bad = opened.put(an_arrival(side="sideways"))
        good = [opened.put(an_arrival()) for _ in range(3)]
        first, *others = await asyncio.gather(bad, *good, return_exceptions=True)
    assert isinstance(first, asyncpg.CheckViolationError)
    for other in others:
        if isinstance(other, BaseException):
            raise other


async def test_arrivals_with_one_name_are_never_in_one_batch(database: Database) -> None:
    async with writer(database) as opened:
        puts = [opened.put(an_arrival(client_order_id="mine", body=f"{n}")) for n in range(20)]
        verdicts = await asyncio.gather(*puts)
    assert verdicts[1:] == [Clash("order")] * 19
    assert len(orders_in(verdicts)) == 1


async def test_of_what_waits_half_leaves_with_each_commit(database: Database) -> None:
    async with writer(database) as opened:
        await asyncio.gather(*(opened.put(an_arrival()) for _ in range(100)))
    assert await batches(database) == [50, 25, 16, 9]


async def test_what_comes_together_is_one_batch(database: Database) -> None:
    async with writer(database) as opened:
        alone = [opened.put(an_arrival()) for _ in range(300)]
        await asyncio.gather(*alone, *opened.add_all([an_arrival() for _ in range(100)]))
    assert await batches(database) == [200, 100, 100]


async def batches(database: Database) -> list[int]:
    """How many orders each commit entered, in order."""
    rows = await fetch(database, "SELECT count(*) FROM events GROUP BY xid ORDER BY min(id)")
    return [row[0] for row in rows]


async def test_a_caller_that_goes_away_changes_nothing(database: Database) -> None:
    async with writer(database) as opened:
        arrivals = [an_arrival(key=f"k{n}") for n in range(30)]
        callers = [asyncio.ensure_future(opened.put(arrival)) for arrival in arrivals]
        await asyncio.sleep(0)
        for gone in callers[::3]:
            gone.cancel()
        await asyncio.sleep(0.002)
        for gone in callers[1::3]:
            gone.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        last = await opened.put(an_arrival())
    assert isinstance(last, Accepted)
    assert await counts(database) == {"orders": 31, "idempotency": 30, "signals": 0, "events": 31}


async def test_an_answer_is_a_commit(pools: list[Database]) -> None:
    async with writer(pools[0]) as opened:
        for _ in range(20):
            verdict = await opened.put(an_arrival())
            assert isinstance(verdict, Accepted)
            seen = "SELECT count(*) FROM orders WHERE id = $1"
            assert await value(pools[1], seen, verdict.row["id"]) == 1


async def test_without_a_database_every_caller_is_told_and_the_next_goes_through(
    database: Database,
) -> None:
    async with writer(database) as opened:
        await opened.put(an_arrival())
        killing = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
        killing += " current_database() AND pid <> pg_backend_pid()"
        async with database.transaction() as blocker:
            # Nothing commits until the killer has come by.
            await blocker.execute("LOCK orders IN EXCLUSIVE MODE")
            puts = [asyncio.ensure_future(opened.put(an_arrival())) for _ in range(5)]
            await asyncio.sleep(0.1)
            await blocker.fetch(killing)
        told = await asyncio.gather(*puts, return_exceptions=True)
        assert any(isinstance(answer, Exception) for answer in told)
        assert isinstance(await opened.put(an_arrival()), Accepted)


async def test_a_stopping_server_tells_who_still_waits(database: Database) -> None:
    opened = Intake(database)
    waiting = [asyncio.ensure_future(opened.put(an_arrival())) for _ in range(3)]
    await asyncio.sleep(0)
    await opened.close()
    for answer in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(answer, ConnectionError)


async def test_a_stopping_server_tells_who_is_being_committed(database: Database) -> None:
    opened = Intake(database)
    opened.start()
    async with database.transaction() as blocker:
        await blocker.execute("LOCK orders IN EXCLUSIVE MODE")
        waiting = asyncio.ensure_future(opened.put(an_arrival()))
        await asyncio.sleep(0.1)
        await opened.close()
        try:
            async with asyncio.timeout(30):
                with suppress(ConnectionError):
                    await asyncio.shield(waiting)
        finally:
            waiting.cancel()


# Finding what was accepted before.


async def find(database: Database, **asked: Any) -> Accepted | None:
    wanted = {"key_id": "k1", "key": None, "account": ACCOUNT, "client_order_id": None}
    async with database.connection() as connection:
        return await find_earlier(connection, **(wanted | {"body_sha256": sha("body")} | asked))


async def test_the_earlier_order_is_found_by_either_name_and_only_with_its_body(
    database: Database,
) -> None:
    arrival = an_arrival(key="one", client_order_id="mine")
    await insert(database, arrival)
    for asked in ({"key": "one"}, {"client_order_id": "mine"}):
        found = await find(database, **asked)
        assert found is not None
        assert (found.row["id"], found.replayed) == (arrival.order["id"], True)
        assert await find(database, **asked, body_sha256=sha("other")) is None
    assert await find(database) is None
    assert await find(database, key="one", key_id="k2") is None
    assert await find(database, client_order_id="mine", account="a2") is None


# Signals that made no order.


async def test_a_kept_signal_is_told_once(database: Database) -> None:
    async def keep(body: str = "body") -> Any:
        row = signal_columns("s1", None, body) | {"decision": "reject", "reason": "low"}
        async with database.transaction() as connection:
            return await signals.keep(connection, row)

    outcomes = await asyncio.gather(*(keep() for _ in range(6)))
    assert len({row["id"] for row in outcomes}) == 1
    assert await keep("other") is None
    assert await counts(database) == {"orders": 0, "idempotency": 0, "signals": 1, "events": 1}


async def test_a_signal_that_was_rejected_makes_no_order_later(database: Database) -> None:
    """The gates may have opened meanwhile: the same signal keeps its first decision."""
    async with database.transaction() as connection:
        row = signal_columns("s1", None) | {"decision": "reject", "reason": "low"}
        await signals.keep(connection, row)
    (verdict,) = await insert(database, an_arrival(signal="s1"))
    assert isinstance(verdict, Accepted)
    assert verdict.replayed
    assert verdict.row["id"] is None
    assert await counts(database) == {"orders": 0, "idempotency": 0, "signals": 1, "events": 1}
