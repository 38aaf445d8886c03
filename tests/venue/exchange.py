"""The venue without its doors: what it takes, what it refuses, and what is still to happen."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.venue.behaviour import Behaviour
from tests.venue.chance import Chance
from tests.venue.ledger import Ledger, Row
from tests.venue.matching import Matching, named
from tests.venue.telling import Report, Teller
from tests.venue.twins import Stop

Json = Mapping[str, Any]

AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Request:
    """An order as it came in."""

    client_id: str
    symbol: str
    side: str
    qty: Decimal
    limit_price: Decimal
    tif: str
    send_by: int | None
    stop: Stop | None = None

    @classmethod
    def read(cls, body: Json) -> "Request":
        """Raises KeyError, ValueError or ArithmeticError for what is no order."""
        if body["side"] not in ("buy", "sell") or body["tif"] not in ("ioc", "day"):
            raise ValueError("side is buy or sell, tif is ioc or day")
        return cls(
            client_id=str(body["client_id"]),
            symbol=str(body["symbol"]),
            side=body["side"],
            qty=Decimal(body["qty"]),
            limit_price=Decimal(body["limit_price"]),
            tif=body["tif"],
            send_by=body.get("send_by"),
            stop=_stop(body),
        )


class Exchange:
    """All accounts and their ledger."""

    def __init__(self, path: Path, seed: int) -> None:
        self.ledger = Ledger(path)
        self.chance = Chance(self.ledger, seed)
        self.teller = Teller(self.ledger, self.chance)
        self._matching = Matching(self.ledger, self.chance, self.teller)
        self.twins = self._matching.twins
        self.behaviours = self.ledger.behaviours()
        self.arrived: dict[int, Callable[[int, Report], None]] = {}
        """Who waits for the answer to an order that lingers, by its place on the agenda."""

    def behave(self, account: str, behaviour: Behaviour) -> None:
        with self.ledger.transaction():
            self.ledger.behave(account, behaviour)
            self._matching.market_moved(account, behaviour)
        self.behaviours[account] = behaviour

    def take(self, account: str, body: Json) -> tuple[int, Report, Row | None]:
        """An order arrives, inside a transaction: status, answer, and the order if it was taken."""
        request, behaviour = Request.read(body), self.behaviours[account]
        now = self.ledger.now()
        code = self._refusal(account, behaviour, request, now)
        order = self._write(account, request, now, code or "accepted")
        if code is not None:
            status = 409 if code == "duplicate_id" else 422
            return status, {"code": code, "message": f"refused: {code}", "at": now}, None
        if request.stop is not None:
            self._matching.twins.enter(order, request.stop)
        self._matching.enter(order, behaviour)
        return 200, {"venue_id": order["venue_id"], "at": now}, order

    def cancel(self, account: str, client_id: str) -> str:
        """A cancel arrives, inside a transaction; its code."""
        behaviour = self.behaviours[account]
        subject = f"cancel:{client_id}:{self._asked(account, client_id)}"
        found = [o for o in self.ledger.orders_of(account, client_id) if self.ledger.is_open(o)]
        code = "taken" if found else "not_open"
        if found and self.chance.fault(account, behaviour, "cancel_ignored", subject):
            code = "ignored"
        self.ledger.add(
            "cancels",
            account=account,
            client_id=client_id,
            received_at=self.ledger.now(),
            code=code,
        )
        if code != "taken":
            return code
        late = self.chance.fault(account, behaviour, "cancel_delay", subject)
        for order in found:
            if late:
                due = self.ledger.now() + self.chance.span(behaviour.delay_ms, subject)
                self.ledger.schedule(account, due, "cancel", order["seq"])
            else:
                self._matching.end(order, behaviour, "canceled", "requested")
        return code

    def happen(self, account: str, kind: str, client_id: str, execution_id: str | None) -> bool:
        """Make something happen at once to the latest order (or an execution) of a client id."""
        orders = self.ledger.orders_of(account, client_id)
        if not orders:
            return False
        subject: int | None = orders[0]["seq"]
        if kind in ("bust", "correct"):
            subject = self.ledger.value(
                "SELECT max(seq) FROM executions WHERE account = :account"
                " AND client_id = :client_id AND coalesce(:id, execution_id) = execution_id",
                account=account,
                client_id=client_id,
                id=execution_id,
            )
        if subject is None:
            return False
        self._do(account, kind, subject, 0)
        return True

    def work(self) -> int | None:
        """Do what is due, each in a transaction of its own; when the next is due. Not too much at
        once: orders and cancels come in between."""
        for _ in range(AT_ONCE):
            item = self.ledger.due(self.ledger.now())
            if item is None:
                break
            with self.ledger.transaction():
                self.ledger.strike(item["seq"])
                subject = json.loads(item["subject"])
                told = self._do(item["account"], item["kind"], subject, item["seq"])
            self.teller.ring()
            if told is not None:
                told()
        return self.ledger.next_due()

    def _do(self, account: str, kind: str, subject: Any, place: int) -> Callable[[], None] | None:
        """One thing happens; what to do once it is committed."""
        behaviour = self.behaviours[account]
        match kind:
            case "arrive":
                status, answer, _ = self.take(account, subject)
                waiting = self.arrived.pop(place, None)
                return (lambda: waiting(status, answer)) if waiting is not None else None
            case "tell" | "tell_behind":
                self.teller.publish(account, subject)
            case "bust" | "correct":
                row = self.ledger.row("SELECT * FROM executions WHERE seq = :seq", seq=subject)
                assert row is not None
                (self._matching.bust if kind == "bust" else self._matching.correct)(row, behaviour)
            case _:
                self._do_to_order(self.ledger.order(subject), kind, behaviour)
        return None

    def _do_to_order(self, order: Row, kind: str, behaviour: Behaviour) -> None:
        matching = self._matching
        match kind:
            case "match":
                matching.match(order, behaviour)
            case "end_ioc":
                matching.end(order, behaviour, "canceled", "ioc_rest")
            case "expire":
                matching.end(order, behaviour, "expired", "day_ended")
            case "cancel":
                matching.end(order, behaviour, "canceled", "requested")
            case "refuse_later":
                matching.end(order, behaviour, "rejected", "insufficient_funds")
            case "cancel_unasked":
                matching.end(order, behaviour, "canceled", "venue")
            case "set_off":
                matching.set_off(order, behaviour)
            case "late_fill":
                matching.late_fill(order, behaviour)
            case "over_fill":
                matching.over_fill(order, behaviour)
            case _:
                raise ValueError(f"nothing is called {kind!r}")

    def _refusal(
        self, account: str, behaviour: Behaviour, request: Request, now: int
    ) -> str | None:
        send_by = request.send_by if behaviour.deadline_ms is not None else None
        if send_by is not None and now > send_by:
            return "too_late"
        if self._taken(account, behaviour, request.client_id, now):
            return "duplicate_id"
        if behaviour.symbols is not None and request.symbol not in behaviour.symbols:
            return "unknown_symbol"
        if not _on_grid(request.qty, Decimal(behaviour.lot)):
            return "bad_quantity"
        if not _on_grid(request.limit_price, Decimal(behaviour.tick)):
            return "bad_price"
        if request.stop is not None and not _can_stop(request, behaviour):
            return "bad_stop"
        if behaviour.wash and self._washes(account, request):
            return "wash_trade"
        if behaviour.closed:
            return "market_closed"
        if self.chance.fault(account, behaviour, "refuse", request.client_id):
            return "insufficient_funds"
        return None

    def _washes(self, account: str, request: Request) -> bool:
        if self._matching.twins.against(account, request.symbol, request.side):
            return True
        if request.stop is None:
            return False
        now = self.ledger.now()
        return any(
            o["symbol"] == request.symbol and o["side"] != request.side
            for o in self.ledger.open_at(account, now)
        )

    def _taken(self, account: str, behaviour: Behaviour, client_id: str, now: int) -> bool:
        """Whether a client id may not be used (again) now, by the rule of this account."""
        before = self.ledger.orders_of(account, client_id)
        match behaviour.id_scope:
            case "ever":
                return bool(before)
            case "open_only":
                return any(self.ledger.is_open(order) for order in before)
            case "window":
                since = now - behaviour.window_ms * 1_000
                return any(order["received_at"] > since for order in before)
            case _:
                return False

    def _write(self, account: str, request: Request, now: int, code: str) -> Row:
        number = (self.ledger.value("SELECT max(seq) FROM orders") or 0) + 1
        seq = self.ledger.add(
            "orders",
            account=account,
            client_id=request.client_id,
            venue_id=named("V", number, self.behaviours[account]),
            symbol=request.symbol,
            side=request.side,
            qty=format(request.qty, "f"),
            limit_price=format(request.limit_price, "f"),
            tif=request.tif,
            received_at=now,
            send_by=request.send_by,
            code=code,
        )
        return self.ledger.order(seq)

    def _asked(self, account: str, client_id: str) -> int:
        asked: int = self.ledger.value(
            "SELECT count(*) FROM cancels WHERE account = :account AND client_id = :client_id",
            account=account,
            client_id=client_id,
        )
        return asked


def _on_grid(value: Decimal, step: Decimal) -> bool:
    try:
        return value.is_finite() and value > 0 and value % step == 0
    except ArithmeticError:  # Too many digits to say.
        return False


def _stop(body: Json) -> Stop | None:
    """Raises ArithmeticError."""
    price, limit = body.get("stop_price"), body.get("stop_limit_price")
    return Stop(Decimal(price), limit and Decimal(limit)) if price is not None else None


def _can_stop(request: Request, behaviour: Behaviour) -> bool:
    """On the grid, and on the far side of its limit: a stop is where the market is not yet."""
    stop, tick = request.stop, Decimal(behaviour.tick)
    assert stop is not None
    sign = 1 if request.side == "sell" else -1
    if not _on_grid(stop.price, tick) or (stop.limit and not _on_grid(stop.limit, tick)):
        return False
    if request.symbol in behaviour.touch:
        bid, offer = map(Decimal, behaviour.touch[request.symbol])
        if sign * ((bid if sign > 0 else offer) - stop.price) <= 0:
            return False
    return stop.limit is None or sign * (request.limit_price - stop.price) > 0
