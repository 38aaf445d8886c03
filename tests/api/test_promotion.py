"""What counts towards a promotion of strategies that nobody has set anything for yet."""

from dataclasses import replace

import httpx

from app.api.app import create_api
from app.engine.service import Service
from app.engine.strategy_book import HouseRules, StrategyBook
from tests.api.conftest import client_for
from tests.api.test_signals import put, send


async def aged(service: Service, hours: int) -> None:
    """As if all that was received and set had been so long ago."""
    async with service.database.connection() as connection:
        for table, column in (("signals", "received_at"), ("strategies", "mode_since")):
            await connection.execute(
                f"UPDATE {table} SET {column} = {column} - make_interval(hours => $1)", hours
            )


async def shown(client: httpx.AsyncClient, name: str) -> dict[str, tuple[bool, str]]:
    told = (await client.get(f"/strategies/{name}")).json()
    return {c["name"]: (c["met"], c["found"]) for c in told["conditions"]}


async def test_what_came_before_anything_was_set_counts(
    client: httpx.AsyncClient, service: Service
) -> None:
    for n in range(20):
        await send(client, strategy="s", id=f"n{n}")
    await aged(service, 25)
    first = (await client.get("/strategies/s")).json()
    assert (first["mode"], first["version"]) == ("paper", None)
    set_first = await put(client, "s", smart=False)
    assert set_first.status_code == 200, set_first.text
    assert set_first.json()["mode_since"] == first["mode_since"]
    met = await shown(client, "s")
    assert met["signals_decided"] == (True, "20")
    assert met["time_in_mode"][0]
    assert (await put(client, "s", mode="canary")).json()["mode"] == "canary"
    # Another mode begins when it is set.
    assert (await shown(client, "s"))["signals_decided"] == (False, "0")


async def test_the_first_setting_may_be_the_promotion_itself(
    client: httpx.AsyncClient, service: Service
) -> None:
    for n in range(20):
        await send(client, strategy="s", id=f"n{n}")
    early = await put(client, "s", mode="canary")
    assert "time_in_mode" in early.json()["message"]
    await aged(service, 25)
    assert (await put(client, "s", mode="canary")).json()["mode"] == "canary"


async def test_the_first_setting_that_changes_the_mode_begins_anew(
    client: httpx.AsyncClient, service: Service
) -> None:
    for n in range(20):
        await send(client, strategy="s", id=f"n{n}")
    await aged(service, 25)
    await put(client, "s", mode="shadow")
    assert (await shown(client, "s"))["signals_decided"] == (False, "0")
    assert (await shown(client, "s"))["time_in_mode"] == (False, "0.0 h")


async def test_a_strategy_without_signals_begins_when_it_is_set(
    client: httpx.AsyncClient, service: Service
) -> None:
    await send(client, strategy="other", id="a")
    await aged(service, 25)
    await put(client, "s", smart=False)
    assert (await shown(client, "s"))["time_in_mode"] == (False, "0.0 h")


async def test_what_is_set_for_all_holds_for_one_until_its_own_settings_say_otherwise(
    service: Service, admin_key: str
) -> None:
    """Its mode as well: a first setting of something else lets nothing further."""
    async with client_for(create_api(service), admin_key) as client:
        for n in range(20):
            await send(client, strategy="s", id=f"paper{n}")
        await put(client, "*", mode="shadow")
        await send(client, strategy="s", id="shadow")
        await aged(service, 25)
        told = (await client.get("/strategies/s")).json()
        assert (told["mode"], told["version"], told["next_mode"]) == ("shadow", None, "paper")
        assert (await shown(client, "s"))["signals_decided"] == (False, "1")
        assert (await put(client, "s", smart=False)).json()["mode"] == "shadow"
        assert (await put(client, "s", mode="paper")).json()["code"] == "promotion_not_ready"
        assert (await shown(client, "s"))["signals_decided"] == (False, "1")


async def test_a_mode_for_all_that_has_just_begun_counts_nothing_from_before(
    service: Service, admin_key: str
) -> None:
    real = replace(service, strategies=StrategyBook(service.database, HouseRules()))
    async with client_for(create_api(real), admin_key) as client:
        for n in range(20):
            await send(client, strategy="s", id=f"n{n}")
        await aged(service, 25)
        async with service.database.connection() as connection:
            await connection.execute(
                "INSERT INTO strategies (account, name, mode, gates, changed_by)"
                " VALUES ('main', '*', 'shadow', '[]', 'test')"
            )
        met = await shown(client, "s")
        assert met["signals_decided"] == (False, "0")
        assert met["time_in_mode"] == (False, "0.0 h")
