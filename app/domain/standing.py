"""Where an account stands in one symbol: what it holds, and what open orders may still do."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.quantity import ZERO, Side


@dataclass(frozen=True, slots=True)
class Pending:
    """An open order: `left` of it may still fill. `ours_to_end` is false for an order that closes
    positions for a kill switch; `reduces`: it never takes the position through zero."""

    id: str
    side: Side
    left: Decimal
    ours_to_end: bool = True
    reduces: bool = False

    @property
    def signed(self) -> Decimal:
        return self.side.sign * self.left


@dataclass(frozen=True, slots=True)
class Standing:
    """`own` is what our fills make of the position, `outside` what the broker held beside them.
    `exits` are the open orders of brackets, which `pending` leaves out. `mine` is what one
    strategy made of it, with what it has open on the side that was asked about; None: not asked.
    `account`: this is the part of one strategy, of that whole; None: it is the whole.
    """

    own: Decimal = ZERO
    outside: Decimal = ZERO
    pending: tuple[Pending, ...] = ()
    exits: tuple[str, ...] = ()
    mine: Decimal | None = None
    account: "Standing | None" = None

    @property
    def held(self) -> Decimal:
        return self.own + self.outside

    @property
    def headed(self) -> Decimal:
        """The position once everything is filled that is open, as far as there is something to
        reduce for what only reduces."""
        opens = sum((order.signed for order in self.pending if not order.reduces), ZERO)
        back = sum((order.signed for order in self.pending if order.reduces), ZERO)
        if back * self.held >= 0:
            return self.held + opens
        return self.held + opens + (max(back, -self.held) if back < 0 else min(back, -self.held))

    def against(self, side: Side) -> tuple[str, ...]:
        """Orders that would go on filling against a trade of this side."""
        return _ids(o for o in self.pending if o.side is not side and o.ours_to_end)

    def without(self, ids: Iterable[str]) -> "Standing":
        """As it is once these orders have ended as they are."""
        gone = frozenset(ids)
        left = tuple(order for order in self.pending if order.id not in gone)
        account = self.account.without(gone) if self.account is not None else None
        return replace(self, pending=left, account=account)

    def room(self, side: Side) -> Decimal:
        """How much a trade of this side may take of what is held, beside what is open on it; of
        what the one strategy holds, where it was asked about, and no more than the account has."""
        there = max(-side.sign * self.held - self._open(side), ZERO)
        if self.mine is None:
            return there
        if self.account is not None:
            there = min(there, self.account.room(side))
        return min(there, max(-side.sign * self.mine, ZERO))

    def covers(self, side: Side, qty: Decimal) -> bool:
        """Whether our own fills alone leave as much to take back: an order that only reduces
        knows of no others, and of the account alone."""
        if self.account is not None:
            return self.account.covers(side, qty)
        return qty <= max(-side.sign * self.own - self._open(side), ZERO)

    def _open(self, side: Side) -> Decimal:
        return sum((order.left for order in self.pending if order.side is side), ZERO)


@dataclass(frozen=True, slots=True)
class Shares:
    """What our fills made of a position, by whose orders they were: one strategy's, those without a
    name, and the other strategies' together."""

    mine: Decimal
    unnamed: Decimal
    others: Decimal


def of_one(whole: Standing, shares: Shares, ids: Collection[str]) -> Standing:
    """Where one strategy stands, whose open orders are `ids`. As long as nobody else has a part in
    the symbol, that is the whole: what an account holds from before is for its only strategy.

    What somebody without a name took back of what the strategy holds, by hand or at the broker, is
    gone from it, unless it may have been another strategy's; else it is somebody else's.
    """
    mine, loose = shares.mine, shares.unnamed + whole.outside
    if mine * loose < 0 and abs(loose) <= abs(mine) and shares.others * loose >= 0:
        mine, loose = mine + loose, ZERO
    elsewhere = {*(order.id for order in whole.pending), *whole.exits} - set(ids)
    if not shares.others and not loose and not elsewhere:
        return whole
    # Whose the rest was is not known any more: who asks for it has it.
    rest = whole.held - mine - loose - shares.others
    return Standing(
        own=mine + rest,
        pending=tuple(order for order in whole.pending if order.id in ids),
        exits=tuple(name for name in whole.exits if name in ids),
        account=whole,
    )


def _ids(orders: Iterable[Pending]) -> tuple[str, ...]:
    return tuple(order.id for order in orders)
