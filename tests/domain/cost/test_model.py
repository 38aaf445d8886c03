"""The four parts of an expected cost: what they are, their sum, and what is never made up."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.algos import BY_NAME
from app.domain.cost.calibration import PUBLISHED, Calibration
from app.domain.cost.model import NO_QUOTE, NO_VOLATILITY, NO_VOLUME, Conditions, Estimate, estimate
from app.domain.cost.order import conditions_of, estimate_order
from app.domain.cost.pace import CAPPED, Pace, pace_of
from app.domain.cost.plain import money, plain
from app.domain.impact.almgren_2005 import impact
from app.domain.instant import DAY, HOUR, MINUTE
from app.domain.market import Quote
from app.domain.task import Task, Urgency
from app.domain.volume import default_curve
from tests.domain.tasks import ALWAYS, OPEN, SESSION, a_task

D = Decimal
V = D(1_000_000)
USUAL = Conditions(half_spread=0.0005, sigma=0.02, daily_volume=float(V))
FLAT = default_curve(ALWAYS)


def cost(
    task: Task,
    conditions: Conditions = USUAL,
    urgency: Urgency = Urgency.NORMAL,
    **more: Calibration,
) -> Estimate:
    volume = conditions.daily_volume
    known = D(volume) if volume is not None else None
    task = task._replace(urgency=urgency)
    return estimate_order(task, BY_NAME[task.algo], conditions, known, **more)


def the_parts(of: Estimate) -> list[Decimal | None]:
    return [part.bps for part in (of.spread, of.impact, of.urgency, of.volatility)]


def test_a_worked_example() -> None:
    """10,000 of a million a day by VWAP over the first half hour: 15 % of a day's volume."""
    found = cost(a_task("vwap", 10_000, length=30 * MINUTE, params={"placement": "cross"}))
    published = impact(quantity=10_000, daily_volume=1e6, sigma=0.02, days=0.15)
    slowest = impact(quantity=10_000, daily_volume=1e6, sigma=0.02, days=1)
    assert found.spread.bps == 5
    assert float(found.impact.bps or 0) == pytest.approx(slowest.realised * 1e4, abs=1e-4)
    assert float(found.urgency.bps or 0) == pytest.approx(
        (published.temporary - slowest.temporary) * 1e4, abs=1e-4
    )
    assert found.volatility.bps == 0
    assert float(found.total or 0) == pytest.approx(5 + published.realised * 1e4, abs=3e-4)
    # Timing risk sigma sqrt(T/3), and 90 % of it either way.
    assert float(found.sd or 0) == pytest.approx(200 * sqrt(0.15 / 3), abs=1e-4)
    assert float((found.high or 0) - (found.total or 0)) == pytest.approx(
        1.644854 * 200 * sqrt(0.05), abs=1e-2
    )
    assert found.participation == pytest.approx(10_000 / (10_000 + 150_000))
    assert found.source == "published"
    assert any("shares outstanding" in said for said in found.assumptions)


def test_ibm_by_the_printed_table() -> None:
    """A tenth of V along half a day's volume: J is 18 bp in print, with the paper's own shares."""
    ibm = Conditions(half_spread=0.0, sigma=0.0157, daily_volume=6_561_000)
    pace = Pace(1.0, 0.5, 1.0, (1 / 0.5) ** 0.6, 0.5 / 3, ())
    found = estimate(656_100, ibm, pace)
    # The shares outstanding are assumed: (151/263)^(1/4) of the permanent part.
    lasting = 19.86 / 2 * (151 / 263.4) ** 0.25
    assert float(found.total or 0) == pytest.approx(8.49 + lasting, abs=0.02)


def test_a_patient_placement_pays_half_of_the_spread_and_says_so() -> None:
    resting, crossing = (
        cost(a_task(params={"placement": placement})) for placement in ("rest_then_cross", "cross")
    )
    assert (resting.spread.bps, crossing.spread.bps) == (D("2.5"), 5)
    assert any("half of what rests" in said for said in resting.assumptions)
    assert not any("rests" in said for said in crossing.assumptions)
    assert cost(a_task("limit")).spread.bps == 0
    assert cost(a_task("market")).spread.bps == 5


@pytest.mark.parametrize(
    ("missing", "unknown", "reason"),
    [
        ({"half_spread": None}, [0], NO_QUOTE),
        ({"daily_volume": None}, [1, 2], NO_VOLUME),
        ({"sigma": None}, [1, 2, 3], NO_VOLATILITY),
    ],
)
def test_what_is_not_known_is_not_made_up(
    missing: dict[str, None], unknown: list[int], reason: str
) -> None:
    found = cost(a_task(), USUAL._replace(**missing))
    parts = the_parts(found)
    assert [k for k, bps in enumerate(parts) if bps is None] == unknown
    assert (found.total, found.low, found.high) == (None, None, None)
    assert found.reason == reason
    assert (found.sd is None) == ("sigma" in missing)
    assert (found.participation is None) == ("daily_volume" in missing)
    said = plain(found)
    assert said["total_bps"] is None
    assert said["reason"] == reason


def test_conditions_come_from_an_uncrossed_quote_only() -> None:
    def quoted(bid: str, ask: str) -> Conditions:
        return conditions_of(Quote(D(bid), D(ask), D(1), D(1), OPEN, OPEN), 0.02, V)

    assert quoted("99.95", "100.05").half_spread == pytest.approx(0.0005)
    assert quoted("100.05", "99.95").half_spread is None
    assert quoted("0", "0.01").half_spread is None
    assert conditions_of(None, None, D(0)) == Conditions(None, None, None)


def test_an_estimate_as_json() -> None:
    """The names that stored orders carry."""
    found = cost(a_task("market"))
    said = plain(found)
    assert set(said["parts"]) == {"spread_bps", "impact_bps", "urgency_bps", "volatility_bps"}
    assert D(said["total_bps"]) == sum(D(part) for part in said["parts"].values()) == found.total
    assert D(said["sd_bps"]) == found.sd
    assert said["inputs"]["volatility"] == "0.02"
    assert said["inputs"]["daily_volume"] == "1000000"
    assert money(found.total, D(100_000)) == round((found.total or 0) * 10, 4)
    assert money(None, D(1)) is None


def test_the_participation_cap_bounds_the_rate() -> None:
    hurried = a_task("vwap", 50_000, length=10 * MINUTE)
    free, capped = cost(hurried), cost(hurried._replace(max_participation=D("0.1")))
    assert CAPPED in capped.assumptions
    assert CAPPED not in free.assumptions
    # A tenth with the own volume counted is a ninth of the others'.
    pace = pace_of(hurried._replace(max_participation=D("0.1")), BY_NAME["vwap"], V)
    assert 0.05 * pace.haste ** (1 / 0.6) == pytest.approx(1 / 9)
    assert (capped.urgency.bps or 0) < (free.urgency.bps or 0)
    loose = cost(hurried._replace(max_participation=D("0.9999")))
    assert CAPPED not in loose.assumptions
    assert loose.total == free.total


def test_calibration_scales_its_parts_and_is_named() -> None:
    scaled = Calibration(0.5, 2.0, "calibrated:n=200")
    one, other = cost(a_task()), cost(a_task(), calibration=scaled)
    assert float(other.spread.bps or 0) == pytest.approx(0.5 * float(one.spread.bps or 0), abs=1e-4)
    for ours, theirs in ((one.impact, other.impact), (one.urgency, other.urgency)):
        assert float(theirs.bps or 0) == pytest.approx(2 * float(ours.bps or 0), abs=2e-4)
    assert (one.source, other.source) == ("published", "calibrated:n=200")
    assert one.sd == other.sd
    assert plain(other)["inputs"]["impact_scale"] == "2"


def test_a_share_of_the_volume_takes_as_long_as_its_volume() -> None:
    """10 % of all, own included, is a ninth of the others': 90,000 of them for 10,000."""
    slow = cost(a_task("pov", 10_000, length=300 * MINUTE, params={"rate": "0.1"}))
    assert slow.pace.days == pytest.approx(0.09)
    assert slow.participation == pytest.approx(0.1)
    assert CAPPED not in slow.assumptions
    fast = cost(a_task("pov", 10_000, length=300 * MINUTE, params={"rate": "0.5"}))
    assert fast.pace.days == pytest.approx(0.01)
    assert (fast.urgency.bps or 0) > (slow.urgency.bps or 0)
    # In ten minutes there are 50,000 of the others.
    short = cost(a_task("pov", 10_000, length=10 * MINUTE, params={"rate": "0.1"}))
    assert CAPPED in short.assumptions
    assert short.pace.days == pytest.approx(0.05)


def test_urgency_makes_implementation_shortfall_dearer_and_safer() -> None:
    task = a_task("is", 20_000, length=60 * MINUTE, session=ALWAYS, curve=FLAT)
    found = [cost(task, urgency=urgency) for urgency in Urgency]
    assert all((a.total or 0) < (b.total or 0) for a, b in pairwise(found))
    assert all((a.sd or 0) > (b.sd or 0) for a, b in pairwise(found))
    # kappa T 0 is TWAP, whatever the urgency says.
    even = a_task("is", 20_000, length=60 * MINUTE, params={"kappa_t": 0})
    twap = a_task("twap", 20_000, length=60 * MINUTE)
    assert cost(even).total == cost(twap).total


def test_a_market_that_is_asleep_is_not_priced_without_end() -> None:
    """A minute in which the curve has nothing."""
    still = replace(default_curve(SESSION), shares=(0.5, 0.0, 0.0, 0.0, 0.5))
    at_noon = a_task("market", 100, start=OPEN + 2 * HOUR, curve=still)
    assert 0 < (cost(at_noon).total or 0) < 500


def test_a_day_of_a_market_that_never_closes() -> None:
    """The slowest pace is a day's, however long the session is said to be."""
    task = a_task("vwap", 10_000, session=ALWAYS, curve=FLAT, length=DAY)
    assert pace_of(task, BY_NAME["vwap"], V).slowest_days == pytest.approx(1)
    assert cost(task).urgency.bps == 0


sizes = st.integers(1, 300_000)
spans = st.integers(2, 300).map(lambda minutes: minutes * MINUTE)
sigmas = st.floats(0.001, 0.1)
algos = st.sampled_from(sorted(BY_NAME))
starts = st.integers(0, 80).map(lambda minutes: OPEN + minutes * MINUTE)
urgencies = st.sampled_from(Urgency)


@given(algos, sizes, starts, spans, sigmas, urgencies)
def test_parts_sum_exactly_and_none_is_negative(
    algo: str, qty: int, start: int, length: int, sigma: float, urgency: Urgency
) -> None:
    task = a_task(algo, qty, start=start, length=length)
    found = cost(task, USUAL._replace(sigma=sigma), urgency)
    parts = the_parts(found)
    assert all(bps is not None and bps >= 0 for bps in parts)
    assert found.total == sum(bps for bps in parts if bps is not None)
    assert (found.low or 0) < (found.total or 0) < (found.high or 0)


@given(st.sampled_from(["market", "twap", "vwap", "is"]), sizes, spans, st.integers(2, 20))
def test_monotone_in_size_and_bps_concave(algo: str, qty: int, length: int, c: int) -> None:
    def at(size: int) -> float:
        return float(cost(a_task(algo, size, length=length)).total or 0)

    assert at(c * qty) >= at(qty)
    middle = (at(2 * qty) + at(2 * c * qty)) / 2
    assert at((c + 1) * qty) >= middle - 1e-3
    whole = (2 * qty * at(2 * qty) + 2 * c * qty * at(2 * c * qty)) / 2
    assert (c + 1) * qty * at((c + 1) * qty) <= whole + 1e-3 * c * qty


@given(st.sampled_from(["twap", "vwap"]), sizes, spans, st.integers(1, 90))
def test_more_time_never_costs_more_along_an_even_volume(
    algo: str, qty: int, length: int, more: int
) -> None:
    def over(span: int) -> Estimate:
        return cost(a_task(algo, qty, length=span, session=ALWAYS, curve=FLAT))

    short, long = over(length), over(length + more * MINUTE)
    assert (long.total or 0) <= (short.total or 0) + D("0.0003")
    assert (long.sd or 0) >= (short.sd or 0)
    # What stays is the size's own: it does not depend on how long it takes.
    assert long.impact == short.impact


@given(sizes, starts, spans)
def test_following_volume_is_never_dearer_than_the_clock(qty: int, start: int, length: int) -> None:
    """Minimum of K over all schedules of a window: own shares along the volume's (Jensen)."""
    by_clock = cost(a_task("twap", qty, start=start, length=length))
    by_volume = cost(a_task("vwap", qty, start=start, length=length))
    assert (by_volume.total or 0) <= (by_clock.total or 0) + D("0.0002")


@given(algos, sizes, sigmas)
def test_linear_in_volatility(algo: str, qty: int, sigma: float) -> None:
    one = cost(a_task(algo, qty), USUAL._replace(sigma=sigma))
    two = cost(a_task(algo, qty), USUAL._replace(sigma=2 * sigma))
    for ours, theirs in ((one.impact, two.impact), (one.urgency, two.urgency)):
        assert float(theirs.bps or 0) == pytest.approx(2 * float(ours.bps or 0), abs=3e-4)
    assert float(two.sd or 0) == pytest.approx(2 * float(one.sd or 0), abs=3e-4)


@given(algos, st.integers(1, 10_000), st.integers(2, 50))
def test_a_split_of_the_shares_changes_nothing(algo: str, qty: int, c: int) -> None:
    one = cost(a_task(algo, qty))
    split = cost(a_task(algo, c * qty), USUAL._replace(daily_volume=float(V) * c))
    for ours, theirs in zip(the_parts(one), the_parts(split), strict=True):
        assert float(theirs or 0) == pytest.approx(float(ours or 0), abs=2e-4)


@given(algos, spans)
def test_next_to_nothing_costs_what_crosses_of_the_spread(algo: str, length: int) -> None:
    found = cost(a_task(algo, "1E-9", length=length, lot="1E-9", min_qty="1E-9"))
    assert found.total == found.spread.bps


def test_published_is_the_default() -> None:
    assert cost(a_task()).calibration is PUBLISHED
