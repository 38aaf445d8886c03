"""Brackets: their levels, what exits owe an entry, and the stop in the toy world."""

from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.bracket import (
    Basis,
    Bracket,
    Change,
    Entry,
    Leg,
    Level,
    Levels,
    Policy,
    duty,
    from_json,
    levels,
    ratio,
    to_json,
)
from app.domain.bracket_check import check_bracket
from app.domain.exits import is_forced
from app.domain.fact import Purpose
from app.domain.instant import MINUTE, SECOND
from app.domain.lifecycle import OrderStatus
from app.domain.market import Quote
from app.domain.quantity import ZERO, Side
from app.domain.refusal import Refusal
from tests.domain.tasks import OPEN, a_task
from tests.domain.test_decide import commands, markets, venues
from tests.domain.toyworld import Row, Venue, World, ended

D = Decimal
TICK, LOT = D("0.01"), D(1)


def at(target: str | None, stop: str | None, basis: Basis = Basis.PRICE) -> Bracket:
    return Bracket(
        Level(basis, D(target)) if target is not None else None,
        Level(basis, D(stop)) if stop is not None else None,
    )


# The incident: 1 : 2 at the price it was planned on, 1 : 0.13 at the one that was paid.


def test_the_incident_is_refused_before_the_order() -> None:
    task = a_task("market", 100)
    setup = at("110", "95")
    check_bracket(setup, task, D("100"))
    with pytest.raises(Refusal) as refused:
        check_bracket(setup, task, D("108.27"))
    assert refused.value.code == "risk.reward_risk"
    assert refused.value.detail["reward_risk"] == "0.13"


@pytest.mark.parametrize("policy", list(Policy))
def test_the_incident_at_the_fill_is_what_the_policy_says(policy: Policy) -> None:
    setup = replace(at("110", "95"), policy=policy)
    paid = Entry(Side.BUY, D(100), D("108.27"), over=False, ending=False)
    found = duty(setup, paid, (), lot=LOT, tick=TICK)
    assert found.under is not None
    assert round(found.under, 2) == D("0.13")
    assert found.enter is not None
    assert found.enter.qty == 100
    assert found.enter.forced == ("reward_risk" if policy is Policy.CLOSE else None)
    assert found.end_entry == (None if policy is Policy.KEEP else "reward_risk")


@given(
    st.sampled_from(list(Side)),
    st.integers(10_000, 10**7),
    st.integers(1, 900),
    st.integers(1, 900),
    st.sampled_from([Basis.OFFSET, Basis.PERCENT]),
)
def test_distances_follow_the_fill_and_never_promise_more(
    side: Side, price: int, reward: int, risk: int, basis: Basis
) -> None:
    """Reward is at least, and risk at most, what was asked, wherever the average lies."""
    paid = (D(price) / 700).quantize(D("1E-10"))
    scale = 100 if basis is Basis.OFFSET else 1000
    setup = at(str(D(reward) / scale), str(D(risk) / scale), basis)
    found = levels(setup, side, paid, TICK)
    assert found.target is not None
    assert found.stop is not None
    assert found.target % TICK == found.stop % TICK == 0
    assert setup.take_profit is not None
    assert setup.stop_loss is not None
    won = side.sign * (found.target - paid) - setup.take_profit.distance(paid)
    lost = setup.stop_loss.distance(paid) - side.sign * (paid - found.stop)
    if found.target > TICK:
        assert 0 <= won < TICK
    assert 0 <= lost < TICK
    told = ratio(side, paid, found)
    assert told is not None
    assert from_json(to_json(setup)) == setup


# What exits owe


class Group:
    """Whatever may happen to an entry and its exits, and a desk that does its duty."""

    def __init__(self, seed: int, policy: Policy) -> None:
        self.rng = Random(seed)
        self.bracket = replace(at("2", "1", Basis.OFFSET), policy=policy)
        self.entry = Entry(Side.BUY, ZERO, None, over=False, ending=False)
        self.legs: list[Leg] = []
        self.busted = ZERO

    def happen(self) -> None:
        rng, leg = self.rng, next((leg for leg in self.legs if not leg.over), None)
        roll = rng.random()
        if roll < 0.35 and not self.entry.over:
            filled = self.entry.filled + rng.randint(1, 50)
            average = D(rng.randint(9_000, 11_000)) / 100
            self.entry = replace(self.entry, filled=filled, average=average)
        elif roll < 0.42 and self.entry.filled > 0:
            void = D(rng.randint(1, int(self.entry.filled)))
            self.busted += void
            self.entry = replace(self.entry, filled=self.entry.filled - void)
        elif roll < 0.5 or (self.entry.ending and roll < 0.6):
            self.entry = replace(self.entry, over=True)
        elif leg is not None:
            self.put(self.moved(leg))

    def moved(self, leg: Leg) -> Leg:
        rng = self.rng
        if leg.reserved > 0 and rng.random() < 0.6:
            qty = D(rng.randint(1, int(leg.reserved)))
            leg = replace(leg, filled=leg.filled + qty, reserved=leg.reserved - qty)
            return replace(leg, over=leg.filled == leg.qty)
        if rng.random() < 0.5 and not leg.ending:
            return replace(leg, reserved=leg.qty - leg.filled)
        given_up = rng.random() < 0.3 and not leg.ending
        return replace(leg, reserved=ZERO, over=True, given_up=given_up)

    def put(self, leg: Leg) -> None:
        self.legs = [leg if one.id == leg.id else one for one in self.legs]

    def answer(self) -> bool:
        """One look of the desk; whether there was anything to do."""
        found = duty(self.bracket, self.entry, self.legs, lot=LOT, tick=TICK)
        if found.end_entry is not None:
            self.entry = replace(self.entry, ending=True)
        if found.enter is not None:
            name = f"x{len(self.legs)}"
            new = Leg(name, found.enter.qty, ZERO, levels=found.enter.levels)
            self.legs.append(replace(new, forced=found.enter.forced))
        if found.change is not None:
            leg = next(leg for leg in self.legs if not leg.over)
            self.put(self.changed(leg, found.change))
        return (found.enter, found.end_entry) != (None, None) or found.change is not None

    def changed(self, leg: Leg, change: Change) -> Leg:
        if change.cancel:
            return replace(leg, ending=True, reserved=ZERO, over=True)
        leg = replace(leg, qty=change.qty or leg.qty, levels=change.levels or leg.levels)
        leg = replace(leg, forced=change.force or leg.forced)
        if change.recall:
            leg = replace(leg, reserved=ZERO)
        return replace(leg, over=leg.filled == leg.qty)


@settings(max_examples=400)
@given(st.integers(0, 10**9), st.sampled_from(list(Policy)), st.integers(1, 60))
def test_whatever_happens_exits_cover_the_entry_and_no_more(
    seed: int, policy: Policy, length: int
) -> None:
    group = Group(seed, policy)
    for _ in range(length):
        group.happen()
        for _ in range(10):
            if not group.answer():
                break
        else:
            raise AssertionError("never at rest")
        taken = sum((leg.filled for leg in group.legs), ZERO)
        open_legs = [leg for leg in group.legs if not leg.over]
        assert len(open_legs) <= 1
        out = sum((leg.qty - leg.filled for leg in open_legs), ZERO)
        given_up = sum((leg.qty - leg.filled for leg in group.legs if leg.given_up), ZERO)
        assert taken + out <= max(group.entry.filled, taken), "more than the entry filled"
        assert taken <= group.entry.filled + group.busted
        if open_legs and not open_legs[0].ending:
            assert out == max(group.entry.filled - taken - given_up, ZERO)
        else:
            assert group.entry.filled - taken - given_up <= 0, "a fill without an exit"


def test_what_the_broker_filled_too_much_is_asked_for_by_nobody() -> None:
    """Both orders of a child that rested with its stop may fill: its excess, and an alarm."""
    entry = Entry(Side.BUY, D(100), D(100), over=True, ending=False)
    twice = Leg("x1", D(100), D(200), levels=Levels(D(110), D(95)))
    found = duty(at("110", "95"), entry, [twice], lot=LOT, tick=TICK)
    assert found.change is None
    assert found.enter is None


# The stop


@st.composite
def brackets(draw: st.DrawFn):  # type: ignore[no-untyped-def]
    side = draw(st.sampled_from(list(Side)))
    params = {
        "stop": draw(st.sampled_from([None, "99.99", "100.00", "100.02", "99.90", "100.10"])),
        "close_before": draw(st.sampled_from([None, None, 1, 60])),
        "max_child": draw(st.sampled_from([None, None, 90])),
    }
    task = a_task(
        "bracket",
        draw(st.sampled_from([500, 10, 5000])),
        side=side,
        length=draw(st.sampled_from([10 * MINUTE, 30 * SECOND])),
        limit=draw(st.sampled_from([None, "100", "99.95", "100.05"])),
        params={k: v for k, v in params.items() if v is not None},
    )
    return task._replace(policy=replace(task.policy, collar=D("0.5")))


@settings(max_examples=settings.default.max_examples * 4)
@given(st.data())
def test_it_crosses_after_its_stop_and_never_before(data: st.DataObject) -> None:
    task = data.draw(brackets())
    rows = data.draw(markets(task))
    said = data.draw(st.one_of(st.just([]), commands(task)))
    world = World(task, rows, data.draw(venues()), commands=said)
    ended(world.run())
    assert len(world.forced) <= 1, "a stop is hit once"
    assert is_forced(world.execution.task) == bool(world.forced)
    forced_at = world.forced[0][0] if world.forced else task.end
    waits = task.params.get("stop") is not None or task.limit_price is not None
    early = [at for at, send in world.sends if send.purpose is Purpose.CROSS and at < forced_at]
    assert not (waits and early)
    late = [at for at, send in world.sends if send.purpose is Purpose.REST and at > forced_at]
    assert not late or world.execution.task.limit_price is not None, "nobody gave it a new limit"


@settings(max_examples=settings.default.max_examples * 2)
@given(st.data())
def test_no_touch_at_the_stop_is_missed(data: st.DataObject) -> None:
    task = data.draw(brackets().filter(lambda t: t.params.get("stop") is not None))
    world = World(task, data.draw(markets(task)), Venue(hits=0))
    ended(world.run())
    stop, sign = task.params["stop"], task.side.sign
    through = [
        max(row.at, task.start)
        for row, after in zip(world.rows, [*world.rows[1:], None], strict=True)
        if row.quote is not None
        and sign * (row.quote.far(task.side) - stop) >= 0
        and row.at < task.end
        and (after is None or after.at > task.start)
    ]
    if not through or world.execution.filled == task.qty:
        return
    assert world.forced
    assert world.forced[0][0] <= through[0]


def test_a_bounce_does_not_undo_it() -> None:
    task = a_task("bracket", 500, side=Side.SELL, limit="105", params={"stop": "99"})
    world = World(task._replace(policy=replace(task.policy, collar=D("0.5"))), dip(), Venue(hits=0))
    world.run()
    assert world.execution.status is OrderStatus.FILLED
    assert world.forced == [(OPEN + SECOND, "stop")]
    rests = [send for _, send in world.sends if send.purpose is Purpose.REST]
    assert [send.price for send in rests] == [D(105)]
    crossed = [send.price for _, send in world.sends if send.purpose is Purpose.CROSS]
    assert crossed[0] == D("98.00")
    assert D("100.00") in crossed, "it goes on where the price came back"


def dip() -> list[Row]:
    rows = []
    for second, bid in enumerate(["100", "98", *["100"] * 60]):
        moment = OPEN + second * SECOND
        quote = Quote(D(bid), D(bid) + TICK, D(100), D(100), moment, moment)
        rows.append(Row(moment, quote, D(bid), D(second)))
    return rows


def test_levels_without_distance_stay_where_they_are() -> None:
    assert levels(at("110", None), Side.BUY, D("108.27"), TICK) == Levels(D(110), None)


def test_a_gap_through_the_collar_waits_for_the_next_trade() -> None:
    task = a_task("bracket", 50, side=Side.SELL, limit="105", params={"stop": "99"})
    rows = []
    for second, (bid, last) in enumerate([("100", "100"), ("80", "100"), ("80", "81")]):
        moment = OPEN + second * SECOND
        quote = Quote(D(bid), D(bid) + TICK, D(100), D(100), moment, moment)
        rows.append(Row(moment, quote, D(last), D(second)))
    near = task._replace(policy=replace(task.policy, collar=D("0.05")))
    world = World(near, rows, Venue(hits=0))
    world.run(until=OPEN + 2 * SECOND)
    assert world.forced == [(OPEN + SECOND, "stop")]
    assert world.decision.bound == "collar"
    assert not world.execution.children, "what rested is gone all the same"
    world.run()
    assert world.execution.status is OrderStatus.FILLED
    assert world.sends[-1][0] == OPEN + 2 * SECOND
