"""Whoever closes positions, or finds the kill file, dies; each position is closed once."""

import asyncio

from tests.failpoints.house import House

OVER = "NOT EXISTS (SELECT FROM positions WHERE qty <> 0)"


async def flattening(house: House, point: str) -> None:
    """A switch that flattens, and a death while its order is entered."""
    from tests.failpoints.scenes import killed

    await _bought(house)
    await house.begin("worker", point)
    body = {"scope": "all", "level": "flatten", "reason": "drill"}
    thrown = await house.ask("POST", "/risk/kill-switches", json=body)
    assert thrown.status_code == 200, thrown.text
    await killed(house, "worker", point)
    await _closed_once(house, thrown.json()["version"])


async def stopping(house: House, point: str) -> None:
    """The kill file, and a death while its switch is thrown."""
    from tests.failpoints.scenes import killed

    await _bought(house)
    await house.begin("worker", point)
    file = house.folder / "KILL"
    file.write_text("flatten")
    try:
        await killed(house, "worker", point)
        async with asyncio.timeout(30):
            while not (found := (await house.ask("GET", "/risk/kill-switches")).json()["items"]):
                await asyncio.sleep(0.05)
    finally:
        file.unlink()
    await _closed_once(house, found[0]["version"])


async def _bought(house: House) -> None:
    order_id = await house.order(symbol="GLOBEX", side="buy", qty="20", algo="market")
    assert (await house.done(order_id))["filled"] == "20"


async def _closed_once(house: House, version: int) -> None:
    async with asyncio.timeout(60):
        while not (await house.rows(f"SELECT {OVER} AS over"))[0]["over"]:
            await asyncio.sleep(0.05)
    query = "SELECT count(*) AS n FROM orders WHERE client_order_id LIKE $1 AND symbol = 'GLOBEX'"
    assert (await house.rows(query, f"flatten-{version}-%"))[0]["n"] == 1
    released = await house.ask("DELETE", "/risk/kill-switches/all/*")
    assert released.status_code == 200, released.text
    await house.books_are_right()
