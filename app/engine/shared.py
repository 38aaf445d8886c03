"""What the parts of one desk have in common."""

from dataclasses import dataclass

from app.engine.market import MarketDesk
from app.engine.pace import Pace
from app.engine.roster import Roster
from app.engine.sending import Sender
from app.engine.watching import Watch
from app.ports import Broker
from app.store.database import Database
from app.store.doorbell import Doorbell


@dataclass(frozen=True, slots=True)
class Shared:
    """One account's surroundings, for as long as its desk is ours."""

    account: str
    broker: Broker
    database: Database
    doorbell: Doorbell
    market: MarketDesk
    roster: Roster
    sender: Sender
    watch: Watch
    pace: Pace
