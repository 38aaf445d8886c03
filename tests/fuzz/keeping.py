"""Keeps the house alive under the fuzzer: what would stop everything is undone again, and good
requests are led to what is there, so that orders really live."""

from random import Random
from typing import Any

import httpx
from schemathesis import Case, GenerationMode

SYMBOLS = ("ACME", "GLOBEX", "COINX")
ACCOUNTS = ("main", "alpha")
SPEED = "60"
EVERY = 150
"""Requests between two rounds of the caretaker."""

_OUT_OF_PLACE = (
    "start_time",
    "end_time",
    "account",
    "max_participation",
    "limit_price",
    "notional",
)


def led(label: str, case: Case, chance: Random, own_key: str) -> None:
    """Change a made-up request so that it reaches something."""
    if "/keys/{key_id}" in label and own_key in str(case.path_parameters):
        case.path_parameters = {"key_id": "nobody"}
    meta = case.meta
    if meta is None or meta.generation.mode is not GenerationMode.POSITIVE:
        spare(label, case.body)
        return
    if isinstance(case.body, dict):
        lead(label, case.body, chance)
    if isinstance(case.query, dict) and "account" in case.query and chance.random() < 0.8:
        case.query["account"] = chance.choice(ACCOUNTS)
    spare(label, case.body)


def lead(label: str, body: dict[str, Any], chance: Random) -> None:
    """Change a made-up body so that it reaches something."""
    if label in ("POST /orders", "POST /orders/preview", "POST /signals"):
        _order(body, chance)
    elif label == "POST /alpaca/v2/orders":
        _alpaca(body, chance)
    elif label == "POST /orders/batch":
        for order in body.get("orders") or ():
            _order(order, chance)
    elif "account" in body and chance.random() < 0.8:
        body["account"] = chance.choice(ACCOUNTS)
    if label == "POST /keys":
        body.pop("accounts", None)
        body.pop("default_algo", None)


def _order(body: dict[str, Any], chance: Random) -> None:
    if not isinstance(body, dict) or chance.random() < 0.2:
        return
    for name in _OUT_OF_PLACE:
        if chance.random() < 0.9:
            body.pop(name, None)
    body["symbol"] = chance.choice(SYMBOLS)
    size = "size" if "action" in body or "direction" in body or "target_position" in body else "qty"
    body[size] = str(chance.randint(1, 400))
    if size == "size":
        _signal(body, chance)
    else:
        body["algo"] = chance.choice(("auto", "market", "twap", "vwap", "pov", "is"))
        body.pop("duration", None)
    body["params"] = {}


def _signal(body: dict[str, Any], chance: Random) -> None:
    for name in ("direction", "target_position", "time", "duration", "market"):
        body.pop(name, None)
    body |= {"action": chance.choice(("buy", "sell")), "algo": "auto"}


def _alpaca(body: dict[str, Any], chance: Random) -> None:
    if chance.random() < 0.2:
        return
    for name in list(body):
        if name not in ("side", "client_order_id", "advanced_instructions"):
            del body[name]
    if chance.random() < 0.7:
        body.pop("advanced_instructions", None)
    body |= {"symbol": chance.choice(SYMBOLS), "qty": str(chance.randint(1, 400))}
    body |= {"type": "market", "time_in_force": "day"}


def spare(label: str, body: Any) -> None:
    """Backtests take the machine's time: small ones find the same."""
    if label == "POST /backtests" and isinstance(body, dict):
        if isinstance(body.get("parents"), int) and body["parents"] > 2:
            body["parents"] = 2
        body.setdefault("parents", 2)


def tidy(client: httpx.Client) -> None:
    """Release every switch, remove every limit that was set, let market time go on."""
    for switch in client.get("/risk/kill-switches").json()["items"]:
        _delete(client, f"/risk/kill-switches/{switch['scope']}/{_quoted(switch['name'])}")
    for limit in client.get("/risk/limits").json()["items"]:
        if limit["source"] == "set":
            place = f"{limit['scope']}/{limit['limit']}/{_quoted(limit['name'])}"
            _delete(client, f"/risk/limits/{place}")
    client.put("/clock", json={"speed": SPEED, "held": False}).raise_for_status()


def _delete(client: httpx.Client, place: str) -> None:
    answer = client.delete(place)
    if answer.status_code != 404:  # Somebody else was quicker.
        answer.raise_for_status()


def _quoted(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())
