"""Good bodies to begin with, where the page shows none or one that opens nothing here."""

from collections.abc import Mapping
from typing import Any

BODIES: Mapping[str, tuple[Any, ...]] = {
    "PATCH /orders/{order_id}": (
        {"qty": "450"},
        {"qty": "5000"},
        {"limit_price": "200"},
        {"max_participation": "0.2"},
        {"params": {}},
    ),
    "POST /keys": ({"name": "a", "scopes": ["read"]}, {"name": "b", "scopes": ["trade", "cancel"]}),
    "POST /keys/{key_id}/rotate": ({}, {"overlap": "1m"}),
    "POST /hooks": (
        {"name": "a", "strategy": "opened", "symbols": "any", "max_qty": "50", "per_minute": 10000},
        {"name": "b", "strategy": "s", "symbols": {"T": "ACME"}, "max_notional": "9000"},
    ),
    "POST /hooks/{hook_id}/rotate": ({}, {"keep": "1m"}),
    "PUT /strategies/{name}": ({"kind": "momentum"}, {"gates": []}, {"smart": False}),
    "PUT /clock": ({"speed": "60", "held": False}, {"speed": "30"}),
    "POST /webhooks/tradingview/{token}": tuple(
        {"ticker": symbol, "action": action, "quantity": "10"}
        for symbol in ("ACME", "GLOBEX", "T")
        for action in ("buy", "sell")
    ),
    "POST /alpaca/v2/orders": (
        {"symbol": "ACME", "side": "buy", "qty": "20", "type": "market", "time_in_force": "day"},
        {
            "symbol": "GLOBEX",
            "side": "sell",
            "qty": "300",
            "type": "limit",
            "limit_price": "90",
            "time_in_force": "day",
        },
        {
            "symbol": "ACME",
            "side": "buy",
            "qty": "400",
            "type": "market",
            "time_in_force": "day",
            "advanced_instructions": {"algorithm": "twap"},
        },
    ),
    "PATCH /alpaca/v2/orders/{order_id}": ({"qty": "450"}, {"limit_price": "30"}, {"qty": "90"}),
}
