"""Order statistics: known orders, sums done by hand."""

from decimal import Decimal
from typing import Any

import pytest

from app.domain.instant import MINUTE, SECOND, rfc3339
from app.domain.quantity import Side
from app.store import intake
from app.store.database import Database
from app.store.views import order_statistics
from tests.domain.tasks import OPEN
from tests.store.seeds import ACCOUNT, an_arrival, fetch, know, task

D = Decimal


async def finished(
    database: Database,
    *,
    side: str = "buy",
    algo: str = "twap",
    strategy: str | None = None,
    filled: int = 1000,
    average: str = "100",
    mid: str | None = "100",
    seconds: int = 60,
    status: str = "filled",
    children: tuple[str, ...] = ("filled",),
    asked: str | None = None,
    expected: str | None = None,
    account: str = ACCOUNT,
    currency: str | None = None,
    accepted: int = OPEN,
) -> None:
    """An order of 1000 as it stands in the end."""
    of = task(algo, side=Side(side))
    await know(database, of)
    over: dict[str, Any] = {"strategy": strategy, "account": account}
    if mid is not None:
        over |= {"arrival_bid": D(mid) - 1, "arrival_ask": D(mid) + 1}
    over["accepted_at"] = rfc3339(accepted)
    over["asked_algo"] = asked or algo
    over["estimate"] = {"total_bps": expected} if expected is not None else None
    (entered,) = await intake.insert(database, [an_arrival(of, **over)])
    row = entered.row  # type: ignore[union-attr]
    await fetch(
        database,
        "UPDATE orders SET status = $2, filled = $3, filled_notional = $3 * $4::numeric,"
        " fees = $3 * 0.001, canceled = qty - $3, finished_at = start_at"
        " + make_interval(secs => $5), start_at = accepted_at,"
        " instrument = instrument || coalesce($6::jsonb, '{}') WHERE id = $1",
        row["id"],
        status,
        D(filled),
        D(average),
        float(seconds),
        {"currency": currency} if currency else None,
    )
    for number, state in enumerate(children):
        await fetch(
            database,
            "INSERT INTO children (account, id, order_id, number, epoch, symbol, side, qty, price,"
            " purpose, time_in_force, status, intended_at, quote_at, why) VALUES ($1, $2, $3, $4,"
            " 1, 'XYZ', 'buy', 1, 1, 'rest', 'day', $5, $6, $6, '{}')",
            account,
            f"{row['key']}-{number}",
            row["id"],
            number,
            state,
            OPEN,
        )


async def ask(database: Database, **given: Any) -> dict[str, Any]:
    async with database.connection() as connection:
        return await order_statistics(connection, **{"accounts": None} | given)


async def test_nothing_is_null_with_a_reason(database: Database) -> None:
    found = await ask(database, group_by="algo")
    assert found["groups"] == []
    total = found["total"]
    assert (total["orders"], total["by_status"]) == (0, {})
    assert total["filled"] == {
        "orders": 0, "qty": "0", "filled": "0", "ratio": None, "mean_ratio": None,
        "reason": "no orders",
    }  # fmt: skip
    assert total["notional"] == {"value": None, "currency": None, "reason": "no orders"}
    assert total["slippage"]["mean_bps"] is None
    assert total["slippage"]["reason"] == "no fills with a quote at arrival"
    assert total["time_to_complete"]["median_seconds"] is None
    assert total["time_to_complete"]["reason"] == "no filled orders"
    assert total["children"] == {"total": 0, "per_order": None, "rejected": 0, "unknown": 0}


async def test_figures_are_those_done_by_hand(database: Database) -> None:
    # A buy 10 bps above the middle at arrival; a sell 30 bps below it: both are costs.
    await finished(database, average="100.1", seconds=60, children=("filled", "rejected"))
    await finished(
        database, side="sell", filled=500, average="99.7", status="canceled", seconds=500,
        children=("filled", "unknown", "canceled"),
    )  # fmt: skip
    await finished(database, average="100.1", mid=None, seconds=120)
    await finished(database, filled=0, status="canceled", children=())
    total = (await ask(database))["total"]
    assert total["orders"] == 4
    assert total["by_status"] == {"filled": 2, "canceled": 2}
    assert total["filled"] == {
        "orders": 3, "qty": "4000", "filled": "2500", "ratio": "0.625", "mean_ratio": "0.625",
        "reason": None,
    }  # fmt: skip
    assert total["notional"] == {"value": "250050", "currency": "USD", "reason": None}
    assert total["fees"]["value"] == "2.5"
    # (10 + 30) / 2; by notional (10 × 100100 + 30 × 49850) / 149950.
    assert (total["slippage"]["orders"], total["slippage"]["mean_bps"]) == (2, "20")
    assert total["slippage"]["weighted_bps"] == "16.6489"
    # Of the two that were filled: 60 and 120 seconds.
    times = total["time_to_complete"]
    assert (times["orders"], D(times["median_seconds"]), D(times["p95_seconds"])) == (2, 90, 117)
    assert total["children"] == {"total": 6, "per_order": "1.5", "rejected": 1, "unknown": 1}


async def test_a_gain_is_negative_for_both_sides(database: Database) -> None:
    await finished(database, average="99.9")
    await finished(database, side="sell", average="100.1")
    found = await ask(database, group_by="side")
    means = {g["key"]: g["slippage"]["mean_bps"] for g in found["groups"]}
    assert means == {"buy": "-10", "sell": "-10"}


@pytest.mark.parametrize(
    ("group_by", "keys"),
    [
        ("algo", {"twap": 2, "vwap": 1}),
        ("strategy", {None: 1, "momentum": 2}),
        ("side", {"buy": 1, "sell": 2}),
        ("symbol", {"XYZ": 3}),
        ("route", {"auto:twap": 1, "asked:twap": 1, "asked:vwap": 1}),
        (None, {}),
    ],
)
async def test_groups_add_up_to_the_whole(
    database: Database, group_by: str | None, keys: dict[str | None, int]
) -> None:
    await finished(database, strategy="momentum", children=("filled",) * 3)
    await finished(database, side="sell", strategy="momentum", asked="auto")
    await finished(database, side="sell", algo="vwap")
    found = await ask(database, group_by=group_by)
    assert {g["key"]: g["orders"] for g in found["groups"]} == keys
    assert found["total"]["orders"] == 3
    if group_by is not None:
        assert sum(g["children"]["total"] for g in found["groups"]) == 5
    assert found["total"]["children"]["total"] == 5


async def test_only_what_was_asked_for_counts(database: Database) -> None:
    await finished(database, account="a1", accepted=OPEN)
    await finished(database, account="a2", accepted=OPEN + MINUTE)

    async def orders(**given: Any) -> int:
        count: int = (await ask(database, **given))["total"]["orders"]
        return count

    assert await orders() == 2
    assert await orders(accounts=["a2"]) == 1
    assert await orders(accounts=[]) == 0
    assert await orders(since=OPEN + SECOND) == 1
    assert await orders(since=OPEN, until=OPEN + MINUTE) == 1
    assert await orders(until=OPEN) == 0


async def test_money_of_several_currencies_is_not_added_up(database: Database) -> None:
    await finished(database)
    await finished(database, side="sell", currency="EUR")
    found = await ask(database, group_by="side")
    assert found["total"]["notional"] == {
        "value": None, "currency": None, "reason": "several currencies",
    }  # fmt: skip
    assert [g["fees"]["currency"] for g in found["groups"]] == ["USD", "EUR"]


async def test_what_was_expected_is_held_against_what_came(database: Database) -> None:
    """Two orders of 10 and 30 bps, expected at 4.5 and 6: 5.5 and 24 more, 14.75 on average."""
    await finished(database, average="100.1", expected="4.5")
    await finished(database, average="100.3", expected="6")
    await finished(database, average="100.9")
    await finished(database, filled=0, status="canceled", children=(), expected="3")
    total = (await ask(database))["total"]["against_estimate"]
    assert total == {
        "orders": 2, "expected_bps": "5.25", "surprise_bps": "14.75",
        "standard_error_bps": "9.25", "reason": None,
    }  # fmt: skip


async def test_without_estimates_there_is_nothing_to_hold_against(database: Database) -> None:
    await finished(database)
    found = (await ask(database))["total"]["against_estimate"]
    assert (found["orders"], found["surprise_bps"], found["standard_error_bps"]) == (0, None, None)
    assert found["reason"] == "no fills with a quote and an estimate at arrival"
