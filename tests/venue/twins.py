"""Orders with a stop, as Alpaca has them: a limit and its stop, of which one cancels the other; or
the stop alone. The market sets a stop off, or somebody who wants to see what happens then."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

from tests.venue.behaviour import Behaviour
from tests.venue.ledger import Ledger, Row


@dataclass(frozen=True, slots=True)
class Stop:
    """Where it is set off, and for a leg its own limit."""

    price: Decimal
    limit: Decimal | None


class Twins:
    """Who belongs to whom, and what is set off; every change is inside a transaction."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def enter(self, order: Row, stop: Stop) -> None:
        """An order was taken that carries a stop."""
        price, limit = format(stop.price, "f"), stop.limit and format(stop.limit, "f")
        self._note(order["seq"], order["seq"], price, limit)
        if stop.limit is not None:
            self.put_leg(order, order, Decimal(order["qty"]), replaces=None)

    def put_leg(self, head: Row, like: Row, qty: Decimal, replaces: str | None) -> Row:
        """A leg, with a client order id that nobody gave it."""
        stop = self.of(head)
        assert stop is not None
        number = self._ledger.value("SELECT max(seq) FROM orders") + 1
        seq = self._ledger.add(
            "orders",
            account=head["account"],
            client_id=str(uuid4()),
            venue_id=f"{like['venue_id']}-{number}",
            symbol=head["symbol"],
            side=head["side"],
            qty=format(qty, "f"),
            limit_price=stop["stop_limit_price"],
            tif=head["tif"],
            received_at=self._ledger.now(),
            send_by=None,
            code="accepted",
        )
        self._note(seq, head["seq"], stop["stop_price"], None, replaces)
        return self._ledger.order(seq)

    def of(self, order: Row) -> Row | None:
        return self._ledger.row("SELECT * FROM twins WHERE order_seq = :seq", seq=order["seq"])

    def head_of(self, order: Row) -> Row:
        twin = self.of(order)
        return order if twin is None else self._ledger.order(twin["head_seq"])

    def legs(self, order: Row) -> list[Row]:
        return self._ledger.rows(
            "SELECT o.* FROM orders o JOIN twins t ON t.order_seq = o.seq"
            " WHERE t.head_seq = :seq AND o.seq <> :seq ORDER BY o.seq",
            seq=order["seq"],
        )

    def others(self, order: Row) -> list[Row]:
        """The open ones that its end, or its fill, concerns."""
        head = self.head_of(order)
        whole = [head, *self.legs(head)]
        return [o for o in whole if o["seq"] != order["seq"] and self._ledger.is_open(o)]

    def is_leg(self, order: Row) -> bool:
        return bool(self.head_of(order)["seq"] != order["seq"])

    def held(self, order: Row, t: int) -> bool:
        """Whether it waits for its stop, and is in no book."""
        twin = self.of(order)
        if twin is None or twin["stop_limit_price"] is not None:
            return False
        return twin["set_off_at"] is None or twin["set_off_at"] > t

    def against(self, account: str, symbol: str, side: str) -> bool:
        """Whether an open stop is on the other side."""
        return bool(
            self._ledger.rows(
                "SELECT 1 FROM orders o JOIN twins t ON t.order_seq = o.seq"
                " WHERE o.account = :account AND o.code = 'accepted' AND o.symbol = :symbol"
                " AND o.side <> :side AND NOT EXISTS"
                " (SELECT 1 FROM ends x WHERE x.order_seq = o.seq) LIMIT 1",
                account=account,
                symbol=symbol,
                side=side,
            )
        )

    def set_off(self, order: Row) -> None:
        self._ledger.change(
            "UPDATE twins SET set_off_at = :t WHERE order_seq = :seq",
            t=self._ledger.now(),
            seq=order["seq"],
        )

    def reduce(self, order: Row, qty: Decimal) -> None:
        self._ledger.change(
            "UPDATE orders SET qty = :qty WHERE seq = :seq", qty=format(qty, "f"), seq=order["seq"]
        )

    def reached(self, account: str, behaviour: Behaviour) -> list[Row]:
        """Open orders whose stop the market has come to."""
        held = self._ledger.rows(
            "SELECT o.*, t.stop_price AS stop FROM orders o JOIN twins t ON t.order_seq = o.seq"
            " WHERE o.account = :account AND o.code = 'accepted' AND t.set_off_at IS NULL"
            " AND t.stop_limit_price IS NULL AND NOT EXISTS"
            " (SELECT 1 FROM ends x WHERE x.order_seq = o.seq) ORDER BY o.seq",
            account=account,
        )
        return [o for o in held if o["symbol"] in behaviour.touch and _is_at(o, behaviour)]

    def _note(
        self, seq: int, head: int, price: str, limit: str | None, replaces: str | None = None
    ) -> None:
        self._ledger.add(
            "twins",
            order_seq=seq,
            head_seq=head,
            stop_price=price,
            stop_limit_price=limit,
            replaces=replaces,
        )


def _is_at(order: Row, behaviour: Behaviour) -> bool:
    bid, offer = map(Decimal, behaviour.touch[order["symbol"]])
    stop = Decimal(order["stop"])
    return bid <= stop if order["side"] == "sell" else offer >= stop
