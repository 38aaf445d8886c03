"""A limit that is set: for whom, how much, and whether a person may confirm beyond it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from app.domain.risk.limit import LIMITS, Held, Limit, Scope

EVERYTHING = "*"
"""The one name in the scope `all`."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit set for one name in a scope; at least one of `hard` and `soft` is given.

    Beyond `hard` an order is refused, whoever confirms it. Beyond `soft` it needs a confirmation
    that names the limit. `version` is the number of the change that set it; 0: by settings.
    """

    limit: Limit
    scope: Scope
    name: str
    hard: Decimal | None = None
    soft: Decimal | None = None
    version: int = 0

    def bears_on(self, *, account: str, key: str | None, strategy: str | None, symbol: str) -> bool:
        match self.scope:
            case Scope.ALL:
                return True
            case Scope.ACCOUNT:
                return self.name == account
            case Scope.KEY:
                return self.name == key
            case Scope.STRATEGY:
                return self.name == strategy
            case Scope.SYMBOL:
                return self.name == symbol


@dataclass(frozen=True, slots=True)
class Bounds:
    """All bounds there are, as of one version of them."""

    bounds: tuple[Bound, ...] = ()
    version: int = 0

    def on(
        self, *, account: str, key: str | None, strategy: str | None, symbol: str
    ) -> tuple[Bound, ...]:
        """Those that bear on an order."""
        return tuple(
            b
            for b in self.bounds
            if b.bears_on(account=account, key=key, strategy=strategy, symbol=symbol)
        )


def house_bounds(**hard: Decimal | None) -> tuple[Bound, ...]:
    """Hard bounds on everything, by the name of the limit; None: no such bound."""
    return tuple(
        Bound(LIMITS[name], Scope.ALL, EVERYTHING, hard=value)
        for name, value in hard.items()
        if value is not None
    )


def held_against(bounds: Iterable[Bound], *held: Held) -> tuple[Bound, ...]:
    return tuple(bound for bound in bounds if bound.limit.held in held)
