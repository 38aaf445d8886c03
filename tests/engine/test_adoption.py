"""What a child was that the journal lost: by the broker's terms, or at least by its fills."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from app.brokers.paper.broker import CAPABILITIES
from app.domain.fact import Purpose, TimeInForce
from app.domain.instant import SECOND
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import ZERO, Side
from app.engine.adoption import adopted, adoption, asks
from app.engine.sorting import Lost
from app.ports import ExecutionReport, Lookup, OrderReport, Report, Terms
from app.store.children import Parent
from tests.domain.tasks import OPEN

D = Decimal
AT = OPEN + SECOND
CHILD = "sl00000000001-1z"
TERMS = Terms("XYZ", Side.BUY, D(100), D(10))
PARENT = Parent("o9", "XYZ", "buy", 2, done=False)


def lost(*reports: Report, parent: Parent = PARENT, child: str = CHILD) -> Lost:
    return Lost(child, parent, reports)


def state(status: ChildStatus = ChildStatus.WORKING, terms: Terms | None = TERMS) -> OrderReport:
    return OrderReport(CHILD, "b7", status, AT, ZERO, None, terms)


def execution(qty: int, price: str, name: str) -> ExecutionReport:
    side = Side.BUY
    return ExecutionReport(CHILD, "b7", name, "XYZ", side, D(qty), D(price), ZERO, "taker", AT)


@pytest.mark.parametrize(
    ("reports", "asked"),
    [
        ([state()], False),
        ([state(terms=None)], True),
        ([execution(5, "10", "e1")], True),
    ],
)
def test_the_broker_is_asked_only_for_what_it_has_not_told(
    reports: Sequence[Report], asked: bool
) -> None:
    assert asks(lost(*reports)) is asked


@pytest.mark.parametrize("listed", [True, False])
async def test_without_look_ups_the_list_says_whether_a_child_still_works(listed: bool) -> None:
    """Known by one fill alone it would be taken for over, and go on filling."""

    class Listing:
        capabilities = replace(CAPABILITIES, lookup=Lookup.NONE)

        async def open_orders(self) -> Sequence[OrderReport]:
            return [state()] if listed else []

    fact, reports = await adopted(Listing(), lost(execution(5, "10", "e1")), OPEN)  # type: ignore[arg-type]
    assert fact is not None
    assert (fact.live, fact.qty) == ((True, TERMS.qty) if listed else (False, 5))
    assert len(reports) == (2 if listed else 1)


def test_a_child_is_taken_in_as_the_broker_has_it() -> None:
    fact = adoption(lost(), [state()], OPEN)
    assert fact is not None
    assert (fact.child_id, fact.number, fact.broker_order_id) == (CHILD, 71, "b7")
    assert (fact.side, fact.qty, fact.price) == (Side.BUY, D(100), D(10))
    assert (fact.live, fact.purpose, fact.at) == (True, Purpose.REST, AT)


def test_a_child_in_the_closing_auction_is_taken_in_as_such() -> None:
    fact = adoption(lost(), [replace(state(), terms=replace(TERMS, closing_auction=True))], OPEN)
    assert fact is not None
    assert (fact.purpose, fact.time_in_force) == (Purpose.CLOSE, TimeInForce.CLS)


def test_a_child_is_taken_in_with_its_stop() -> None:
    terms = replace(TERMS, stop_price=D(9), stop_limit_price=D(8))
    fact = adoption(lost(), [replace(state(), terms=terms)], OPEN)
    assert fact is not None
    assert (fact.stop_price, fact.stop_limit_price) == (9, 8)


@pytest.mark.parametrize(
    ("reports", "done", "live"),
    [
        ([state()], False, True),
        ([state()], True, False),
        ([state(), state(ChildStatus.CANCELED)], False, False),
        ([execution(5, "10", "e1")], False, False),
    ],
)
def test_it_is_live_where_every_word_says_so_and_its_order_is_not_over(
    reports: Sequence[Report], done: bool, live: bool
) -> None:
    fact = adoption(lost(parent=replace(PARENT, done=done)), reports, OPEN)
    assert fact is not None
    assert fact.live is live


def test_without_terms_it_is_what_it_filled_each_execution_once_at_the_worst_price() -> None:
    told = [execution(5, "10", "e1"), execution(7, "10.5", "e2"), execution(5, "10", "e1")]
    fact = adoption(lost(), told, OPEN)
    assert fact is not None
    assert (fact.qty, fact.price, fact.live) == (D(12), D("10.5"), False)


@pytest.mark.parametrize(
    ("child", "reports"),
    [
        (CHILD, []),
        (CHILD, [state(terms=None)]),
        (CHILD, [state(terms=replace(TERMS, symbol="ABC"))]),
        (CHILD, [state(terms=replace(TERMS, side=Side.SELL))]),
        ("manual-1", [state()]),
    ],
)
def test_what_nothing_explains_is_not_taken_in(child: str, reports: Sequence[Report]) -> None:
    assert adoption(lost(child=child), reports, OPEN) is None
