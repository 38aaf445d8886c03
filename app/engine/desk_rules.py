"""What a desk may do beyond what its broker's record says: from settings."""

from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.instant import SECOND
from app.domain.task import Policy


@dataclass(frozen=True, slots=True)
class DeskRules:
    """Lengths are machine seconds.

    `max_working_orders` is how many orders of the account are worked at a time (None: all).
    `quarantine_seconds` is how long a send without an answer may still arrive at a broker that
    cannot refuse late ones and whose ids can come back. An order whose end has no evidence
    `closing_seconds` after it was asked for needs an operator. `policy` bounds the children of
    orders that the desk enters itself. `self_match` lets a child meet another order of its account.
    """

    max_working_orders: int | None = None
    quarantine_seconds: float = 60.0
    closing_seconds: float = 120.0
    self_match: bool = False
    policy: Policy = field(
        default_factory=lambda: Policy(max_quote_age=120 * SECOND, collar=Decimal("0.05"))
    )
