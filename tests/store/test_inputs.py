"""What a decision saw comes back out of JSON as it was: no digit and no microsecond is lost."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.desk import Desk
from app.domain.fact import (
    Adopted,
    Amended,
    BecameUnknown,
    Busted,
    CancelRequested,
    ChildCanceled,
    ChildCancelRequested,
    ChildExpired,
    ChildRejected,
    Fact,
    Filled,
    Intended,
    Moved,
    Paused,
    Purpose,
    Replanned,
    Rested,
    Resumed,
    Sent,
    TimeInForce,
)
from app.domain.instant import SECOND
from app.domain.lifecycle import OrderStatus
from app.domain.market import ONE, Anchored, Market, Quote
from app.domain.plan import Envelope
from app.domain.quantity import Side
from app.domain.session import Session
from app.store.database import connect, to_json
from app.store.frames import fact_data, fact_of
from app.store.inputs import (
    Kept,
    NotStored,
    Profiles,
    desk_from_json,
    desk_to_json,
    envelope_from_json,
    envelope_to_json,
    market_from_json,
    market_to_json,
)
from tests.domain.tasks import OPEN, SESSION

LATER = Session(SESSION.closes_at, SESSION.closes_at + 1)
amounts = st.decimals(min_value=0, max_value=10**15, places=12)
instants = st.integers(1, 4 * 10**15)
volumes = st.floats(0, 1e15, allow_nan=False)
bins = st.lists(st.none() | volumes, max_size=20).map(tuple)
quotes = st.builds(Quote, amounts, amounts, amounts, amounts, instants, instants)
markets = st.builds(
    Market,
    quote=st.none() | quotes,
    last=st.none() | amounts,
    last_at=st.none() | instants,
    volume=amounts,
    session=st.sampled_from([None, SESSION, LATER]),
    volume_coverage=st.sampled_from([ONE, Decimal("0.03")]),
    own_volume=amounts,
    anchored=st.none() | st.builds(Anchored, amounts, amounts),
    profile=bins,
)
desks = st.builds(
    Desk,
    halt=st.none() | st.just("drill"),
    own_bid=st.none() | amounts,
    own_ask=st.none() | amounts,
    queued=st.booleans(),
    margin=st.integers(0, 10**9),
    auction=st.booleans(),
    auctioned=st.frozensets(st.sampled_from(list(Side))),
)
envelopes = st.builds(
    Envelope,
    must=amounts,
    may=amounts,
    next_at=st.none() | instants,
    step=amounts,
    resting=st.none() | st.tuples(instants, instants),
)


def stored(value: Any) -> Any:
    return json.loads(to_json(value))


@given(markets, desks, envelopes)
def test_inputs_come_back(market: Market, desk: Desk, envelope: Envelope) -> None:
    told = stored(market_to_json(market, SESSION, None)) | {"version": 1}
    assert market_from_json(told, SESSION, Profiles()) == market
    assert desk_from_json(stored(desk_to_json(desk))) == desk
    assert envelope_from_json(stored(envelope_to_json(envelope))) == envelope


@given(bins, st.lists(bins, max_size=6), st.sets(st.integers(0, 6)))
def test_past_bins_are_written_once(
    first: tuple[float | None, ...], more: list[tuple[float | None, ...]], restarts: set[int]
) -> None:
    kept: Kept | None = None
    seen, profiles = first, Profiles()
    for version, added in enumerate(more):
        if version in restarts:
            kept = None
        seen = added if version == 3 else seen + added  # A backfill: the past is another one.
        market = Market(quote=None, profile=seen)
        told = stored(market_to_json(market, SESSION, kept)) | {"version": version}
        assert market_from_json(told, SESSION, profiles).profile == seen
        if kept is not None and len(kept.profile) > 0 and version != 3:
            assert len(told.get("profile", {"more": []})["more"]) == len(added)
        kept = Kept(version, seen)


def test_bins_whose_first_part_is_missing_are_not_made_up() -> None:
    told = market_to_json(Market(quote=None, profile=(1.0, 2.0)), SESSION, Kept(4, (1.0,)))
    assert told["profile"] == {"since": 4, "more": (2.0,)}
    with pytest.raises(NotStored, match="the decision of version 4 is missing"):
        market_from_json(stored(told) | {"version": 5}, SESSION, Profiles())


async def test_no_digit_is_lost_in_the_database(database_url: str) -> None:
    odd = (0.1 + 0.2, 1e22, 3.0, 1e-7, 123456789.123456789, None, 5e-324)
    told = market_to_json(Market(quote=None, profile=odd), SESSION, None) | {"version": 1}
    connection = await connect(database_url)
    back = json.loads(await connection.fetchval("SELECT $1::text::jsonb::text", to_json(told)))
    await connection.close()
    assert market_from_json(back, SESSION, Profiles()).profile == odd


def test_what_is_as_usual_takes_no_room() -> None:
    quiet = Market(quote=None, session=SESSION, anchored=Anchored())
    assert market_to_json(quiet, SESSION, None).keys() == {"market_volume", "last"}
    assert desk_to_json(Desk()) == {}
    busy = Desk(pause=64 * SECOND)
    assert desk_to_json(busy) == {"pause_us": 64_000_000}
    assert desk_from_json(stored(desk_to_json(busy))) == busy
    assert "session" in market_to_json(replace(quiet, session=None), SESSION, None)


TERMS: dict[str, Any] = {
    "child_id": "c1",
    "number": 1,
    "side": Side.BUY,
    "qty": Decimal("1.50"),
    "price": Decimal("99.010"),
    "purpose": Purpose.REST,
}
BOOKED: dict[str, Any] = {
    "child_id": "c1",
    "execution_id": "x1",
    "qty": Decimal(3),
    "price": Decimal("99.01"),
    "fee": Decimal("-0.01"),
}
FACTS: list[Fact] = [
    Moved(OPEN, OrderStatus.WORKING),
    Moved(OPEN, OrderStatus.NEEDS_OPERATOR, "internal.X"),
    Paused(OPEN),
    Resumed(OPEN),
    CancelRequested(OPEN, "requested"),
    Amended(OPEN),
    Amended(OPEN, Decimal(5), Decimal("1.5"), OPEN + 7, Decimal("0.1"), {"placement": "peg"}),
    Replanned(OPEN, Decimal("0.5"), "behind_schedule"),
    Intended(OPEN, **TERMS, time_in_force=TimeInForce.DAY, quote_at=OPEN - 1),
    Adopted(OPEN, **TERMS, time_in_force=TimeInForce.IOC, live=True),
    Adopted(OPEN, **TERMS, time_in_force=TimeInForce.IOC, live=False, broker_order_id="b"),
    Sent(OPEN, "c1", "b1"),
    Rested(OPEN, "c1"),
    BecameUnknown(OPEN, "c1", "timeout"),
    ChildCancelRequested(OPEN, "c1", "moved"),
    ChildCanceled(OPEN, "c1"),
    ChildExpired(OPEN, "c1", "ioc"),
    ChildRejected(OPEN, "c1", "no", absent=True),
    Filled(OPEN, **BOOKED, liquidity="added"),
    Filled(OPEN, **BOOKED, liquidity="added", corrects="x0"),
    Busted(OPEN, **BOOKED, reason="void"),
]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.type)
def test_an_event_says_its_fact(fact: Fact) -> None:
    assert fact_of(fact.type, fact.at, stored(fact_data(fact))) == fact


def test_the_acceptance_is_no_fact() -> None:
    assert fact_of("order.accepted", OPEN, {"algo": "twap"}) is None
