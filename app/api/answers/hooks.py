"""Hooks, and the door they open, as answers show them."""

from collections.abc import Mapping

from app.api.answers.answer import Answer, Route, gone
from app.api.answers.control import SIGNAL
from app.api.answers.shape import (
    AMOUNT,
    ANY,
    COUNT,
    FLAG,
    MOMENT,
    NUMBER,
    TEXT,
    TEXTS,
    Schema,
    listed,
    mapped,
    maybe,
    record,
)

_HOOK: dict[str, Schema] = {
    "id": TEXT,
    "account": TEXT,
    "source": TEXT,
    "name": TEXT,
    "strategy": TEXT,
    "symbols": ANY,
    "sizes": TEXT,
    "fixed_qty": maybe(AMOUNT),
    "max_qty": maybe(AMOUNT),
    "max_notional": maybe(AMOUNT),
    "per_minute": COUNT,
    "max_lag": maybe(NUMBER),
    "sources": maybe(TEXTS),
    "passphrase": FLAG,
    "made_at": MOMENT,
    "expires_at": maybe(MOMENT),
    "ended_at": maybe(MOMENT),
    "last_used_at": maybe(MOMENT),
    "last_refused_at": maybe(MOMENT),
    "made_by": maybe(TEXT),
    "last_refused": maybe(TEXT),
}
_UNDERSTOOD = record(
    test=FLAG,
    understood=mapped(ANY),
    signal=record(
        account=TEXT,
        source=TEXT,
        strategy=maybe(TEXT),
        symbol=TEXT,
        sizing=TEXT,
        side=maybe(TEXT),
        size=AMOUNT,
        limit_price=maybe(AMOUNT),
    ),
)
ANSWERS: Mapping[Route, Answer] = {
    ("get", "/hooks"): Answer(record(items=listed(record(**_HOOK)))),
    ("post", "/hooks"): Answer(
        record(**_HOOK, token=TEXT, path=TEXT),
        201,
        headers=("Cache-Control",),
        links={"end_a_hook": ("hook_id", "/id")},
    ),
    ("post", "/hooks/{hook_id}/rotate"): Answer(
        record(id=TEXT, token=TEXT, path=TEXT), headers=("Cache-Control",)
    ),
    ("delete", "/hooks/{hook_id}"): gone(),
    ("post", "/webhooks/tradingview/{token}"): Answer(
        SIGNAL,
        202,
        headers=("Location",),
        refused=(403, 404, 409, 413, 422, 429),
        others={200: _UNDERSTOOD},
    ),
}
