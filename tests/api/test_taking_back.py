"""Signals that only take a position back: nobody halves, refuses or caps them, and they never
open one."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.domain.instant import rfc3339
from app.domain.regime.record import Components, Label, Regime, regime_to_json
from app.engine.service import Service
from tests.api.conftest import NOW, Served
from tests.api.ending import bought, ending, hold
from tests.api.test_hooks import make
from tests.api.test_signals import gates, order, put, send
from tests.api.test_tradingview import send as alert

AIM = {"action": None, "size": None}
STEP = {"ticker": "ACME", "time": rfc3339(NOW)}


async def in_mode(service: Service, mode: str, name: str = "s") -> None:
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO strategies (account, name, mode, gates, changed_by)"
            " VALUES ('main', $1, $2, '[]', 'test')",
            name,
            mode,
        )


async def asked_to_end(service: Service, told: dict[str, Any]) -> str | None:
    async with service.database.connection() as connection:
        why: str | None = await connection.fetchval(
            "SELECT cancel_reason FROM orders WHERE id = $1", told["order_id"]
        )
    return why


async def in_crisis(service: Service) -> None:
    regime = Regime(NOW, Label.CRISIS, NOW, 0.9, Components(NOW, 1, 0, 0.1, 0.02, 0.99, 0.1, 1000))
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE watches SET regime = $1, flow_asked_at = clock_timestamp()",
            regime_to_json(regime),
        )


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ({"gates": [{"gate": "freshness"}, {"gate": "flow"}]}, {"direction": "flat"}),
        ({"gates": [{"gate": "flow", "params": {"no_data": "defer"}}]}, {"direction": "flat"}),
        ({"gates": [{"gate": "confidence"}]}, {"direction": "flat", "confidence": 0}),
        ({"gates": [{"gate": "regime"}], "kind": "momentum"}, {"direction": "flat"}),
        ({"gates": [{"gate": "reward_risk"}]}, {"target_position": "200", "stop": "95"}),
        ({"gates": [{"gate": "flow"}]}, {"action": "sell", "size": "100"}),
    ],
    ids=["flow", "deferring", "confidence", "regime", "reward_risk", "sized"],
)
async def test_no_gate_but_freshness_is_asked_about_an_exit(
    client: httpx.AsyncClient, service: Service, asked: dict[str, Any], fields: dict[str, Any]
) -> None:
    await bought(service, client, "300", "s")
    await in_crisis(service)
    await put(client, "s", **asked)
    told = await send(client, strategy="s", **(AIM | {"target": "115"} | fields))
    assert (told["decision"], told["reason"], told["side"]) == ("execute", None, "sell")
    said = gates(told)
    assert {gate: said[gate] for gate in said if gate not in ("freshness", "mode")} == {
        one["gate"]: "not_asked" for one in asked["gates"] if one["gate"] != "freshness"
    }
    made = await order(client, told)
    assert made["reduce_only"] is True
    assert Decimal(made["qty"]) == (300 if "direction" in fields else 100)


async def test_an_exit_that_is_too_old_is_refused_before_anything_ends(
    client: httpx.AsyncClient, service: Service
) -> None:
    entry = await send(client, strategy="s", size="3000", algo="twap", duration="60m")
    told = await send(client, **AIM, strategy="s", direction="flat", time="2026-01-05T15:20:00Z")
    assert (told["decision"], told["reason"], told["order_id"]) == ("reject", "freshness", None)
    assert await asked_to_end(service, entry) is None


async def test_a_canary_takes_a_twentieth_of_the_target_not_of_the_difference(
    client: httpx.AsyncClient, service: Service
) -> None:
    await in_mode(service, "canary")
    sent = [await send(client, **AIM, strategy="s", target_position="1000") for _ in range(3)]
    assert [t["decision"] for t in sent] == ["reduce", "reject", "reject"]
    assert (sent[0]["final_qty"], sent[0]["reason"], sent[1]["reason"]) == (
        "50",
        "mode",
        "already_there",
    )


@pytest.mark.parametrize(
    ("held", "fields", "qty", "reduces"),
    [
        ("15", {"direction": "flat"}, "15", True),
        ("15", {"target_position": "100"}, "10", True),
        ("100", {"action": "sell", "size": "100"}, "100", True),
        ("5", {"action": "sell", "size": "100"}, "5", True),
        ("3", {"action": "sell", "size": "100"}, "5", False),
        ("-15", {"target_position": "200"}, "25", False),
    ],
)
async def test_a_canary_takes_back_whole(
    client: httpx.AsyncClient,
    service: Service,
    held: str,
    fields: dict[str, Any],
    qty: str,
    reduces: bool,
) -> None:
    await in_mode(service, "canary")
    await bought(service, client, held, "s")
    told = await send(client, strategy="s", **(AIM | fields))
    assert told["decision"] in ("execute", "reduce"), told
    made = await order(client, told)
    assert (made["qty"], made["reduce_only"]) == (qty, reduces)


async def test_what_another_strategy_holds_is_not_taken_back_by_a_size(
    client: httpx.AsyncClient, service: Service
) -> None:
    """To sell what somebody else holds is an entry: it is judged and scaled as one."""
    await in_mode(service, "canary")
    await bought(service, client, "100", "t")
    told = await send(client, strategy="s", action="sell", size="100")
    assert (told["decision"], told["reason"], told["final_qty"]) == ("reduce", "mode", "5")
    assert (await order(client, told))["reduce_only"] is False


async def test_through_zero_what_closes_is_free_and_what_opens_is_judged(
    client: httpx.AsyncClient, service: Service
) -> None:
    await hold(service, "300")
    await put(client, "s", gates=[{"gate": "flow"}])
    told = await send(client, **AIM, strategy="s", target_position="-200")
    assert (told["decision"], told["reason"]) == ("reduce", "flow")
    assert (told["qty"], told["final_qty"]) == ("500", "300")
    made = await order(client, told)
    assert (made["side"], made["qty"], made["reduce_only"]) == ("sell", "300", True)


async def test_through_zero_whole_where_nobody_speaks_against_it(
    client: httpx.AsyncClient, service: Service
) -> None:
    await hold(service, "300")
    told = await send(client, **AIM, target_position="-200")
    made = await order(client, told)
    assert (told["decision"], made["qty"], made["reduce_only"]) == ("execute", "500", False)


async def test_a_flat_ends_the_entry_and_takes_back_what_it_filled(
    client: httpx.AsyncClient, service: Service
) -> None:
    entry = await send(client, strategy="s", size="3000", algo="twap", duration="60m")
    await hold(service, "200")
    async with ending(service):
        told = await send(client, **AIM, strategy="s", direction="flat")
    assert (told["decision"], told["final_qty"]) == ("execute", "200")
    assert told["verdicts"][0]["inputs"] == {"orders": [entry["order_id"]]}
    assert (await order(client, entry))["status"] == "canceled"
    assert (await order(client, told))["reduce_only"] is True


async def test_a_flat_before_anything_filled_ends_the_entry_and_enters_nothing(
    client: httpx.AsyncClient, service: Service
) -> None:
    entry = await send(client, strategy="s", size="3000", algo="twap", duration="60m")
    async with ending(service):
        told = await send(client, **AIM, strategy="s", direction="flat")
    assert (told["decision"], told["reason"], told["order_id"]) == ("reduce", "recalled", None)
    assert (await order(client, entry))["status"] == "canceled"
    assert len((await client.get("/orders")).json()["items"]) == 1


async def test_what_does_not_end_is_met_by_no_other_order(
    client: httpx.AsyncClient, service: Service
) -> None:
    """No desk is there to end anything."""
    entry = await send(client, strategy="s", size="3000", algo="twap", duration="60m")
    body = {"symbol": "ACME", "strategy": "s", "id": "turn", "target_position": "-100"}
    answer = await client.post("/signals", json=body)
    assert (answer.status_code, answer.json()["code"]) == (503, "still_recalling")
    assert await asked_to_end(service, entry) == "recalled_by_signal"
    async with ending(service):
        told = (await client.post("/signals", json=body)).json()
    assert (told["decision"], told["side"], told["final_qty"]) == ("execute", "sell", "100")


async def test_what_is_held_is_taken_back_all_the_same(
    client: httpx.AsyncClient, service: Service
) -> None:
    await send(client, strategy="s", size="3000", algo="twap", duration="60m")
    await hold(service, "200")
    told = await send(client, **AIM, strategy="s", direction="flat")
    assert (told["decision"], told["final_qty"]) == ("execute", "200")
    assert "1 of them have not yet" in told["verdicts"][0]["reason"]


async def test_a_shadow_ends_nothing(client: httpx.AsyncClient, service: Service) -> None:
    await in_mode(service, "shadow")
    entry = await send(client, size="3000", algo="twap", duration="60m")
    await hold(service, "200")
    told = await send(client, **AIM, strategy="s", direction="flat")
    assert (told["decision"], told["final_qty"], told["order_id"]) == ("execute", "200", None)
    assert await asked_to_end(service, entry) is None


async def test_what_the_broker_held_beside_our_fills_is_taken_back_too(
    client: httpx.AsyncClient, service: Service
) -> None:
    """An order that only reduces knows of our own fills alone."""
    await hold(service, "100", outside="50")
    told = await send(client, **AIM, direction="flat")
    made = await order(client, told)
    assert (made["qty"], made["reduce_only"]) == ("150", False)


async def test_a_hook_caps_what_opens_not_the_way_out_of_a_winner(
    client: httpx.AsyncClient, served: Served, service: Service
) -> None:
    hook = await make(client, sizes="position", max_notional="25000", max_qty=None)
    await hold(service, "251")
    flat = {"market_position": "flat", "market_position_size": "0"}
    told = (await alert(served.url, hook["path"], STEP | flat)).json()
    assert (told["decision"], told["final_qty"]) == ("execute", "251")


async def test_a_hook_caps_only_the_part_beyond_zero(
    client: httpx.AsyncClient, served: Served, service: Service
) -> None:
    hook = await make(client, sizes="position", max_qty="200")
    await hold(service, "300")
    for size, decision, reason, qty in (
        ("201", "reduce", "hook.max_qty", "300"),
        ("200", "reject", "already_there", None),
    ):
        turned = {"market_position": "short", "market_position_size": size, "id": size}
        told = (await alert(served.url, hook["path"], STEP | turned)).json()
        assert (told["decision"], told["reason"]) == (decision, reason)
        if qty is not None:
            assert (await order(client, told))["qty"] == qty
            await hold(service, "-200")
            async with service.database.connection() as connection:
                await connection.execute("UPDATE orders SET status = 'filled', filled = qty")


@pytest.mark.parametrize(
    ("held", "act", "quantity", "meant"),
    [
        ("-100", "exit_long", None, None),
        ("-100", "exit_long", "40", None),
        ("0", "exit_long", "100", None),
        ("100", "exit_short", None, None),
        ("100", "exit_long", None, ("sell", "100")),
        ("100", "exit_long", "40", ("sell", "40")),
        ("100", "exit_long", "140", ("sell", "100")),
        ("-100", "exit_short", "140", ("buy", "100")),
    ],
)
async def test_an_exit_of_one_side_never_touches_the_other(
    client: httpx.AsyncClient,
    served: Served,
    service: Service,
    held: str,
    act: str,
    quantity: str | None,
    meant: tuple[str, str] | None,
) -> None:
    hook = await make(client, sizes="message", max_qty="1000")
    await hold(service, held)
    body = STEP | {"action": act} | ({"quantity": quantity} if quantity is not None else {})
    told = (await alert(served.url, hook["path"], body)).json()
    if meant is None:
        assert (told["reason"], told["order_id"]) == ("already_there", None)
        return
    made = await order(client, told)
    assert (made["side"], made["qty"], made["reduce_only"]) == (*meant, True)
