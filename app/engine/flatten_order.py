"""The order that closes a position for a kill switch: everything at once, and only to reduce."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.domain.admission import PRIORITY_MAX
from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.identity import order_key
from app.domain.instant import Instant
from app.domain.market import Quote
from app.domain.quantity import Side, floor_to
from app.domain.session import Session
from app.domain.task import Policy, Task, Urgency
from app.domain.volume import default_curve
from app.engine.ids import new_id
from app.engine.working import FLATTEN
from app.ports import Watched
from app.store import rows
from app.store.flatten import Standing

ALGO = "market"

Row = Mapping[str, Any]


def task_for(
    wanted: Standing,
    account: str,
    watched: Watched,
    session: Session,
    policy: Policy,
    now: Instant,
) -> Task | None:
    """What closes the position by the session's close; None where less than a lot is left of it."""
    lot = watched.instrument.lot
    qty = floor_to(abs(wanted.qty), lot)
    if qty <= 0:
        return None
    order_id = new_id()
    return Task(
        order_id=order_id,
        account=account,
        instrument=watched.instrument,
        side=Side.SELL if wanted.qty > 0 else Side.BUY,
        qty=qty,
        algo=ALGO,
        start=now,
        end=session.closes_at,
        session=session,
        curve=watched.curve or default_curve(session),
        seed=order_id,
        policy=policy,
        urgency=Urgency.IMMEDIATE,
        params=complete(BY_NAME[ALGO], {}),
        reduce_only=True,
    )


def order_row(task: Task, wanted: Standing, broker: str) -> Row:
    """All but its name, which the switch and what it tried before decide."""
    switch = wanted.switch
    why = f"kill_switch:{switch.scope.value}:{switch.name}"
    return {
        "account": task.account,
        "id": task.order_id,
        "key": order_key(task.order_id),
        "body_sha256": hashlib.sha256(wanted.prefix.encode()).digest(),
        "broker": broker,
        "key_id": why,
        "strategy": wanted.strategy,
        "tags": [],
        "symbol": wanted.symbol,
        "side": task.side.value,
        "qty": task.qty,
        "algo": task.algo,
        "algo_version": BY_NAME[ALGO].version,
        "asked_algo": ALGO,
        "route_reason": why,
        "params": rows.plain_params(task.params),
        "start_at": task.start,
        "end_at": task.end,
        "seed": task.seed,
        "urgency": task.urgency.value,
        "priority": PRIORITY_MAX,
        "time_in_force": "day",
        "on_restart": "resume",
        "anchor_at": task.start,
        "reduce_only": True,
        "role": FLATTEN,
        "accepted_at": task.start,
    }


def market_row(task: Task, daily_volume: Decimal | None, quote: Quote | None) -> Row:
    return {
        "instrument": rows.instrument_to_json(task.instrument),
        "session_opens_at": task.session.opens_at,
        "session_closes_at": task.session.closes_at,
        "curve": rows.curve_to_json(task.curve),
        "max_quote_age_us": task.policy.max_quote_age,
        "collar": task.policy.collar,
        "close_cutoff_us": task.policy.close_cutoff,
        "status": "accepted",
        "arrival_bid": quote.bid if quote else None,
        "arrival_ask": quote.ask if quote else None,
        "daily_volume": daily_volume,
    }
