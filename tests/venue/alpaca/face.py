"""Alpaca's REST, over the same doors: its errors, its ids, its lists and pages."""

import hmac
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.venue.alpaca import said
from tests.venue.behaviour import Behaviour
from tests.venue.exchange import Exchange
from tests.venue.questions import Questions
from tests.venue.wire import Call, Reply

REFUSALS = {
    "unknown_symbol": (422, 42210000, 'asset "{symbol}" not found'),
    "bad_quantity": (422, 40010001, "qty must be > 0 and a multiple of the lot"),
    "bad_price": (
        422,
        42210000,
        "invalid limit_price {limit_price}. sub-penny increment does not fulfill minimum pricing"
        " criteria",
    ),
    "market_closed": (403, 40310000, "trading in {symbol} is halted"),
    "insufficient_funds": (403, 40310000, "insufficient buying power"),
    "duplicate_id": (422, 40010001, "client_order_id must be unique"),
}

Submit = Callable[[str, Any], Awaitable[Reply]]
Cancel = Callable[[str, str], Awaitable[Reply]]


def error(status: int, code: int, message: str, **more: Any) -> Reply:
    return Reply(status, {"code": code, "message": message, **more})


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
                return await self._look_up(account, client_id, order_id)
            case "GET", "orders:by_client_order_id":
                client_id = call.query.get("client_order_id", "")
                return await self._look_up(account, client_id, client_id)
            case "GET", "account", "activities", "FILL":
                return await self._activities(account, call.query)
            case "GET", "positions":
                return await self._positions(account)
            case "GET", *rest:
                return self._reference(account, rest)
        return error(404, 40410000, "endpoint not found")

    async def _enter(self, account: str, body: Any) -> Reply:
        if body.get("type") != "limit" or body.get("time_in_force") not in ("day", "gtc", "ioc"):
            return error(422, 42210000, "invalid order type or time_in_force")
        crypto = said.asset_class(body["symbol"]) == "crypto"
        if crypto and body["time_in_force"] == "day":
            return error(422, 42210000, "invalid crypto time_in_force")
        if not all(isinstance(body.get(name), str) for name in ("qty", "limit_price")):
            return error(422, 40010001, "qty and limit_price must be strings")
        native = {
            "client_id": body["client_order_id"],
            "symbol": body["symbol"],
            "side": body["side"],
            "qty": body["qty"],
            "limit_price": body["limit_price"],
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
                return Reply(200, said.order_json(self._ledger, account, report))
            case 429:
                return error(429, 42910000, "too many requests.")
            case 503:
                # What a proxy says that has lost patience.
                return Reply(504, raw=b"<html>504 Gateway Time-out</html>")
            case 400:
                return error(422, 40010001, reply.body["message"])
        status, code, message = REFUSALS[reply.body["code"]]
        return error(status, code, message.format_map(body), symbol=body["symbol"])

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

    async def _look_up(self, account: str, client_id: str, asked: str) -> Reply:
        reply = await self._questions.answer(account, ["orders", client_id], {})
        if reply.status == 503:
            return error(503, 50310000, "service unavailable")
        row = None
        if reply.status == 200:
            row = self._ledger.order_named(account, reply.body["venue_id"])
        # What was refused on arrival is no order here.
        if row is None or row["code"] != "accepted":
            return error(404, 40410000, f"order not found for {asked}")
        return Reply(200, self._order(account, reply.body))

    def _order(self, account: str, report: Any) -> Any:
        order = said.order_json(self._ledger, account, report)
        successor = self._replaced.get(order["id"])
        if successor is not None and order["status"] == "canceled":
            order |= {"status": "replaced", "replaced_by": successor}
        return order

    async def _list(self, account: str, query: dict[str, str]) -> Reply:
        if query.get("status", "open") != "open":
            return error(422, 42210000, "only open orders are listed here")
        reply = await self._questions.answer(account, ["orders"], {})
        if reply.status != 200:
            return error(reply.status, 50310000, "service unavailable")
        orders = [self._order(account, report) for report in reply.body["orders"]]
        if after := query.get("after"):
            orders = [o for o in orders if said.instant(o["submitted_at"]) > said.instant(after)]
        if query.get("direction", "desc") == "desc":
            orders.reverse()
        return Reply(200, orders[: int(query.get("limit", "50"))])

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

    def _reference(self, account: str, path: Sequence[str]) -> Reply:
        behaviour = self._exchange.behaviours[account]
        match list(path):
            case ["account"]:
                money = {name: "1000000" for name in ("cash", "buying_power", "equity")}
                flags = {"trading_blocked": False, "account_blocked": False}
                about = {"id": said.asset_id(account), "account_number": account}
                return Reply(200, about | {"status": "ACTIVE", "currency": "USD"} | money | flags)
            case ["clock"]:
                return Reply(200, _clock(behaviour))
            case ["calendar"]:
                today = datetime.now(UTC).date().isoformat()
                return Reply(200, [{"date": today, "open": "09:30", "close": "16:00"}])
            case ["assets", *parts]:
                symbols = behaviour.symbols or ("ACME",)
                if not parts:
                    return Reply(200, [said.asset(symbol, behaviour) for symbol in symbols])
                for symbol in symbols:
                    if "/".join(parts) in (symbol, said.asset_id(symbol)):
                        return Reply(200, said.asset(symbol, behaviour))
                return error(404, 40410000, f"asset not found for {'/'.join(parts)}")
        return error(404, 40410000, "endpoint not found")

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


def _clock(behaviour: Behaviour) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "timestamp": now.isoformat(),
        "is_open": not behaviour.closed,
        "next_open": (now + timedelta(hours=12)).isoformat(),
        "next_close": (now + timedelta(hours=6)).isoformat(),
    }


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
