"""What the venue answers over HTTP, and how it fails to."""

import asyncio
from collections import defaultdict
from decimal import Decimal
from typing import Any

from tests.venue.alpaca.face import AlpacaFace
from tests.venue.behaviour import Behaviour, read_behaviour
from tests.venue.exchange import Exchange, Request
from tests.venue.ledger import Row
from tests.venue.questions import Questions
from tests.venue.telling import Report
from tests.venue.wire import Call, Cut, Hang, Reply

REORDER_SECONDS = 2.0


class Doors:
    """Routes calls. `wake` tells the agenda that there may be something sooner."""

    def __init__(self, exchange: Exchange, wake: asyncio.Event) -> None:
        self._exchange, self._wake = exchange, wake
        self._questions = Questions(exchange)
        self.alpaca = AlpacaFace(exchange, self._questions, self.submit, self.cancel)
        self._attempts: dict[tuple[str, str], int] = defaultdict(int)
        self._sent: dict[tuple[str, str, int], int] = defaultdict(int)

    async def handle(self, call: Call) -> Reply:
        match call.method, *call.path:
            case "GET", "health":
                return Reply(200, {})
            case "PUT" | "PATCH", "accounts", account:
                return self._behave(account, call)
            case _, "alpaca", account, "v2", *rest if account in self._exchange.behaviours:
                return await self.alpaca.answer(account, rest, call)
            case _, "accounts", account, *_ if account not in self._exchange.behaviours:
                return Reply(404, {"code": "no_such_account"})
            case "POST", "accounts", account, "orders":
                return await self.submit(account, call.body)
            case "DELETE", "accounts", account, "orders", client_id:
                return await self.cancel(account, client_id)
            case "POST", "accounts", account, "happenings":
                return self._happen(account, call.body)
            case "GET", "accounts", account, *rest:
                return await self._questions.answer(account, rest, call.query)
        return Reply(404, {"code": "no_such_place"})

    def _behave(self, account: str, call: Call) -> Reply:
        given = dict(call.body)
        if call.method == "PATCH":
            old = self._exchange.behaviours.get(account, Behaviour()).plain()
            chances = {**old["chances"], **given.get("chances", {})}
            given = {**old, **given, "chances": chances}
        try:
            behaviour = read_behaviour(given)
        except (ValueError, TypeError, ArithmeticError) as wrong:
            return Reply(422, {"code": "bad_behaviour", "message": str(wrong)})
        self._exchange.behave(account, behaviour)
        self._exchange.teller.ring()
        self._wake.set()
        return Reply(200, behaviour.plain())

    def _happen(self, account: str, body: Any) -> Reply:
        with self._exchange.ledger.transaction():
            done = self._exchange.happen(
                account, body["kind"], body["client_id"], body.get("execution_id")
            )
        self._exchange.teller.ring()
        self._wake.set()
        return Reply(200 if done else 404, {})

    async def submit(self, account: str, body: Any) -> Reply:
        try:
            request = Request.read(body)
        except (KeyError, ValueError, TypeError, ArithmeticError) as wrong:
            return Reply(400, {"code": "unreadable", "message": str(wrong)})
        exchange, behaviour = self._exchange, self._exchange.behaviours[account]
        if self._too_often(account, "orders", behaviour.orders_per_second):
            return Reply(429, {"code": "rate_limited"})
        key = account, request.client_id
        self._attempts[key] += 1
        subject = f"order:{request.client_id}:{self._attempts[key]}"
        with exchange.ledger.transaction():
            fault = self._drawn(account, behaviour, subject, BEFORE)
            if fault is None:
                status, answer, order = exchange.take(account, body)
                if order is not None:
                    fault = self._drawn(account, behaviour, subject, AFTER)
            elif fault == "linger":
                place = self._put_off(account, behaviour, body, subject)
        exchange.teller.ring()
        self._wake.set()
        match fault:
            case None:
                return Reply(status, answer)
            case "linger":
                return await self._arrival(place)
            case "ack_delay":
                await asyncio.sleep(exchange.chance.span(behaviour.delay_ms, subject) / 1e6)
                return Reply(status, answer)
            case "ack_reorder":
                assert order is not None, "drawn for an order that was taken"
                await self._traded(order)
                return Reply(status, answer)
        return fail(fault)

    async def cancel(self, account: str, client_id: str) -> Reply:
        exchange, behaviour = self._exchange, self._exchange.behaviours[account]
        if self._too_often(account, "cancels", behaviour.cancels_per_second):
            return Reply(429, {"code": "rate_limited"})
        with exchange.ledger.transaction():
            code = exchange.cancel(account, client_id)
            self._attempts[account, client_id] += 1
            subject = f"cancel:{client_id}:{self._attempts[account, client_id]}"
            cut = exchange.chance.fault(account, behaviour, "cancel_cut", subject)
        exchange.teller.ring()
        self._wake.set()
        if cut:
            raise Cut
        # Who ignores a cancel does not say so.
        return Reply(404 if code == "not_open" else 202, {"code": "asked"})

    def _put_off(self, account: str, behaviour: Behaviour, body: Any, subject: str) -> int:
        ledger = self._exchange.ledger
        late = self._exchange.chance.span((0, behaviour.quarantine_ms), "linger", subject)
        ledger.schedule(account, ledger.now() + late, "arrive", body)
        place: int = ledger.value("SELECT max(seq) FROM agenda")
        return place

    async def _arrival(self, place: int) -> Reply:
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        def arrived(status: int, answer: Report) -> None:
            if not answered.done():
                answered.set_result(Reply(status, answer))

        self._exchange.arrived[place] = arrived
        return await answered

    async def _traded(self, order: Row) -> None:
        """Until the order has traded or ended, within reason."""
        ledger, loop = self._exchange.ledger, asyncio.get_running_loop()
        until = loop.time() + REORDER_SECONDS
        while loop.time() < until:
            now = ledger.now()
            if ledger.filled(order["seq"], now) > Decimal(0) or ledger.end_of(order["seq"], now):
                break
            await asyncio.sleep(0.005)
        # The stream gets a head start.
        await asyncio.sleep(0.02)

    def _drawn(
        self, account: str, behaviour: Behaviour, subject: str, kinds: tuple[str, ...]
    ) -> str | None:
        chance = self._exchange.chance
        hits = (kind for kind in kinds if chance.fault(account, behaviour, kind, subject))
        return next(hits, None)

    def _too_often(self, account: str, what: str, limit: int | None) -> bool:
        if limit is None:
            return False
        second = self._exchange.ledger.now() // 1_000_000
        self._sent[account, what, second] += 1
        return self._sent[account, what, second] > limit


BEFORE = ("cut_before", "hang_before", "503_before", "429_before", "linger")
AFTER = (
    "cut_after",
    "hang_after",
    "503_after",
    "429_after",
    "garbage_after",
    "ack_delay",
    "ack_reorder",
)


def fail(fault: str) -> Reply:
    """How a fault looks from outside: the same, whether the order was taken or not."""
    match fault.split("_")[0]:
        case "cut":
            raise Cut
        case "hang":
            raise Hang
        case "503":
            return Reply(503, {"code": "try_later"})
        case "429":
            return Reply(429, {"code": "rate_limited"})
        case "garbage":
            return Reply(200, raw=b'{"venue_id": ')
    raise ValueError(fault)
