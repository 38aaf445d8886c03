"""Orders in flight over HTTP: amend, pause, resume, cancel, and what happened to them."""

import asyncio
from typing import Any

import httpx
import pytest

from app.domain.instant import SECOND
from app.engine.service import Service
from tests.api.conftest import order_body, pass_time, silence


@pytest.fixture
async def order(client: httpx.AsyncClient) -> dict[str, Any]:
    body = order_body(params={"slices": 5, "jitter": 0}, limit_price="101")
    order: dict[str, Any] = (await client.post("/orders", json=body)).json()
    return order


async def test_an_amendment_needs_the_version_it_changes(
    client: httpx.AsyncClient, order: dict[str, Any]
) -> None:
    path = f"/orders/{order['id']}"
    missing = await client.patch(path, json={"qty": "400"})
    assert (missing.status_code, missing.json()["code"]) == (428, "if_match_needed")
    for stale in ('"v2"', '"v0"', '"7"', 'W/"v1"', '"v' + "9" * 30 + '"'):
        answer = await client.patch(path, json={"qty": "400"}, headers={"If-Match": stale})
        assert (answer.status_code, answer.json()["code"]) == (412, "stale_version"), stale
    for malformed in ("*", "v", "7", '"v1", "v2"', ""):
        answer = await client.patch(path, json={"qty": "400"}, headers={"If-Match": malformed})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_if_match"), malformed
        assert [error["loc"] for error in answer.json()["errors"]] == [["If-Match"]]
    assert (await client.get(path)).json() == order
    amended = await client.patch(path, json={"qty": "400"}, headers={"If-Match": '"v1"'})
    assert (amended.status_code, amended.headers["etag"]) == (200, '"v2"')
    assert (amended.json()["qty"], amended.json()["unsent"]) == ("400", "400")
    again = await client.patch(path, json={"qty": "300"}, headers={"If-Match": '"v1"'})
    assert again.status_code == 412


async def test_two_amendments_of_one_version_meet_once(
    client: httpx.AsyncClient, order: dict[str, Any]
) -> None:
    answers = await asyncio.gather(
        *(
            client.patch(
                f"/orders/{order['id']}", json={"qty": str(100 + n)}, headers={"If-Match": '"v1"'}
            )
            for n in range(10)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, []),
        ({"qty": None}, 422, []),
        ({"side": "sell"}, 422, ["side"]),
        ({"qty": "-1"}, 422, ["qty"]),
        ({"qty": "0.5"}, 422, ["qty"]),
        ({"qty": "1e999999"}, 422, ["qty"]),
        ({"limit_price": "0.001"}, 422, ["limit_price"]),
        ({"end_time": "2026-01-05T15:00:00Z"}, 422, ["end_time"]),
        ({"end_time": "2026-01-05T23:00:00Z"}, 422, ["end_time"]),
        ({"max_participation": 2}, 422, ["max_participation"]),
        ({"params": {"slices": 7}}, 422, ["params", "slices"]),
        ({"params": {"slizes": 7}}, 422, ["params", "slizes"]),
    ],
)
async def test_a_bad_amendment_changes_nothing(
    client: httpx.AsyncClient,
    order: dict[str, Any],
    body: dict[str, Any],
    status: int,
    field: list[str],
) -> None:
    path = f"/orders/{order['id']}"
    answer = await client.patch(path, json=body, headers={"If-Match": '"v1"'})
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["loc"] == field
    assert (await client.get(path)).json() == order


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"qty": "50000000"}, "risk.max_order_notional", ["qty"]),
        ({"limit_price": "50000"}, "risk.max_order_notional", ["limit_price"]),
        ({"qty": "90000", "limit_price": "120"}, "risk.max_order_notional", ["qty"]),
        ({"params": {"max_child": "0"}}, "wrong_lot", ["params", "max_child"]),
        ({"params": {"max_child": "0.5"}}, "wrong_lot", ["params", "max_child"]),
        ({"params": {"max_child": "5"}}, "out_of_range", ["params", "max_child"]),
    ],
)
async def test_an_amendment_is_held_to_what_an_order_is(
    client: httpx.AsyncClient, body: dict[str, Any], code: str, field: list[str]
) -> None:
    asked = order_body(params={"min_child": "10"})
    order = (await client.post("/orders", json=asked)).json()
    path = f"/orders/{order['id']}"
    answer = await client.patch(path, json=body, headers={"If-Match": '"v1"'})
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert answer.json()["errors"][0]["loc"] == field
    assert (await client.get(path)).json() == order


async def test_an_amendment_needs_a_worker_and_a_fresh_price(
    client: httpx.AsyncClient, order: dict[str, Any], service: Service
) -> None:
    path, match = f"/orders/{order['id']}", {"If-Match": '"v1"'}
    await pass_time(service, 121 * SECOND)
    old = await client.patch(path, json={"qty": "400"}, headers=match)
    assert (old.status_code, old.json()["code"]) == (503, "no_reference_price")
    await silence(service)
    silent = await client.patch(path, json={"qty": "400"}, headers=match)
    assert (silent.status_code, silent.json()["code"]) == (503, "no_market_time")
    assert (await client.get(path)).json() == order
    # What makes risk smaller needs neither.
    assert (await client.delete(path)).status_code == 202


async def test_all_that_can_be_amended(client: httpx.AsyncClient, order: dict[str, Any]) -> None:
    changes = {
        "limit_price": "102.50",
        "end_time": "2026-01-05T17:00:00Z",
        "max_participation": "0.2",
        "params": {"placement": "cross", "patience": 12},
    }
    answer = await client.patch(
        f"/orders/{order['id']}", json=changes, headers={"If-Match": '"v1"'}
    )
    amended = answer.json()
    assert (amended["limit_price"], amended["max_participation"]) == ("102.5", "0.2")
    assert amended["end_time"] == "2026-01-05T17:00:00.000000Z"
    assert amended["params"]["placement"] == "cross"
    assert amended["params"]["patience"] == "12"
    assert amended["params"]["slices"] == 5


async def test_pause_resume_cancel(client: httpx.AsyncClient, order: dict[str, Any]) -> None:
    path = f"/orders/{order['id']}"
    paused = await client.post(f"{path}/pause")
    assert (paused.status_code, paused.json()["version"]) == (202, 2)
    assert (await client.post(f"{path}/pause")).json()["version"] == 2
    assert (await client.post(f"{path}/resume")).json()["version"] == 3
    canceled = await client.delete(path)
    assert canceled.status_code == 202
    assert (await client.delete(path)).status_code == 202
    late = await client.post(f"{path}/resume")
    assert (late.status_code, late.json()["code"]) == (409, "order_is_over")
    events = (await client.get(f"{path}/events")).json()["items"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "order.cancel_requested"
    page = (await client.get(f"{path}/events?after=1&limit=1")).json()
    assert [event["seq"] for event in page["items"]] == [2]
    assert page["next_after"] == 2


async def test_cancel_all_asks_for_every_open_order_of_one_account(
    client: httpx.AsyncClient,
) -> None:
    ids = [(await client.post("/orders", json=order_body())).json()["id"] for _ in range(3)]
    other = (await client.post("/orders", json=order_body(account="other"))).json()
    assert (await client.delete("/orders")).status_code == 422
    answer = await client.delete("/orders?account=main")
    assert answer.status_code == 202
    assert answer.json()["canceling"] == ids
    assert (await client.delete("/orders?account=main")).json()["canceling"] == []
    assert (await client.get(f"/orders/{other['id']}")).json()["version"] == 1


async def test_what_happened_to_an_order_that_did_nothing_yet(
    client: httpx.AsyncClient, order: dict[str, Any]
) -> None:
    path = f"/orders/{order['id']}"
    for part in ("children", "fills"):
        assert (await client.get(f"{path}/{part}")).json() == {"items": []}
    assert (await client.get(f"{path}/why")).json() == {"items": [], "decisions": []}
    verified = (await client.get(f"{path}/why?verify=true")).json()
    assert verified["verified"] == {"equal": 0, "different": 0, "not_stored": 0}
    assert (await client.get(f"{path}/why?verified=true")).status_code == 422
    tca = (await client.get(f"{path}/tca")).json()
    assert tca["arrival"] == {
        "benchmark": "100",
        "slippage_bps": None,
        "slippage_money": None,
        "reason": "nothing was filled",
    }
    schedule = (await client.get(f"{path}/schedule")).json()
    assert [part["qty"] for part in schedule["slices"]] == ["100"] * 5
