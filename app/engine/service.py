"""What the use cases work with; opened once by wiring, handed to every door."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.admission import Rules
from app.domain.alert import Thresholds
from app.engine.hub import Hub
from app.engine.intake import Intake
from app.engine.told import Quotes
from app.store.database import Database
from app.store.doorbell import Doorbell


@dataclass(frozen=True, slots=True)
class Service:
    """The API's side of the house. `broker_of` names the broker of every account."""

    database: Database
    doorbell: Doorbell
    intake: Intake
    hub: Hub
    rules: Rules
    thresholds: Thresholds
    broker_of: Mapping[str, str]
    default_account: str
    signal_confidence_min: float
    quotes: Quotes = field(default_factory=Quotes)


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a use case runs. `accounts` None: all of them."""

    key_id: str
    accounts: tuple[str, ...] | None
