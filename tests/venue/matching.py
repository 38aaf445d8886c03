"""Orders that were taken: they fill, in parts or not at all, end, and sometimes go wrong."""

from decimal import ROUND_FLOOR, Decimal
from uuid import NAMESPACE_OID, uuid5

from tests.venue.behaviour import Behaviour
from tests.venue.chance import Chance
from tests.venue.ledger import COUNTS, Ledger, Row
from tests.venue.telling import Teller, bust_report, execution_report, order_report
from tests.venue.twins import Twins


class Matching:
    """What happens to orders; every call is inside a transaction of the ledger."""

    def __init__(self, ledger: Ledger, chance: Chance, teller: Teller) -> None:
        self._ledger, self._chance, self._teller = ledger, chance, teller
        self.twins = Twins(ledger)

    def enter(self, order: Row, behaviour: Behaviour) -> None:
        """An order was taken: it will be matched, and a day order rests meanwhile."""
        account, subject = order["account"], order["client_id"]
        if self._chance.fault(account, behaviour, "ack_duplicate", f"order:{order['seq']}"):
            self._tell_state(order, behaviour)
            self._tell_state(order, behaviour)
        elif order["tif"] != "ioc":
            self._tell_state(order, behaviour)
        now, reaches = self._ledger.now(), _reaches_touch(order, behaviour)
        misses = self._chance.draw("misses", order["seq"], subject) < behaviour.misses
        misses = misses or reaches is False
        soon = now + self._chance.span(behaviour.work_ms, "work", order["seq"])
        for gone in ("refuse_later", "cancel_unasked"):
            if self._chance.fault(account, behaviour, gone, f"order:{order['seq']}"):
                self._ledger.schedule(account, soon, gone, order["seq"])
                return
        if order["tif"] == "ioc":
            self._ledger.schedule(account, soon, "end_ioc" if misses else "match", order["seq"])
            return
        if self.twins.held(order, now):
            return
        if reaches and not misses:
            self._ledger.schedule(account, soon, "match", order["seq"])
        elif not misses:
            self._match_later(order, behaviour)
        if behaviour.day_ms is not None:
            self._ledger.schedule(account, now + behaviour.day_ms * 1_000, "expire", order["seq"])

    def market_moved(self, account: str, behaviour: Behaviour) -> None:
        """Another touch: it reaches what rests, and sets off stops."""
        now = self._ledger.now()
        for order in self._ledger.open_at(account, now):
            if _reaches_touch(order, behaviour) and not self.twins.held(order, now):
                self._ledger.schedule(account, now, "match", order["seq"])
        for order in self.twins.reached(account, behaviour):
            self.set_off(order, behaviour)

    def set_off(self, order: Row, behaviour: Behaviour) -> None:
        """The stop of an order, or of its leg, is reached: from here on it is a limit order."""
        now = self._ledger.now()
        whole = (order, *self.twins.legs(order))
        for leg in [o for o in whole if self.twins.held(o, now) and self._ledger.is_open(o)]:
            self.twins.set_off(leg)
            self._tell_state(leg, behaviour)
            head = self.twins.head_of(leg)
            if head["seq"] != leg["seq"] and not behaviour.both_fill:
                self._end(head, behaviour, behaviour.ended, "oco")
            soon = self._ledger.now() + self._chance.span(behaviour.work_ms, "off", leg["seq"])
            if _reaches_touch(leg, behaviour) is not False:
                self._ledger.schedule(leg["account"], soon, "match", leg["seq"])
            if head["seq"] != leg["seq"] and behaviour.both_fill:
                self._ledger.schedule(leg["account"], soon, "match", head["seq"])

    def match(self, order: Row, behaviour: Behaviour) -> None:
        """Somebody trades with an open order."""
        if not self._ledger.is_open(order):
            return
        leaves = Decimal(order["qty"]) - self._ledger.filled(order["seq"], self._ledger.now())
        draw = self._chance.draw("match", order["seq"], leaves)
        qty = leaves
        if self._chance.draw("partial", order["seq"], leaves) < behaviour.partial:
            qty = self._part(leaves, draw, behaviour)
        price, maker = Decimal(order["limit_price"]), order["tif"] != "ioc"
        if _reaches_touch(order, behaviour):
            price, maker = _far_touch(order, behaviour), False
        elif not maker:
            better = int(draw * 3) * Decimal(behaviour.tick)
            price -= better if order["side"] == "buy" else -better
        self.fill(order, behaviour, qty, max(price, Decimal(behaviour.tick)), maker=maker)
        if not self._ledger.is_open(order):
            return
        if order["tif"] == "ioc":
            self.end(order, behaviour, "canceled", "ioc_rest")
        else:
            self._match_later(order, behaviour)

    def fill(
        self, order: Row, behaviour: Behaviour, qty: Decimal, price: Decimal, *, maker: bool
    ) -> None:
        """Execute, and end what is complete by it. Nothing here asks whether the order is open."""
        execution = self._execute(order, behaviour, qty, price, maker=maker, corrects=None)
        self._teller.tell(order["account"], behaviour, execution_report(execution))
        if self._ledger.is_open(order):
            filled = self._ledger.filled(order["seq"], self._ledger.now())
            if filled >= Decimal(order["qty"]):
                self.end(order, behaviour, "filled", None)
            elif not behaviour.both_fill:
                self._reduce_others(order, behaviour, filled)
        for kind in ("bust", "correct"):
            self._perhaps(kind, order, behaviour, execution["seq"])

    def end(self, order: Row, behaviour: Behaviour, status: str, reason: str | None) -> None:
        """The order is over, if it is open, and so is what it cancels."""
        if not self._ledger.is_open(order):
            return
        self._end(order, behaviour, status, reason)
        if status == "filled" and behaviour.both_fill:
            return
        for other in self.twins.others(order):
            self._end(other, behaviour, "canceled", "oco")

    def _reduce_others(self, order: Row, behaviour: Behaviour, filled: Decimal) -> None:
        """One of two filled in part: the other is for what is left."""
        for other in self.twins.others(order):
            left = Decimal(order["qty"]) - filled
            if not behaviour.put_anew:
                self.twins.reduce(other, left)
                continue
            head = self.twins.head_of(order)
            anew = self.twins.put_leg(head, other, left, other["venue_id"])
            self._end(other, behaviour, "replaced", "oco")
            self._tell_state(anew, behaviour)

    def _end(self, order: Row, behaviour: Behaviour, status: str, reason: str | None) -> None:
        now = self._ledger.now()
        self._ledger.add(
            "ends",
            account=order["account"],
            order_seq=order["seq"],
            venue_id=order["venue_id"],
            client_id=order["client_id"],
            status=status,
            reason=reason,
            filled=format(self._ledger.filled(order["seq"], now), "f"),
            at=self._ledger.now(),
        )
        if status == "filled":
            self._perhaps("over_fill", order, behaviour, order["seq"])
        elif reason != "oco" or not behaviour.unsaid:
            self._tell_state(order, behaviour)
        if reason == "requested":
            self._perhaps("late_fill", order, behaviour, order["seq"])

    def late_fill(self, order: Row, behaviour: Behaviour) -> None:
        """A fill of what was canceled, as if the cancel had never been confirmed."""
        leaves = Decimal(order["qty"]) - self._ledger.filled(order["seq"], self._ledger.now())
        if leaves > 0:
            part = self._part(leaves, self._chance.draw("late", order["seq"]), behaviour)
            self.fill(order, behaviour, part, Decimal(order["limit_price"]), maker=True)

    def over_fill(self, order: Row, behaviour: Behaviour) -> None:
        """More than was ordered."""
        part = self._part(Decimal(order["qty"]), self._chance.draw("over", order["seq"]), behaviour)
        self.fill(order, behaviour, part, Decimal(order["limit_price"]), maker=True)

    def bust(self, execution: Row, behaviour: Behaviour) -> None:
        """Declare an execution void, if it still counts."""
        if not self._counts(execution):
            return
        seq = self._ledger.add(
            "busts",
            account=execution["account"],
            execution_id=execution["execution_id"],
            symbol=execution["symbol"],
            client_id=execution["client_id"],
            at=self._ledger.now(),
            reason="erroneous",
        )
        bust = self._ledger.row("SELECT * FROM busts WHERE seq = :seq", seq=seq)
        assert bust is not None
        self._teller.tell(execution["account"], behaviour, bust_report(bust))

    def correct(self, execution: Row, behaviour: Behaviour) -> None:
        """Replace an execution that still counts by one that is worse by a tick, or smaller."""
        if not self._counts(execution):
            return
        order, tick = self._ledger.order(execution["order_seq"]), Decimal(behaviour.tick)
        qty, price = Decimal(execution["qty"]), Decimal(execution["price"])
        draw = self._chance.draw("correct", execution["seq"])
        if draw < 0.5 and qty > Decimal(behaviour.lot):
            qty = self._part(qty - Decimal(behaviour.lot), draw, behaviour)
        else:
            price += -tick if order["side"] == "buy" and price > tick else tick
        maker = execution["liquidity"] == "maker"
        instead = self._execute(
            order, behaviour, qty, price, maker=maker, corrects=execution["execution_id"]
        )
        self._teller.tell(order["account"], behaviour, execution_report(instead))

    def _execute(
        self,
        order: Row,
        behaviour: Behaviour,
        qty: Decimal,
        price: Decimal,
        *,
        maker: bool,
        corrects: str | None,
    ) -> Row:
        seq = self._ledger.add(
            "executions",
            account=order["account"],
            execution_id=self._next_id(order, behaviour),
            order_seq=order["seq"],
            venue_id=order["venue_id"],
            client_id=order["client_id"],
            symbol=order["symbol"],
            side=order["side"],
            qty=format(qty, "f"),
            price=format(price, "f"),
            fee=format(qty * Decimal(behaviour.fee_per_share), "f"),
            liquidity="maker" if maker else "taker",
            at=self._ledger.now(),
            corrects=corrects,
        )
        execution = self._ledger.row("SELECT * FROM executions WHERE seq = :seq", seq=seq)
        assert execution is not None
        return execution

    def _next_id(self, order: Row, behaviour: Behaviour) -> str:
        if behaviour.execution_ids == "symbol":
            count = self._ledger.value(
                "SELECT count(*) FROM executions WHERE account = :account AND symbol = :symbol",
                account=order["account"],
                symbol=order["symbol"],
            )
            return str(count + 1)
        number = (self._ledger.value("SELECT max(seq) FROM executions") or 0) + 1
        return named("X", number, behaviour)

    def _counts(self, execution: Row) -> bool:
        found = self._ledger.value(
            f"SELECT 1 FROM executions e WHERE e.seq = :seq AND {COUNTS}",
            seq=execution["seq"],
            t=self._ledger.now(),
        )
        return found is not None

    def _match_later(self, order: Row, behaviour: Behaviour) -> None:
        now = self._ledger.now()
        filled = self._ledger.filled(order["seq"], now)
        due = now + self._chance.span(behaviour.rest_ms, "rest", order["seq"], filled)
        self._ledger.schedule(order["account"], due, "match", order["seq"])

    def _perhaps(self, kind: str, order: Row, behaviour: Behaviour, seq: int) -> None:
        if self._chance.fault(order["account"], behaviour, kind, f"{order['client_id']}:{seq}"):
            due = self._ledger.now() + self._chance.span(behaviour.after_ms, kind, seq)
            self._ledger.schedule(order["account"], due, kind, seq)

    def _part(self, qty: Decimal, draw: float, behaviour: Behaviour) -> Decimal:
        """A part of `qty`, at least one lot of it where it has one."""
        lot = Decimal(behaviour.lot)
        lots = (qty * Decimal(str(draw)) / lot).to_integral_value(ROUND_FLOOR)
        return min(qty, max(lots, Decimal(1)) * lot)

    def _tell_state(self, order: Row, behaviour: Behaviour) -> None:
        state = order_report(self._ledger, order, self._ledger.now())
        self._teller.tell(order["account"], behaviour, state)


def named(kind: str, number: int, behaviour: Behaviour) -> str:
    """An id as this account has them: the same again after a restart of the venue."""
    short = f"{kind}-{number}"
    return str(uuid5(NAMESPACE_OID, short)) if behaviour.ids == "uuid" else short


def _far_touch(order: Row, behaviour: Behaviour) -> Decimal:
    bid, offer = behaviour.touch[order["symbol"]]
    return Decimal(offer if order["side"] == "buy" else bid)


def _reaches_touch(order: Row, behaviour: Behaviour) -> bool | None:
    """Whether its limit reaches the far touch; None where the symbol has no market."""
    if order["symbol"] not in behaviour.touch:
        return None
    limit, far = Decimal(order["limit_price"]), _far_touch(order, behaviour)
    return limit >= far if order["side"] == "buy" else limit <= far
