"""Engines with one mistake each: a campaign without violations counts only if it finds them all."""

from dataclasses import fields

import pytest

from tests.simulation.bugs import Bugs
from tests.simulation.campaign import days
from tests.simulation.day import Failed, run

DAYS = 300
FOUND_BY = {
    "resend_on_timeout": ("I7", "I3"),
    "mark_before_apply": ("I1",),
    "no_dedupe": ("I1", "no more is void"),
    "no_epoch_check": ("I23",),
    "no_version_check": ("I13", "a quantity of order"),
    "no_halt_in_commit": ("I13",),
    "send_before_intent": ("I8", "I7"),
    "send_before_reconcile": ("I25",),
    "release_without_proof": ("I18",),
    "ignore_deadline": ("I18",),
    "ignore_lag": ("I18",),
    "no_send_by": ("I18",),
    "timeout_is_rejection": ("I3", "I19"),
    "end_before_late_fill": ("I3",),
    "duplicate_refusal_is_final": ("I3",),
    "never_ask_executions": ("I1",),
    "ignore_busts": ("I1",),
    "cancel_once": ("I28",),
    "no_bound": ("I28",),
}
"""What each mistake breaks: found for another reason, it would prove nothing about this one."""


def failure(name: str) -> Failed:
    _, failed = days(1, range(DAYS), Bugs(**{name: True}))
    assert failed is not None, f"{name} went unnoticed through {DAYS} days"
    return failed


def test_every_mistake_has_its_invariant() -> None:
    assert set(FOUND_BY) == {f.name for f in fields(Bugs)}


@pytest.mark.parametrize("name", FOUND_BY)
def test_a_planted_mistake_is_found(name: str) -> None:
    failed = failure(name)
    assert any(str(failed.why).startswith(what) for what in FOUND_BY[name]), str(failed)


def test_a_failing_day_says_how_to_see_it_again() -> None:
    failed = failure("timeout_is_rejection")
    again = f"python -m tests.simulation --seed 1 --day {failed.day} --verbose"
    assert again in str(failed)
    with pytest.raises(Failed) as caught:
        run(1, failed.day, Bugs(timeout_is_rejection=True))
    assert str(caught.value) == str(failed)
    assert "child.rejected" in str(failed), "the last steps are told"
