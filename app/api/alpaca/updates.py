"""Our events as Alpaca's trade updates, each with its order as it was then."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.api.alpaca import shown
from app.api.alpaca.shown import State
from app.api.alpaca.wording import execution_id, plain
from app.domain.instant import from_datetime
from app.domain.lifecycle import OrderStatus
from app.engine.reading import reading
from app.engine.service import Service
from app.engine.subscription import Cursor, Event
from app.store import views

CHANNELS = frozenset({"orders", "fills"})

_WORDS: Mapping[str, str] = {
    "order.accepted": "pending_new",
    "order.scheduled": "accepted",
    "order.working": "new",
    "order.paused": "suspended",
    "order.needs_operator": "suspended",
    "order.cancel_requested": "pending_cancel",
    "order.canceled": "canceled",
    "order.expired": "expired",
    "order.rejected": "rejected",
    "order.amended": "restated",
    "order.filled": "restated",
    "fill.booked": "partial_fill",
    "fill.busted": "trade_bust",
}
"""What is not here is not told: children, plans, and what has no word of Alpaca's."""


KEPT = 1_024
"""Events of which is remembered what was told: listeners are told at about the same time."""

STREAM = "trade_updates"


class Telling:
    """What is told of an event, made once for all who listen: it depends on nothing else."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._made: OrderedDict[tuple[str, Cursor], asyncio.Task[list[str]]] = OrderedDict()

    async def messages(self, account: str, event: Event) -> list[str]:
        """The stream's messages, as JSON."""
        if event.type not in _WORDS or event.order_id is None:
            return []
        key = account, event.cursor
        making = self._made.get(key)
        if making is None or _failed(making):
            making = self._made[key] = asyncio.create_task(self._make(account, event))
            if len(self._made) > KEPT:
                self._made.popitem(last=False)
        # Whoever leaves meanwhile takes it from nobody else.
        return await asyncio.shield(making)

    async def _make(self, account: str, event: Event) -> list[str]:
        told = await updates_of(self._service, account, event)
        return [
            json.dumps({"stream": STREAM, "data": update}, separators=(",", ":")) for update in told
        ]


def _failed(making: "asyncio.Task[list[str]]") -> bool:
    return making.done() and (making.cancelled() or making.exception() is not None)


async def updates_of(service: Service, account: str, event: Event) -> list[dict[str, Any]]:
    """What a client is told of one event: nothing, one update, or two for a replacement."""
    word = _WORDS.get(event.type)
    if word is None or event.order_id is None:
        return []
    frame = json.loads(event.frame)
    seq, data = frame["seq"], frame["data"]
    async with reading(service) as connection:
        entries = await views.names_of(connection, account, event.order_id)
        moment = await views.moment_of(connection, account, event.order_id, seq)
        if not entries:
            return []  # Removed meanwhile: a replay of long ago.
        held = None
        if event.type.startswith("fill."):
            held = await views.position_after(
                connection, account, entries[0]["symbol"], event.cursor.xid, event.cursor.id
            )
    state = _state(data["order"], moment, frame["ts"])
    entry = [e for e in entries if e["since_seq"] <= seq][-1]
    common = {"timestamp": frame["ts"], "cursor": str(event.cursor)}
    if event.type == "order.filled" and moment.completed:
        return []  # Its last fill has told it.
    if event.type == "order.amended" and entry["since_seq"] == seq:
        before = entries[entries.index(entry) - 1]
        return [
            {**common, "event": "replaced", "order": shown.order(before)},
            {**common, "event": "new", "order": shown.order(entry, state, current=True)},
        ]
    if word == "expired" and entry["time_in_force"] == "ioc":
        word = "canceled"
    if word == "partial_fill" and state.filled >= state.qty:
        word = "fill"
    told = {**common, "event": word, "order": shown.order(entry, state, current=True)}
    return [told | (_traded(entry, data, held) if held is not None else {})]


def _state(sums: Mapping[str, Any], moment: views.Moment, at: str) -> State:
    return State(
        status=OrderStatus(sums["status"]),
        qty=Decimal(sums["qty"]),
        filled=Decimal(sums["filled"]),
        filled_notional=moment.filled_notional,
        canceling=moment.canceling,
        at=from_datetime(datetime.fromisoformat(at)),
    )


def _traded(entry: Any, data: Mapping[str, Any], held: Decimal) -> dict[str, Any]:
    """Price and quantity of the execution, and what is held after it."""
    name = execution_id(entry["broker"], entry["account"], data["execution_id"])
    voided = {"previous_execution_id": name} if "reason" in data else {}
    return {
        **voided,
        "execution_id": name,
        "price": plain(Decimal(data["price"])),
        "qty": plain(Decimal(data["qty"])),
        "position_qty": plain(held),
    }
