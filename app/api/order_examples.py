"""An example order for every algorithm, made from what the algorithm says of itself."""

from typing import Any

from app.api.openapi import body_of
from app.api.order_bodies import BatchBody, OrderBody
from app.domain.algorithm import Algorithm, Placement
from app.domain.algos import BY_NAME
from app.domain.request import AUTO


def _example(algorithm: Algorithm) -> dict[str, Any]:
    order: dict[str, Any] = {"symbol": "ACME", "side": "buy", "qty": "500", "algo": algorithm.name}
    if algorithm.placement is Placement.AT_LIMIT:
        order["limit_price"] = "99.50"
    if algorithm.windowed:
        order["duration"] = "30m"
    params = {p.name: p.default for p in algorithm.parameters if p.default is not None}
    return order | ({"params": params} if params else {})


_BRACKET = {
    "symbol": "ACME",
    "side": "buy",
    "qty": "100",
    "algo": "market",
    "take_profit": {"offset": "2.00"},
    "stop_loss": {"offset": "1.00"},
}


def _examples() -> dict[str, dict[str, Any]]:
    auto = {"symbol": "ACME", "side": "sell", "notional": "25000", "algo": AUTO, "priority": 10}
    close = {"symbol": "ACME", "side": "sell", "qty": "500", "algo": "market", "reduce_only": True}
    examples = {AUTO: {"summary": "Let the router choose", "value": auto}}
    examples["reduce_only"] = {"summary": "Never through zero", "value": close}
    examples["bracket_of_entry"] = {"summary": "With take-profit and stop-loss", "value": _BRACKET}
    for name, algorithm in BY_NAME.items():
        examples[name] = {"summary": algorithm.title, "value": _example(algorithm)}
    return examples


ORDER_REQUEST = body_of(OrderBody, _examples())


def _batch_example() -> dict[str, Any]:
    named = [
        {**_example(algorithm), "client_order_id": f"rebalance-7-{number}"}
        for number, algorithm in enumerate(list(BY_NAME.values())[:2], start=1)
    ]
    return {"rebalance": {"summary": "Two orders at once", "value": {"orders": named}}}


BATCH_REQUEST = body_of(BatchBody, _batch_example())

BATCH_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "The batch was read; each order has a verdict of its own"}
}
