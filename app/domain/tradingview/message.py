"""An alert as it was read, whatever its shape was."""

import hashlib
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.domain.bracket import Basis, Level, level_to_json
from app.domain.instant import Instant, rfc3339


class Act(StrEnum):
    """What an alert wants done."""

    BUY = "buy"
    SELL = "sell"
    ADD = "add"
    """More of what is held, on the side that the sentiment names."""
    EXIT = "exit"
    EXIT_LONG = "exit_long"
    EXIT_SHORT = "exit_short"


LEAVING = frozenset({Act.EXIT, Act.EXIT_LONG, Act.EXIT_SHORT})
"""They only take a position back."""


class Held(StrEnum):
    """The side of a position."""

    LONG = "long"
    SHORT = "short"
    FLAT = "flat"


@dataclass(frozen=True, slots=True)
class Message:
    """Everything that is understood of an alert; all else is ignored.

    `quantity` counts units, or money where `in_money`. `position` is signed where the alert gives
    it with a sign, `held` names its side. `stop` and `target` are the exits of what it opens.
    `rest` fingerprints the whole alert without its secret.
    """

    shape: str
    ticker: str
    exchange: str | None = None
    act: Act | None = None
    sentiment: Held | None = None
    quantity: Decimal | None = None
    in_money: bool = False
    limit_price: Decimal | None = None
    price: Decimal | None = None
    stop: Level | None = None
    target: Level | None = None
    confidence: Decimal | None = None
    order_id: str | None = None
    position: Decimal | None = None
    held: Held | None = None
    held_before: Held | None = None
    made_at: Instant | None = None
    max_lag: Decimal | None = None
    own_id: str | None = None
    rest: str = field(default="", repr=False)

    def shown(self) -> dict[str, Any]:
        """What was understood, for people; absent fields left out, never a secret."""
        hidden = {"rest", "made_at", "in_money"}
        told = {f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.name not in hidden}
        if self.made_at is not None:
            told["made_at"] = rfc3339(self.made_at)
        if self.in_money:
            told["in_money"] = True
        return {name: value for name, value in told.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Level):
        return _plain(value.value) if value.basis is Basis.PRICE else level_to_json(value)
    return format(value, "f") if isinstance(value, Decimal) else value


def fingerprint(hook: str, message: Message) -> str:
    """What makes two alerts of a hook the same one: its own id, else what it says and when it was
    made. Without a time the whole alert counts, and only those of a short while are resends."""
    if message.own_id is not None:
        parts = [hook, "id", message.own_id]
    else:
        said = (
            *(message.ticker, message.act, message.order_id, message.quantity),
            # Two fills of one second differ in what is held after them.
            *(message.held, message.position),
        )
        made = message.made_at if message.made_at is not None else message.rest
        parts = [hook, "said", *(str(_plain(part)) for part in said), str(made)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:40]
