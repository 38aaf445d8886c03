"""When silence is proof: never before its time, never where a broker cannot prove anything."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.instant import MILLISECOND, SECOND
from app.domain.recovery import (
    LOOKUPS_APART,
    MARGIN,
    NO_PROOF,
    OPERATOR_AFTER,
    POSITIONS_DISAGREE,
    QUARANTINE_DEFAULT,
    Absent,
    AskAgain,
    IdScope,
    Lookup,
    Means,
    NeedsOperator,
    NeedsPosition,
    Silence,
    Verdict,
    apart,
    judge,
)

LAG = 500 * MILLISECOND
TICK = 1


def after(lasted: int, misses: int = 2, agree: bool | None = None) -> Silence:
    return Silence(intended_for=lasted, missed_for=lasted, misses=misses, positions_agree=agree)


def test_ids_unique_for_ever_prove_absence_after_lag_and_quarantine() -> None:
    means = Means(IdScope.EVER, Lookup.ALL, LAG, quarantine=2 * SECOND)
    wait = 2 * SECOND + LAG
    assert judge(means, after(wait - TICK, misses=9)) == AskAgain(TICK)
    assert judge(means, after(wait, misses=1)) == Absent()


def test_a_frozen_sender_is_outwaited_where_the_broker_knows_a_deadline() -> None:
    means = Means(IdScope.EVER, Lookup.ALL, LAG, quarantine=0, deadline=5 * SECOND)
    wait = 5 * SECOND + LAG + MARGIN
    early = Silence(intended_for=wait - TICK, missed_for=LAG, misses=1)
    assert judge(means, early) == AskAgain(TICK)
    assert judge(means, replace(early, intended_for=wait)) == Absent()


@pytest.mark.parametrize("scope", [IdScope.OPEN_ONLY, IdScope.WINDOW])
def test_a_deadline_proves_absence_with_two_lookups(scope: IdScope) -> None:
    means = Means(scope, Lookup.ALL, LAG, quarantine=9 * SECOND, deadline=5 * SECOND)
    wait = 5 * SECOND + LAG + MARGIN
    assert judge(means, after(wait - TICK)) == AskAgain(TICK)
    assert judge(means, after(wait, misses=1)) == AskAgain(LOOKUPS_APART)
    assert judge(means, Silence(wait, 0, 1)) == AskAgain(LOOKUPS_APART)
    assert judge(means, after(wait, misses=2)) == Absent()


@pytest.mark.parametrize("scope", [IdScope.OPEN_ONLY, IdScope.WINDOW])
@pytest.mark.parametrize(("own", "counts"), [(0, QUARANTINE_DEFAULT), (7 * SECOND, 7 * SECOND)])
def test_without_a_deadline_quarantine_and_positions_decide(
    scope: IdScope, own: int, counts: int
) -> None:
    means = Means(scope, Lookup.ALL, LAG, quarantine=own)
    wait = counts + LAG
    assert judge(means, after(wait - TICK, agree=True)) == AskAgain(TICK)
    assert judge(means, after(wait, misses=1, agree=True)) == AskAgain(LOOKUPS_APART)
    assert judge(means, after(wait)) == NeedsPosition()
    assert judge(means, after(wait, agree=True)) == Absent()
    assert isinstance(judge(means, after(wait, agree=False)), AskAgain)
    late = after(OPERATOR_AFTER, agree=False)
    assert judge(means, late) == NeedsOperator(POSITIONS_DISAGREE)


UNPROVABLE = [
    (scope, lookup)
    for scope, lookup in product(IdScope, Lookup)
    if scope is IdScope.NONE or lookup is not Lookup.ALL
]


@pytest.mark.parametrize(("scope", "lookup"), UNPROVABLE)
@pytest.mark.parametrize("deadline", [None, SECOND])
def test_where_nothing_can_be_proven_a_person_decides(
    scope: IdScope, lookup: Lookup, deadline: int | None
) -> None:
    means = Means(scope, lookup, 0, 0, deadline)
    assert judge(means, after(OPERATOR_AFTER - TICK, agree=True)) == AskAgain(TICK)
    for silent_for in (OPERATOR_AFTER, 1000 * OPERATOR_AFTER):
        assert judge(means, after(silent_for, 9, agree=True)) == NeedsOperator(NO_PROOF)
    assert judge(means, after(5 * SECOND), operator_after=5 * SECOND) == NeedsOperator(NO_PROOF)


def test_two_lookups_are_apart_by_the_lag_and_a_second_at_least() -> None:
    assert apart(Means(IdScope.EVER, Lookup.ALL, LAG)) == LOOKUPS_APART
    assert apart(Means(IdScope.EVER, Lookup.ALL, 3 * SECOND)) == 3 * SECOND


# Any broker, any evidence

lengths = st.integers(0, 200 * SECOND)
MEANS = st.builds(
    Means,
    st.sampled_from(IdScope),
    st.sampled_from(Lookup),
    st.integers(0, 10 * SECOND),
    st.integers(0, 90 * SECOND),
    st.none() | st.integers(0, 60 * SECOND),
)
SILENCES = st.builds(
    lambda missed, before, misses, agree: Silence(missed + before, missed, misses, agree),
    lengths,
    lengths,
    st.integers(1, 5),
    st.sampled_from([None, True, False]),
)


def waits(means: Means) -> tuple[int, int]:
    """The least time since the intent and since the first miss, said again in the plainest way."""
    late = 0 if means.deadline is None else means.deadline + means.lookup_lag + MARGIN
    if means.id_scope is IdScope.EVER:
        return late, means.quarantine + means.lookup_lag
    if means.deadline is not None:
        return late, apart(means)
    return 0, (means.quarantine or QUARANTINE_DEFAULT) + means.lookup_lag


@given(MEANS, SILENCES)
def test_nothing_is_absent_before_the_sum_of_its_waits(means: Means, silence: Silence) -> None:
    since_intended, since_missed = waits(means)
    if judge(means, silence) == Absent():
        assert means.id_scope is not IdScope.NONE
        assert means.lookup is Lookup.ALL
        assert silence.intended_for >= since_intended
        assert silence.missed_for >= since_missed
        if means.id_scope is not IdScope.EVER:
            assert silence.misses >= 2
            assert silence.positions_agree is True or means.deadline is not None


@given(MEANS, SILENCES, lengths, st.integers(0, 3))
def test_more_of_the_same_silence_never_takes_proof_back(
    means: Means, silence: Silence, longer: int, more: int
) -> None:
    later = Silence(
        silence.intended_for + longer,
        silence.missed_for + longer,
        silence.misses + more,
        silence.positions_agree,
    )
    before, now = judge(means, silence), judge(means, later)
    assert rank(now) >= rank(before)
    if isinstance(before, Absent | NeedsOperator):
        assert now == before


@given(MEANS, SILENCES)
def test_whoever_keeps_asking_gets_an_answer(means: Means, silence: Silence) -> None:
    """Told again when it asked to be, with positions compared when asked for: it always ends."""
    silence = replace(silence, positions_agree=None)
    for _ in range(1000):
        verdict = judge(means, silence)
        match verdict:
            case Absent() | NeedsOperator():
                return
            case NeedsPosition():
                silence = replace(silence, positions_agree=True)
            case AskAgain(length):
                assert length > 0
                counts = length >= apart(means)
                silence = Silence(
                    silence.intended_for + length,
                    silence.missed_for + length,
                    silence.misses + counts,
                )
    raise AssertionError("asked a thousand times")


def rank(verdict: Verdict) -> int:
    return 0 if isinstance(verdict, AskAgain) else 1
