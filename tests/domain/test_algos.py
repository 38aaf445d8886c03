"""What every algorithm promises, found by looking; and what each one is for."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.algorithm import Algorithm, Kind, Parameter, Terms, complete
from app.domain.algos import BY_NAME
from app.domain.instant import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from app.domain.plan import CATCH_UP_SLICES, Plan
from app.domain.quantity import ZERO, Side, split
from app.domain.refusal import Refusal
from app.domain.task import Anchor, Task
from app.domain.volume import VolumeCurve
from tests.domain.tasks import ALWAYS, NO_MARKET, OPEN, SESSION, a_task

D = Decimal

EVERY = sorted(set(BY_NAME) - {"pov"})
"""All whose plan is a staircase in time."""
SCHEDULED = sorted(name for name, a in BY_NAME.items() if a.parameter("jitter") is not None)


def plan_of(task: Task, anchor: Anchor | None = None) -> Plan:
    return BY_NAME[task.algo].plan(task, anchor or Anchor(task.start, ZERO))


def calm(**params: Any) -> dict[str, Any]:
    return {"jitter": 0, **params}


def sizes(plan: Plan) -> list[Decimal]:
    return [step.qty for step in plan.steps]


def known(algo: str, given: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in given.items() if BY_NAME[algo].parameter(k) is not None}


@st.composite
def tasks(draw: st.DrawFn, names: list[str] = EVERY) -> Task:
    algo = draw(st.sampled_from(names))
    lot = draw(st.sampled_from(["1", "0.001", "100"]))
    units = draw(st.integers(1, 10**6))
    length = draw(st.sampled_from([1, 7, 500 * MILLISECOND, SECOND, MINUTE, HOUR, 390 * MINUTE]))
    wanted = {
        "slices": draw(st.integers(1, 40) | st.just(1000)),
        "jitter": draw(st.sampled_from([0, "0.5", 30, 3600])),
        "placement": draw(st.sampled_from(["cross", "rest_then_cross", "peg", "step_up"])),
        "size_jitter": draw(st.sampled_from([0, "0.2", "0.5"])),
        "completion": draw(st.sampled_from(["finish", "leave"])),
        "min_child": draw(st.sampled_from([None, "1", "250", "0.5"])),
        "lot": draw(st.sampled_from([None, "10", "100"])),
        "patience": draw(st.sampled_from([None, 0, "1.5", 86_400])),
    }
    session = draw(st.sampled_from([SESSION, ALWAYS]))
    return a_task(
        algo,
        D(lot) * units,
        lot=lot,
        min_qty=lot,
        length=length,
        start=OPEN + draw(st.integers(0, 389)) * MINUTE,
        session=session,
        side=draw(st.sampled_from(list(Side))),
        seed=draw(st.sampled_from(["a", "b", "c"])),
        params=known(algo, {k: v for k, v in wanted.items() if v is not None}),
    )


@st.composite
def anchors(draw: st.DrawFn, task: Task) -> Anchor:
    at = task.start + draw(st.integers(0, max(task.end - task.start - 1, 0)))
    lot = task.instrument.lot
    return Anchor(at, lot * draw(st.integers(0, int(task.qty / lot))))


# Every algorithm


@given(st.data())
def test_a_plan_covers_exactly_the_rest(data: st.DataObject) -> None:
    task = data.draw(tasks())
    anchor = data.draw(st.just(Anchor(task.start, ZERO)) | anchors(task))
    plan = plan_of(task, anchor)
    assert sum(sizes(plan), ZERO) == task.qty - anchor.done
    assert plan.done == anchor.done
    assert plan.largest == max(sizes(plan), default=ZERO)
    assert plan.interval >= 1
    assert plan.envelope(task.end, NO_MARKET).may == task.qty


@given(st.data())
def test_steps_lie_inside_the_window(data: st.DataObject) -> None:
    task = data.draw(tasks())
    anchor = data.draw(st.just(Anchor(task.start, ZERO)) | anchors(task))
    for step in plan_of(task, anchor).steps:
        assert anchor.at <= step.at < task.end
        if step.due_at is not None:
            assert step.at <= step.due_at <= task.end
            in_time = step.due_at < task.end or task.end - anchor.at < 10
            assert in_time or task.params.get("completion") == "leave"


@given(st.data())
def test_must_never_passes_may_nor_may_the_quantity(data: st.DataObject) -> None:
    task = data.draw(tasks())
    anchor = data.draw(st.just(Anchor(task.start, ZERO)) | anchors(task))
    plan = plan_of(task, anchor)
    edges = sorted({*plan.may_at, *plan.must_at})
    seen = [plan.envelope(at, NO_MARKET) for at in (anchor.at - 1, *edges, task.end)]
    for envelope in seen:
        assert anchor.done <= envelope.must <= envelope.may <= task.qty
    for earlier, later in pairwise(seen):
        assert earlier.must <= later.must
        assert earlier.may <= later.may


@given(tasks())
def test_a_plan_is_the_same_again(task: Task) -> None:
    assert plan_of(task) == plan_of(task)


@given(tasks(), st.integers(0, 10**6))
def test_an_anchor_with_nothing_left_plans_nothing(task: Task, late: int) -> None:
    plan = plan_of(task, Anchor(min(task.start + late, task.end), task.qty))
    assert plan.steps == ()
    assert plan.envelope(task.end, NO_MARKET).may == task.qty


@given(tasks())
def test_crossing_is_due_at_once_and_patience_is_kept(task: Task) -> None:
    placement, patience = task.params.get("placement"), task.params.get("patience")
    for step in plan_of(task).steps:
        if placement == "cross":
            assert step.due_at == step.at
        elif patience is not None and step.due_at is not None:
            assert step.due_at - step.at <= patience * SECOND


# Those that slice


@pytest.mark.parametrize("algo", SCHEDULED)
def test_patience_by_default_is_half_a_slice_and_a_minute_at_most(algo: str) -> None:
    def patience(minutes: int) -> set[int]:
        task = a_task(algo, length=minutes * MINUTE, params=calm(slices=10))
        return {s.due_at - s.at for s in plan_of(task).steps if s.due_at is not None}

    assert patience(10) == {30 * SECOND}
    assert patience(60) == {60 * SECOND}


@pytest.mark.parametrize("algo", SCHEDULED)
def test_a_long_patience_still_ends_before_the_slice_does(algo: str) -> None:
    task = a_task(algo, params=calm(slices=10, patience=3600))
    for k, step in enumerate(plan_of(task).steps):
        assert step.due_at == OPEN + (k + 1) * MINUTE - 6 * SECOND


@pytest.mark.parametrize("algo", SCHEDULED)
@pytest.mark.parametrize("slices", [1, 2, 7, 10, 1000])
def test_without_jitter_slices_start_on_the_grid(algo: str, slices: int) -> None:
    task = a_task(algo, 10**6, length=HOUR, params=calm(slices=slices))
    at = [step.at for step in plan_of(task).steps]
    assert at == [OPEN + HOUR * k // slices for k in range(slices)]


@given(tasks(SCHEDULED))
def test_jitter_is_bounded(task: Task) -> None:
    count = task.params.get("slices") or 1
    jittered = plan_of(task)
    still = plan_of(task._replace(params={**task.params, "jitter": 0}))
    length = (task.end - task.start) // count + 1
    reach = min(int(task.params["jitter"] * SECOND), length // 2)
    for moved, nominal in zip(jittered.steps, still.steps, strict=True):
        assert moved.qty == nominal.qty
        assert nominal.at <= moved.at <= nominal.at + 2 * reach


@pytest.mark.parametrize("algo", SCHEDULED)
def test_jitter_keeps_the_mean(algo: str) -> None:
    jitter, slices = 20, 1000
    task = a_task(algo, 10**6, length=1000 * MINUTE, session=ALWAYS, params={"slices": slices})
    task = task._replace(params={**task.params, "jitter": jitter})
    offsets = [step.at - OPEN - k * MINUTE for k, step in enumerate(plan_of(task).steps)]
    assert len(offsets) == slices
    # The middle of the draw is `jitter` into the slot; a uniform one spreads by jitter / √3.
    assert abs(sum(offsets) / slices - jitter * SECOND) < 1.5 * SECOND
    assert min(offsets) < 2 * SECOND
    assert max(offsets) > 38 * SECOND


@pytest.mark.parametrize("algo", SCHEDULED)
def test_the_seed_and_nothing_else_moves_the_slices(algo: str) -> None:
    one, other = a_task(algo, seed="one"), a_task(algo, seed="other")
    assert [s.at for s in plan_of(one).steps] != [s.at for s in plan_of(other).steps]
    bigger = one._replace(qty=D(2000), order_id="o2")
    assert [s.at for s in plan_of(one).steps] == [s.at for s in plan_of(bigger).steps]


@pytest.mark.parametrize("algo", SCHEDULED)
def test_from_half_way_the_slices_keep_their_length(algo: str) -> None:
    task = a_task(algo, params=calm(slices=10))
    plan = plan_of(task, Anchor(OPEN + 5 * MINUTE, D(500)))
    assert [s.at for s in plan.steps] == [OPEN + k * MINUTE for k in range(5, 10)]
    assert sum(sizes(plan), ZERO) == 500
    late = plan_of(task, Anchor(OPEN + 5 * MINUTE, D(200)))
    assert len(late.steps) == 5


@pytest.mark.parametrize("algo", ["twap", "vwap"])
@pytest.mark.parametrize("left", [50, 90, 300])
def test_far_behind_the_slices_come_closer_but_grow_no_further(algo: str, left: int) -> None:
    flat = VolumeCurve((0, SESSION.length), (1.0,), False, "flat")
    task = a_task(algo, curve=flat, params=calm(slices=10))
    plan = plan_of(task, Anchor(task.end - left * SECOND, D(50)))
    assert plan.largest <= CATCH_UP_SLICES * 100 + 1
    gaps = {b - a for a, b in pairwise(plan.may_at)}
    assert min(gaps) >= SECOND


def test_a_second_before_the_end_the_rest_is_one_slice() -> None:
    task = a_task(params=calm(slices=10))
    assert sizes(plan_of(task, Anchor(task.end - SECOND, D(50)))) == [D(950)]


@pytest.mark.parametrize("algo", SCHEDULED)
@pytest.mark.parametrize("length", [1, 3, 999, SECOND])
def test_tiny_windows_still_work(algo: str, length: int) -> None:
    task = a_task(algo, 10**6, length=length, params={"slices": 1000})
    plan = plan_of(task)
    assert sum(sizes(plan), ZERO) == 10**6
    assert len(plan.steps) == min(length, 1000)


@given(st.integers(1, 10**6), st.integers(1, 1000), st.sampled_from(["1", "0.001", "100"]))
def test_twap_is_equal_slices(units: int, slices: int, lot: str) -> None:
    task = a_task("twap", D(lot) * units, lot=lot, min_qty=lot, params=calm(slices=slices))
    expected = split(task.qty, [1.0] * slices, lot=D(lot))
    assert sizes(plan_of(task)) == [size for size in expected if size > 0]
    assert max(sizes(plan_of(task))) - min(sizes(plan_of(task))) <= D(lot)


@pytest.mark.parametrize("slices", [1, 2, 3, 7, 13, 26, 390])
def test_vwap_on_a_flat_curve_is_twap(slices: int) -> None:
    flat = VolumeCurve((0, SESSION.length), (1.0,), False, "flat")
    both = [
        a_task(algo, 39_000_007, length=SESSION.length, curve=flat, params=calm(slices=slices))
        for algo in ("twap", "vwap")
    ]
    twap, vwap = (plan_of(task) for task in both)
    assert twap.may_at == vwap.may_at
    assert all(abs(a - b) <= 1 for a, b in zip(sizes(twap), sizes(vwap), strict=True))


def test_vwap_around_midnight_where_markets_never_close_is_twap() -> None:
    for start in (OPEN, 19_701 * DAY - 5 * MINUTE):
        kw: dict[str, Any] = {"start": start, "session": ALWAYS, "params": calm(slices=10)}
        twap = plan_of(a_task("twap", 10**9, **kw))
        vwap = plan_of(a_task("vwap", 10**9, **kw))
        assert sizes(twap) == sizes(vwap)


def test_vwap_follows_the_curve() -> None:
    task = a_task("vwap", 100_000, length=SESSION.length, params=calm(slices=13))
    shares = [0.15, 0.12, *[0.50 / 9] * 9, 0.12, 0.11]
    for size, share in zip(sizes(plan_of(task)), shares, strict=True):
        assert abs(size - D(share) * 100_000) <= 1


def test_vwap_from_a_late_anchor_renormalises() -> None:
    task = a_task("vwap", 100_000, length=SESSION.length, params=calm(slices=13))
    plan = plan_of(task, Anchor(OPEN + 330 * MINUTE, D(77_000)))
    assert sizes(plan) == [D(12_000), D(11_000)]


@given(st.lists(st.integers(0, 1000), min_size=13, max_size=13).filter(any))
def test_vwap_slices_are_the_volume_shares(bins: list[int]) -> None:
    shares = tuple(b / sum(bins) for b in bins)
    edges = tuple(k * 30 * MINUTE for k in range(14))
    curve = VolumeCurve(edges, shares, False, "test")
    task = a_task("vwap", 10**6, length=SESSION.length, curve=curve, params=calm(slices=13))
    plan = plan_of(task)
    by_time = dict(zip(plan.may_at, sizes(plan), strict=True))
    for k, share in enumerate(shares):
        assert abs(by_time.get(OPEN + edges[k], ZERO) - D(share) * 10**6) <= 1
    assert all(a <= b for a, b in pairwise(plan.may))
    assert list(accumulate(sizes(plan)))[-1] == 10**6


def test_vwap_where_nothing_is_expected_spreads_evenly() -> None:
    curve = VolumeCurve((0, HOUR, SESSION.length), (1.0, 0.0), False, "morning only")
    task = a_task("vwap", start=OPEN + 2 * HOUR, curve=curve, params=calm(slices=4))
    assert sizes(plan_of(task)) == [D(250)] * 4


def test_vwap_slices_every_five_minutes_by_default() -> None:
    assert len(plan_of(a_task("vwap", 10**6, length=HOUR)).steps) == 12
    assert len(plan_of(a_task("vwap", 10**6, length=MINUTE)).steps) == 2


@pytest.mark.parametrize("algo", SCHEDULED)
def test_no_slice_is_smaller_than_min_child(algo: str) -> None:
    for minimum in (1, 90, 150, 333, 600, 5000):
        plan = plan_of(a_task(algo, params=calm(slices=10, min_child=minimum)))
        assert min(sizes(plan)) >= min(minimum, 1000)
        assert (len(plan.steps) == 1) == (minimum > 500)


@pytest.mark.parametrize("algo", SCHEDULED)
def test_slices_are_whole_lots_and_the_odd_rest_goes_once(algo: str) -> None:
    plan = plan_of(a_task(algo, 1_234, params=calm(slices=5, lot=100)))
    odd = [size for size in sizes(plan) if size % 100 != 0]
    assert odd == [sizes(plan)[-1]]


def test_limit_rests_for_ever_and_market_is_due_at_once() -> None:
    (limit,) = plan_of(a_task("limit", limit="100")).steps
    assert (limit.at, limit.due_at, limit.qty) == (OPEN, None, 1000)
    (market,) = plan_of(a_task("market")).steps
    assert (market.at, market.due_at, market.qty) == (OPEN, OPEN, 1000)


# Parameters


@pytest.mark.parametrize("algorithm", BY_NAME.values(), ids=list(BY_NAME))
def test_an_algorithm_explains_itself(algorithm: Algorithm) -> None:
    assert algorithm.title
    assert algorithm.doc.endswith(".")
    assert algorithm.version >= 1
    names = [p.name for p in algorithm.parameters]
    assert len(names) == len(set(names))
    for parameter in algorithm.parameters:
        assert parameter.doc.endswith(".")
        assert algorithm.parameter(parameter.name) is parameter
        assert bool(parameter.choices) == (parameter.kind is Kind.CHOICE)
    assert algorithm.parameter("nonsense") is None


@pytest.mark.parametrize("algorithm", BY_NAME.values(), ids=list(BY_NAME))
def test_defaults_are_complete_and_typed(algorithm: Algorithm) -> None:
    values = complete(algorithm, {})
    expected = {p.name for p in algorithm.parameters if p.default is not None}
    assert set(values) == expected
    for name, value in values.items():
        parameter = algorithm.parameter(name)
        assert parameter is not None
        assert type(value) is TYPES[parameter.kind]
    assert complete(algorithm, values) == values


TYPES: dict[Kind, type] = {
    Kind.INTEGER: int,
    Kind.DECIMAL: Decimal,
    Kind.SECONDS: Decimal,
    Kind.CHOICE: str,
    Kind.TEXT: str,
}

TWAP = BY_NAME["twap"]

junk = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(max_size=50)
    | st.decimals(allow_nan=True, allow_infinity=True)
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=2), st.integers(), max_size=1)
    | st.sampled_from(["NaN", "sNaN", "-Infinity", "1E+999999", "1E-999999", "1_0", "٣", "\ud800"])
)


@given(st.sampled_from(EVERY), st.data())
def test_whatever_is_given_is_parsed_or_refused_by_name(algo: str, data: st.DataObject) -> None:
    algorithm = BY_NAME[algo]
    names = [p.name for p in algorithm.parameters]
    given_values = data.draw(st.dictionaries(st.sampled_from(names), junk, max_size=3))
    values, refusal = attempt(algorithm, given_values)
    if refusal is not None:
        assert refusal.code == "bad_parameter"
        assert refusal.field is not None
        assert refusal.field.removeprefix("params.") in given_values
    for name, value in values.items():
        parameter = algorithm.parameter(name)
        assert parameter is not None
        assert type(value) is TYPES[parameter.kind]
        if isinstance(value, int | Decimal):
            assert D(value).is_finite()
            assert parameter.minimum is None or value >= parameter.minimum
            assert parameter.maximum is None or value <= parameter.maximum
    if refusal is None:
        assert complete(algorithm, values) == values


def attempt(
    algorithm: Algorithm, given_values: Mapping[str, Any]
) -> tuple[dict[str, Any], Refusal | None]:
    try:
        return complete(algorithm, given_values), None
    except Refusal as refusal:
        return {}, refusal


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("slices", 0),
        ("slices", 1001),
        ("slices", "2.5"),
        ("slices", True),
        ("slices", "ten"),
        ("slices", "NaN"),
        ("slices", float("nan")),
        ("slices", [3]),
        pytest.param("slices", 10**5000, id="slices-huge"),
        ("slices", "1" * 100),
        ("jitter", -1),
        ("jitter", "3600.1"),
        ("jitter", float("inf")),
        ("jitter", False),
        ("max_child", "1E+999999"),
        ("max_child", "1E-999999"),
        ("max_child", "-0.001"),
        ("max_child", ""),
        ("max_child", {}),
        ("placement", "at_limit"),
        ("placement", 1),
        ("placement", ["cross"]),
        ("seed", ""),
        ("seed", "x" * 65),
        ("seed", 1.5),
        ("seed", True),
        ("seed", "\ud800"),
        ("seed", "a\x00b"),
        pytest.param("seed", 10**5000, id="seed-huge"),
    ],
)
def test_an_unusable_value_is_refused(name: str, value: Any) -> None:
    with pytest.raises(Refusal) as refused:
        complete(TWAP, {name: value})
    assert refused.value.code == "bad_parameter"
    assert refused.value.field == f"params.{name}"


@pytest.mark.parametrize(
    ("name", "value", "parsed"),
    [
        ("slices", "10", 10),
        ("slices", 1, 1),
        ("slices", 1000.0, 1000),
        ("slices", D("1E+3"), 1000),
        ("jitter", 0, D(0)),
        ("jitter", "3600", D(3600)),
        ("jitter", 0.1, D("0.1")),
        ("max_child", "0.00000001", D("0.00000001")),
        ("max_child", 10**18, D(10) ** 18),
        ("placement", "cross", "cross"),
        ("seed", 7, "7"),
        ("seed", "x" * 64, "x" * 64),
    ],
)
def test_a_usable_value_is_parsed(name: str, value: Any, parsed: Any) -> None:
    result = complete(TWAP, {name: value})[name]
    assert result == parsed
    assert type(result) is type(parsed)


def test_an_unknown_parameter_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refusal, match="it knows: slices") as refused:
        complete(TWAP, {"slice": 3})
    assert refused.value.code == "unknown_parameter"
    assert refused.value.field == "params.slice"


@pytest.mark.parametrize("algorithm", BY_NAME.values(), ids=BY_NAME)
def test_of_two_mistakes_the_same_is_told_however_they_are_ordered(algorithm: Algorithm) -> None:
    wrong = {p.name: [] for p in algorithm.parameters}
    told = set()
    for ordered in (wrong, dict(reversed(wrong.items()))):
        with pytest.raises(Refusal) as refused:
            complete(algorithm, ordered)
        told.add((refused.value.field, str(refused.value)))
    assert [field for field, _ in told] == [f"params.{algorithm.parameters[0].name}"]


def test_nothing_given_means_the_default() -> None:
    assert complete(TWAP, {"slices": None}) == complete(TWAP, {})
    wanted = Parameter("x", Kind.INTEGER, "An x.")
    assert complete(replace(TWAP, parameters=(wanted,)), {"x": None}) == {}


@pytest.mark.parametrize("vast", [10**18, "-9500000000000000000", "1E+18"])
def test_a_whole_number_fits_into_64_bits(vast: object) -> None:
    parameter = Parameter("x", Kind.INTEGER, "An x.")
    with pytest.raises(Refusal, match="out of range"):
        Terms((parameter,)).complete("it", {"x": vast})
    assert Terms((parameter,)).complete("it", {"x": 10**18 - 1}) == {"x": 10**18 - 1}
