"""A hook: a secret address at which alerts arrive, and what one may do with them at most."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.domain.instant import Instant, Micros, seconds


class Sizes(StrEnum):
    """Where a hook takes the size of its orders from."""

    MESSAGE = "message"
    """Action and quantity of the alert."""
    FIXED = "fixed"
    """The alert's action, always the same quantity."""
    POSITION = "position"
    """The position that the alert says its strategy has: a lost or doubled one does no harm."""


@dataclass(frozen=True, slots=True)
class Hook:
    """`symbols` maps tickers to our symbols and is all that is let in; None: any ticker.

    Caps are per signal, `per_minute` counts signals. `max_lag` is how old an alert may be, by its
    own time; None: it needs none. `sources` are addresses and networks that may send; None: any.
    """

    account: str
    id: str
    name: str
    strategy: str
    symbols: Mapping[str, str] | None
    sizes: Sizes
    fixed_qty: Decimal | None
    max_qty: Decimal | None
    max_notional: Decimal | None
    per_minute: int
    max_lag: Micros | None
    sources: tuple[str, ...] | None
    expires_at: Instant | None
    has_passphrase: bool = False
    made_at: Instant = 0
    made_by: str = ""
    ended_at: Instant | None = None
    used_at: Instant | None = None
    refused_at: Instant | None = None
    refused: str | None = None
    salt: bytes | None = field(default=None, repr=False)
    passphrase_sha256: bytes | None = field(default=None, repr=False)

    @property
    def source(self) -> str:
        """Of its signals."""
        return f"tradingview:{self.id}"

    def plain(self) -> dict[str, Any]:
        """What is set, for the audit trail."""
        return {
            "name": self.name,
            "strategy": self.strategy,
            "symbols": dict(self.symbols) if self.symbols is not None else "any",
            "sizes": self.sizes.value,
            "fixed_qty": _text(self.fixed_qty),
            "max_qty": _text(self.max_qty),
            "max_notional": _text(self.max_notional),
            "per_minute": self.per_minute,
            "max_lag": seconds(self.max_lag) if self.max_lag is not None else None,
            "sources": list(self.sources) if self.sources is not None else None,
            "passphrase": self.has_passphrase,
        }


def _text(value: Decimal | None) -> str | None:
    return format(value, "f") if value is not None else None
