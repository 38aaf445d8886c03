"""Parent orders as clients see them.

Every one satisfies `filled + working + unknown + unsent + canceled = qty + excess`.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any

from app.domain.task import Anchor, Task
from app.store import rows
from app.store.database import Connection
from app.store.journal import OPEN
from app.store.rows import Row
from app.store.views.plain import Answer, Page, moment, text

_Z_90 = Decimal("1.6448536269514722")
_FINE = Decimal("0.0001")

# fmt: off
_AS_IT_STANDS = (
    "id", "client_order_id", "account", "symbol", "side", "algo", "asked_algo", "route_reason",
    "params", "urgency", "priority", "time_in_force", "on_restart", "strategy", "reduce_only",
    "extended_hours", "role", "group_id", "bracket", "tags", "signal_id", "status",
    "limits_version", "version", "seq",
)
_FIELDS = (
    "id", "client_order_id", "account", "symbol", "side", "qty", "notional", "algo", "asked_algo",
    "route_reason", "params", "limit_price", "start_time", "end_time", "max_participation",
    "urgency", "priority", "time_in_force", "on_restart", "strategy", "reduce_only",
    "extended_hours", "role", "group_id", "bracket", "tags", "signal_id", "status", "reason",
    "filled", "working", "unknown", "unsent", "canceled", "excess", "average_price", "fees",
    "arrival", "estimate", "curve_source", "accepted_at", "created_at", "updated_at", "finished_at",
    "confirmed", "limits_version", "version", "seq",
)
# fmt: on
_standing = itemgetter(*_AS_IT_STANDS)
_SHAPE: Answer = dict.fromkeys(_FIELDS) | dict.fromkeys(
    ("filled", "working", "unknown", "canceled", "excess", "fees"), "0"
)
"""An order's fields as clients see them, in their order: to fill a copy takes half as long as to
write them all out, and every order that is entered waits for it."""


def order(row: Row) -> Answer:
    """One parent order, whole."""
    filled = row["filled"]
    unsent = row["qty"] + row["excess"] - filled - row["working"] - row["unknown"] - row["canceled"]
    answer = entered(row)
    answer["reason"] = row["reason"]
    answer["filled"] = text(filled)
    answer["working"] = text(row["working"])
    answer["unknown"] = text(row["unknown"])
    answer["unsent"] = text(unsent)
    answer["canceled"] = text(row["canceled"])
    answer["excess"] = text(row["excess"])
    answer["average_price"] = text(_average(row))
    answer["fees"] = text(row["fees"])
    answer["finished_at"] = moment(row["finished_at"])
    return answer


def entered(row: Row) -> Answer:
    """`order` of one that was entered just now: nothing has become of it yet."""
    qty = text(row["qty"])
    answer = _SHAPE.copy()
    answer.update(zip(_AS_IT_STANDS, _standing(row), strict=True))
    answer["qty"] = answer["unsent"] = qty
    answer["notional"] = text(row["notional"])
    answer["limit_price"] = text(row["limit_price"])
    answer["start_time"] = moment(row["start_at"])
    answer["end_time"] = moment(row["end_at"])
    answer["max_participation"] = text(row["max_participation"])
    answer["arrival"] = _arrival(row)
    answer["estimate"] = _estimate(row["estimate"])
    answer["curve_source"] = row["curve"]["source"]
    answer["accepted_at"] = moment(row["accepted_at"])
    answer["created_at"] = moment(row["created_at"])
    answer["updated_at"] = moment(row["updated_at"])
    answer["confirmed"] = row["confirmed"] or []
    return answer


def order_in_short(row: Row) -> Answer:
    """What is needed to find an order again, and to change it."""
    return {name: row[name] for name in ("id", "client_order_id", "status", "version")}


def _average(row: Row) -> Decimal | None:
    filled: Decimal = row["filled"]
    if filled <= 0:
        return None
    average: Decimal = row["filled_notional"] / filled
    return average.quantize(Decimal("1E-10"))


def _estimate(kept: Any) -> Answer | None:
    """What it was expected to cost, with its range of 90 % and in money; positive = cost."""
    if kept is None:
        return None
    low = high = money = None
    if kept["total_bps"] is not None:
        total = Decimal(kept["total_bps"])
        money = text((total * Decimal(kept["notional"])).scaleb(-4).quantize(_FINE))
        if kept["sd_bps"] is not None:
            reach = Decimal(kept["sd_bps"]) * _Z_90
            low, high = text((total - reach).quantize(_FINE)), text((total + reach).quantize(_FINE))
    return {**kept, "low_bps": low, "high_bps": high, "total_money": money}


def _arrival(row: Row) -> Answer | None:
    if row["arrival_bid"] is None:
        return None
    bid, ask, mid = _quoted(row["arrival_bid"], row["arrival_ask"])
    return {"bid": bid, "ask": ask, "mid": mid}


@lru_cache(maxsize=256)
def _quoted(bid: Decimal, ask: Decimal) -> tuple[str | None, str | None, str | None]:
    """Bid, ask and mid; many orders meet one quote."""
    return text(bid), text(ask), text((bid + ask) / 2)


async def find_order(
    connection: Connection, order_id: str, accounts: Sequence[str] | None
) -> Any | None:
    """The order's row, None if there is none that these accounts (None: all) may see."""
    return await connection.fetchrow(
        "SELECT * FROM orders WHERE id = $1 AND ($2::text[] IS NULL OR account = ANY($2))",
        order_id,
        accounts,
    )


async def exits(connection: Connection, row: Row) -> list[Answer] | None:
    """What takes away what an entry filled, the oldest first; None for any other order."""
    if row["role"] != "entry":
        return None
    found = await connection.fetch(
        "SELECT * FROM orders WHERE account = $1 AND group_id = $2 AND role = 'exit' ORDER BY id",
        row["account"],
        row["group_id"],
    )
    return [
        {
            "id": leg["id"],
            "status": leg["status"],
            "reason": leg["reason"],
            "take_profit": text(leg["limit_price"]),
            "stop_loss": leg["params"].get("stop"),
            "forced": leg["params"].get("forced"),
            "qty": text(leg["qty"]),
            "filled": text(leg["filled"]),
            "average_price": text(_average(leg)),
        }
        for leg in found
    ]


async def find_by_client_id(
    connection: Connection, client_order_id: str, accounts: Sequence[str] | None
) -> Any | None:
    return await connection.fetchrow(
        "SELECT * FROM orders WHERE client_order_id = $1"
        " AND ($2::text[] IS NULL OR account = ANY($2)) ORDER BY account LIMIT 1",
        client_order_id,
        accounts,
    )


async def orders(
    connection: Connection,
    *,
    accounts: Sequence[str] | None,
    status: str | None = None,
    symbol: str | None = None,
    strategy: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """Orders, newest first. `status` may be a status, `open`, `closed` or None for all."""
    found = await connection.fetch(
        "SELECT * FROM orders WHERE ($1::text[] IS NULL OR account = ANY($1))"
        " AND CASE $2 WHEN 'open' THEN " + OPEN + " WHEN 'closed' THEN NOT " + OPEN + " ELSE"
        " $2 IS NULL OR status = $2 END"
        " AND ($3::text IS NULL OR symbol = $3) AND ($4::text IS NULL OR strategy = $4)"
        # Ids are UUIDv7: their order is the order of acceptance.
        " AND ($5::uuid IS NULL OR id < $5) ORDER BY id DESC LIMIT $6",
        accounts,
        status,
        symbol,
        strategy,
        cursor,
        limit + 1,
    )
    more = len(found) > limit
    return Page([order(r) for r in found[:limit]], found[limit - 1]["id"] if more else None)


async def open_ids(connection: Connection, account: str) -> list[str]:
    """Orders of an account that are not finished, oldest first."""
    found = await connection.fetch(
        f"SELECT id FROM orders WHERE account = $1 AND {OPEN} ORDER BY id", account
    )
    return [r["id"] for r in found]


def task_of(row: Row) -> tuple[Task, Anchor]:
    """The task and the current anchor of an order, to show its schedule."""
    return rows.task(row), Anchor(row["anchor_at"], row["anchor_done"])
