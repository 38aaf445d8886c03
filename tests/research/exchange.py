"""The slow venue of the broker tests, stepped over a tape's own rows."""

from collections import defaultdict
from decimal import Decimal

from app.domain.fact import Intended
from app.domain.instant import Instant
from app.domain.tape import Tape
from app.ports import Ticket
from tests.brokers.oracle import CancelAt, Oracle, Own, QuoteRow


class Exchange(Oracle):
    """One moment at a time: the market first, then the end of the day, then who arrives."""

    def __init__(self, tape: Tape, closes: Instant) -> None:
        super().__init__([], [], closes)
        self.scale = tape.price_scale
        self.rows: defaultdict[Instant, list[tuple[QuoteRow, int, int]]] = defaultdict(list)
        self.printed: defaultdict[Instant, list[tuple[int, int, int]]] = defaultdict(list)
        columns = (tape.quote_at, tape.bid, tape.bid_size, tape.ask, tape.ask_size)
        stated = (tape.bid_at, tape.ask_at)
        for at, bid, bid_size, ask, ask_size, bid_at, ask_at in zip(
            *(column.tolist() for column in (*columns, *stated)), strict=True
        ):
            self.rows[at].append(((at, bid, bid_size, ask, ask_size), bid_at, ask_at))
        for at, price, size in zip(
            tape.trade_at.tolist(), tape.trade_price.tolist(), tape.trade_size.tolist(), strict=True
        ):
            self.printed[at].append((at, price, size))

    def market(self, now: Instant) -> None:
        before = (self.bid_at, self.ask_at)
        rows = self.rows.get(now, ())
        if rows:
            self.quote = rows[-1][0]
        if now < self.closes:
            self.trades = self.printed.get(now, [])
            self.prints(now)
        if rows:
            _, self.bid_at, self.ask_at = rows[-1]
            for own in self.orders:
                if own.open and not own.taking:
                    self.look(own)
        if now < self.closes:
            self.take_again(now, before)
        else:
            self.end_day(now)

    def arrive(self, told: Intended | CancelAt, now: Instant) -> None:
        if isinstance(told, CancelAt):
            self.cancel(told, now)
        elif now < self.closes:
            self.enter(_ticket(told), now)

    def enter(self, ticket: Ticket, now: Instant) -> None:
        # The slow venue counts a limit in hundredths; here it counts in the tape's units.
        limit = ticket.limit_price * self.scale / 100
        scaled = Ticket(
            ticket.child_id,
            ticket.symbol,
            ticket.side,
            ticket.qty,
            limit,
            ticket.time_in_force,
            ticket.purpose,
            ticket.at,
        )
        super().enter(scaled, now)

    def fill(self, own: Own, now: Instant, kind: str, got: int, price: Decimal) -> None:
        super().fill(own, now, kind, got, price * 100 / self.scale)


def _ticket(intent: Intended) -> Ticket:
    return Ticket(
        child_id=intent.child_id,
        symbol="",
        side=intent.side,
        qty=intent.qty,
        limit_price=intent.price,
        time_in_force=intent.time_in_force,
        purpose=intent.purpose,
        at=intent.at,
    )
