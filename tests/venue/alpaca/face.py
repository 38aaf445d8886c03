"""Alpaca's REST, over the same doors: its errors, its ids, its lists and pages."""

import hmac
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any

from tests.venue.alpaca import said
from tests.venue.alpaca.asked import REFUSALS, prices_of
from tests.venue.alpaca.reference import error, reference
from tests.venue.exchange import Exchange
from tests.venue.questions import Questions
from tests.venue.telling import order_report
from tests.venue.wire import Call, Reply

Submit = Callable[[str, Any], Awaitable[Reply]]
Cancel = Callable[[str, str], Awaitable[Reply]]


class AlpacaFace:
    """Answers what follows `/alpaca/<account>/v2`."""

    def __init__(
        self, exchange: Exchange, questions: Questions, submit: Submit, cancel: Cancel
    ) -> None:
        self._exchange, self._ledger, self._questions = exchange, exchange.ledger, questions
        self._submit, self._cancel = submit, cancel
        self._minutes: dict[tuple[str, int], int] = defaultdict(int)
        self._replaced: dict[str, str] = {}

    async def answer(self, account: str, path: Sequence[str], call: Call) -> Reply:
        if not authorized(
            account,
            call.headers.get("apca-api-key-id", ""),
            call.headers.get("apca-api-secret-key", ""),
        ):
            return error(401, 40110000, "request is not authorized")
        limited = self._limited(account)
        if isinstance(limited, Reply):
            return limited
        reply = await self._route(account, path, call)
        return Reply(reply.status, reply.body, reply.raw, limited)

    async def _route(self, account: str, path: Sequence[str], call: Call) -> Reply:
        match call.method, *path:
            case "POST", "orders":
                return await self._enter(account, call.body)
            case "DELETE", "orders", order_id:
                return await self._end(account, order_id)
            case "PATCH", "orders", order_id:
                return await self._replace(account, order_id, call.body)
            case "GET", "orders":
                return await self._list(account, call.query)
            case "GET", "orders", order_id:
                row = self._ledger.order_named(account, order_id)
                client_id = row["client_id"] if row is not None else ""
                nested = call.query.get("nested") == "true"
                return await self._look_up(account, client_id, order_id, nested=nested)
            case "GET", "orders:by_client_order_id":
                client_id = call.query.get("client_order_id", "")
                return await self._look_up(account, client_id, client_id)
            case "GET", "account", "activities", "FILL":
                return await self._activities(account, call.query)
            case "GET", "positions":
                return await self._positions(account)
            case "GET", *rest:
                return reference(account, self._exchange.behaviours[account], rest)
        return error(404, 40410000, "endpoint not found")

    async def _enter(self, account: str, body: Any) -> Reply:
        known = body.get("type") in ("limit", "stop_limit")
        if not known or body.get("time_in_force") not in ("day", "gtc", "ioc"):
            return error(422, 42210000, "invalid order type or time_in_force")
        crypto = said.asset_class(body["symbol"]) == "crypto"
        if crypto and body["time_in_force"] == "day":
            return error(422, 42210000, "invalid crypto time_in_force")
        try:
            prices = prices_of(body)
        except (KeyError, TypeError, ValueError) as wrong:
            return error(422, 42210000, f"invalid oco order: {wrong}")
        if not all(isinstance(price, str) for price in (body.get("qty"), *prices.values())):
            return error(422, 40010001, "qty and limit_price must be strings")
        native = {
            "client_id": body["client_order_id"],
            "symbol": body["symbol"],
            "side": body["side"],
            "qty": body["qty"],
            **prices,
            "tif": "ioc" if body["time_in_force"] == "ioc" else "day",
            "send_by": None,
        }
        return self._entered(account, body, await self._submit(account, native))

    def _entered(self, account: str, body: Any, reply: Reply) -> Reply:
        """The native answer in Alpaca's words."""
        if reply.raw is not None:
            return reply
        match reply.status:
            case 200:
                row = self._ledger.order_named(account, reply.body["venue_id"])
                assert row is not None
                report = {
                    "venue_id": row["venue_id"],
                    "status": "working",
                    "filled": "0",
                    "at": row["received_at"],
                }
                return Reply(200, said.order_json(self._ledger, account, report, nested=True))
            case 429:
                return error(429, 42910000, "too many requests.")
            case 503:
                # What a proxy says that has lost patience.
                return Reply(504, raw=b"<html>504 Gateway Time-out</html>")
            case 400:
                return error(422, 40010001, reply.body["message"])
        status, code, message = REFUSALS[reply.body["code"]]
        return error(
            status, code, message.format_map(prices_of(body) | body), symbol=body["symbol"]
        )

    async def _end(self, account: str, order_id: str) -> Reply:
        row = self._ledger.order_named(account, order_id)
        if row is None:
            return error(404, 40410000, f"order not found for {order_id}")
        reply = await self._cancel(account, row["client_id"])
        match reply.status:
            case 202:
                return Reply(204, raw=b"")
            case 429:
                return error(429, 42910000, "too many requests.")
        return error(422, 42210000, "order is already in a final state")

    async def _replace(self, account: str, order_id: str, body: Any) -> Reply:
        row = self._ledger.order_named(account, order_id)
        if row is None:
            return error(404, 40410000, f"order not found for {order_id}")
        if not self._ledger.is_open(row):
            return error(422, 42210000, "cannot replace order")
        whole = {
            "symbol": row["symbol"],
            "side": row["side"],
            "type": "limit",
            "time_in_force": row["tif"],
            "qty": row["qty"],
            "limit_price": row["limit_price"],
            "client_order_id": f"{row['client_id']}-r",
        } | {name: value for name, value in body.items() if value is not None}
        entered = await self._enter(account, whole)
        if entered.status == 200:
            await self._cancel(account, row["client_id"])
            self._replaced[order_id] = entered.body["id"]
            entered.body["replaces"] = order_id
        return entered

    async def _look_up(
        self, account: str, client_id: str, asked: str, *, nested: bool = False
    ) -> Reply:
        reply = await self._questions.answer(account, ["orders", client_id], {})
        if reply.status == 503:
            return error(503, 50310000, "service unavailable")
        row = None
        if reply.status == 200:
            row = self._ledger.order_named(account, reply.body["venue_id"])
        # What was refused on arrival is no order here.
        if row is None or row["code"] != "accepted":
            return error(404, 40410000, f"order not found for {asked}")
        return Reply(200, self._order(account, reply.body, nested=nested))

    def _order(self, account: str, report: Any, *, nested: bool = False) -> Any:
        over = report["status"] not in ("working", "partially_filled")
        nested = nested and not (over and self._exchange.behaviours[account].bare)
        order = said.order_json(self._ledger, account, report, nested=nested)
        for one in (order, *(order["legs"] or ())):
            self._with_successor(one)
        return order

    def _with_successor(self, order: Any) -> None:
        successor = self._replaced.get(order["id"])
        if successor is not None and order["status"] == "canceled":
            order |= {"status": "replaced", "replaced_by": successor}
        if order["status"] == "replaced" and successor is None:
            order["replaced_by"] = self._ledger.value(
                "SELECT o.venue_id FROM twins t JOIN orders o ON o.seq = t.order_seq"
                " WHERE t.replaces = :id"
                # The limit's place is taken by the stop that was set off.
                " UNION ALL SELECT leg.venue_id FROM twins t JOIN orders leg ON leg.seq ="
                " t.order_seq JOIN orders head ON head.seq = t.head_seq"
                " WHERE head.venue_id = :id AND leg.seq <> head.seq LIMIT 1",
                id=order["id"],
            )

    async def _list(self, account: str, query: dict[str, str]) -> Reply:
        reply = await self._questions.answer(account, ["orders"], {})
        if reply.status != 200:
            return error(reply.status, 50310000, "service unavailable")
        nested = query.get("nested") == "true"
        reports = reply.body["orders"]
        if query.get("status", "open") != "open":
            taken = self._ledger.taken(account)
            reports = [order_report(self._ledger, row, self._ledger.now()) for row in taken]
        orders = [self._order(account, r, nested=nested) for r in self._shown(account, reports)]
        if after := query.get("after"):
            orders = [o for o in orders if said.instant(o["submitted_at"]) > said.instant(after)]
        if until := query.get("until"):
            orders = [o for o in orders if said.instant(o["submitted_at"]) <= said.instant(until)]
        if query.get("direction", "desc") == "desc":
            orders.reverse()
        return Reply(200, orders[: int(query.get("limit", "50"))])

    def _shown(self, account: str, reports: list[Any]) -> list[Any]:
        """Legs stand under their order; once that is not listed, by themselves or not at all, and
        while they are held never."""
        listed, twins = {report["venue_id"] for report in reports}, self._exchange.twins
        shown, now = [], self._ledger.now()
        for report in reports:
            row = self._ledger.order_named(account, report["venue_id"])
            assert row is not None
            beside = twins.head_of(row)["venue_id"] in listed
            if not twins.is_leg(row) or not (
                beside or twins.held(row, now) or self._exchange.behaviours[account].unlisted
            ):
                shown.append(report)
        return shown

    async def _activities(self, account: str, query: dict[str, str]) -> Reply:
        after = said.instant(query["after"]) if "after" in query else 0
        reply = await self._questions.answer(account, ["executions"], {"since": str(after + 1)})
        if reply.status != 200:
            return error(reply.status, 50310000, "service unavailable")
        behaviour = self._exchange.behaviours[account]
        rows = [
            said.activity(self._ledger, account, behaviour, report)
            for report in reply.body["executions"]
        ]
        rows.sort(key=lambda row: row["id"], reverse=query.get("direction", "desc") == "desc")
        token = query.get("page_token")
        if token is not None:
            names = [row["id"] for row in rows]
            rows = rows[names.index(token) + 1 :] if token in names else []
        return Reply(200, rows[: min(int(query.get("page_size", "100")), 100)])

    async def _positions(self, account: str) -> Reply:
        reply = await self._questions.answer(account, ["positions"], {})
        if reply.status != 200:
            return error(reply.status, 50310000, "service unavailable")
        return Reply(200, [_position(s, q) for s, q in reply.body["positions"].items()])

    def _limited(self, account: str) -> dict[str, str] | Reply:
        """The headers of the rate limit, or the answer to one request too many."""
        limit = self._exchange.behaviours[account].requests_per_minute
        if limit is None:
            return {}
        minute = int(time.time()) // 60
        self._minutes[account, minute] += 1
        left = limit - self._minutes[account, minute]
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(left, 0)),
            "X-RateLimit-Reset": str((minute + 1) * 60),
        }
        if left < 0:
            return Reply(429, {"code": 42910000, "message": "too many requests."}, None, headers)
        return headers


def authorized(account: str, key_id: str, secret: str) -> bool:
    return hmac.compare_digest(key_id, f"key-{account}") and hmac.compare_digest(
        secret, f"secret-{account}"
    )


def _position(symbol: str, qty: str) -> dict[str, Any]:
    short = Decimal(qty) < 0
    return {
        "asset_id": said.asset_id(symbol),
        # In this list, and only here, pairs are written without their slash.
        "symbol": symbol.replace("/", ""),
        "exchange": "CRYPTO" if "/" in symbol else "NASDAQ",
        "asset_class": said.asset_class(symbol),
        "qty": qty,
        "side": "short" if short else "long",
        "avg_entry_price": "0",
        "cost_basis": "0",
    }
