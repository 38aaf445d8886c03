"""Bytes to what they say: JSON where they are JSON, else the line TradingView sends by itself."""

import hashlib
import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from app.domain.refusal import Refusal
from app.domain.tradingview.places import SECRET
from app.domain.tradingview.values import Json, is_placeholder

BYTES_MAX = 64 * 1024

_LINE = re.compile(
    r"\border (buy|sell) @ ([0-9.eE+-]{1,40}) filled on (\S{1,64}?)\.?"
    r"(?:\s+New strategy position is ([0-9.eE+-]{1,40}?))?\.?\Z",
    re.ASCII,
)


def said_by(raw: bytes) -> Mapping[str, Json]:
    """An alert's fields, names in lower case. Raises Refusal for what cannot be read."""
    if len(raw) > BYTES_MAX:
        raise Refusal("hook.too_large", f"an alert may have {BYTES_MAX // 1024} KB")
    try:
        text = raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise Refusal("hook.unreadable", "the alert is no UTF-8 text") from None
    if not text.startswith(("{", "[")):
        return _line(text)
    try:
        said = _DECODER.decode(text)
    except _Twice:
        raise Refusal("hook.unreadable", "a name comes twice in the alert") from None
    except (ValueError, RecursionError):
        if is_placeholder(text):
            raise placeholder("alert") from None
        raise Refusal("hook.unreadable", "the alert is not JSON") from None
    if not isinstance(said, dict):
        raise Refusal("hook.unreadable", "the alert must be one JSON object")
    return said


def placeholder(name: str) -> Refusal:
    """A {{placeholder}} that TradingView does not know there."""
    return Refusal(
        "hook.placeholder", f"{name} has a {{{{placeholder}}}} that was not filled in", field=name
    )


def _line(text: str) -> Mapping[str, Json]:
    found = _LINE.search(text)
    if found is None:
        if is_placeholder(text):
            raise placeholder("alert")
        raise Refusal(
            "hook.unreadable",
            "neither JSON nor `order buy @ 10 filled on AAPL. New strategy position is 10`",
        )
    action, quantity, ticker, position = found.groups()
    before = text[: found.start()].strip()
    said: dict[str, Json] = {"action": action, "quantity": quantity, "ticker": ticker}
    if position is not None:
        said["position_size"] = position
    # Only for its fingerprint: two strategies may say the same otherwise.
    return said | ({"strategy_name": before} if before else {})


def fingerprint_of(said: Mapping[str, Json]) -> str:
    """Of the whole alert but its secrets: they could be guessed from it."""
    hidden = {path[0] for path in SECRET}
    open_part = {name: value for name, value in said.items() if name not in hidden}
    canonical = json.dumps(open_part, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


class _Twice(ValueError):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = {name.lower(): value for name, value in pairs}
    if len(members) != len(pairs):
        raise _Twice("a name comes twice in one object")
    return members


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once,
    parse_float=_number,
    parse_int=_number,
    # Infinity is no number either; NaN is what a plot without a value says.
    parse_constant=lambda _: Decimal("NaN"),
)
