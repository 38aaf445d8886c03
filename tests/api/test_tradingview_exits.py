"""The exits that an alert names are those of its order."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.engine.service import Service
from tests.api.conftest import Served, row_counts
from tests.api.ending import bought
from tests.api.test_hooks import make
from tests.api.test_signals import order
from tests.api.test_tradingview import BUY, send


@pytest.mark.parametrize(
    ("said", "stop", "target"),
    [
        ({"stopLoss": {"type": "stop", "percent": 2}}, {"percent": "2"}, None),
        ({"stopLoss": {"stopPrice": 95}}, {"price": "95"}, None),
        ({"stop_loss": "98", "take_profit": "106"}, {"price": "98"}, {"price": "106"}),
        (
            {"stopLoss": {"amount": 2}, "takeProfit": {"percent": 5}},
            {"offset": "2"},
            {"percent": "5"},
        ),
    ],
)
async def test_an_alerts_exits_are_its_orders(
    client: httpx.AsyncClient, served: Served, said: Any, stop: Any, target: Any
) -> None:
    hook = await make(client)
    told = (await send(served.url, hook["path"], BUY | said)).json()
    assert told["decision"] == "execute", told
    bracket = (await order(client, told))["bracket"]
    assert (bracket["stop_loss"], bracket["take_profit"]) == (stop, target)


async def test_an_exit_in_an_alert_that_is_not_understood_enters_nothing(
    client: httpx.AsyncClient, served: Served, service: Service
) -> None:
    hook = await make(client)
    for said in ({"stop_loss": '{{plot("stop")}}'}, {"stopLoss": {"trailPercent": 5}}):
        told = await send(served.url, hook["path"], BUY | said)
        assert told.status_code == 422
        assert told.json()["code"] in ("hook.placeholder", "hook.bad_exit")
    assert (await row_counts(service))["orders"] == 0


async def test_what_takes_back_has_no_exits(
    client: httpx.AsyncClient, served: Served, service: Service
) -> None:
    hook = await make(client)
    await bought(service, client, "10", "turtle")
    sell = BUY | {"action": "sell", "stop_loss": "104", "take_profit": "90"}
    told = (await send(served.url, hook["path"], sell)).json()
    made = await order(client, told)
    assert (told["decision"], made["reduce_only"]) == ("execute", True)
    assert not made.get("bracket")
    assert Decimal(made["qty"]) == 10
