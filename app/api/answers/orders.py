"""Orders, their children, fills and events, as answers show them."""

from collections.abc import Mapping

from app.api.answers.answer import CSV, HTML, JSON, Answer, Route, created
from app.api.answers.shape import (
    AMOUNT,
    ANY,
    COUNT,
    FLAG,
    ID,
    MOMENT,
    TEXT,
    TEXTS,
    Schema,
    listed,
    mapped,
    maybe,
    one_of,
    record,
    ref,
)
from app.domain.lifecycle import ChildStatus, OrderStatus

SIDE = one_of("buy", "sell")

ORDER = record(
    id=ID,
    client_order_id=TEXT,
    account=TEXT,
    symbol=TEXT,
    side=SIDE,
    qty=AMOUNT,
    notional=maybe(AMOUNT),
    algo=TEXT,
    asked_algo=TEXT,
    route_reason=maybe(TEXT),
    params=mapped(ANY),
    limit_price=maybe(AMOUNT),
    start_time=MOMENT,
    end_time=MOMENT,
    max_participation=maybe(AMOUNT),
    urgency=TEXT,
    priority={"type": "integer"},
    time_in_force=TEXT,
    on_restart=TEXT,
    strategy=maybe(TEXT),
    reduce_only=FLAG,
    extended_hours=FLAG,
    role=maybe(TEXT),
    group_id=maybe(ID),
    bracket=maybe(mapped(ANY)),
    tags=TEXTS,
    signal_id=maybe(ID),
    status=one_of(*(status.value for status in OrderStatus)),
    reason=maybe(TEXT),
    filled=AMOUNT,
    working=AMOUNT,
    unknown=AMOUNT,
    unsent=AMOUNT,
    canceled=AMOUNT,
    excess=AMOUNT,
    average_price=maybe(AMOUNT),
    fees=AMOUNT,
    arrival=maybe(record(bid=AMOUNT, ask=AMOUNT, mid=AMOUNT)),
    estimate=maybe(mapped(ANY)),
    curve_source=TEXT,
    accepted_at=MOMENT,
    created_at=MOMENT,
    updated_at=MOMENT,
    finished_at=maybe(MOMENT),
    confirmed=TEXTS,
    limits_version=maybe(COUNT),
    version=COUNT,
    seq=COUNT,
)

_CHILD = record(
    id=TEXT,
    order_id=ID,
    number=COUNT,
    symbol=TEXT,
    side=SIDE,
    qty=AMOUNT,
    price=maybe(AMOUNT),
    stop_price=maybe(AMOUNT),
    stop_limit_price=maybe(AMOUNT),
    purpose=TEXT,
    time_in_force=TEXT,
    status=one_of(*(status.value for status in ChildStatus)),
    reason=maybe(TEXT),
    filled=AMOUNT,
    broker_order_id=maybe(TEXT),
    intended_at=MOMENT,
    cancel_requested_at=maybe(MOMENT),
)
_WHY_CHILD: Schema = {
    **_CHILD,
    "required": [*_CHILD["required"], "seq", "why"],
    "properties": {**_CHILD["properties"], "seq": maybe(COUNT), "why": maybe(mapped(ANY))},
}
_DECISION = record(seq=COUNT, at=MOMENT, actions=listed(mapped(ANY)), why=maybe(mapped(ANY)))
_VERDICT = record(
    seq=COUNT, child_id=maybe(TEXT), equal=maybe(FLAG), reason=maybe(TEXT), stored=ANY, again=ANY
)
_WHY_PLAIN = record(items=listed(_WHY_CHILD), decisions=listed(_DECISION))
_WHY: Schema = {
    **_WHY_PLAIN,
    "properties": {
        **_WHY_PLAIN["properties"],
        "verified": record(equal=COUNT, different=COUNT, not_stored=COUNT),
        "verdicts": listed(_VERDICT),
    },
}

FILL = record(
    execution_id=TEXT,
    order_id=maybe(ID),
    child_id=maybe(TEXT),
    account=TEXT,
    broker=TEXT,
    symbol=TEXT,
    side=SIDE,
    qty=AMOUNT,
    price=AMOUNT,
    fee=AMOUNT,
    liquidity=maybe(TEXT),
    at=MOMENT,
    booked_at=MOMENT,
)
_EVENT = record(seq=COUNT, type=TEXT, at=MOMENT, recorded_at=MOMENT, data=mapped(ANY))
_SLICE = record(at=MOMENT, due_at=maybe(MOMENT), qty=AMOUNT, cumulative=AMOUNT)
_SCHEDULE: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["order_id", "algo", "from", "slices"],
    "properties": {"order_id": ID, "algo": TEXT, "from": MOMENT, "slices": listed(_SLICE)},
}
_GATE: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["gate", "verdict", "limit_value", "order_value", "reason"],
    "properties": {
        "gate": TEXT,
        "verdict": TEXT,
        "scope": TEXT,
        "name": TEXT,
        "limit_value": maybe(AMOUNT),
        "soft_value": maybe(AMOUNT),
        "order_value": maybe(AMOUNT),
        "reason": maybe(TEXT),
    },
}
_PREVIEW = record(
    would_be_accepted=FLAG,
    symbol=TEXT,
    side=SIDE,
    qty=AMOUNT,
    notional=AMOUNT,
    algo=TEXT,
    route_reason=maybe(TEXT),
    priority={"type": "integer"},
    limit_price=maybe(AMOUNT),
    start_time=MOMENT,
    end_time=MOMENT,
    curve_source=TEXT,
    schedule=listed(_SLICE),
    schedule_basis=one_of("planned", "expected"),
    participation=mapped(ANY),
    cost=mapped(ANY),
    alternatives=listed(mapped(ANY)),
    frontier=mapped(ANY),
    verdicts=listed(_GATE),
)

_ETAG = ("ETag",)
_EXIT = record(
    id=ID,
    status=TEXT,
    reason=maybe(TEXT),
    take_profit=maybe(AMOUNT),
    stop_loss=maybe(AMOUNT),
    forced=maybe(TEXT),
    qty=AMOUNT,
    filled=AMOUNT,
    average_price=maybe(AMOUNT),
)
WITH_EXITS: Schema = {
    **ORDER,
    "properties": {**ORDER["properties"], "exits": listed(_EXIT)},
}
"""An entry that is asked for by its id shows its exits as well."""

_ORDER = ref("Order")
_TO_ORDER = {
    name: ("order_id", "/id")
    for name in (
        "get_order",
        "amend_order",
        "cancel_order",
        "pause_order",
        "resume_order",
        "order_children",
        "order_fills",
        "order_events",
        "order_schedule",
        "order_why",
        "order_tca",
        "order_report",
        "order_what_if",
    )
}
IN_SHORT: Schema = record(
    **{name: ORDER["properties"][name] for name in ("id", "client_order_id", "status", "version")}
)
_ORDER_OR_LESS: Schema = {"anyOf": [_ORDER, ref("OrderInShort")]}
"""In short where the client preferred that."""
_ENTERED: Schema = record(status={"type": "integer", "const": 202}, order=_ORDER_OR_LESS)
_VERDICTS = listed(
    {
        "anyOf": [
            {
                **_ENTERED,
                "properties": {
                    **_ENTERED["properties"],
                    "replayed": {"type": "boolean", "const": True},
                },
            },
            record(
                status={"type": "integer", "enum": [403, 404, 409, 422, 429, 503]},
                problem=ref("Problem"),
            ),
        ]
    }
)
"""One for each order of a batch: what POST /orders would have answered."""
_MOVED = Answer(_ORDER, 202, headers=_ETAG, refused=(409,))
_SHOWN = Answer(_ORDER, headers=_ETAG, also={304: "It is as the client knows it"})
_UNDER = "/orders/{order_id}"

ANSWERS: Mapping[Route, Answer] = {
    ("post", "/orders"): created(
        _ORDER_OR_LESS,
        "ETag",
        "Idempotency-Replayed",
        "Preference-Applied",
        refused=(409,),
        links=_TO_ORDER,
    ),
    ("post", "/orders/batch"): Answer(record(results=_VERDICTS), headers=("Preference-Applied",)),
    ("post", "/orders/preview"): Answer(_PREVIEW, refused=(409,)),
    ("get", "/orders"): Answer(
        record(items=listed(_ORDER), next_cursor=maybe(ID)),
        headers=("Link",),
        links={"get_order": ("order_id", "/items/0/id")},
    ),
    ("delete", "/orders"): Answer(record(canceling=listed(ID)), 202),
    ("get", "/orders:by_client_order_id"): Answer(
        _ORDER, headers=_ETAG, also={304: "It is as the client knows it"}, refused=(404,)
    ),
    ("get", _UNDER): _SHOWN,
    ("patch", _UNDER): Answer(_ORDER, headers=_ETAG, refused=(409, 412, 428)),
    ("delete", _UNDER): _MOVED,
    ("post", f"{_UNDER}/pause"): _MOVED,
    ("post", f"{_UNDER}/resume"): _MOVED,
    ("get", f"{_UNDER}/children"): Answer(
        record(items=listed(_CHILD)),
        links={"resolve_child": ("child_id", "/items/0/id")},
    ),
    ("post", f"{_UNDER}/children/{{child_id}}/resolve"): Answer(
        _ORDER, headers=_ETAG, refused=(409,)
    ),
    ("get", f"{_UNDER}/fills"): Answer(record(items=listed(FILL))),
    ("get", f"{_UNDER}/events"): Answer(record(items=listed(_EVENT), next_after=maybe(COUNT))),
    ("get", f"{_UNDER}/schedule"): Answer(_SCHEDULE),
    ("get", f"{_UNDER}/why"): Answer(_WHY),
    ("get", f"{_UNDER}/tca"): Answer(),
    ("get", f"{_UNDER}/report"): Answer(TEXT, content=(HTML,)),
    ("post", f"{_UNDER}/what-if"): Answer(
        refused=(409,), open_members=frozenset({"set", "really", "baseline", "changed"})
    ),
    ("get", "/orders/statistics"): Answer(),
    ("get", "/tca"): Answer(content=(JSON, CSV, HTML), headers=("Content-Disposition",)),
    ("get", "/reports/daily"): Answer(content=(JSON, HTML), open_members=frozenset({"worst"})),
    ("get", "/statistics/execution"): Answer(
        content=(JSON, CSV), headers=("Content-Disposition",), may_have=("history",)
    ),
}
