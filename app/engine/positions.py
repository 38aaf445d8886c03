"""Compares what the broker holds with what our fills make of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.quantity import ZERO
from app.store import positions
from app.store.database import Database
from app.store.positions import Held


@dataclass(frozen=True, slots=True)
class Break:
    """The broker holds `difference` more than our fills explain."""

    symbol: str
    theirs: Decimal
    ours: Decimal
    difference: Decimal


@dataclass(slots=True)
class Comparison:
    agree: dict[str, bool]
    breaks: list[Break] = field(default_factory=list)


class Positions:
    """One desk's comparison. What the account held before we traded a symbol, or others trade
    in it before we do, is set apart when the two are first compared in a quiet moment."""

    def __init__(self, database: Database, account: str) -> None:
        self._database = database
        self._account = account
        self._differed: dict[str, Decimal] = {}

    async def compare(self, theirs: Mapping[str, Decimal], trading: Collection[str]) -> Comparison:
        """`trading` are symbols with live children: there a difference may be on its way.

        A break is told when the same difference is seen twice running.
        """
        async with self._database.connection() as connection:
            ours = await positions.held(connection, account=self._account)
            fresh = {
                symbol: theirs.get(symbol, ZERO) - held.qty
                for symbol, held in ours.items()
                if held.outside is None and symbol not in trading
            }
            if fresh:
                await positions.set_outside(connection, account=self._account, outside=fresh)
        return self._compared(theirs, ours)

    def _compared(self, theirs: Mapping[str, Decimal], ours: Mapping[str, Held]) -> Comparison:
        differ: dict[str, Decimal] = {}
        for symbol, held in ours.items():
            if held.outside is not None:
                more = theirs.get(symbol, ZERO) - held.qty - held.outside
                differ |= {symbol: more} if more else {}
        twice = [s for s, more in differ.items() if self._differed.get(s) == more]
        self._differed = differ
        known = [symbol for symbol, held in ours.items() if held.outside is not None]
        return Comparison(
            {symbol: symbol not in differ for symbol in known},
            [
                Break(s, theirs.get(s, ZERO), ours[s].qty + (ours[s].outside or ZERO), differ[s])
                for s in twice
            ],
        )
