"""How the surface behaves, from settings."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.request import AUTO


@dataclass(frozen=True, slots=True)
class Surface:
    """`default_algo` works plain orders of keys that name none; `refuse_large`: a plain order too
    large to be sent whole is refused instead of routed. `binary`: how stream frames travel.
    `replay_seconds`: how far back a stream that connects again is told. `cash`: what a paper
    account is shown to have started with; None: no money is told."""

    default_algo: str = AUTO
    refuse_large: bool = False
    binary: bool = True
    replay_seconds: float = 0.0
    cash: Decimal | None = None
