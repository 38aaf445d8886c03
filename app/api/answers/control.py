"""Signals, strategies, limits, switches, keys and the house itself, as answers show them."""

from collections.abc import Mapping

from app.api.answers.answer import CSV, HTML, JSON, Answer, Route, created, gone
from app.api.answers.backtests import PARENTS
from app.api.answers.orders import FILL, SIDE
from app.api.answers.shape import (
    AMOUNT,
    ANY,
    COUNT,
    FLAG,
    ID,
    MOMENT,
    NUMBER,
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
from app.engine.kill_switches import Level

SIGNAL = record(
    id=ID,
    account=TEXT,
    source=TEXT,
    signal_id=maybe(TEXT),
    signal=mapped(ANY),
    symbol=TEXT,
    strategy=maybe(TEXT),
    mode=maybe(TEXT),
    side=maybe(SIDE),
    qty=maybe(AMOUNT),
    final_qty=maybe(AMOUNT),
    decision=maybe(one_of("execute", "reduce", "defer", "reject")),
    reason=maybe(TEXT),
    verdicts=maybe(listed(mapped(ANY))),
    order_id=maybe(ID),
    at=MOMENT,
    received_at=MOMENT,
    note=maybe(TEXT),
)
_STRATEGY_FIELDS: dict[str, Schema] = {
    "account": TEXT,
    "name": TEXT,
    "mode": TEXT,
    "mode_since": maybe(MOMENT),
    "held_back": maybe(TEXT),
    "kind": maybe(TEXT),
    "gates": listed(record(gate=TEXT, params=mapped(ANY))),
    "smart": FLAG,
    "version": maybe(COUNT),
}
_CONDITION = record(name=TEXT, met=FLAG, found=ANY, needed=ANY)
_STANDING = record(**_STRATEGY_FIELDS, next_mode=maybe(TEXT), conditions=listed(_CONDITION))
_DESCRIBED = record(name=TEXT, title=TEXT, description=TEXT, version=ANY, parameters=mapped(ANY))
_ALGORITHM = record(
    name=TEXT,
    title=TEXT,
    doc=TEXT,
    version=ANY,
    needs_limit_price=FLAG,
    windowed=FLAG,
    default_window_minutes=ANY,
    parameters=mapped(ANY),
)
_LIMIT_FIELDS: dict[str, Schema] = {
    "scope": TEXT,
    "name": TEXT,
    "limit": TEXT,
    "unit": TEXT,
    "hard": maybe(AMOUNT),
    "soft": maybe(AMOUNT),
    "version": maybe(COUNT),
    "source": one_of("set", "settings"),
}
_LIMIT = record(**_LIMIT_FIELDS)
_KIND = record(limit=TEXT, unit=TEXT, held_against=TEXT, counts=TEXT, scopes=TEXTS)
_CHANGE = record(
    version=COUNT,
    scope=TEXT,
    name=TEXT,
    limit=TEXT,
    hard=maybe(AMOUNT),
    soft=maybe(AMOUNT),
    reason=maybe(TEXT),
    changed_at=MOMENT,
    changed_by=TEXT,
)
_SWITCH_FIELDS: dict[str, Schema] = {
    "scope": one_of("all", "account", "strategy", "symbol"),
    "name": TEXT,
    "thrown": FLAG,
    "level": one_of(*(level.value for level in Level)),
    "reason": TEXT,
    "version": COUNT,
    "changed_at": MOMENT,
    "changed_by": maybe(TEXT),
}
_STANDING_OPEN = record(account=TEXT, symbol=TEXT, qty=AMOUNT, doing=TEXT, order_id=maybe(ID))
_SWITCH = record(
    **_SWITCH_FIELDS,
    known=maybe(FLAG),
    open_orders=maybe(COUNT),
    expected_seconds=maybe(NUMBER),
    standing=listed(_STANDING_OPEN),
)
_ENTRY = record(
    id=COUNT,
    at=MOMENT,
    actor=TEXT,
    action=TEXT,
    target=TEXT,
    account=maybe(TEXT),
    before=ANY,
    after=ANY,
    reason=maybe(TEXT),
)
KEY_FIELDS: dict[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "scopes": TEXTS,
    "accounts": maybe(TEXTS),
    "symbols": maybe(TEXTS),
    "default_algo": maybe(TEXT),
    "replaces": maybe(TEXT),
    "created_at": MOMENT,
    "expires_at": maybe(MOMENT),
    "revoked_at": maybe(MOMENT),
    "last_used_at": maybe(MOMENT),
}
_ALERT = record(
    id=ID,
    account=TEXT,
    rule=TEXT,
    severity=TEXT,
    message=TEXT,
    data=ANY,
    order_id=maybe(ID),
    count=COUNT,
    at=MOMENT,
    raised_at=MOMENT,
    acknowledged_at=maybe(MOMENT),
    acknowledged_by=maybe(TEXT),
)
_ACCOUNT = record(account=TEXT, broker=TEXT, currency=TEXT)
_POSITION = record(
    account=TEXT,
    symbol=TEXT,
    qty=AMOUNT,
    average_price=maybe(AMOUNT),
    realised=AMOUNT,
    fees=AMOUNT,
)
_CLOCK = record(feed=TEXT, now=MOMENT, stepped=FLAG, speed=AMOUNT, held=FLAG, age_seconds=NUMBER)
_STATUS = record(
    version=TEXT,
    algorithms=mapped(ANY),
    clock=maybe(_CLOCK),
    counts=record(
        orders=mapped(COUNT),
        algorithms=mapped(COUNT),
        children=mapped(COUNT),
        fills=COUNT,
        signals=mapped(COUNT),
    ),
    streams=record(subscribers=COUNT),
    cursor=TEXT,
    leases=listed(
        record(name=TEXT, owner=maybe(TEXT), epoch=COUNT, held=FLAG, until=maybe(MOMENT))
    ),
    kill_switches=listed(record(**_SWITCH_FIELDS)),
)
_CHECKED = record(ready=FLAG, checks=mapped(record(ok=FLAG, detail=TEXT)))
_BACKTEST = "/backtests/{backtest_id}"
_TO_BACKTEST = {
    name: ("backtest_id", "/id")
    for name in ("get_backtest", "backtest_report", "backtest_parents", "cancel_backtest")
}
_NO_BACKTESTS = (409,)

ANSWERS: Mapping[Route, Answer] = {
    ("post", "/signals"): created(
        SIGNAL, refused=(409,), links={"get_signal": ("signal_id", "/id")}
    ),
    ("get", "/signals"): Answer(record(items=listed(SIGNAL), next=maybe(ID)), refused=(404,)),
    ("get", "/signals/{signal_id}"): Answer(SIGNAL),
    ("get", "/gates"): Answer(record(items=listed(_DESCRIBED))),
    ("get", "/strategies"): Answer(record(items=listed(record(**_STRATEGY_FIELDS)))),
    ("get", "/strategies/{name}"): Answer(_STANDING),
    ("put", "/strategies/{name}"): Answer(_STANDING, refused=(409,)),
    ("get", "/risk/limits"): Answer(
        record(items=listed(_LIMIT), version=COUNT, kinds=listed(_KIND))
    ),
    ("put", "/risk/limits"): Answer(
        record(**_LIMIT_FIELDS, known=FLAG, tighter=maybe(_LIMIT)), refused=(409,)
    ),
    ("delete", "/risk/limits/{scope}/{limit}/{name}"): gone(),
    ("get", "/risk/limits/changes"): Answer(record(items=listed(_CHANGE), next=maybe(COUNT))),
    ("get", "/risk/kill-switches"): Answer(record(items=listed(_SWITCH))),
    ("post", "/risk/kill-switches"): Answer(_SWITCH),
    ("delete", "/risk/kill-switches/{scope}/{name}"): Answer(
        record(**_SWITCH_FIELDS, causes=TEXTS)
    ),
    ("get", "/audit-trail"): Answer(record(items=listed(_ENTRY), next=maybe(COUNT))),
    ("get", "/keys"): Answer(record(items=listed(record(**KEY_FIELDS)))),
    ("post", "/keys"): Answer(
        record(**KEY_FIELDS, key=TEXT),
        201,
        headers=("Cache-Control",),
        links={"end_key": ("key_id", "/id")},
    ),
    ("post", "/keys/{key_id}/rotate"): Answer(
        record(**KEY_FIELDS, key=TEXT, old_key_ends_at=MOMENT), 201, headers=("Cache-Control",)
    ),
    ("delete", "/keys/{key_id}"): gone(),
    ("get", "/alerts"): Answer(
        record(items=listed(_ALERT)), links={"acknowledge_alert": ("alert_id", "/items/0/id")}
    ),
    ("post", "/alerts/{alert_id}/ack"): Answer(_ALERT),
    ("get", "/accounts"): Answer(record(items=listed(_ACCOUNT))),
    ("get", "/positions"): Answer(record(items=listed(_POSITION))),
    ("get", "/fills"): Answer(record(items=listed(FILL))),
    ("get", "/algorithms"): Answer(record(items=listed(_ALGORITHM), order=mapped(ANY))),
    ("get", "/clock"): Answer(_CLOCK),
    ("put", "/clock"): Answer(_CLOCK, refused=(409,)),
    ("get", "/healthz"): Answer(record(status=one_of("ok"))),
    ("get", "/readyz"): Answer(_CHECKED, same=(503,)),
    ("get", "/status"): Answer(_STATUS),
    ("get", "/metrics"): Answer(TEXT, content=("text/plain",)),
    ("get", "/events"): Answer(
        TEXT, content=("text/event-stream",), headers=("Cache-Control", "X-Accel-Buffering")
    ),
    ("post", "/backtests"): created(ref("Backtest"), refused=_NO_BACKTESTS, links=_TO_BACKTEST),
    ("get", "/backtests"): Answer(refused=(404,), open_members=frozenset({"plan"})),
    ("get", _BACKTEST): Answer(ref("Backtest")),
    ("delete", _BACKTEST): Answer(None, 204, (), refused=_NO_BACKTESTS),
    ("post", f"{_BACKTEST}/restart"): Answer(ref("Backtest"), 202, refused=_NO_BACKTESTS),
    ("get", f"{_BACKTEST}/report"): Answer(TEXT, content=(HTML,), refused=_NO_BACKTESTS),
    ("get", f"{_BACKTEST}/parents"): Answer(
        PARENTS, content=(JSON, CSV), headers=("Content-Disposition",)
    ),
}
