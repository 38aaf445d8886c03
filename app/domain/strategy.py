"""What is set for a strategy: how its signals are judged, how far they go, how they are worked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.gate import StrategyKind
from app.domain.instant import Instant
from app.domain.mode import Mode

ANY = "*"
"""The name of what holds for strategies that nothing is set for, and for none."""

DEFAULT_GATES: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("freshness", {}),
    ("confidence", {}),
    ("reward_risk", {}),
    ("cost", {}),
)
"""Those that judge what the signal says of itself. Order flow and regime have to be switched on:
without their data no signal would pass."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """Settings of one strategy in one account. `gates` are asked in this order, each with what is
    set of its parameters. `smart` off: orders that leave the algorithm to us are worked plainly,
    as a market or limit order. `version` 0: nothing was ever set.

    `paper`: its mode was set where money is not real; None: nobody knows. `held_back` is a mode
    that is set, where it is not in force.
    """

    account: str
    name: str
    mode: Mode
    kind: StrategyKind | None = None
    gates: tuple[tuple[str, Mapping[str, Any]], ...] = DEFAULT_GATES
    smart: bool = True
    version: int = 0
    mode_since: Instant | None = None
    paper: bool | None = None
    held_back: Mode | None = None
