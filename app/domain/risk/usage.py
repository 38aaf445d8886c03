"""What is open, held and was entered lately, over the orders that one bound counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from app.domain.instant import Micros
from app.domain.quantity import ZERO, Side


class Proposal(NamedTuple):
    """An order that asks to be entered. `reference` is the market's price at arrival.

    `reduce_only`: it never takes the position through zero, so it adds to no exposure. `added`:
    it is what a change adds to an order, so much in money; `qty` may be nothing then.
    """

    account: str
    key: str | None
    strategy: str | None
    symbol: str
    side: Side
    qty: Decimal
    reference: Decimal
    limit_price: Decimal | None = None
    daily_volume: Decimal | None = None
    reduce_only: bool = False
    added: Decimal | None = None

    @property
    def price(self) -> Decimal:
        """A limit above the market would be paid in the worst case: the larger price counts."""
        return max(self.reference, self.limit_price or self.reference)

    @property
    def value(self) -> Decimal:
        return self.qty * self.price if self.added is None else self.added


@dataclass(frozen=True, slots=True)
class Holding:
    """One account's position in a symbol, and what open orders may still add to it.

    `covering` and `closing` are open to buy and to sell by orders that only reduce: they never
    take the position through zero, but what they take no other order can take back any more.
    `price` None: nobody knows what it is worth.
    """

    account: str
    symbol: str
    qty: Decimal = ZERO
    buying: Decimal = ZERO
    selling: Decimal = ZERO
    price: Decimal | None = None
    covering: Decimal = ZERO
    closing: Decimal = ZERO

    @property
    def most(self) -> Decimal:
        """The position if all that is open to buy is filled, and nothing that is sold."""
        return self.qty + min(self.covering, max(-self.qty, ZERO)) + self.buying

    @property
    def least(self) -> Decimal:
        return self.qty - min(self.closing, max(self.qty, ZERO)) - self.selling

    @property
    def worst(self) -> Decimal:
        return max(abs(self.most), abs(self.least))

    def with_open(self, side: Side, qty: Decimal) -> "Holding":
        if side is Side.BUY:
            return replace(self, buying=self.buying + qty)
        return replace(self, selling=self.selling + qty)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one bound has counted before the order: open orders, entered ones by window.

    `same_age`: since when there is an order that looks the same. `loss` and `drawdown` are money,
    positive = lost; None where nobody knows.
    """

    open_orders: int = 0
    entered: Mapping[Micros, int] = field(default_factory=dict)
    value: Mapping[Micros, Decimal] = field(default_factory=dict)
    holdings: tuple[Holding, ...] = ()
    same_age: Micros | None = None
    loss: Decimal | None = None
    drawdown: Decimal | None = None

    def with_order(self, proposal: Proposal) -> "Usage":
        """The usage once this order is entered as well."""
        return replace(
            self,
            open_orders=self.open_orders + 1,
            entered={window: count + 1 for window, count in self.entered.items()},
            value={window: value + proposal.value for window, value in self.value.items()},
            holdings=self._held_with(proposal),
        )

    def valued(self, proposal: Proposal) -> "Usage":
        """This usage with what is held of the order's symbol at the order's own price."""
        mine = self.holding(proposal)
        if mine is None:
            return self
        others = tuple(h for h in self.holdings if h is not mine)
        return replace(self, holdings=(*others, replace(mine, price=proposal.price)))

    def _held_with(self, proposal: Proposal) -> tuple[Holding, ...]:
        if proposal.reduce_only:
            return self.holdings
        mine = self.holding(proposal)
        others = tuple(h for h in self.holdings if h is not mine)
        before = mine or Holding(proposal.account, proposal.symbol)
        priced = replace(before, price=proposal.price)
        return (*others, priced.with_open(proposal.side, proposal.qty))

    def holding(self, proposal: Proposal) -> Holding | None:
        """What the order's account has in its symbol."""
        return next(
            (
                h
                for h in self.holdings
                if h.account == proposal.account and h.symbol == proposal.symbol
            ),
            None,
        )
