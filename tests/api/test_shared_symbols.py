"""Several strategies in one symbol: a target is its own strategy's, and touches nobody else's."""

from typing import Any

import httpx
import pytest

from app.engine.service import Service
from tests.api.conftest import Served
from tests.api.ending import bought, hold
from tests.api.test_hooks import make
from tests.api.test_signals import order, put, send
from tests.api.test_taking_back import AIM, STEP, asked_to_end
from tests.api.test_tradingview import send as alert


async def holding(service: Service, client: httpx.AsyncClient, **of: str) -> None:
    """Each strategy has bought so much (`_`: an order without a name), which the account holds."""
    for strategy, qty in of.items():
        await bought(service, client, qty, strategy)
    async with service.database.connection() as connection:
        await connection.execute("UPDATE orders SET strategy = NULL WHERE strategy = '_'")
    await hold(service, str(sum(int(qty) for qty in of.values())))


async def aim(client: httpx.AsyncClient, position: str, strategy: str | None = "s") -> Any:
    named = {"strategy": strategy} if strategy is not None else {}
    return await send(client, **AIM, **named, target_position=position)


@pytest.mark.parametrize(
    ("held", "position", "trade"),
    [
        # Nobody else is there, or what they hold comes to nothing: the whole account.
        ({"s": "100"}, "30", ("sell", "70")),
        ({"t": "50", "u": "-50", "s": "100"}, "0", ("sell", "100")),
        # Others hold.
        ({"t": "6529"}, "30", ("buy", "30")),
        ({"_": "6529"}, "30", ("buy", "30")),
        ({"t": "500", "s": "100"}, "30", ("sell", "70")),
        ({"t": "500", "s": "100"}, "0", ("sell", "100")),
        ({"t": "500", "s": "100"}, "-20", ("sell", "120")),
        ({"t": "500", "s": "-100"}, "0", ("buy", "100")),
        # What is sold without a name was the strategy's, as far as it goes.
        ({"s": "100", "_": "-40"}, "0", ("sell", "60")),
        ({"s": "100", "_": "-100"}, "30", ("buy", "30")),
        ({"s": "600", "t": "500", "_": "-500"}, "0", ("sell", "600")),
        # Others hold against it.
        ({"s": "100", "t": "-70"}, "0", ("sell", "100")),
        ({"s": "100", "t": "-100"}, "0", ("sell", "100")),
    ],
)
async def test_a_target_counts_what_its_own_strategy_holds(
    client: httpx.AsyncClient,
    service: Service,
    held: dict[str, str],
    position: str,
    trade: tuple[str, str],
) -> None:
    await holding(service, client, **held)
    made = await order(client, await aim(client, position))
    assert (made["side"], made["qty"]) == trade


async def test_without_a_name_a_target_is_the_account_s(
    client: httpx.AsyncClient, service: Service
) -> None:
    await holding(service, client, s="100", t="500")
    made = await order(client, await aim(client, "0", None))
    assert (made["side"], made["qty"]) == ("sell", "600")


async def test_the_same_target_twice_does_nothing_more(
    client: httpx.AsyncClient, service: Service
) -> None:
    await holding(service, client, t="500")
    assert (await aim(client, "30"))["decision"] == "execute"
    assert (await aim(client, "30"))["reason"] == "already_there"


async def test_a_canary_s_target_shrinks_nobody_else_s(
    client: httpx.AsyncClient, service: Service
) -> None:
    await holding(service, client, t="24")
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO strategies (account, name, mode, gates, changed_by)"
            " VALUES ('main', 's', 'canary', '[]', 'test')"
        )
    told = await aim(client, "100")
    assert (told["side"], told["final_qty"]) == ("buy", "5")


async def test_neither_orders_nor_exits_of_others_are_ended(
    client: httpx.AsyncClient, service: Service
) -> None:
    await holding(service, client, t="100", s="40")
    theirs = await send(client, strategy="t", size="3000", algo="twap", duration="60m")
    stop = await send(client, strategy="t", action="sell", size="100", algo="twap", duration="60m")
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE orders SET role = 'exit', reduce_only = true WHERE id = $1", stop["order_id"]
        )
    told = await aim(client, "-60")
    made = await order(client, told)
    assert (told["decision"], made["side"], made["qty"]) == ("execute", "sell", "100")
    for other in (theirs, stop):
        assert await asked_to_end(service, other) is None


async def test_what_a_kill_switch_closed_is_held_by_nobody(
    client: httpx.AsyncClient, service: Service
) -> None:
    await holding(service, client, s="100", t="500")
    async with service.database.connection() as connection:
        closing = await client.post(
            "/orders", json={"symbol": "ACME", "side": "sell", "qty": "600", "algo": "market"}
        )
        await connection.execute(
            "UPDATE orders SET role = 'flatten', status = 'filled', filled = qty WHERE id = $1",
            closing.json()["id"],
        )
    await hold(service, "0")
    made = await order(client, await aim(client, "30"))
    assert (made["side"], made["qty"]) == ("buy", "30")


async def test_what_a_kill_switch_closed_of_one_strategy_is_gone_from_it(
    client: httpx.AsyncClient, service: Service
) -> None:
    await holding(service, client, s="100", t="500")
    await bought(service, client, "-500", "t")
    async with service.database.connection() as connection:
        await connection.execute("UPDATE orders SET role = 'flatten' WHERE side = 'sell'")
    await hold(service, "100")
    for name in ("s", "t"):
        told = await aim(client, "0", name)
        expected = ("execute", "100") if name == "s" else ("reject", None)
        assert (told["decision"], told.get("final_qty")) == expected


async def test_a_flat_alert_sells_its_strategy_s_own(
    client: httpx.AsyncClient, served: Served, service: Service
) -> None:
    await put(client, "turtle")
    hook = await make(client, sizes="position", strategy="turtle")
    await holding(service, client, t="6529")
    flat = {"market_position": "flat", "market_position_size": "0"}
    told = (await alert(served.url, hook["path"], STEP | flat)).json()
    assert (told["decision"], told["reason"]) == ("reject", "already_there")
    await holding(service, client, turtle="30")
    await hold(service, "6559")
    told = (await alert(served.url, hook["path"], STEP | flat | {"id": "again"})).json()
    assert (told["decision"], told["final_qty"]) == ("execute", "30")
    assert (await order(client, told))["side"] == "sell"
