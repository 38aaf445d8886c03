"""What a desk tells an order that only reduces, and when it looks again."""

from dataclasses import replace
from decimal import Decimal

from app.domain.fact import CancelRequested
from app.domain.fold import apply
from app.domain.instant import Instant
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import ZERO, Side
from app.engine.roster import Roster
from app.store.controls import Level, Scope, Switch
from app.store.halts import Halt
from tests.domain.tasks import OPEN
from tests.engine.test_roster import LATER, child, filled, loaded, order

D = Decimal
SELL = Side.SELL


def reducing(name: str, *facts: object):  # type: ignore[no-untyped-def]
    execution = order(name, side=SELL)
    execution = replace(execution, task=execution.task._replace(reduce_only=True))
    for fact in facts:
        execution = apply(execution, fact)  # type: ignore[arg-type]
    return execution


def of(*executions: object, **over: object) -> Roster:
    roster = Roster()
    roster.remember([loaded(e, **over) for e in executions], OPEN)  # type: ignore[arg-type]
    roster.positions = {"XYZ": D(500)}
    roster.due(OPEN)
    return roster


def switch(level: Level, scope: Scope = Scope.ALL, name: str = "*") -> Switch:
    return Switch(scope, name, True, level, "drill", 1, OPEN, "me")


def due(roster: Roster, at: Instant = LATER) -> list[str]:
    return [order.order_id for order in roster.due(at)]


def test_what_others_may_still_fill_on_its_side_is_counted() -> None:
    plain = order("o2", child("o2-1", "12", SELL, qty=120), side=SELL)
    other = reducing("o3", child("o3-1", "12", SELL, qty=30))
    buys = order("o4", child("o4-1", "9", qty=70))
    elsewhere = order("o5", child("o5-1", "12", SELL), side=SELL, symbol="ABC")
    roster = of(reducing("o1", child("o1-1", "12", SELL)), plain, other, buys, elsewhere)
    facts = roster.facts_for(roster.orders["o1"])
    assert (facts.held, facts.reducing) == (500, 150)
    told = roster.facts_for(roster.orders["o2"])
    assert (told.held, told.reducing) == (None, ZERO)


def test_for_a_kill_switch_only_those_count_that_reduce_as_well() -> None:
    plain = order("o2", child("o2-1", "12", SELL, qty=120), side=SELL)
    other = reducing("o3", child("o3-1", "12", SELL, qty=30))
    roster = of(plain, other)
    roster.remember([loaded(reducing("o1"), role="flatten")], OPEN)
    assert roster.facts_for(roster.orders["o1"]).reducing == 30


def test_an_order_that_flattens_passes_halts_while_a_switch_asks_for_it() -> None:
    roster = of(reducing("o1"), role="flatten")
    roster.halts = {("all", "*"): Halt("drill"), ("symbol", "XYZ"): Halt("news")}
    roster.flattening = (switch(Level.FLATTEN),)
    assert roster.facts_for(roster.orders["o1"]).halt is None
    roster.flattening = (switch(Level.FLATTEN, Scope.SYMBOL, "ABC"),)
    assert roster.facts_for(roster.orders["o1"]).halt == "released"


def test_a_users_own_passes_none() -> None:
    roster = of(reducing("o1"))
    roster.halts = {("all", "*"): Halt("drill")}
    roster.flattening = (switch(Level.FLATTEN),)
    assert roster.facts_for(roster.orders["o1"]).halt == "all:*: drill"


def test_whatever_changes_in_the_symbol_wakes_it() -> None:
    from app.store.journal import Recorded

    bought = order("o2", child("o2-1"))
    roster = of(reducing("o1"), bought, order("o3", symbol="ABC"))
    assert due(roster) == []
    after = apply(bought, filled("o2-1", 40, "10"))
    roster.take_over([Recorded("o2", after, 2)], LATER)
    assert set(due(roster)) == {"o1", "o2"}
    # A late fill of an order that is over, and that nobody here remembers.
    over = replace(order("o9"), status=OrderStatus.CANCELED)
    roster.take_over([Recorded("o9", over, 3)], LATER)
    assert due(roster) == ["o1"]
    # Booked by somebody else.
    roster.remember([loaded(apply(after, CancelRequested(LATER, "user")), version=4)], LATER)
    assert set(due(roster)) == {"o1", "o2"}
