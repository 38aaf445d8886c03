"""The bound that remains: what a frozen sender can still do, and where it can do nothing."""

from app.domain.instant import MINUTE
from tests.simulation.day import Failed, run

DAYS = 80


def test_only_a_deadline_outlasts_a_sender_slower_than_its_broker_declares() -> None:
    """Requests that stay under way for minutes: a broker that knows a deadline refuses them, at
    any other they may arrive after their quantity was given back."""
    refused = broken = 0
    for day in range(DAYS):
        try:
            _, house = run(9, day, longest=3 * MINUTE)
        except Failed as failed:
            assert failed.means.deadline is None, str(failed)
            assert str(failed.why).startswith("I18"), str(failed)
            broken += 1
        else:
            refused += house.scenario.means.deadline is not None
    assert refused > DAYS // 4
    assert broken > DAYS // 20
