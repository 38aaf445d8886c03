"""The bound that remains: what a frozen sender can still do, and where it can do nothing."""

from app.domain.instant import MINUTE
from app.domain.recovery import IdScope, Means
from tests.simulation.day import Failed, run

DAYS = 80


def test_only_a_deadline_outlasts_a_sender_slower_than_its_broker_declares() -> None:
    """Requests that stay under way for minutes: a broker that knows a deadline refuses them, at
    any other they may arrive after their quantity was given back; and where the line doubles one
    (never we), its second copy may come after the broker has forgotten the id."""
    days = [_slow(day) for day in range(DAYS)]
    broken = [failed for failed, _ in days if failed is not None]
    assert len(broken) > DAYS // 20
    assert [str(f) for f in broken if f.means.deadline is not None] == []
    assert [str(f) for f in broken if not _bound(f)] == []
    refusing = [means for _, means in days if means is not None and means.deadline is not None]
    assert len(refusing) > DAYS // 4


def _bound(failed: Failed) -> bool:
    """Whether this is what the bound allows."""
    forgets = failed.means.id_scope is not IdScope.EVER
    return str(failed.why).startswith(("I18", "I7") if forgets else "I18")


def _slow(day: int) -> tuple[Failed | None, Means | None]:
    try:
        _, house = run(9, day, longest=3 * MINUTE)
    except Failed as failed:
        return failed, None
    return None, house.scenario.means
