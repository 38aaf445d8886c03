"""Labels: what dominates, where they are entered and left, how often they may change."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.domain.regime.labels import Held, Rules, confidence, held
from app.domain.regime.record import Components, Label

RULES = Rules(dwell=3)
CALM = Components(
    at=0,
    variance_ratio=1.0,
    z=0.1,
    volatility=0.01,
    typical=0.01,
    percentile=0.5,
    drawdown=0.0,
    bars=1000,
)
FAST = replace(CALM, volatility=0.03, percentile=0.95)
FALLEN = replace(FAST, drawdown=0.06)

PARTS = st.builds(
    Components,
    at=st.just(0),
    variance_ratio=st.just(1.0),
    z=st.floats(-4, 4),
    volatility=st.floats(0.005, 0.05),
    typical=st.just(0.01),
    percentile=st.floats(0, 1),
    drawdown=st.floats(0, 0.1),
    bars=st.just(1000),
)


def run(series: list[Components], rules: Rules = RULES) -> list[Held]:
    found: list[Held] = []
    for at, parts in enumerate(series):
        found.append(held(found[-1] if found else None, replace(parts, at=at), rules))
    return found


def labels(*series: Components) -> list[str]:
    return [of.label.value for of in run(list(series))]


def test_what_is_asked_first_wins() -> None:
    trending = replace(CALM, z=3.0)
    assert labels(trending) == ["trending"]
    assert labels(replace(CALM, z=-3.0)) == ["mean_reverting"]
    assert labels(replace(FAST, z=3.0)) == ["volatile"]
    assert labels(replace(FALLEN, z=3.0)) == ["crisis"]


def test_a_fall_in_a_calm_market_and_a_calm_that_is_fast_for_itself_are_neither() -> None:
    assert labels(replace(FALLEN, percentile=0.6, volatility=0.01)) == ["trending"]
    assert labels(replace(FAST, volatility=0.012)) == ["trending"], "hardly more than usual"


def test_a_label_stays_between_the_thresholds() -> None:
    half = replace(FAST, percentile=0.7, volatility=0.013)
    assert labels(half) == ["trending"]
    assert labels(*[FAST] * 4, half, half) == ["volatile"] * 6
    assert labels(*[FAST] * 4, CALM) == ["volatile"] * 4 + ["trending"]
    recovering = replace(FALLEN, drawdown=0.04, percentile=0.6)
    assert labels(*[FALLEN] * 4, recovering) == ["crisis"] * 5
    unsure = replace(CALM, z=0.9)
    assert labels(*[replace(CALM, z=-2.0)] * 4, unsure) == ["mean_reverting"] * 5


def test_a_label_stays_for_its_dwell_but_a_crisis_begins_at_once() -> None:
    assert labels(FAST, CALM, CALM, CALM) == ["volatile"] * 3 + ["trending"]
    assert labels(FAST, FALLEN) == ["volatile", "crisis"]
    assert labels(FALLEN, CALM, CALM, CALM) == ["crisis"] * 3 + ["trending"]


@given(st.lists(PARTS, min_size=1, max_size=80), st.integers(1, 12))
def test_it_cannot_flip_faster_than_its_dwell(series: list[Components], dwell: int) -> None:
    found = run(series, Rules(dwell=dwell))
    flips = [k for k in range(1, len(found)) if found[k].label is not found[k - 1].label]
    sudden = [k for k in flips if found[k].label is Label.CRISIS]
    assert len(flips) - len(sudden) <= len(found) / dwell
    assert len(flips) <= 2 * len(found) / dwell + 1
    for k in flips:
        if k not in sudden:
            assert found[k - 1].bars >= dwell
    assert [of.since for of in found] == [
        max([0, *(f for f in flips if f <= k)]) for k in range(len(found))
    ]


@given(st.lists(PARTS, min_size=1, max_size=40), st.lists(PARTS, max_size=10))
def test_filtered_never_smoothed(series: list[Components], later: list[Components]) -> None:
    assert run([*series, *later])[: len(series)] == run(series)


@given(PARTS, st.sampled_from(Label))
def test_confidence_is_a_share(parts: Components, label: Label) -> None:
    assert 0 <= confidence(label, parts, RULES) <= 1


def test_confidence_grows_with_what_the_label_says() -> None:
    assert confidence(Label.TRENDING, replace(CALM, z=0.0), RULES) == 0.5
    assert confidence(Label.TRENDING, replace(CALM, z=2.0), RULES) > 0.97
    assert confidence(Label.MEAN_REVERTING, replace(CALM, z=2.0), RULES) < 0.03
    assert confidence(Label.CRISIS, replace(FALLEN, drawdown=0.05), RULES) == 0.5
    assert confidence(Label.CRISIS, replace(FALLEN, drawdown=0.03), RULES) == 0
    assert confidence(Label.CRISIS, replace(FALLEN, drawdown=0.2), RULES) == 1


def test_two_hidden_states_are_found_again() -> None:
    """Gaussian, means three deviations apart, each staying with probability 0.98 (quant.md §5).

    Measured: 0.924 with the dwell as shipped, 0.968 with three bars; by the sign alone 0.933.
    """
    right = {3: 0.0, Rules().dwell: 0.0}
    for dwell in right:
        for seed in range(10):
            random = np.random.default_rng(seed)
            state, hits = 1, 0
            label: Held | None = None
            for at in range(2000):
                state = -state if random.random() > 0.98 else state
                parts = replace(CALM, at=at, z=random.normal(1.5 * state, 1))
                label = held(label, parts, Rules(dwell=dwell))
                hits += (label.label is Label.TRENDING) == (state > 0)
            right[dwell] += hits / 20_000
    assert right[3] > 0.95
    assert right[Rules().dwell] > 0.9
