"""Alerts stay until somebody acknowledges them; a storm is one alert with a count."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from app.domain.alert import Alert, Severity
from app.domain.refusal import Missing
from app.engine.ids import new_id
from app.store import alerts
from app.store.database import Database
from tests.domain.tasks import OPEN
from tests.store.seeds import ACCOUNT, fetch, value


def an_alert(subject: str = "s1", rule: str = "stalled_order", message: str = "m") -> Alert:
    return Alert(rule, subject, Severity.ERROR, message, {"behind": "10"}, new_id())


async def raise_them(database: Database, *found: Alert, at: int = OPEN) -> None:
    async with database.transaction() as connection:
        await alerts.raise_alerts(connection, account=ACCOUNT, alerts=found, at=at)


async def acknowledge(
    database: Database, alert_id: str, accounts: list[str] | None = None, by: str = "ann"
) -> Any:
    async with database.transaction() as connection:
        return await alerts.acknowledge(connection, alert_id=alert_id, accounts=accounts, by=by)


async def told(database: Database) -> list[tuple[str, str]]:
    rows = await fetch(database, "SELECT type, data FROM events ORDER BY id")
    return [(row["type"], row["data"]["alert_id"]) for row in rows]


async def test_a_storm_is_one_alert_with_a_count_told_once(database: Database) -> None:
    await asyncio.gather(
        *(raise_them(database, an_alert(message=f"m{n}"), at=OPEN + n) for n in range(20))
    )
    await raise_them(database, an_alert(message="last"), at=OPEN + 50)
    (row,) = await fetch(database, "SELECT * FROM alerts")
    assert (row["count"], row["message"], row["at"]) == (21, "last", OPEN + 50)
    assert await told(database) == [("alert.raised", row["id"])]


async def test_other_rules_subjects_and_accounts_are_other_alerts(database: Database) -> None:
    await raise_them(database, an_alert(), an_alert("s2"), an_alert(rule="failed_children"))
    async with database.transaction() as connection:
        await alerts.raise_alerts(connection, account="a2", alerts=[an_alert()], at=OPEN)
    assert await value(database, "SELECT count(*) FROM alerts WHERE count = 1") == 4
    assert len(await told(database)) == 4


async def test_two_raisers_in_opposite_order_never_wait_in_a_circle(
    pools: list[Database],
) -> None:
    subjects = [f"s{n}" for n in range(15)]
    middle = an_alert(subjects[7])
    async with pools[2].transaction() as blocker:
        await blocker.execute("SAVEPOINT before")
        await alerts.raise_alerts(blocker, account=ACCOUNT, alerts=[middle], at=OPEN)
        forth = asyncio.create_task(raise_them(pools[0], *map(an_alert, subjects)))
        back = asyncio.create_task(raise_them(pools[1], *map(an_alert, subjects[::-1])))
        await asyncio.sleep(0.15)
        await blocker.execute("ROLLBACK TO before")
    await asyncio.gather(forth, back)
    assert await value(pools[0], "SELECT count(*) FROM alerts WHERE count = 2") == 15
    assert len(await told(pools[0])) == 15


async def test_acknowledged_once_and_told_once_by_whoever_was_first(database: Database) -> None:
    await raise_them(database, an_alert())
    alert_id = await value(database, "SELECT id FROM alerts")
    async with database.transaction() as blocker:
        # All three have come before the first is let in.
        await blocker.execute("SELECT FROM alerts FOR UPDATE")
        people = ("ann", "bob", "cy")
        asked = [asyncio.create_task(acknowledge(database, alert_id, by=p)) for p in people]
        await asyncio.sleep(0.1)
    rows = await asyncio.gather(*asked)
    assert len({(row["acknowledged_by"], row["acknowledged_at"]) for row in rows}) == 1
    assert await told(database) == [("alert.raised", alert_id), ("alert.acknowledged", alert_id)]


async def test_after_the_acknowledgement_the_same_is_a_new_alert(database: Database) -> None:
    await raise_them(database, an_alert())
    first = await value(database, "SELECT id FROM alerts")
    await acknowledge(database, first)
    await raise_them(database, an_alert())
    await raise_them(database, an_alert())
    rows = await fetch(database, "SELECT id, count, acknowledged_by FROM alerts ORDER BY raised_at")
    assert [(row["count"], row["acknowledged_by"]) for row in rows] == [(1, "ann"), (2, None)]
    assert [kind for kind, _ in await told(database)] == [
        "alert.raised",
        "alert.acknowledged",
        "alert.raised",
    ]


async def test_an_alert_of_another_account_is_not_there(database: Database) -> None:
    await raise_them(database, an_alert())
    alert_id = await value(database, "SELECT id FROM alerts")
    for unknown, accounts in ((alert_id, ["a2"]), (alert_id, []), (new_id(), None)):
        with pytest.raises(Missing):
            await acknowledge(database, unknown, accounts)
    assert await value(database, "SELECT acknowledged_at FROM alerts") is None
    assert (await acknowledge(database, alert_id, ["a2", ACCOUNT]))["acknowledged_by"] == "ann"


async def test_an_alert_that_is_rolled_back_was_never_told(database: Database) -> None:
    with suppress(ZeroDivisionError):
        async with database.transaction() as connection:
            await alerts.raise_alerts(connection, account=ACCOUNT, alerts=[an_alert()], at=OPEN)
            raise ZeroDivisionError
    assert await value(database, "SELECT count(*) FROM alerts") == 0
    assert await told(database) == []
