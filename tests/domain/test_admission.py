"""The gate: what may become an order, as what, and for everything else the field at fault."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import admission, window
from app.domain.admission import Admitted, admit, check_amended
from app.domain.algos import BY_NAME
from app.domain.desk import Desk
from app.domain.execution import accepted
from app.domain.fact import Intended, Purpose, TimeInForce
from app.domain.fold import apply
from app.domain.guards import OPEN_CHILDREN_MAX, max_child
from app.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant
from app.domain.instrument import Instrument
from app.domain.market import Market, Quote
from app.domain.plan import Envelope
from app.domain.quantity import ZERO, Side
from app.domain.refusal import Refusal, Unavailable
from app.domain.request import Request
from app.domain.routing import Thresholds
from app.domain.scene import Rules, Scene
from app.domain.session import Session
from app.domain.task import Urgency
from app.domain.volume import VolumeCurve
from app.domain.wish import Hold, Wish
from app.domain.wish import Scene as GuardScene
from tests.domain.tasks import OPEN, POLICY, SESSION, a_task

D = Decimal
NEXT = Session(SESSION.opens_at + DAY, SESSION.closes_at + DAY)
HALF_DAY = Session(OPEN, OPEN + 210 * MINUTE)
ALWAYS = Session(OPEN - 10 * DAY, OPEN + 10 * DAY)
NOW = OPEN + HOUR

SHARE = Instrument("XYZ", D("0.01"), D(1), D(1), "XNYS")
COIN = Instrument("COIN", D("0.5"), D("0.0001"), D("0.001"), "24/7")

Fields = Mapping[str, Any]


def quote(bid: str = "99.98", ask: str = "100.02", at: Instant = NOW) -> Quote:
    return Quote(D(bid), D(ask), D(500), D(500), at, at)


def scene(**over: Any) -> Scene:
    """An hour into a day of a share at 100, of which a million trade a day; prices are fresh."""
    now = over.get("now", NOW)
    usual: dict[str, Any] = {
        "instrument": SHARE,
        "sessions": (SESSION, NEXT),
        "curve": None,
        "quote": quote(at=now),
        "last": D("99.99"),
        "last_at": now,
        "daily_volume": D(1_000_000),
        "now": NOW,
    }
    return Scene(**(usual | over))


def a_request(**fields: Any) -> Request:
    """Buy 1000 by TWAP, unless told otherwise."""
    amount = {} if {"qty", "notional"} & set(fields) else {"qty": D(1000)}
    return Request(
        **{"account": "a1", "symbol": "XYZ", "side": Side.BUY, "algo": "twap", **amount, **fields}
    )


def try_admit(fields: Fields, there: Fields | None = None) -> Admitted:
    return admit(a_request(**fields), "o1", scene(**(there or {})), Rules(Thresholds(), POLICY))


def admitted(**fields: Any) -> Admitted:
    return try_admit(fields)


def refused(fields: Fields, there: Fields | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        try_admit(fields, there)
    return caught.value


# Refusals

COARSE = {"instrument": replace(SHARE, lot=D(100), min_qty=D(200))}
NO_QUOTE = {"quote": None}

REFUSALS: list[tuple[Fields, Fields, str, str]] = [
    ({"qty": None, "notional": None}, {}, "qty_or_notional", "qty"),
    ({"qty": D(1), "notional": D(100)}, {}, "qty_or_notional", "qty"),
    ({"qty": D(0)}, {}, "not_positive", "qty"),
    ({"algo": "bracket"}, {}, "limit_price_needed", "limit_price"),
    ({"qty": D("-1")}, {}, "not_positive", "qty"),
    ({"notional": D(0)}, {}, "not_positive", "notional"),
    ({"notional": D("-0.01")}, {}, "not_positive", "notional"),
    ({"qty": D("1.5")}, {}, "wrong_lot", "qty"),
    ({"qty": D(250)}, COARSE, "wrong_lot", "qty"),
    ({"qty": D(100)}, COARSE, "below_minimum", "qty"),
    ({"notional": D("99.99")}, {}, "below_minimum", "notional"),
    ({"notional": D(19_999)}, COARSE, "below_minimum", "notional"),
    ({"limit_price": D(0)}, {}, "not_positive", "limit_price"),
    ({"limit_price": D(-5)}, {}, "not_positive", "limit_price"),
    ({"limit_price": D("100.005")}, {}, "wrong_tick", "limit_price"),
    ({"algo": "vwop"}, {}, "unknown_algorithm", "algo"),
    ({"algo": ""}, {}, "unknown_algorithm", "algo"),
    ({"algo": "limit"}, {}, "limit_price_needed", "limit_price"),
    ({"algo": "auto", "urgency": Urgency.LOW}, NO_QUOTE, "limit_price_needed", "limit_price"),
    ({"max_participation": D(0)}, {}, "out_of_range", "max_participation"),
    ({"max_participation": D(1)}, {}, "out_of_range", "max_participation"),
    ({"max_participation": D("-0.1")}, {}, "out_of_range", "max_participation"),
    ({"max_participation": D(10)}, {}, "out_of_range", "max_participation"),
    ({"end": NOW + HOUR, "duration": HOUR}, {}, "end_or_duration", "duration"),
    ({"end": NOW - 1}, {}, "end_before_start", "end_time"),
    ({"end": NOW + SECOND - 1}, {}, "end_before_start", "end_time"),
    ({"start": NOW + HOUR, "end": NOW + HOUR}, {}, "end_before_start", "end_time"),
    ({"duration": SECOND - 1}, {}, "end_before_start", "duration"),
    ({"end": SESSION.closes_at + 1}, {}, "window_outside_session", "end_time"),
    ({"duration": DAY}, {}, "window_outside_session", "duration"),
    ({"start": SESSION.closes_at}, {}, "window_outside_session", "start_time"),
    ({"start": NEXT.opens_at - 1}, {}, "window_outside_session", "start_time"),
    ({"start": NEXT.closes_at}, {}, "window_outside_session", "start_time"),
    ({}, {"now": NEXT.closes_at}, "no_session", "symbol"),
    ({}, {"sessions": ()}, "no_session", "symbol"),
    ({}, {"quote": None, "last": None}, "no_reference_price", "symbol"),
    ({"params": {"slises": 3}}, {}, "unknown_parameter", "params.slises"),
    ({"params": {"slices": 0}}, {}, "bad_parameter", "params.slices"),
    ({"params": {"patience": "soon"}}, {}, "bad_parameter", "params.patience"),
    ({"params": {"lot": "1.5"}}, {}, "wrong_lot", "params.lot"),
    ({"params": {"lot": 0}}, {}, "wrong_lot", "params.lot"),
    ({"params": {"min_child": "0.5"}}, {}, "wrong_lot", "params.min_child"),
    ({"params": {"min_child": 0}}, {}, "wrong_lot", "params.min_child"),
    ({"params": {"max_child": "0.5"}}, {}, "wrong_lot", "params.max_child"),
    ({"params": {"max_child": 250}, "qty": D(1000)}, COARSE, "wrong_lot", "params.max_child"),
    ({"params": {"max_child": 0}}, {}, "wrong_lot", "params.max_child"),
    ({"params": {"max_child": 9, "min_child": 10}}, {}, "out_of_range", "params.max_child"),
    ({"params": {"display": 9, "min_child": 10}}, {}, "out_of_range", "params.display"),
    ({"algo": "market", "params": {"slices": 3}}, {}, "unknown_parameter", "params.slices"),
]


@pytest.mark.parametrize(("fields", "there", "code", "field"), REFUSALS)
def test_a_refusal_names_its_field(fields: Fields, there: Fields, code: str, field: str) -> None:
    found = refused(fields, there)
    assert (found.code, found.field) == (code, field)
    assert found.message
    assert isinstance(found, Unavailable) == code.startswith("no_")


def test_no_refusal_is_missing_from_the_table() -> None:
    written = set(
        re.findall(
            r'(?:Refusal|Unavailable)\(\s*"(\w+)"',
            inspect.getsource(admission) + inspect.getsource(window),
        )
    )
    shown = {code for _, _, code, _ in REFUSALS}
    assert len(written) >= 12
    assert written <= shown


def test_the_refusal_of_an_algorithm_says_which_there_are() -> None:
    assert ", ".join(["auto", *sorted(BY_NAME)]) in refused({"algo": "vwop"}).message


# Quantity


@pytest.mark.parametrize(
    ("notional", "there", "qty"),
    [
        ("100000", {}, "1000"),
        ("100099.99", {}, "1000"),
        ("99999.99", {}, "999"),
        ("100", {}, "1"),
        ("123456", {"instrument": replace(SHARE, lot=D(100))}, "1200"),
        ("250", {"instrument": COIN, "quote": quote("59999.5", "60000.5")}, "0.0041"),
        ("1000", {"quote": None, "last": D("99.99")}, "10"),
        ("1000", {"quote": quote("100.02", "99.98"), "last": D(50)}, "20"),
        ("1000", {"quote": quote("100", "100"), "last": D(50)}, "20"),
    ],
)
def test_notional_becomes_whole_lots_at_the_arrival_mid(
    notional: str, there: Fields, qty: str
) -> None:
    found = try_admit({"notional": D(notional)}, there)
    assert found.task.qty == D(qty)
    assert found.notional <= D(notional)


@pytest.mark.parametrize(
    ("fields", "there"),
    [
        ({"qty": D(1)}, {}),
        ({"qty": D(200)}, COARSE),
        ({"notional": D(20_000)}, COARSE),
        ({"qty": D("0.001")}, {"instrument": COIN}),
        ({"qty": D("1E+3")}, {}),
        ({"limit_price": D("0.01")}, {}),
        ({"limit_price": D("100.50")}, {}),
        ({"max_participation": D("0.000001")}, {}),
        ({"max_participation": D("0.999999")}, {}),
        ({"params": {"lot": 10, "min_child": 10, "max_child": 10}}, {}),
        ({"params": {"max_child": 200, "lot": 100}, "qty": D(1000)}, COARSE),
    ],
)
def test_the_edge_of_what_is_allowed_is_allowed(fields: Fields, there: Fields) -> None:
    assert try_admit(fields, there)


def test_a_venue_without_a_minimum_still_takes_no_empty_order() -> None:
    there = {"instrument": replace(SHARE, min_qty=ZERO)}
    assert refused({"notional": D(99)}, there).code == "below_minimum"
    assert try_admit({"notional": D(100)}, there).task.qty == 1


# Prices


@pytest.mark.parametrize(
    "there",
    [
        {"quote": None, "last": None},
        {"quote": quote("100.02", "99.98"), "last": None},
        {"quote": quote("0", "0.01"), "last": None},
        {"quote": quote("-1", "1"), "last": ZERO},
        {"quote": None, "last": ZERO},
        {"quote": None, "last": D(-37)},
    ],
)
@pytest.mark.parametrize("fields", [{}, {"notional": D(1000)}, {"limit_price": D(100)}])
def test_without_a_price_nothing_is_accepted(there: Fields, fields: Fields) -> None:
    found = refused(fields, there)
    assert (found.code, found.field) == ("no_reference_price", "symbol")


# Routing


@pytest.mark.parametrize(
    ("fields", "there", "algo"),
    [
        ({"qty": D(99)}, {}, "market"),
        ({"qty": D(100)}, {}, "twap"),
        ({"qty": D(1000)}, {}, "twap"),
        ({"qty": D(10_000)}, {}, "twap"),
        ({"qty": D(10_001)}, {}, "vwap"),
        ({"qty": D(1001)}, {"daily_volume": None}, "vwap"),
        ({"notional": D(9_999)}, {}, "market"),
        ({"qty": D(10_001), "urgency": Urgency.IMMEDIATE}, {}, "market"),
        ({"qty": D(10_001), "urgency": Urgency.HIGH}, {}, "vwap"),
    ],
)
def test_auto_is_routed_by_size(fields: Fields, there: Fields, algo: str) -> None:
    found = try_admit({"algo": "auto", **fields}, there)
    assert (found.task.algo, found.algorithm) == (algo, BY_NAME[algo])
    assert found.route.algo == algo
    assert found.route.reason != "asked for"
    assert found.task.limit_price is None


@pytest.mark.parametrize(("side", "touch"), [(Side.BUY, "99.98"), (Side.SELL, "100.02")])
def test_low_urgency_rests_at_the_near_touch(side: Side, touch: str) -> None:
    found = admitted(algo="auto", urgency=Urgency.LOW, side=side)
    assert (found.task.algo, found.task.limit_price) == ("limit", D(touch))
    own = admitted(algo="auto", urgency=Urgency.LOW, side=side, limit_price=D("98.50"))
    assert own.task.limit_price == D("98.50")


@pytest.mark.parametrize("book", [quote("100.02", "99.98"), quote("0", "0.01")])
def test_a_book_that_is_no_price_gives_no_limit(book: Quote) -> None:
    fields = {"algo": "auto", "urgency": Urgency.LOW}
    assert refused(fields, {"quote": book}).code == "limit_price_needed"


@pytest.mark.parametrize("algo", sorted(BY_NAME))
def test_what_is_asked_for_is_not_routed(algo: str) -> None:
    limit = D("99.50") if BY_NAME[algo].needs_limit_price or algo == "bracket" else None
    found = admitted(algo=algo, limit_price=limit, urgency=Urgency.IMMEDIATE)
    assert (found.task.algo, found.route.reason) == (algo, "asked for")
    if algo != "smart_limit":
        assert found.task.limit_price == limit


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # The middle is 100.00: 0.1 % from it, rounded so that it is never worse.
        ({}, "100.10"),
        ({"side": Side.SELL}, "99.90"),
        ({"params": {"max_slippage": "0.00125"}}, "100.12"),
        ({"side": Side.SELL, "params": {"max_slippage": "0.00125"}}, "99.88"),
        # A limit price of one's own counts where it is the better one.
        ({"limit_price": D("100.05")}, "100.05"),
        ({"limit_price": D("100.50")}, "100.10"),
    ],
)
def test_a_smart_limit_is_bounded_from_arrival(fields: dict[str, Any], expected: str) -> None:
    assert admitted(algo="smart_limit", **fields).task.limit_price == D(expected)


# Windows

HOUR_ON = NOW + HOUR


@pytest.mark.parametrize(
    ("fields", "there", "start", "end"),
    [
        # TWAP takes an hour, whatever has no window of its own the session.
        ({}, {}, NOW, NOW + HOUR),
        ({"algo": "vwap"}, {}, NOW, SESSION.closes_at),
        ({"algo": "market"}, {}, NOW, SESSION.closes_at),
        ({}, {"now": SESSION.closes_at - MINUTE}, SESSION.closes_at - MINUTE, SESSION.closes_at),
        # A start in the past is now.
        ({"start": NOW - 1}, {}, NOW, NOW + HOUR),
        ({"start": OPEN - 30 * DAY}, {}, NOW, NOW + HOUR),
        ({"start": NOW - HOUR, "duration": MINUTE}, {}, NOW, NOW + MINUTE),
        ({"start": HOUR_ON}, {}, HOUR_ON, HOUR_ON + HOUR),
        ({"start": HOUR_ON, "duration": MINUTE}, {}, HOUR_ON, HOUR_ON + MINUTE),
        ({"start": HOUR_ON, "end": HOUR_ON + SECOND}, {}, HOUR_ON, HOUR_ON + SECOND),
        ({"start": NEXT.opens_at}, {}, NEXT.opens_at, NEXT.opens_at + HOUR),
        # None given outside sessions: the next open.
        ({}, {"now": OPEN - HOUR}, OPEN, OPEN + HOUR),
        ({}, {"now": SESSION.closes_at}, NEXT.opens_at, NEXT.opens_at + HOUR),
        ({"duration": MINUTE}, {"now": OPEN - 1}, OPEN, OPEN + MINUTE),
        ({"end": NEXT.closes_at}, {"now": SESSION.closes_at}, NEXT.opens_at, NEXT.closes_at),
        # Up to the close, and not a moment more.
        ({"end": SESSION.closes_at}, {}, NOW, SESSION.closes_at),
        ({"duration": SESSION.closes_at - NOW}, {}, NOW, SESSION.closes_at),
        ({"duration": SECOND}, {}, NOW, NOW + SECOND),
        # A half day is as long as it is.
        ({"algo": "vwap"}, {"sessions": (HALF_DAY,)}, NOW, HALF_DAY.closes_at),
        (
            {},
            {"sessions": (HALF_DAY,), "now": HALF_DAY.closes_at - MINUTE},
            HALF_DAY.closes_at - MINUTE,
            HALF_DAY.closes_at,
        ),
        # Round the clock a day is enough.
        ({"algo": "vwap"}, {"sessions": (ALWAYS,)}, NOW, NOW + DAY),
        ({"algo": "market"}, {"sessions": (ALWAYS,)}, NOW, NOW + DAY),
        ({"duration": 3 * DAY}, {"sessions": (ALWAYS,)}, NOW, NOW + 3 * DAY),
    ],
)
def test_windows(fields: Fields, there: Fields, start: int, end: int) -> None:
    task = try_admit(fields, there).task
    assert (task.start - OPEN, task.end - OPEN) == (start - OPEN, end - OPEN)
    assert task.session.contains(task.start)
    assert task.session in scene(**there).sessions


def test_a_half_day_refuses_what_a_whole_one_would_take() -> None:
    late = {"end": HALF_DAY.closes_at + MINUTE}
    assert try_admit(late)
    found = refused(late, {"sessions": (HALF_DAY,)})
    assert (found.code, found.field) == ("window_outside_session", "end_time")


# What an order takes along


def test_the_task_is_the_request_completed() -> None:
    found = admitted(
        side=Side.SELL,
        limit_price=D("99.5"),
        max_participation=D("0.1"),
        params={"slices": "5", "seed": "mine"},
    )
    task = found.task
    assert (task.order_id, task.account, task.side) == ("o1", "a1", Side.SELL)
    assert (task.qty, task.limit_price, task.max_participation) == (1000, D("99.5"), D("0.1"))
    assert (task.params["slices"], task.params["placement"]) == (5, "rest_then_cross")
    assert (task.seed, task.policy, task.instrument) == ("mine", POLICY, SHARE)
    assert found.notional == 100_000
    assert admitted().task.seed == "o1"


def test_the_curve_is_the_feeds_own_or_the_sessions_default() -> None:
    own = VolumeCurve((0, HOUR), (1.0,), periodic=False, source="history:5d")
    assert try_admit({}, {"curve": own}).task.curve is own
    assert admitted().task.curve.source == "default-u"
    assert try_admit({}, {"sessions": (ALWAYS,)}).task.curve.source == "flat"


# Anything a client may say

amounts = st.builds(
    lambda sign, digits, adjusted: D((sign, digits, adjusted - len(digits) + 1)),
    st.sampled_from([0, 0, 0, 0, 0, 0, 1]),
    st.lists(st.integers(0, 9), min_size=1, max_size=28).map(lambda ds: (ds[0] or 1, *ds[1:])),
    st.integers(-12, 15),
)
"""What the API lets in: 28 digits, exponents from -12 to 15, either sign."""

whole = st.integers(1, 10**9).map(D)
moments = st.integers(OPEN - 2 * DAY, OPEN + 3 * DAY)
odd = st.sampled_from(["", "x", "1", "1e400", "NaN", "-0", True, None, [], {}, 0, -1, 10**30, 0.1])
params = st.dictionaries(
    st.sampled_from(
        ["slices", "jitter", "placement", "patience", "lot", "min_child", "max_child", "seed", "no"]
    ),
    odd | amounts | whole | st.sampled_from(["cross", "100", "5"]),
    max_size=4,
)


def rarely(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """None, three times in four."""
    return st.sampled_from([False, False, False, True]).flatmap(
        lambda given: strategy if given else st.none()
    )


sizes = whole | st.integers(1, 10**7).map(lambda n: D(n) * 100) | amounts
requests = st.fixed_dictionaries(
    {
        "side": st.sampled_from(Side),
        "algo": st.sampled_from(["auto", "auto", *sorted(BY_NAME), *sorted(BY_NAME), "none"]),
        "urgency": st.sampled_from(Urgency),
        "params": rarely(params).map(lambda found: found or {}),
        "limit_price": rarely(st.sampled_from([D("99.5"), D(100)]) | amounts),
        "max_participation": rarely(st.just(D("0.1")) | amounts),
        "start": rarely(moments),
        "end": rarely(moments),
        "duration": rarely(st.integers(1, 8 * HOUR) | st.integers(1, 366 * DAY)),
        "qty": sizes,
        "notional": st.none(),
    }
)
by_notional = requests.map(lambda fields: fields | {"qty": None, "notional": fields["qty"]})
neither_or_both = st.builds(
    lambda fields, other: fields | other,
    requests,
    st.sampled_from([{"qty": None}, {"notional": D(1000)}]),
)
instruments = st.builds(
    Instrument,
    st.just("XYZ"),
    st.sampled_from([D("0.01"), D("0.5"), D("1E-8")]),
    st.sampled_from([D(1), D(100), D("1E-8"), D("0.001")]),
    st.sampled_from([D(0), D(1), D("1E-8"), D(100)]),
    st.just("XNYS"),
)
prices = st.sampled_from([D("99.98"), D("0.0003"), D(10**12)]) | amounts
books = st.builds(
    lambda bid, spread: Quote(bid, bid + spread, D(1), D(1), NOW, NOW),
    prices,
    st.sampled_from([D("0.04"), D("0.01"), D(0), D("-0.01"), D("1E+9")]),
)
scenes = st.builds(
    Scene,
    instrument=instruments,
    sessions=st.sampled_from([(SESSION, NEXT), (ALWAYS,), (HALF_DAY, NEXT), ()]),
    curve=st.none(),
    quote=books,
    last=st.none() | prices,
    last_at=st.none() | moments,
    daily_volume=st.none() | amounts,
    now=st.just(NOW) | moments,
)
RULES = Rules(Thresholds(), POLICY)


@settings(max_examples=settings.default.max_examples * 10)
@given(
    rarely(neither_or_both).flatmap(lambda f: st.just(f) if f else requests | by_notional),
    scenes,
)
def test_whatever_is_asked_is_an_order_within_its_bounds_or_a_refusal(
    fields: dict[str, Any], there: Scene
) -> None:
    request = Request(account="a1", symbol="XYZ", **fields)
    verdict = verdict_on(request, there)
    if isinstance(verdict, Refusal):
        assert verdict.code
        assert verdict.field
    else:
        assert_within_bounds(request, there, verdict)


def verdict_on(request: Request, there: Scene) -> Admitted | Refusal:
    try:
        return admit(request, "o1", there, RULES)
    except Refusal as refusal:
        return refusal


def assert_within_bounds(request: Request, there: Scene, found: Admitted) -> None:
    task, instrument = found.task, there.instrument
    assert task.qty >= max(instrument.min_qty, instrument.lot)
    assert Fraction(task.qty) % Fraction(instrument.lot) == 0
    assert task.session in there.sessions
    assert task.session.opens_at <= task.start < task.end <= task.session.closes_at
    assert task.start >= there.now
    assert task.limit_price is None or task.limit_price > 0
    assert (task.limit_price is not None) or not found.algorithm.needs_limit_price
    if request.notional is not None:
        price = Fraction(found.notional) / Fraction(task.qty)
        unsaid = Fraction(request.notional) - Fraction(task.qty) * price
        tiny = Fraction(request.notional) / 10**20
        assert -tiny <= unsaid < Fraction(instrument.lot) * price + tiny


# What admission lets through, the guards still bound


@pytest.mark.parametrize("largest", [None, 1])
def test_only_so_many_children_are_open_at_once(largest: int | None) -> None:
    execution = accepted(a_task("market", 1000, params={"max_child": largest}))
    for number in range(1, OPEN_CHILDREN_MAX + 1):
        seen = GuardScene(
            execution, Envelope(D(1000), D(1000), None, D(1000)), Desk(), Market(None), quote(), NOW
        )
        allowed = max_child(seen, Wish(Purpose.CROSS, D(5)))
        assert isinstance(allowed, Wish)
        assert (allowed.qty, allowed.bound) == ((1, "max_child") if largest else (5, None))
        intent = Intended(
            NOW,
            f"c{number}",
            number,
            Side.BUY,
            D(1),
            D(100),
            Purpose.REST,
            TimeInForce.DAY,
            NOW,
        )
        execution = apply(execution, intent)
    full = replace(seen, execution=execution)
    assert max_child(full, Wish(Purpose.CROSS, D(5))) == Hold("open_children")


OLD = POLICY.max_quote_age + 1


def aged(**over: Any) -> Fields:
    """A session in which nothing was said for too long."""
    return {"now": NOW + OLD, "quote": quote(), "last_at": NOW, **over}


def test_old_prices_are_none_in_a_session() -> None:
    refusal = refused({}, aged())
    assert isinstance(refusal, Unavailable)
    assert refusal.code == "no_reference_price"
    assert try_admit({}, aged(now=NOW + OLD - 1)).quote is not None


def test_a_fresh_trade_stands_in_for_an_old_quote() -> None:
    entered = try_admit({}, aged(last_at=NOW + OLD))
    assert entered.notional == 1000 * D("99.99")
    # Nor is it the quote that the order is said to have arrived at.
    assert entered.quote is None
    assert refused({}, aged(last_at=None)).code == "no_reference_price"
    assert try_admit({}, {"quote": quote(), "last_at": NOW - OLD}).notional == 1000 * 100


def test_a_limit_price_is_not_taken_from_an_old_quote() -> None:
    fields: Fields = {"urgency": Urgency.LOW, "algo": "auto"}
    assert try_admit(fields).task.limit_price == D("99.98")
    assert refused(fields, aged(last_at=NOW + OLD)).code == "limit_price_needed"


def test_outside_sessions_the_last_known_price_is_the_price() -> None:
    """An order for the next open: nothing is quoted in the night."""
    night = SESSION.closes_at + 5 * HOUR
    entered = try_admit({}, aged(now=night))
    assert (entered.task.start, entered.notional) == (NEXT.opens_at, 1000 * 100)
    # The market has opened and said nothing yet: that is silence in a session.
    assert refused({}, aged(now=NEXT.opens_at)).code == "no_reference_price"


@pytest.mark.parametrize("priority", [-101, 101, 10**9])
def test_a_priority_beyond_its_range_is_refused(priority: int) -> None:
    with pytest.raises(Refusal) as refusal:
        admitted(priority=priority)
    assert (refusal.value.code, refusal.value.field) == ("out_of_range", "priority")


def test_a_priority_in_its_range_changes_nothing_else() -> None:
    assert [admitted(priority=p) for p in (-100, 100)] == [admitted()] * 2


@pytest.mark.parametrize(
    ("side", "slip", "edge"), [("buy", "150.01", "150"), ("sell", "49.99", "50")]
)
def test_a_price_far_beyond_the_market_is_no_price_one_would_take(
    side: str, slip: str, edge: str
) -> None:
    """Everything would be taken at once: a slip, as a limit so far away is none."""
    asked = {"side": Side(side), "params": {"would_price": slip}}
    refusal = refused(asked)
    assert (refusal.code, refusal.field) == ("out_of_range", "params.would_price")
    assert try_admit(asked | {"params": {"would_price": edge}})
    amended = try_admit({"side": Side(side)}).task._replace(params={"would_price": D(slip)})
    rules = Rules(Thresholds(), POLICY)
    with pytest.raises(Refusal, match="collar"):
        check_amended(amended, scene(), rules, ["params"])
    check_amended(amended, scene(), rules, ["end"])


@pytest.mark.parametrize(
    ("qty", "params", "shown"),
    [
        (1000, {}, 100),
        (305, {}, 30),
        (5, {}, 1),
        (300, {"min_child": 60}, 60),
        (9, {"display": 4}, 4),
    ],
)
def test_what_an_iceberg_shows_is_spelled_out(qty: int, params: dict[str, int], shown: int) -> None:
    asked = {"algo": "iceberg", "qty": D(qty), "limit_price": D(100), "params": params}
    assert try_admit(asked).task.params["display"] == shown
    assert "display" not in try_admit({"algo": "twap"}).task.params
