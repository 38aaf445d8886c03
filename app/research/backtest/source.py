"""Where a backtest's market comes from, whoever keeps it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from app.domain.instant import Instant
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.volume import VolumeCurve


class NoTape(ValueError):
    """There is no such tape; the message says what there is."""


class Past(Protocol):
    """What a day could know from the days before it; None where there are too few of them."""

    @property
    def curve(self) -> VolumeCurve | None: ...

    @property
    def daily_volume(self) -> Decimal | None: ...

    @property
    def volatility(self) -> float | None: ...


class Source(Protocol):
    """Recorded markets. Every method raises ports.FeedError or NoTape for what it cannot read."""

    def symbols(self) -> Sequence[str]: ...

    def instrument(self, symbol: str) -> Instrument | None:
        """None for a symbol that it does not have."""
        ...

    def sessions(self, symbol: str, span: tuple[Instant, Instant] | None) -> Sequence[Session]:
        """The sessions that overlap a span, in order; None: all."""
        ...

    def tape(self, symbol: str, session: Session) -> Tape: ...

    def past(self, symbol: str, session: Session) -> Past:
        """From earlier sessions only."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Which source to open: a dataset of the tape store, or what a feed plays. It travels to
    other processes, which open it for themselves."""

    tapes: Path
    dataset: str | None = None
    feed: str | None = None
    path: Path | None = None
    root: Path | None = None
    seed: int = 1
    starts_at: Instant | None = None


Opener = Callable[[Place], Source]
"""Handed in by whoever knows feeds; a function of a module, so that it can be sent."""
