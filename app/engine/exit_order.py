"""What an entry keeps of its bracket, and the order that takes away what it filled: one parent
order for both levels."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.domain.admission import PRIORITY_MAX
from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.bracket import Basis, Bracket, Exit, Level, to_json
from app.domain.identity import order_key
from app.domain.instant import Instant
from app.domain.quantity import Side
from app.domain.session import Session
from app.domain.task import Policy, Task
from app.domain.volume import default_curve
from app.engine.ids import new_id
from app.engine.working import EXIT
from app.ports import Watched
from app.store import rows
from app.store.exits import ENTRY, Group

ALGO = "bracket"
CLOSE_BEFORE_SECONDS = 60
"""An exit that must not be held through the close crosses so long before it."""

Row = Mapping[str, Any]


def task_for(
    group: Group, wanted: Exit, watched: Watched, session: Session, policy: Policy, now: Instant
) -> Task:
    """The exit in a session: the one that is open, or the next."""
    order_id = new_id()
    before = CLOSE_BEFORE_SECONDS if group.bracket.exit_at_close else None
    given = {"stop": wanted.levels.stop, "forced": wanted.forced, "close_before": before}
    return Task(
        order_id=order_id,
        account=group.row["account"],
        instrument=rows.instrument_from_json(group.row["instrument"]),
        side=Side(group.row["side"]).other,
        qty=wanted.qty,
        algo=ALGO,
        start=max(now, session.opens_at),
        end=session.closes_at,
        session=session,
        curve=watched.curve or default_curve(session),
        seed=order_id,
        policy=policy,
        limit_price=wanted.levels.target if wanted.forced is None else None,
        params=complete(
            BY_NAME[ALGO], {name: value for name, value in given.items() if value is not None}
        ),
        reduce_only=True,
    )


def order_row(task: Task, group: Group, now: Instant) -> Row:
    """All but its name, which the entry and the exits before it decide."""
    entry = group.row
    return {
        "account": task.account,
        "id": task.order_id,
        "key": order_key(task.order_id),
        "body_sha256": hashlib.sha256(group.prefix.encode()).digest(),
        "broker": entry["broker"],
        "key_id": entry["key_id"],
        "strategy": entry["strategy"],
        "tags": entry["tags"],
        "symbol": entry["symbol"],
        "side": task.side.value,
        "qty": task.qty,
        "algo": task.algo,
        "algo_version": BY_NAME[ALGO].version,
        "asked_algo": ALGO,
        "route_reason": f"exit of {entry['id']}",
        "params": rows.plain_params(task.params),
        "limit_price": task.limit_price,
        "start_at": task.start,
        "end_at": task.end,
        "seed": task.seed,
        "urgency": task.urgency.value,
        "priority": PRIORITY_MAX,
        "time_in_force": "day",
        "on_restart": "resume",
        "anchor_at": task.start,
        "reduce_only": True,
        "role": EXIT,
        "group_id": entry["id"],
        "accepted_at": now,
    }


def bracket_columns(bracket: Bracket | None, order_id: str) -> Row:
    """Of an order that a client enters."""
    if bracket is None:
        columns = ("take_profit", "stop_loss", "bracket", "group_id")
        return {**dict.fromkeys(columns), "role": "single"}
    return {
        "take_profit": _price_of(bracket.take_profit),
        "stop_loss": _price_of(bracket.stop_loss),
        "bracket": to_json(bracket),
        "group_id": order_id,
        "role": ENTRY,
    }


def _price_of(level: Level | None) -> Decimal | None:
    return level.value if level is not None and level.basis is Basis.PRICE else None
