"""A name with a slip in it stops nothing, and is told so."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import order_body
from tests.api.test_kill_switches import PATH, body
from tests.api.test_limits import put


@pytest.mark.parametrize(
    ("scope", "name", "known"),
    [
        ("symbol", "ACME", True),
        ("symbol", "acme", False),
        ("strategy", "momentum", True),
        ("strategy", "Momentum", False),
        ("account", "main", True),
        ("all", None, True),
    ],
)
async def test_a_switch_says_whether_anything_bears_its_name(
    client: httpx.AsyncClient, scope: str, name: str | None, known: bool
) -> None:
    await client.post("/orders", json=order_body(strategy="momentum"))
    thrown = await client.post(PATH, json=body(scope, name))
    assert (thrown.status_code, thrown.json()["known"]) == (200, known), thrown.text
    assert [item["known"] for item in (await client.get(PATH)).json()["items"]] == [known]


@pytest.mark.parametrize(
    ("target", "known"),
    [
        ({"scope": "symbol", "name": "ACME"}, True),
        ({"scope": "symbol", "name": "acme"}, False),
        ({"scope": "strategy", "name": "nobody"}, False),
        ({"scope": "account", "name": "main"}, True),
        ({"scope": "all"}, True),
    ],
)
async def test_a_limit_says_so_too(
    client: httpx.AsyncClient, target: dict[str, Any], known: bool
) -> None:
    told = await put(client, "restricted", hard="1", **target)
    assert (told.status_code, told.json()["known"]) == (200, known), told.text


async def test_a_strategy_with_settings_is_known(client: httpx.AsyncClient) -> None:
    settled = await client.put("/strategies/quiet", json={"account": "main", "reason": "drill"})
    assert settled.status_code == 200, settled.text
    thrown = await client.post(PATH, json=body("strategy", "quiet"))
    assert thrown.json()["known"] is True


async def test_a_limit_of_a_key_that_is_not_there_is_refused(
    client: httpx.AsyncClient, admin_key: str
) -> None:
    for name in ("nobody", admin_key.rsplit("_", 1)[0], "hook:nobody"):
        refused = await put(client, "max_order_qty", scope="key", name=name, hard="10")
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_key"), name
        assert refused.json()["errors"][0]["loc"] == ["name"]
    mine = await put(client, "max_order_qty", scope="key", name=admin_key.split("_")[1], hard="10")
    assert (mine.status_code, mine.json()["known"]) == (200, True)
    # What is there may always be taken away.
    gone = await client.delete(f"/risk/limits/key/max_order_qty/{admin_key.split('_')[1]}")
    assert gone.status_code == 204
