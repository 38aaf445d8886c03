"""What one process knows of strategies' settings."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from app.domain.mode import Mode, Terms
from app.domain.request import AUTO, Request
from app.domain.strategy import ANY, Strategy
from app.engine.remembered import Remembered
from app.store import strategies
from app.store.database import Database

REMEMBER_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class HouseRules:
    """What holds where nothing is set: `paper` are accounts whose broker has no real money,
    `smart` off makes every order plain that leaves the algorithm to us, `confidence` is the least
    a signal needs."""

    paper: frozenset[str] = frozenset()
    smart: bool = True
    confidence: float | None = None
    terms: Terms = field(default_factory=Terms)


class StrategyBook:
    """At most a quarter of a second old; whoever changes a strategy here sees it at once."""

    def __init__(self, database: Database, house: HouseRules | None = None) -> None:
        self._database = database
        self.house = house or HouseRules()
        self._known = Remembered(self._read, REMEMBER_SECONDS)

    async def of(self, account: str, name: str | None) -> Strategy:
        """What holds for a strategy: its own settings, else those of `*`, else the house's."""
        settings = await self._known.look()
        known = settings.get((account, name or ANY)) or settings.get((account, ANY))
        found = self.earned(known or self.default(account, name or ANY))
        return found if self.house.smart else replace(found, smart=False)

    async def applied(self, request: Request) -> Request:
        """The request, worked plainly where its strategy has smart execution off."""
        if request.algo != AUTO:
            return request
        strategy = await self.of(request.account, request.strategy)
        return request._replace(smart=strategy.smart)

    async def listed(self, accounts: Collection[str] | None) -> list[Strategy]:
        settings = await self._known.look()
        known = [s for s in settings.values() if accounts is None or s.account in accounts]
        return [self.earned(strategy) for strategy in known]

    def earned(self, strategy: Strategy) -> Strategy:
        """The strategy in the mode that it may be in where its account trades today: one that was
        set for play money sends nothing once the money is real."""
        real = strategy.account not in self.house.paper
        if real and (strategy.paper or strategy.mode is Mode.PAPER):
            return replace(strategy, mode=Mode.SHADOW, held_back=strategy.mode)
        return strategy

    def inherited(self, name: str, account: str, any_other: Strategy | None) -> Strategy:
        """What holds for a strategy that nothing is set for: what is set for `*`, if anything."""
        if any_other is None:
            return self.default(account, name)
        return replace(any_other, name=name, version=0)

    def default(self, account: str, name: str) -> Strategy:
        """Real money is not risked before somebody says so: there, signals are only recorded."""
        return Strategy(account, name, Mode.PAPER if account in self.house.paper else Mode.SHADOW)

    def forget(self) -> None:
        self._known.forget()

    async def _read(self) -> dict[tuple[str, str], Strategy]:
        async with self._database.connection() as connection:
            found = await strategies.listed(connection, None)
        return {(s.account, s.name): s for s in found}
