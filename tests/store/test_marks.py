"""Marks in the store: found where they are missing, kept once, archived and removed with orders."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.domain.instant import MINUTE, SECOND
from app.engine import housekeeping
from app.store import marks
from app.store.database import Database
from app.store.ended import failed_in_a_row
from app.store.marks import Due, Taken
from tests.domain.tasks import OPEN
from tests.store.old_orders import age, finished, keeper
from tests.store.seeds import ACCOUNT, enter, fetch, fill, intent, record, value, working

D = Decimal
AFTER = (0, MINUTE)


async def missing(database: Database, since: int = OPEN) -> list[Due]:
    async with database.connection() as connection:
        return await marks.missing(connection, account=ACCOUNT, since=since, after=AFTER)


async def keep(database: Database, *taken: Taken) -> None:
    async with database.connection() as connection:
        await marks.keep(connection, account=ACCOUNT, taken=taken)


async def filled_once(database: Database) -> str:
    order_id = await working(database, qty=100)
    child = intent(order_id, 1, 50)
    await record(database, order_id, child)
    await record(database, order_id, fill(child.child_id, child.child_id, 20))
    return order_id


async def test_what_is_due_is_found_until_it_is_kept(database: Database) -> None:
    order_id = await filled_once(database)
    at = await value(database, "SELECT at FROM fills")
    found = await missing(database)
    assert [(due.at, due.order_id, due.symbol) for due in found] == [
        (at + MINUTE, order_id, "XYZ"),
        (at, order_id, "XYZ"),
    ]
    await keep(database, Taken(order_id, at, D(99), D(101), at))
    await keep(database, Taken(order_id, at, D(1), D(2), at))  # As it was first seen.
    assert [due.at for due in await missing(database)] == [at + MINUTE]
    await keep(database, Taken(order_id, at + MINUTE, reason="after_close"))
    assert await missing(database) == []
    rows = await fetch(database, "SELECT bid, ask, reason FROM marks ORDER BY at")
    assert [tuple(row) for row in rows] == [(99, 101, None), (None, None, "after_close")]
    assert await missing(database, since=at + SECOND) == []


async def test_a_void_fill_is_not_judged_and_an_end_is(database: Database) -> None:
    order_id = await filled_once(database)
    await fetch(database, "UPDATE fills SET busted_at = at")
    assert await missing(database) == []
    await fetch(database, "UPDATE orders SET finished_at = $1", OPEN + 5)
    assert [(due.at, due.order_id) for due in await missing(database)] == [(OPEN + 5, order_id)]
    async with database.connection() as connection:
        (end,) = await marks.ends(connection, account=ACCOUNT, order_ids=[order_id])
    assert end.at == OPEN + 5


async def test_no_mark_without_its_order(database: Database) -> None:
    order_id = await enter(database)
    await fetch(database, "DELETE FROM orders")
    await keep(database, Taken(order_id, OPEN, reason="no_quote"))
    assert await value(database, "SELECT count(*) FROM marks") == 0


@pytest.mark.parametrize(
    "wrong",
    [
        Taken("", OPEN),
        Taken("", OPEN, D(1), None, OPEN),
        Taken("", OPEN, D(1), D(2), OPEN, "no_quote"),
        Taken("", OPEN, D(0), D(2), OPEN),
    ],
)
async def test_a_mark_has_a_quote_or_a_reason(database: Database, wrong: Taken) -> None:
    order_id = await enter(database)
    with pytest.raises(asyncpg.CheckViolationError):
        await keep(
            database, Taken(order_id, wrong.at, wrong.bid, wrong.ask, wrong.quoted_at, wrong.reason)
        )


async def test_marks_are_archived_and_go_with_their_order(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "BREATH_SECONDS", 0)
    await fetch(database, "INSERT INTO accounts (account, broker) VALUES ('a1', 'paper')")
    old, open_ = await finished(database), await enter(database)
    for order_id in (old, open_):
        await keep(database, Taken(order_id, OPEN, D(99), D(101), OPEN))
    await age(database, 2, old)
    assert await keeper(database, tmp_path).round() == 1
    left = await fetch(database, "SELECT order_id FROM marks")
    assert [row["order_id"] for row in left] == [open_]
    [path] = tmp_path.iterdir()
    told = json.loads(gzip.decompress(path.read_bytes()))
    assert [(m["order_id"], m["bid"], m["ask"]) for m in told["marks"]] == [(old, "99", "101")]


@pytest.mark.parametrize(
    ("ends", "in_a_row"),
    [
        ([], 0),
        ([("filled", 100)], 0),
        ([("rejected", 0), ("filled", 100), ("expired", 0), ("rejected", 0)], 2),
        ([("rejected", 0), ("canceled", 0)], 0),
        ([("expired", 1), ("expired", 0)], 1),
        ([("rejected", 0)] * 7, 5),
        ([("rejected", 0), ("left", 0), ("expired", 0)], 2),
    ],
)
async def test_failures_are_counted_back_from_the_latest(
    database: Database, ends: list[tuple[str, int]], in_a_row: int
) -> None:
    for n, (status, filled) in enumerate(ends):
        order_id = await enter(database, qty=100)
        await fetch(
            database,
            "UPDATE orders SET status = $2, filled = $3, finished_at = $4 WHERE id = $1",
            *_row(order_id, status.replace("left", "expired"), filled, n),
        )
        if status == "left":
            told = 'UPDATE orders SET params = params || \'{"completion": "leave"}\''
            await fetch(database, f"{told} WHERE id = $1", order_id)
    await enter(database)  # Open: it counts for nothing.
    async with database.connection() as connection:
        assert await failed_in_a_row(connection, account=ACCOUNT, at_most=5) == in_a_row
        assert await failed_in_a_row(connection, account="other", at_most=5) == 0


def _row(order_id: str, status: str, filled: int, n: int) -> tuple[Any, ...]:
    return order_id, status, D(filled), OPEN + n
