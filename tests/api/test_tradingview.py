"""Alerts over HTTP as TradingView sends them: raw bytes, no headers, again and again."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.api.app import create_api
from app.domain.instant import SECOND, rfc3339
from app.engine.service import Service
from tests.api.conftest import NOW, QUICK, Served, row_counts, serve
from tests.api.ending import ending, hold
from tests.api.test_hooks import make
from tests.domain.alert_shapes import COMMAS, FLAT, HUB, LINE, NESTED, OPENALGO, TRADERSPOST

AT = rfc3339(NOW - 5 * SECOND)
BUY: dict[str, Any] = {"ticker": "ACME", "action": "buy", "quantity": "10", "time": AT}


async def send(
    url: str, path: str, alert: Any, *, query: str = "", **headers: str
) -> httpx.Response:
    """As TradingView does: the bytes, and a content type that says little."""
    raw = alert if isinstance(alert, bytes) else json.dumps(alert).encode()
    kind = "application/json; charset=utf-8" if raw[:1] == b"{" else "text/plain; charset=utf-8"
    async with httpx.AsyncClient(timeout=30) as client:
        return await client.post(
            f"{url}{path}{query}", content=raw, headers={"content-type": kind} | headers
        )


def on_acme(alert: dict[str, Any]) -> dict[str, Any]:
    """One of the shapes in use, about our symbol and our day."""
    text = json.dumps(alert).replace("2026-01-05T12:00:00Z", AT)
    for ticker in ("AAPL", "BTCUSDT", "NHPC"):
        text = text.replace(ticker, "ACME")
    made: dict[str, Any] = json.loads(text)
    return made


@pytest.mark.parametrize(
    ("alert", "side", "qty"),
    [
        (on_acme(FLAT), "sell", "10"),
        (on_acme(NESTED), "sell", "20"),
        (on_acme(TRADERSPOST | {"takeProfit": {}, "stopLoss": {}}), "buy", "50"),
        (on_acme(COMMAS | {"order": {"amount": "2", "currency_type": "base"}}), "buy", "2"),
        (on_acme(HUB), "buy", "1"),
        (on_acme(OPENALGO), "buy", "10"),
        (LINE.replace("BRK.B", "ACME").encode(), "buy", "10"),
    ],
    ids=["flat", "nested", "traderspost", "3commas", "tv-hub", "openalgo", "line"],
)
async def test_every_shape_becomes_an_order(
    client: httpx.AsyncClient, served: Served, alert: Any, side: str, qty: str
) -> None:
    hook = await make(client, symbols="any")
    told = await send(served.url, hook["path"], alert)
    assert told.status_code == 202, told.text
    signal = told.json()
    assert (signal["decision"], signal["side"], signal["final_qty"]) == ("execute", side, qty)
    assert signal["source"] == f"tradingview:{hook['id']}"
    assert (signal["strategy"], signal["signal"]["hook"]) == ("turtle", hook["id"])
    order = (await client.get(f"/orders/{signal['order_id']}")).json()
    assert (order["symbol"], order["side"], order["qty"]) == ("ACME", side, qty)
    assert (await client.get(told.headers["location"])).json() == signal


@pytest.mark.parametrize("timed", [True, False])
async def test_four_sends_are_one_signal_with_one_answer(
    client: httpx.AsyncClient, served: Served, service: Service, timed: bool
) -> None:
    hook = await make(client)
    alert = BUY if timed else {k: v for k, v in BUY.items() if k != "time"}
    answers = [await send(served.url, hook["path"], alert) for _ in range(4)]
    assert {a.status_code for a in answers} == {202}
    assert len({a.text for a in answers}) == 1
    assert (await row_counts(service))["orders"] == 1
    # Half a minute later the same words without a time are another alert.
    async with service.database.connection() as connection:
        await connection.execute("UPDATE hook_sends SET at = at - interval '31 seconds'")
    await send(served.url, hook["path"], alert)
    assert (await row_counts(service))["orders"] == (1 if timed else 2)


async def test_sends_at_once_through_two_doors_are_one_signal(
    client: httpx.AsyncClient, service: Service
) -> None:
    hook = await make(client, per_minute=1)
    timeless = {k: v for k, v in BUY.items() if k != "time"}
    async with (
        serve(create_api(service, pace=QUICK)) as one,
        serve(create_api(replace(service), pace=QUICK)) as two,
    ):
        answers = await asyncio.gather(
            *(send((one, two)[i % 2].url, hook["path"], timeless) for i in range(20))
        )
    assert {a.status_code for a in answers} == {202}
    assert len({a.text for a in answers}) == 1
    assert (await row_counts(service))["orders"] == 1


async def test_ten_alerts_at_once_are_decided_one_after_the_other(
    client: httpx.AsyncClient, served: Served, service: Service
) -> None:
    hook = await make(client, sizes="position")
    alerts = [
        {"ticker": "ACME", "market_position": "long", "market_position_size": n, "id": f"n-{n}"}
        for n in range(1, 11)
    ]

    async def again(alert: Any) -> httpx.Response:
        """As TradingView does where nothing is decided yet."""
        while (told := await send(served.url, hook["path"], alert)).status_code == 503:
            continue
        return told

    async with ending(service):
        answers = await asyncio.gather(*(again(a) for a in alerts))
    assert {a.status_code for a in answers} == {202}
    async with service.database.connection() as connection:
        held = await connection.fetchval(
            "SELECT sum(CASE side WHEN 'buy' THEN qty ELSE -qty END) FROM orders"
            " WHERE status <> 'canceled'"
        )
        last = await connection.fetchval(
            "SELECT body->>'position' FROM signals ORDER BY received_at DESC LIMIT 1"
        )
    assert str(held) == last, "the position is that of whichever came last"


async def filled(service: Service, position: str) -> None:
    """What is open is filled, and came to this position."""
    await hold(service, position)
    async with service.database.connection() as connection:
        await connection.execute("UPDATE orders SET status = 'filled', filled = qty")


async def test_a_position_is_followed_and_may_be_told_twice(
    client: httpx.AsyncClient, served: Served, service: Service
) -> None:
    hook = await make(client, sizes="position")

    async def tell(held: str, size: Any, at: int) -> Any:
        alert = {"ticker": "ACME", "market_position": held, "market_position_size": size}
        told = await send(
            served.url, hook["path"], alert | {"time": rfc3339(NOW - (10 - at) * SECOND)}
        )
        assert told.status_code == 202, told.text
        return told.json()

    first = await tell("long", "300", 1)
    assert (first["side"], first["final_qty"]) == ("buy", "300")
    again = await tell("long", 300, 2)
    assert (again["decision"], again["reason"]) == ("reject", "already_there")
    await filled(service, "300")
    turned = await tell("short", "-200", 3)
    assert (turned["side"], turned["final_qty"]) == ("sell", "500")
    await filled(service, "-200")
    flat = await tell("flat", "0", 4)
    assert (flat["side"], flat["final_qty"]) == ("buy", "200")
    late = await tell("long", "300", 1)
    assert late == first, "a resend, however late"
    overtaken = await tell("long", "299", 2)
    assert (overtaken["decision"], overtaken["reason"]) == ("reject", "overtaken")


@pytest.mark.parametrize(
    ("fields", "alert", "reason"),
    [
        ({"max_qty": "9"}, {}, "hook.max_qty"),
        ({"max_notional": "999", "max_qty": None}, {}, "hook.max_notional"),
        ({"sizes": "fixed", "fixed_qty": "1001"}, {}, "hook.max_qty"),
        ({"max_qty": "10", "max_notional": "1001"}, {}, None),
        ({"sizes": "position"}, {"position_size": "-1001"}, "hook.max_qty"),
        ({"max_qty": "9"}, {"quantity": "900", "quantityType": "dollar_amount"}, None),
        ({"max_qty": "9"}, {"quantity": "1100", "quantityType": "dollar_amount"}, "hook.max_qty"),
    ],
)
async def test_a_cap_counts_what_would_be_traded(
    client: httpx.AsyncClient,
    served: Served,
    service: Service,
    fields: dict[str, Any],
    alert: dict[str, Any],
    reason: str | None,
) -> None:
    hook = await make(client, **fields)
    told = (await send(served.url, hook["path"], BUY | alert)).json()
    assert told["reason"] == reason
    assert (await row_counts(service))["orders"] == (1 if reason is None else 0)
    if reason is not None:
        assert [v["gate"] for v in told["verdicts"]] == ["hook"]


async def test_no_more_signals_in_a_minute_than_are_let_in(
    client: httpx.AsyncClient, served: Served, service: Service
) -> None:
    hook = await make(client, per_minute=3)
    alerts = [BUY | {"id": f"a-{n}"} for n in range(8)]
    answers = await asyncio.gather(*(send(served.url, hook["path"], a) for a in alerts))
    assert sorted(a.status_code for a in answers) == [202] * 3 + [429] * 5
    assert {a.json()["code"] for a in answers if a.status_code == 429} == {"hook.rate"}
    in_time = [a for a, b in zip(alerts, answers, strict=True) if b.status_code == 202]
    assert (await send(served.url, hook["path"], in_time[0])).status_code == 202, "a resend"
    async with service.database.connection() as connection:
        await connection.execute("UPDATE hook_sends SET at = at - interval '61 seconds'")
    assert (await send(served.url, hook["path"], BUY | {"id": "b"})).status_code == 202


async def test_one_that_is_turned_away_is_told_when_there_is_room(
    client: httpx.AsyncClient, served: Served, service: Service
) -> None:
    hook = await make(client, per_minute=2)
    # The first counts no more.
    for n, age in ((1, 70), (2, 30), (3, 20)):
        assert (await send(served.url, hook["path"], BUY | {"id": f"a-{n}"})).status_code == 202
        async with service.database.connection() as connection:
            await connection.execute(
                "UPDATE hook_sends SET at = clock_timestamp() - $1 * interval '1 second'"
                " WHERE signal_id = $2",
                age,
                f"a-{n}",
            )
    turned = await send(served.url, hook["path"], BUY | {"id": "b"})
    assert turned.status_code == 429
    wait = int(turned.headers["Retry-After"])
    assert 25 <= wait <= 30, "the second leaves the minute then"
    for seconds, status in ((wait - 5, 429), (5, 202)):
        async with service.database.connection() as connection:
            await connection.execute(
                "UPDATE hook_sends SET at = at - $1 * interval '1 second'", seconds
            )
        sent = await send(served.url, hook["path"], BUY | {"id": "b"})
        assert sent.status_code == status


@pytest.mark.parametrize(
    ("fields", "alert", "code"),
    [
        ({"max_lag": "4s"}, {}, "hook.late"),
        ({"max_lag": "6s"}, {}, None),
        ({}, {"max_lag": "4"}, "hook.late"),
        ({"max_lag": "6s"}, {"time": ""}, "hook.no_time"),
        ({}, {"time": rfc3339(NOW + 120 * SECOND)}, "hook.ahead"),
    ],
)
async def test_an_alert_may_be_as_old_as_its_hook_says(
    client: httpx.AsyncClient,
    served: Served,
    fields: dict[str, Any],
    alert: dict[str, Any],
    code: str | None,
) -> None:
    hook = await make(client, **fields)
    told = await send(served.url, hook["path"], BUY | alert)
    assert (told.status_code, told.json().get("code")) == ((422, code) if code else (202, None))
    [listed] = (await client.get("/hooks")).json()["items"]
    assert listed["last_refused"] == code


@pytest.mark.parametrize(
    ("alert", "status", "code"),
    [
        (BUY | {"ticker": "OTHER"}, 403, "hook.symbol"),
        (BUY | {"exchange": "NYSE", "ticker": "NYSE:ACME"}, 403, "hook.symbol"),
        (BUY | {"quantity": ""}, 422, "hook.no_size"),
        (BUY | {"action": ""}, 422, "hook.no_action"),
        (BUY | {"action": "add"}, 422, "hook.bad_action"),
        (BUY | {"action": "exit"}, 422, "hook.bad_action"),
        (BUY | {"quantity": "1.5"}, 422, "wrong_lot"),
        (b"\xff", 422, "hook.unreadable"),
        (b"{" + b" " * 65536 + b"}", 413, "body_too_large"),
    ],
)
async def test_what_will_never_do_is_a_4xx_with_its_reason(
    client: httpx.AsyncClient,
    served: Served,
    service: Service,
    alert: Any,
    status: int,
    code: str,
) -> None:
    hook = await make(client)
    told = await send(served.url, hook["path"], alert)
    assert (told.status_code, told.json()["code"]) == (status, code)
    assert (await row_counts(service))["signals"] == 0


@pytest.mark.parametrize(
    ("alert", "side", "qty"),
    [
        ({"action": "exit", "quantity": "4", "prev_market_position": "long"}, "sell", "4"),
        ({"action": "exit_long", "quantity": "4"}, "sell", "4"),
        ({"action": "add", "sentiment": "bearish"}, "sell", "10"),
        ({"action": "sell", "sentiment": "flat"}, "sell", "100"),
        ({"action": "exit", "quantity": ""}, "sell", "100"),
        ({"action": "exit", "market_position": "flat"}, "sell", "100"),
        ({"ticker": "acme", "exchange": "nasdaq"}, "buy", "10"),
    ],
)
async def test_what_actions_mean(
    client: httpx.AsyncClient,
    served: Served,
    service: Service,
    alert: dict[str, Any],
    side: str,
    qty: str,
) -> None:
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO positions (account, symbol, qty) VALUES ('main', 'ACME', 100)"
        )
    hook = await make(client)
    told = (await send(served.url, hook["path"], BUY | alert)).json()
    assert (told["decision"], told["side"], told["final_qty"]) == ("execute", side, qty)
