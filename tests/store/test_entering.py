"""The answer to an order is made of what was sent to the database: it must be what lies there."""

from decimal import Decimal

import pytest

from app.domain.identity import order_key
from app.store import intake
from app.store.arrival import Accepted, Arrival
from app.store.database import Database
from app.store.entering import enter
from tests.domain.tasks import OPEN
from tests.store.seeds import an_arrival, row_of


async def test_an_entered_order_reads_as_its_row(database: Database) -> None:
    arrival = an_arrival(
        tags=["a", 'quote " and \\ slash', "ü"],
        strategy=None,
        body_sha256=b"\x00\xff" * 16,
        **dict.fromkeys(("start_at", "anchor_at", "session_opens_at"), OPEN),
        **dict.fromkeys(("end_at", "session_closes_at"), OPEN + 1),
        accepted_at=OPEN + 123_456,
        arrival_bid=None,
    )
    (verdict,) = await intake.insert(database, [arrival])
    assert isinstance(verdict, Accepted)
    assert dict(verdict.row) == dict(await row_of(database, arrival.order["id"]))


OTHERWISE: dict[str, object] = {
    "account": "a2",
    "client_order_id": "another",
    "key_id": "k2",
    "signal_id": "01890000-0000-7000-8000-000000000001",
    "asked_algo": "auto",
    "route_reason": "size",
    "seed": "other",
    "time_in_force": "ioc",
    "anchor_at": OPEN + 1,
    "role": "exit",
    "group_id": "01890000-0000-7000-8000-000000000002",
    "take_profit": Decimal("3.00"),
    "stop_loss": Decimal("0.50"),
    "bracket": {"exit_at_close": True},
    "value": Decimal("1000.0"),
    "limits_version": 3,
    "confirmed": ["max_order_qty"],
    "body_sha256": b"\x01" * 32,
    "strategy": "other",
    "tags": ["x"],
    "symbol": "OTHER",
    "side": "sell",
    "qty": Decimal("7"),
    "algo": "vwap",
    "algo_version": 9,
    "params": {"slices": 1},
    "limit_price": Decimal("1.00"),
    "start_at": OPEN + 1,
    "end_at": OPEN + 9_000_000,
    "urgency": "high",
    "priority": 1,
    "on_restart": "pause",
    "reduce_only": True,
    "extended_hours": True,
    "max_participation": Decimal("0.10"),
    "notional": Decimal("5"),
    "estimate": {"total_bps": "1"},
}
USUAL: dict[str, object] = {
    "account": "a1",
    "key_id": "k1",
    "asked_algo": "twap",
    "seed": "seed",
    "time_in_force": "day",
    "role": "single",
    "value": Decimal("1000.00"),
    "limits_version": 0,
    **dict.fromkeys(("signal_id", "route_reason", "group_id", "bracket", "confirmed")),
    **dict.fromkeys(("take_profit", "stop_loss")),
    "body_sha256": b"\x02" * 32,
    "strategy": None,
    "tags": [],
    "symbol": "XYZ",
    "side": "buy",
    "qty": Decimal("1000"),
    "algo": "twap",
    "algo_version": 1,
    "params": {"slices": 2},
    "limit_price": Decimal("1.0"),
    "start_at": OPEN,
    "end_at": OPEN + 9_000_001,
    "urgency": "normal",
    "priority": 0,
    "on_restart": "resume",
    "reduce_only": False,
    "extended_hours": False,
    "max_participation": Decimal("0.1"),
    "notional": None,
    "estimate": {"total_bps": "2"},
    **dict.fromkeys(("anchor_at", "session_opens_at", "accepted_at"), OPEN),
    "session_closes_at": OPEN + 9_000_002,
}
"""What all orders of a batch may say alike."""


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("name", OTHERWISE)
async def test_one_order_of_a_batch_may_differ_in_anything(
    database: Database, name: str, place: int
) -> None:
    """What all say alike is written once: whoever says something else must be heard."""
    given = [{**USUAL, "client_order_id": f"c{n}"} for n in range(3)]
    given[place][name] = OTHERWISE[name]
    batch = [an_arrival(**columns) for columns in given]
    verdicts = await intake.insert(database, batch)
    for arrival, verdict, columns in zip(batch, verdicts, given, strict=True):
        assert isinstance(verdict, Accepted)
        row = dict(await row_of(database, arrival.order["id"]))
        assert dict(verdict.row) == row
        assert {name: str(row[name]) for name in columns} == {
            name: str(value) for name, value in columns.items()
        }


async def test_each_order_has_its_own_market(database: Database) -> None:
    """What orders share is sent once: a batch of two markets must not mix them up."""
    shared = ("broker", "curve", "collar", "accepted_at", "arrival_bid", "daily_volume")
    whole = [an_arrival(body_sha256=b"\xff" * 32) for _ in range(4)]
    markets = [
        {name: whole[0].order[name] for name in shared},
        {name: whole[0].order[name] for name in shared}
        | {"broker": "b2", "curve": {"source": 'an "other"', "shares": [0.5]}, "collar": Decimal(1)}
        | {"accepted_at": OPEN + 7, "arrival_bid": Decimal("9.5"), "daily_volume": Decimal(3)},
    ]
    batch = [
        Arrival({n: v for n, v in one.order.items() if n not in shared}, markets[i % 2])
        for i, one in enumerate(whole)
    ]
    verdicts = await intake.insert(database, batch)
    for i, (arrival, verdict) in enumerate(zip(batch, verdicts, strict=True)):
        assert isinstance(verdict, Accepted)
        row = dict(await row_of(database, arrival.order["id"]))
        assert dict(verdict.row) == row
        assert {name: row[name] for name in shared} == markets[i % 2]


async def test_the_first_event_tells_the_order(database: Database) -> None:
    arrival = an_arrival(client_order_id='"mine"\\', route_reason="size", accepted_at=OPEN + 5)
    await intake.insert(database, [arrival])
    async with database.connection() as connection:
        (told,) = await connection.fetch("SELECT * FROM events")
    order = arrival.order
    assert (told["account"], told["order_id"], told["seq"]) == (order["account"], order["id"], 1)
    assert (told["type"], told["at"]) == ("order.accepted", OPEN + 5)
    qty = format(order["qty"], "f")
    zeros = dict.fromkeys(("filled", "working", "unknown", "canceled", "excess"), "0")
    assert told["data"] == {
        **{name: order[name] for name in ("client_order_id", "side", "algo", "route_reason")},
        "order": {"status": "accepted", "symbol": order["symbol"], "qty": qty, "unsent": qty}
        | zeros,
    }


async def test_an_order_whose_key_is_taken_leaves_no_event(database: Database) -> None:
    first, other = an_arrival(), an_arrival()
    taken = order_key(first.order["id"])
    await intake.insert(database, [first])
    third = an_arrival()
    verdicts = await intake.insert(
        database,
        [type(other)(other.order | {"key": taken}), third],
    )
    assert [type(v).__name__ for v in verdicts] == ["Clash", "Accepted"]
    async with database.connection() as connection:
        told = await connection.fetch("SELECT order_id FROM events")
    assert {r["order_id"] for r in told} == {first.order["id"], third.order["id"]}


async def test_orders_of_one_batch_name_the_same_columns_in_any_order(database: Database) -> None:
    """Their values travel column by column: nobody may get a side for a symbol."""
    first, second = (an_arrival(side=side, body_sha256=b"\x01" * 32) for side in ("buy", "sell"))
    turned = dict(reversed(second.order.items()))
    async with database.connection() as connection:
        entered = await enter(connection, [first.order, turned], [first.market, second.market])
    for order in (first.order, turned):
        row = dict(await row_of(database, order["id"]))
        assert dict(entered[order["id"]]) == row
        assert {name: row[name] for name in ("symbol", "side")} == {
            name: order[name] for name in ("symbol", "side")
        }


@pytest.mark.parametrize("more", [{"reason": "x"}, None], ids=["more", "less"])
async def test_an_order_that_names_other_columns_is_not_entered(
    database: Database, more: dict[str, str] | None
) -> None:
    first, second = an_arrival(), an_arrival()
    other = {**second.order, **more} if more else dict(list(second.order.items())[:-1])
    async with database.connection() as connection:
        for batch in ([first.order, other], [other, first.order]):
            with pytest.raises((ValueError, KeyError)):
                await enter(connection, batch, [first.market, second.market])


@pytest.mark.parametrize("many", [2, 64, 65, 130])
async def test_terms_may_be_shared_by_all_by_some_or_by_nobody(
    database: Database, many: int
) -> None:
    """Beyond 64 kinds each brings its own. They are entered in the order they were given in,
    which is that in which they wait for others of their names."""
    kinds = [
        {
            "tags": [f"t{n}"],
            "priority": n % 3,
            "strategy": f"s{n % 7}" if n % 5 else None,
            "max_participation": Decimal("0.1" if n % 2 else "0.10"),
        }
        for n in range(many)
    ]
    batch = [an_arrival(**kinds[n * 7 % many], body_sha256=b"\x01" * 32) for n in range(150)]
    verdicts = await intake.insert(database, batch)
    for arrival, verdict in zip(batch, verdicts, strict=True):
        assert isinstance(verdict, Accepted)
        row = dict(await row_of(database, arrival.order["id"]))
        assert dict(verdict.row) == row
        assert [str(row[name]) for name in kinds[0]] == [
            str(arrival.order[name]) for name in kinds[0]
        ]
    async with database.connection() as connection:
        stored = await connection.fetch("SELECT client_order_id FROM orders ORDER BY ctid")
    names = [row["client_order_id"] for row in stored]
    assert names == sorted(arrival.order["client_order_id"] for arrival in batch)
