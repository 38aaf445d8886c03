"""The order-flow gate: what confirms, what contradicts, and that no data confirms nothing."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.flow.record import Flow
from app.domain.gate import Verdict
from app.domain.instant import MINUTE, SECOND
from app.domain.quantity import Side
from app.domain.ruling import Decision, Outcome
from tests.domain.gates.situations import NOW, asked, case, flow, frame, quote

LENGTHS = (10 * SECOND, MINUTE, 5 * MINUTE)


def votes(decision: Decision) -> dict[str, str | None]:
    heard = decision.rulings[0].inputs["witnesses"]
    return {name: said["vote"] for name, said in heard.items()}


def silent(**given: object) -> Flow:
    """Frames with neither quotes nor trades."""
    frames = tuple(frame(length, None, None) for length in LENGTHS)
    bare = replace(flow(), frames=frames, footprint=(), cvd_volume=Decimal(0), cvd=Decimal(0))
    return replace(bare, **given)  # type: ignore[arg-type]


def test_buyers_are_confirmed_and_sellers_are_not() -> None:
    there, turned = asked("flow", case()), asked("flow", case(Side.SELL))
    assert set(votes(there).values()) == {"for"}
    assert (there.outcome, there.rulings[0].confidence) == (Outcome.EXECUTE, 1.0)
    assert set(votes(turned).values()) == {"against"}
    assert (turned.outcome, turned.rulings[0].confidence) == (Outcome.REJECT, 0.0)
    assert "against it book, 10 s, 60 s, 300 s, delta, footprint" in turned.rulings[0].reason


@pytest.mark.parametrize("data", [None, replace(flow(), at=NOW - 11 * SECOND)])
def test_no_data_is_no_confirmation_and_says_so(data: Flow | None) -> None:
    decision = asked("flow", case(flow=data))
    assert decision.outcome is Outcome.REJECT
    assert decision.rulings[0].reason.startswith("no confirmation: the order flow is known as") or (
        decision.rulings[0].reason == "no confirmation: the order flow is not known"
    )
    assert asked("flow", case(flow=data), no_data="defer").outcome is Outcome.DEFER
    assert asked("flow", case(flow=data), no_data="pass").outcome is Outcome.EXECUTE
    reduced = asked("flow", case(flow=data), no_data="reduce", factor="0.25")
    assert (reduced.outcome, reduced.factor) == (Outcome.REDUCE, Decimal("0.25"))


def test_a_tape_made_of_bars_is_no_data() -> None:
    """Its few quotes and trades must not pass for a flow, whatever the book shows."""
    decision = asked("flow", case(flow=silent()), unconfirmed="pass")
    assert decision.outcome is Outcome.REJECT
    few = replace(frame(MINUTE), updates=4, trades=2)
    assert votes(asked("flow", case(flow=silent(frames=(few,)))))["60 s"] is None


def test_the_book_alone_confirms_nothing() -> None:
    decision = asked("flow", case(flow=silent()))
    assert votes(decision)["book"] == "for"
    assert decision.outcome is Outcome.REJECT


def test_the_threshold_of_the_book_is_a_share_of_the_touch() -> None:
    for bid, vote in (("60", "for"), ("59", "neutral"), ("41", "neutral"), ("40", "against")):
        ask = str(100 - int(bid))
        assert votes(asked("flow", case(quote=quote(bid, ask))))["book"] == vote, bid


def test_an_empty_touch_says_nothing() -> None:
    assert votes(asked("flow", case(quote=quote("0", "0"))))["book"] is None


def test_timeframes_must_agree() -> None:
    only = tuple(
        frame(length, *((2.0, 0.5) if length == MINUTE else (0.1, 0.0))) for length in LENGTHS
    )
    one = asked("flow", case(flow=replace(flow(), frames=only)))
    assert one.outcome is Outcome.REJECT
    assert votes(one)["10 s"] == "neutral"
    enough = asked("flow", case(flow=replace(flow(), frames=only)), frames=1)
    assert enough.outcome is Outcome.EXECUTE


def test_book_and_trades_that_disagree_leave_a_timeframe_neutral() -> None:
    split = tuple(frame(length, 2.0, -0.5) for length in LENGTHS)
    assert votes(asked("flow", case(flow=replace(flow(), frames=split))))["60 s"] == "neutral"


def test_a_timeframe_that_ended_long_ago_says_nothing() -> None:
    old = tuple(frame(length, end=NOW - 2 * length) for length in LENGTHS)
    heard = votes(asked("flow", case(flow=replace(flow(), frames=old))))
    assert [heard[name] for name in ("10 s", "60 s", "300 s", "footprint")] == [None] * 4


def test_what_is_not_confirmed_goes_by_policy() -> None:
    sell = case(Side.SELL)
    assert asked("flow", sell, unconfirmed="defer").outcome is Outcome.DEFER
    assert asked("flow", sell, unconfirmed="reduce").factor == Decimal("0.5")
    one = asked("flow", sell, unconfirmed="reduce", factor=1)
    assert (one.outcome, one.rulings[0].verdict) == (Outcome.EXECUTE, Verdict.PASS)


def test_the_classifier_is_recorded() -> None:
    inputs = asked("flow", case()).rulings[0].inputs
    assert inputs["classified"] == {"quote": 0.9, "at_mid": 0.1, "tick": 0.0}
