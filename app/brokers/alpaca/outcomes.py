"""What Alpaca's answer to an order means: taken, definitely refused, or neither.

Definite is only what stands in `REFUSALS`, told in Alpaca's own words: status, code and message.
A timeout, a lost line, a 5xx, a 429 or anything unheard of may follow an order that was taken.
"""

import re
from collections.abc import Mapping
from typing import Any

import httpx

from app.brokers.alpaca.reading import moment, object_of, text
from app.domain.instant import Instant
from app.ports import Acknowledged, Outcome, Refused, Unclear

REFUSALS: Mapping[tuple[int, int], str] = {
    (400, 40010000): "bad_request",
    (401, 40110000): "not_authorized",
    (403, 40310000): "not_allowed",
    (403, 40310100): "day_trading_limit",
    (422, 40010001): "bad_request",
    (422, 42210000): "not_allowed",
}
"""By status and code; every other answer is unclear."""

_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("insufficient_funds", r"insufficient .*(buying power|balance|qty|day trading)"),
        ("unknown_symbol", r"asset .*not (found|active|tradable)|(unknown|invalid) symbol"),
        ("bad_stop", r"stop.?(price|loss)|take.?profit|order.?class|\boco\b|bracket"),
        ("bad_price", r"limit.?price|sub-penny"),
        ("bad_quantity", r"\bqty\b|quantity|fractional"),
        ("market_closed", r"halted|market .*closed|outside .*market hours"),
        ("wash_trade", r"wash trade"),
        ("short_not_allowed", r"cannot be sold short|short.*not allowed|not.*shortable"),
        ("account_restricted", r"account .*(restricted|blocked|not allowed)|rejected by user"),
    )
)
"""A closer name for what is refused for certain; the first that fits."""

_DUPLICATE = re.compile(r"client.?order.?id", re.IGNORECASE)
"""Proves that the id came in before: the opposite of a refusal."""

MESSAGE_LENGTH = 200


def outcome_of(answer: httpx.Response, child_id: str, now: Instant) -> Outcome:
    """Taken, definitely refused, or neither; `now` is the moment of a refusal, which tells none."""
    try:
        said = object_of(answer.json())
    except ValueError:
        return Unclear(f"Alpaca answered {answer.status_code}, and no JSON object")
    if "id" in said and "client_order_id" in said:
        return _order(said, answer.status_code, child_id)
    code, message = said.get("code"), str(said.get("message", ""))[:MESSAGE_LENGTH]
    name = REFUSALS.get((answer.status_code, code)) if isinstance(code, int) else None
    if name is None or _DUPLICATE.search(message):
        return Unclear(f"Alpaca answered {answer.status_code} {_short(code)}: {message}")
    closer = (word for word, pattern in _WORDS if pattern.search(message))
    return Refused(next(closer, name), message, now)


def _order(said: Mapping[str, Any], status: int, child_id: str) -> Outcome:
    """An order, whatever the status: it was seen to come with a refusal's, and trade."""
    try:
        if status >= 300 or text(said["client_order_id"]) != child_id:
            return Unclear(f"Alpaca answered {status} with an order, not the one that was sent")
        return Acknowledged(text(said["id"]), moment(said.get("created_at")))
    except ValueError as wrong:
        return Unclear(f"Alpaca answered {status} with an order that cannot be read: {wrong}")


def _short(code: Any) -> str:
    return str(code)[:20]
