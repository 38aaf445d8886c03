"""Engines with one mistake each: a campaign without violations counts only if it finds them all."""

from dataclasses import fields

import pytest

from tests.simulation.bugs import Bugs
from tests.simulation.campaign import days
from tests.simulation.day import Failed, run
from tests.simulation.wrong import WRONG, planted

DAYS = 300
FOUND_BY = {
    "resend_on_timeout": ("I7", "I3"),
    "mark_before_apply": ("I1", "no more is void"),
    "no_dedupe": ("I1", "I3 excess that no broker made", "no more is void"),
    "no_epoch_check": ("I23",),
    "no_version_check": ("I13", "a quantity of order"),
    "no_halt_in_commit": ("I13",),
    # Word of a child that is in no journal yet.
    "send_before_intent": ("I8", "I7", "KeyError"),
    "send_before_reconcile": ("I25",),
    "release_without_proof": ("I18",),
    "ignore_deadline": ("I18",),
    "ignore_lag": ("I18",),
    "no_send_by": ("I18",),
    "timeout_is_rejection": ("I3", "I19"),
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
    words = (str(failed.why), str(failed))
    assert any(word.startswith(FOUND_BY[name]) for word in words), str(failed)


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_in_the_products_own_code_is_found(name: str) -> None:
    """Both the server and the simulation run it: what is wrong there is wrong here."""
    with planted(WRONG[name]):
        _, failed = days(1, range(DAYS))
    assert failed is not None, f"{name} went unnoticed through {DAYS} days"
    assert str(failed.why).startswith(WRONG[name].breaks), str(failed)


def test_nothing_stays_planted() -> None:
    for wrong in WRONG.values():
        right = wrong.function.__code__
        with planted(wrong):
            assert wrong.function.__code__ is not right
        assert wrong.function.__code__ is right


def test_a_failing_day_says_how_to_see_it_again() -> None:
    failed = failure("timeout_is_rejection")
    again = f"python -m tests.simulation --seed 1 --day {failed.day} --verbose"
    assert again in str(failed)
    with pytest.raises(Failed) as caught:
        run(1, failed.day, Bugs(timeout_is_rejection=True))
    assert str(caught.value) == str(failed)
    assert "child.rejected" in str(failed), "the last steps are told"
