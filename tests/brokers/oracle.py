"""A slow and obvious venue: every microsecond, every row, every order, one after the other."""

from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.fact import TimeInForce
from app.domain.quantity import Side
from app.ports import Ticket

QuoteRow = tuple[int, int, int, int, int]
TradeRow = tuple[int, int, int]


@dataclass(frozen=True)
class CancelAt:
    child_id: str
    at: int


@dataclass
class Own:
    """An order of ours; prices in cents."""

    ticket: Ticket
    number: int
    leaves: int
    limit: Decimal
    taking: bool = False
    ahead: int | None = None
    open: bool = False

    def reaches(self, price: int) -> bool:
        """Whether our limit is at this price or beyond it."""
        return price <= self.limit if self.ticket.side is Side.BUY else price >= self.limit


@dataclass
class Oracle:
    """Quotes and trades by time; the venue's story comes out as `told`."""

    quotes: list[QuoteRow]
    trades: list[TradeRow]
    closes: int
    orders: list[Own] = field(default_factory=list)
    taken: dict[tuple[bool, int], int] = field(default_factory=dict)
    told: list[tuple[int, str, str, int, Decimal]] = field(default_factory=list)
    quote: QuoteRow | None = None
    bid_at: int = -1
    ask_at: int = -1

    def run(self, arrivals: dict[int, list[Ticket | CancelAt]]) -> None:
        for now in range(self.closes + 1):
            before = (self.bid_at, self.ask_at)
            previous, self.quote = self.quote, self.quote_of(now)
            if now < self.closes:
                self.prints(now)
            self.learn_quote(now, previous)
            if now < self.closes:
                self.take_again(now, before)
            else:
                self.end_day(now)
            for told in arrivals.get(now, ()):
                if isinstance(told, CancelAt):
                    self.cancel(told, now)
                elif now < self.closes:
                    self.enter(told, now)

    def end_day(self, now: int) -> None:
        for own in self.orders:
            if own.open:
                self.end(own, now, "expired")

    def cancel(self, told: CancelAt, now: int) -> None:
        for own in self.orders:
            if own.open and own.ticket.child_id == told.child_id:
                self.end(own, now, "canceled")

    def quote_of(self, now: int) -> QuoteRow | None:
        rows = [row for row in self.quotes if row[0] == now]
        return rows[-1] if rows else self.quote

    def learn_quote(self, now: int, previous: QuoteRow | None) -> None:
        last = previous
        for row in self.quotes:
            if row[0] == now:
                if last is None or last[1:3] != row[1:3]:
                    self.bid_at = now
                if last is None or last[3:5] != row[3:5]:
                    self.ask_at = now
                last = row
        if self.quote is not None and self.quote[0] == now:
            for own in self.orders:
                if own.open and not own.taking:
                    self.look(own)

    def ranked(self) -> list[Own]:
        def rank(own: Own) -> tuple[bool, Decimal, int]:
            sell = own.ticket.side is Side.SELL
            return sell, own.limit if sell else -own.limit, own.number

        return sorted((own for own in self.orders if own.open), key=rank)

    def prints(self, now: int) -> None:
        if self.quote is None:
            return
        _, bid, _, ask, _ = self.quote
        inside = [t for t in self.trades if t[0] == now and min(bid, ask) <= t[1] <= max(bid, ask)]
        used = 0
        for own in self.ranked():
            if own.taking:
                continue
            through = sum(s for _, p, s in inside if own.reaches(p) and p != own.limit)
            level = sum(s for _, p, s in inside if p == own.limit)
            got = max(0, through - used)
            left = max(0, level - max(0, used - through))
            if own.ahead is not None:
                got += max(0, left - own.ahead)
                own.ahead = max(0, own.ahead - left)
            if through:
                # Whoever was ahead is gone, and what traded at the limit had its chance before.
                own.ahead = 0
            got = min(got, own.leaves)
            if got:
                far = Decimal(ask if own.ticket.side is Side.BUY else bid)
                price = min(own.limit, far) if own.ticket.side is Side.BUY else max(own.limit, far)
                used += got
                self.fill(own, now, "maker", got, price)

    def take_again(self, now: int, before: tuple[int, int]) -> None:
        for own in self.ranked():
            if not own.taking or self.quote is None:
                continue
            buy = own.ticket.side is Side.BUY
            if not own.reaches(self.quote[3 if buy else 1]):
                own.taking = False
                self.look(own)
            elif (self.bid_at, self.ask_at)[buy] != before[buy]:
                self.take(own, now)

    def take(self, own: Own, now: int) -> None:
        if self.quote is None:
            return
        buy = own.ticket.side is Side.BUY
        price, size = self.quote[3:5] if buy else self.quote[1:3]
        if not own.reaches(price):
            return
        key = (buy, self.ask_at if buy else self.bid_at)
        got = min(own.leaves, size - self.taken.get(key, 0))
        if got:
            self.taken[key] = self.taken.get(key, 0) + got
            self.fill(own, now, "taker", got, Decimal(price))

    def enter(self, ticket: Ticket, now: int) -> None:
        own = Own(ticket, len(self.orders), int(ticket.qty), ticket.limit_price * 100)
        self.orders.append(own)
        own.open = True
        self.take(own, now)
        if own.open and ticket.time_in_force is TimeInForce.IOC:
            self.end(own, now, "canceled")
        elif own.open:
            self.told.append((now, ticket.child_id, "rested", own.leaves, Decimal(0)))
            far = self.quote and self.quote[3 if ticket.side is Side.BUY else 1]
            own.taking = far is not None and own.reaches(far)
            if not own.taking:
                self.look(own)

    def look(self, own: Own) -> None:
        """The queue ahead is never longer than what is displayed at our price."""
        if self.quote is None:
            return
        buy = own.ticket.side is Side.BUY
        price, size = self.quote[1:3] if buy else self.quote[3:5]
        if price == own.limit:
            own.ahead = size if own.ahead is None else min(own.ahead, size)
        elif own.reaches(price):
            own.ahead = 0

    def fill(self, own: Own, now: int, kind: str, got: int, price: Decimal) -> None:
        own.leaves -= got
        self.told.append((now, own.ticket.child_id, kind, got, price / 100))
        if not own.leaves:
            own.open = False

    def end(self, own: Own, now: int, how: str) -> None:
        own.open = False
        self.told.append((now, own.ticket.child_id, how, own.leaves, Decimal(0)))
