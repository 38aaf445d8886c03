"""What the engine asks of the outside, market feeds and brokers: it is handed them and knows only
this."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, runtime_checkable

from app.domain.answer import Acknowledged as Acknowledged
from app.domain.answer import Outcome as Outcome
from app.domain.answer import Refused as Refused
from app.domain.answer import Unclear as Unclear
from app.domain.answer import Withheld as Withheld
from app.domain.extended_hours import TradingDay, wholes
from app.domain.fact import Purpose, TimeInForce
from app.domain.instant import Instant, Micros
from app.domain.instrument import Instrument
from app.domain.lifecycle import ChildStatus
from app.domain.market import Traded
from app.domain.quantity import Side
from app.domain.recovery import IdScope as IdScope
from app.domain.recovery import Lookup as Lookup
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.volume import VolumeCurve


class Calendar(Protocol):
    """Where trading sessions come from."""

    def sessions(self, name: str, start: Instant, end: Instant) -> tuple[Session, ...]:
        """Sessions of the calendar `name` that overlap [start, end), in order, adjacent ones
        joined. Raises ValueError for a name no calendar has."""
        ...

    def around(self, name: str) -> tuple[Micros, Micros] | None:
        """How long before each open and after each close limit orders trade; None: not at all, as
        far as is known."""
        ...


class FeedError(Exception):
    """A feed cannot read what it was given; the message names file and line where it can."""


class Feed(Protocol):
    """Market data for symbols that are watched.

    `starts_at` is the first market time of a stepped feed (its tapes are known ahead, the clock
    is ours); None means live: market time is machine time and tapes grow as the market speaks.
    """

    name: str
    starts_at: Instant | None
    own_volume_included: bool

    async def watch(
        self, symbol: str, now: Instant, since: Instant | None = None
    ) -> "Watched | None":
        """Begin to keep `symbol`; None when the feed does not know it. Raises FeedError.

        `since` is as in `keep`; None needs no history any more.
        """
        ...

    async def keep(self, symbol: str, since: Instant) -> None:
        """Have the tape of a watched symbol reach back to `since`, as far as there is data, until
        the next `watch` (live feeds: as far as they kept it). Raises FeedError."""
        ...

    def tape(self, symbol: str) -> Tape:
        """The tape of a watched symbol. Raises KeyError for one that is not."""
        ...

    async def advance(self, now: Instant) -> Mapping[str, str]:
        """Make sure every watched tape covers the session of `now` (stepped feeds).

        Returns why, for each symbol that could not be read further: it keeps the tape it has,
        and is not tried again before the next `watch`.
        """
        ...

    def updated(self) -> Sequence[str]:
        """Live feeds: the symbols whose tape grew since the last call. Stepped: none."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of a symbol when it begins to be watched.

    `sessions` are those in which the feed can be traded, in order, adjacent ones joined; `curve`
    and `daily_volume` (its mean over past days) are from the feed's history, None where it has
    none; so is `volatility`, a fraction of the price (`domain/volatility.py`). `volume_coverage`
    is the share of the market's volume that the feed tells of. `days`: the sessions again, with
    the hours around them of which the feed tells (empty: of none).
    """

    instrument: Instrument
    sessions: tuple[Session, ...]
    curve: VolumeCurve | None
    daily_volume: Decimal | None = None
    volume_coverage: Decimal = Decimal(1)
    volatility: float | None = None
    days: tuple[TradingDay, ...] = ()

    def hours(self, *, extended: bool) -> tuple[Session, ...]:
        """When it is traded, by who asks for extended hours or by everybody."""
        return wholes(self.days) if extended else self.sessions

    def traded(self, tape: Tape, start: Instant, end: Instant) -> Traded:
        """What the market traded in (start, end], estimated from the share that is told."""
        return tape.traded(start, end).scaled(self.volume_coverage)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """How a broker behaves; recovery follows from this record alone.

    `lookup` says which orders a look-up by client id finds, `lookup_lag` how late look-ups and
    lists may be, `quarantine` how long a request whose answer was lost may still arrive.
    `deadline`: the broker itself refuses a request that reaches it later than this after it was
    decided (None: it cannot). `cancels_per_second` is what its rate limit leaves for cancels, half
    of it for moves (None: none is stated). `closing_auction`: it takes orders for that auction;
    `extended_hours`: and limit orders for the hours around the session; `stops`: it rests a stop
    beside a limit, and one cancels the other.
    """

    id_scope: IdScope
    lookup: Lookup
    lookup_lag: Micros
    executions_lookback: Micros
    quarantine: Micros = 0
    deadline: Micros | None = None
    cancels_per_second: int | None = None
    replaces_atomically: bool = False
    closing_auction: bool = False
    extended_hours: bool = False
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """One child on its way out. `child_id` is the client order id at the broker.

    `at` is market time; `send_by` is machine time: a broker with a `deadline` is asked to refuse
    the child when it arrives later, however long we were frozen in between. Its stop: as a Child's.
    """

    child_id: str
    symbol: str
    side: Side
    qty: Decimal
    limit_price: Decimal
    time_in_force: TimeInForce
    purpose: Purpose
    at: Instant
    send_by: Instant | None = None
    stop_price: Decimal | None = None
    stop_limit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order at the broker asks for."""

    symbol: str
    side: Side
    qty: Decimal
    limit_price: Decimal
    closing_auction: bool = False
    stop_price: Decimal | None = None
    stop_limit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderReport:
    """A state of a child as the broker tells it. `status` is never intent or sent; unknown says
    that the broker spoke of the child in a way that cannot be read (`reason`: how).

    `terms` where the broker tells them (look-ups and lists should): a child that our journal
    lost is adopted by them.
    """

    child_id: str
    broker_order_id: str
    status: ChildStatus
    at: Instant
    filled: Decimal
    reason: str | None = None
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class ExecutionReport:
    """One execution. `execution_id` is unique per broker and account.

    `corrects` names an earlier execution that this one replaces: that one no longer counts.
    """

    child_id: str
    broker_order_id: str
    execution_id: str
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    liquidity: str  # "taker" | "maker"
    at: Instant
    corrects: str | None = None


@dataclass(frozen=True, slots=True)
class BustReport:
    """An execution was declared void: it never counted."""

    child_id: str
    execution_id: str
    at: Instant
    reason: str


Report = OrderReport | ExecutionReport | BustReport


def illegible(report: Report) -> bool:
    """Whether only this is known: that the broker spoke of the child."""
    return isinstance(report, OrderReport) and report.status is ChildStatus.UNKNOWN


class Broker(Protocol):
    """One account at one broker.

    Every answer may be repeated, late or out of order; the inbox copes. `at` arguments are
    market time: a real broker ignores them, a simulated one lives by them.
    """

    name: str
    capabilities: Capabilities

    async def submit(self, ticket: Ticket) -> Outcome:
        """Send once. Never raises for what the broker or the line did: that is Unclear."""
        ...

    async def cancel(self, child_id: str, at: Instant) -> None:
        """Ask for a cancel; the evidence comes as a report. Never raises for the line."""
        ...

    async def lookup(self, child_id: str) -> OrderReport | None:
        """What the broker knows of a client id; None: it knows nothing (as of its lag).
        Raises ConnectionError when it cannot be asked."""
        ...

    async def open_orders(self) -> Sequence[OrderReport]:
        """All orders the broker still works. Raises ConnectionError."""
        ...

    async def executions(self, since: Instant) -> Sequence[Report]:
        """Executions, and busts of them, told at or after `since`, in order; for one that cannot
        be read, its child's state as unknown. Raises ConnectionError."""
        ...

    async def positions(self) -> dict[str, Decimal]:
        """Signed quantity per symbol. Raises ConnectionError."""
        ...

    async def reports(self, now: Instant) -> Sequence[Report]:
        """What has happened up to `now` and was not told yet, in order. A live adapter drains
        its stream; a simulated venue works its book up to `now` first."""
        ...

    def next_at(self, now: Instant) -> Instant | None:
        """Simulated venues: the next market time, after `now`, at which a report will be due.
        Live: None."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Connected(Protocol):
    """A broker behind connections that can break."""

    @property
    def connections(self) -> Mapping[str, str]:
        """The state of each by name: `closed` (it works, as a circuit), `open` (nothing is sent for
        a while), `half_open` (one request tries)."""
        ...


@runtime_checkable
class Prompting(Protocol):
    """A broker that knows itself when it has something to tell."""

    def prompt(self, news: Callable[[], None]) -> None:
        """Call `news`, in the running loop, whenever `reports` has something new."""
        ...
