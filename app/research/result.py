"""What a run leaves: the order as it ended, every child, every fill, and what it is measured by."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.actions import Decision
from app.domain.execution import Execution
from app.domain.fact import Filled, Intended
from app.domain.instant import Instant
from app.domain.market import Market, Quote, Traded
from app.domain.quantity import ZERO
from app.domain.tape import Tape
from app.domain.task import Task
from app.domain.tca import Outcome, measure


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision that acted: when, on what it saw, and what it did."""

    at: Instant
    execution: Execution
    market: Market
    decision: Decision


@dataclass(frozen=True, slots=True)
class Run:
    """One parent order in virtual time.

    `children` are intents in the order of their numbers, `fills` in the order in which they were
    heard. `arrival` is the quote at `begun`, `traded` what the market traded from the order's
    start to its last moment (`over`), our own fills not among it. `looks` counts decisions,
    those that did nothing included; `decisions` are those that acted, where they were kept.
    `tape` is the market as it was in this run, moved by our own fills where they have an impact.
    """

    task: Task
    begun: Instant
    over: Instant
    execution: Execution
    children: Sequence[Intended]
    fills: Sequence[Filled]
    decisions: Sequence[Decided]
    looks: int
    arrival: Quote | None
    traded: Traded
    tape: Tape

    @property
    def filled_notional(self) -> Decimal:
        return sum((fill.qty * fill.price for fill in self.fills), ZERO)

    @property
    def fees(self) -> Decimal:
        return sum((fill.fee for fill in self.fills), ZERO)

    @property
    def outcome(self) -> Outcome:
        """Cost against arrival and interval VWAP; positive = cost."""
        return measure(
            side=self.task.side,
            filled=self.execution.filled,
            filled_notional=self.filled_notional,
            fees=self.fees,
            arrival_mid=self.arrival.mid if self.arrival is not None else None,
            market=self.traded,
        )
