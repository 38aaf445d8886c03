"""Alpaca's trading API, call by call: what is asked, in its words, and nothing decided."""

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any, assert_never
from urllib.parse import quote

import httpx

from app.brokers.alpaca.line import Line
from app.brokers.alpaca.reading import list_of, moment, object_of, text
from app.domain.fact import TimeInForce
from app.domain.instant import MILLISECOND, SECOND, Instant, rfc3339
from app.ports import Ticket

PAGE = 100
"""Activities a page, the most that Alpaca gives."""

OPEN_PAGE = 500
"""Orders a page, the most that Alpaca gives."""


class Client:
    """All calls of one account. Questions raise ConnectionError, also for what cannot be read."""

    def __init__(self, line: Line) -> None:
        self.line = line

    async def submit(self, ticket: Ticket) -> httpx.Response:
        """Raises NotSent, ConnectionError."""
        return await self.line.submit(order_body(ticket))

    async def cancel(self, order_id: str) -> httpx.Response:
        return await self.line.cancel(_segment(order_id))

    async def replace(
        self, order_id: str, *, client_order_id: str, qty: Decimal, limit_price: Decimal
    ) -> httpx.Response:
        """Ask for another quantity and limit, under another id: Alpaca makes a new order of it,
        and may refuse while the old one goes on. Raises ConnectionError."""
        change = {
            "client_order_id": client_order_id,
            "qty": format(qty, "f"),
            "limit_price": format(limit_price, "f"),
        }
        return await self.line.replace(_segment(order_id), change)

    async def order_by_client_id(self, client_order_id: str) -> Any:
        """None: Alpaca does not know it."""
        query = {"client_order_id": client_order_id}
        return await self.line.ask("orders:by_client_order_id", query, absent=True)

    async def order(self, order_id: str) -> Any:
        """With its legs. None: Alpaca does not know it."""
        query = {"nested": "true"}
        return await self.line.ask(f"orders/{_segment(order_id)}", query, absent=True)

    async def open_orders(self) -> list[Any]:
        """All of them, the oldest first."""
        return await self._orders({"status": "open"})

    async def orders_since(self, since: Instant) -> list[Any]:
        """All that came in after a moment, the oldest first, whatever became of them."""
        return await self._orders({"status": "all", "after": rfc3339(max(since, 0))})

    async def orders_around(self, at: Instant, seconds: int) -> list[Any]:
        """All that came in no further from a moment than this."""
        after, until = rfc3339(max(at - seconds * SECOND, 0)), rfc3339(at + seconds * SECOND)
        return await self._orders({"status": "all", "after": after, "until": until})

    async def _orders(self, which: Mapping[str, str]) -> list[Any]:
        """Page by page, legs under the order they belong to. Later pages begin a moment before the
        last order of the page before: several may have come in with it."""
        found: dict[str, Any] = {}
        query = {"direction": "asc", "limit": str(OPEN_PAGE), "nested": "true", **which}
        while True:
            page = _listed(await self.line.ask("orders", query))
            fresh = [o for o in page if _text(o, "id") not in found]
            found |= {_text(o, "id"): o for o in fresh}
            if len(page) < OPEN_PAGE or not fresh:
                return list(found.values())
            query["after"] = rfc3339(_moment(page[-1], "submitted_at") - MILLISECOND)

    async def fills(self, since: Instant) -> AsyncIterator[Any]:
        """Rows of the account's activities that are fills, at or after `since`, by Alpaca's own
        order: within a millisecond that is not the order of events."""
        # `after` leaves out what happened at that very moment.
        query = {
            "after": rfc3339(max(since - SECOND, 0)),
            "direction": "asc",
            "page_size": str(PAGE),
        }
        while True:
            page = _listed(await self.line.ask("account/activities/FILL", query))
            for row in page:
                yield row
            if len(page) < PAGE:
                return
            query["page_token"] = _text(page[-1], "id")

    async def positions(self) -> list[Any]:
        return _listed(await self.line.ask("positions"))

    async def account(self) -> Mapping[str, Any]:
        return _object(await self.line.ask("account"))

    async def clock(self) -> Mapping[str, Any]:
        return _object(await self.line.ask("clock"))

    async def calendar(self, start: str, end: str) -> list[Any]:
        """Sessions by day, in New York's time; `start` and `end` are dates, both included."""
        return _listed(await self.line.ask("calendar", {"start": start, "end": end}))

    async def assets(self) -> list[Any]:
        return _listed(await self.line.ask("assets", {"status": "active"}))

    async def asset(self, symbol_or_id: str) -> Mapping[str, Any] | None:
        """None: Alpaca does not know it."""
        said = await self.line.ask(f"assets/{_segment(symbol_or_id)}", absent=True)
        return None if said is None else _object(said)


def order_body(ticket: Ticket) -> dict[str, Any]:
    """A limit order, a stop that becomes one, or both, of which one cancels the other; quantities
    and prices as text, exact."""
    body: dict[str, Any] = {
        "symbol": ticket.symbol,
        "side": ticket.side.value,
        "qty": format(ticket.qty, "f"),
        "type": "limit",
        "time_in_force": _time_in_force(ticket),
        "client_order_id": ticket.child_id,
    }
    limit = {"limit_price": format(ticket.limit_price, "f")}
    if ticket.stop_price is None:
        body |= limit
    elif ticket.stop_limit_price is None:
        body |= limit | {"type": "stop_limit", "stop_price": format(ticket.stop_price, "f")}
    else:
        stop = format(ticket.stop_price, "f"), format(ticket.stop_limit_price, "f")
        body |= {"order_class": "oco", "take_profit": limit}
        body["stop_loss"] = dict(zip(("stop_price", "limit_price"), stop, strict=True))
    if ticket.time_in_force is TimeInForce.DAY_EXTENDED:
        body["extended_hours"] = True
    return body


def _time_in_force(ticket: Ticket) -> str:
    """Pairs trade round the clock and have no day: there an order that rests stays until it is
    canceled. `cls` is taken until ten minutes before the close."""
    match ticket.time_in_force:
        case TimeInForce.IOC:
            return "ioc"
        case TimeInForce.DAY | TimeInForce.DAY_EXTENDED:
            return "gtc" if "/" in ticket.symbol else "day"
        case TimeInForce.CLS:
            return "cls"
        case _:
            assert_never(ticket.time_in_force)


def _segment(part: str) -> str:
    return quote(part, safe="")


def _listed(said: Any) -> list[Any]:
    try:
        return list(list_of(said))
    except ValueError as wrong:
        raise ConnectionError(f"an answer that cannot be read: {wrong}") from wrong


def _object(said: Any) -> Mapping[str, Any]:
    try:
        return object_of(said)
    except ValueError as wrong:
        raise ConnectionError(f"an answer that cannot be read: {wrong}") from wrong


def _moment(said: Any, name: str) -> Instant:
    try:
        return moment(_text(said, name))
    except ValueError as wrong:
        raise ConnectionError(f"an answer that cannot be read: {wrong}") from wrong


def _text(said: Any, name: str) -> str:
    try:
        return text(object_of(said).get(name))
    except ValueError as wrong:
        raise ConnectionError(f"an answer that cannot be read: {wrong}") from wrong
