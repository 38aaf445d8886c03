"""A whole backtest, part by part."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from app.domain.scene import Rules
from app.research.backtest.draw import Deck, draw
from app.research.backtest.outcome import outcome
from app.research.backtest.plan import Plan, check
from app.research.backtest.pool import parts, rows_of
from app.research.backtest.source import Opener, Place
from app.research.backtest.work import Row, Setting


@dataclass(frozen=True, slots=True)
class Backtest:
    """A plan with its parents drawn. The same plan and tape always give the same rows."""

    setting: Setting
    deck: Deck

    @property
    def plan(self) -> Plan:
        return self.setting.plan

    def rows(self, jobs: int = 1) -> Generator[list[Row]]:
        """Rows as they are done, in no order; closing the iterator stops the work."""
        return rows_of(self.setting, parts(self.deck.parents), jobs)

    def outcome(self, rows: list[Row]) -> dict[str, Any]:
        """The result of these rows; with fewer than all parents it is marked as partial."""
        partial = len(rows) < len(self.deck.parents)
        return outcome(self.plan, rows, self.deck.left_out, partial=partial)


def prepared(plan: Plan, place: Place, opener: Opener, rules: Rules) -> Backtest:
    """Raises Refusal for a plan that cannot be, NoTape or FeedError without its tape."""
    source = opener(place)
    return Backtest(Setting(check(plan), place, opener, rules), draw(plan, source))
