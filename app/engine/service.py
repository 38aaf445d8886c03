"""What the use cases work with; opened once by wiring, handed to every door."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.alert import Thresholds
from app.domain.auction import closes
from app.domain.cost.calibration import Calibration
from app.domain.instant import Instant
from app.domain.refusal import Forbidden, Refusal
from app.domain.scene import Rules
from app.domain.task import Task
from app.engine.hub import Hub
from app.engine.intake import Intake
from app.engine.limit_book import LimitBook
from app.engine.strategy_book import StrategyBook
from app.engine.told import Quotes
from app.engine.turns import Turns
from app.ports import Calendar
from app.store.database import Database
from app.store.doorbell import Doorbell


@dataclass(frozen=True, slots=True)
class Service:
    """The API's side of the house. `broker_of` names the broker of every account, `auctions` are
    those whose broker takes orders for closing auctions, `extended_hours` those whose broker takes
    limit orders for the hours around the session."""

    database: Database
    doorbell: Doorbell
    intake: Intake
    hub: Hub
    rules: Rules
    thresholds: Thresholds
    broker_of: Mapping[str, str]
    default_account: str
    limits: LimitBook
    strategies: StrategyBook
    turns: Turns
    auctions: frozenset[str] = frozenset()
    extended_hours: frozenset[str] = frozenset()
    quotes: Quotes = field(default_factory=Quotes)
    calendar: Calendar | None = None
    costs: Mapping[str, Calibration] = field(default_factory=dict)
    """What outcomes have taught of costs, by broker; nothing yet: the published model."""


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a use case runs. `accounts` None: all of them; `symbols` are what it may
    trade, None: everything. `may_flatten`: whether it may have positions closed; from `until` on
    it opens nothing, None: it does not end by itself."""

    key_id: str
    accounts: tuple[str, ...] | None
    symbols: frozenset[str] | None = None
    may_flatten: bool = True
    until: Instant | None = None

    def check_symbol(self, symbol: str) -> None:
        """Raises Forbidden for what this caller may not trade. Canceling is never refused."""
        if self.symbols is not None and symbol not in self.symbols:
            raise Forbidden(
                "symbol_not_allowed", f"this key may not trade {symbol!r}", field="symbol"
            )


def check_broker(service: Service, task: Task) -> None:
    """Whether the account's broker can do what an order may need. Raises Refusal."""
    if closes(task) and task.account not in service.auctions:
        raise Refusal(
            "no_closing_auction",
            f"completion close: {service.broker_of[task.account]} takes no orders for the closing"
            " auction",
            field="params.completion",
        )
    if task.extended_hours and task.account not in service.extended_hours:
        raise Refusal(
            "no_extended_hours",
            f"{service.broker_of[task.account]} takes no orders for extended hours",
            field="extended_hours",
        )
