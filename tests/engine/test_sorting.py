"""What reports mean: fills before ends, ends only with their fills, each thing once."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.fact import ChildCanceled, ChildFact, Filled
from app.domain.instant import SECOND
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import ZERO, Side
from app.engine.sorting import Sorting, sort, waiting
from app.ports import BustReport, ExecutionReport, OrderReport, Report, Terms
from app.store.children import Owner, Parent
from app.store.fill_ledger import Term, Void
from tests.domain.tasks import OPEN

D = Decimal
C = ChildStatus
AT = OPEN + SECOND
LOST = "sl00000000001-2"
PARENT = Parent("o9", "XYZ", "buy", 2, done=False)


def owner(filled: int = 0, status: ChildStatus = C.WORKING) -> Owner:
    return Owner("o1", "XYZ", "buy", status.value, D(100), D(filled), "b1")


def told(status: ChildStatus, filled: int = 0, child: str = "c1", listed: bool = False) -> Report:
    terms = Terms("XYZ", Side.BUY, D(100), D(10)) if listed else None
    return OrderReport(child, "b1", status, AT, D(filled), "why", terms)


def execution(
    qty: int, name: str = "e1", child: str = "c1", corrects: str | None = None
) -> ExecutionReport:
    return ExecutionReport(
        child, "b1", name, "XYZ", Side.BUY, D(qty), D(10), ZERO, "maker", AT, corrects
    )


def sorted_out(
    reports: Sequence[Report], *booked: tuple[str, int], status: ChildStatus = C.WORKING
) -> Sorting:
    """One child c1, with executions booked already."""
    terms = {name: Term("c1", D(qty), D(10)) for name, qty in booked}
    have = {"c1": owner(sum(qty for _, qty in booked), status)}
    return sort(reports, have, terms, {LOST: PARENT})


def facts(sorting: Sorting) -> list[ChildFact]:
    return [fact for entry in sorting.entries for fact in entry.facts]  # type: ignore[misc]


@pytest.mark.parametrize("end", [C.CANCELED, C.EXPIRED, C.REJECTED, C.FILLED])
@pytest.mark.parametrize(
    ("booked", "reports", "filled", "held"),
    [
        ([], [], 0, False),
        ([], [], 40, True),
        ([("e1", 40)], [], 40, False),
        ([("e1", 40)], [], 41, True),
        ([], [execution(40)], 40, False),
        ([], [execution(40)], 60, True),
        ([], [execution(40), execution(20, "e2")], 60, False),
        # Told twice, or told again: a fill is still one.
        ([], [execution(40), execution(40)], 80, True),
        ([("e1", 40)], [execution(40)], 80, True),
        # For a child that nobody here has.
        ([], [execution(40, child="c9")], 40, True),
        # A void execution does not count.
        ([("e1", 40)], [BustReport("c1", "e1", AT, "error")], 40, True),
    ],
)
def test_an_end_waits_for_its_fills(
    end: ChildStatus, booked: list[tuple[str, int]], reports: list[Report], filled: int, held: bool
) -> None:
    for given_so in ([*reports, told(end, filled)], [told(end, filled), *reports]):
        assert bool(sorted_out(given_so, *booked).held) is held


def test_ends_wait_until_their_child_is_heard_of() -> None:
    old, other, new = told(C.CANCELED, 40), told(C.CANCELED, 5, "c2"), told(C.CANCELED, 30)
    assert isinstance(old, OrderReport)
    assert isinstance(other, OrderReport)
    assert isinstance(new, OrderReport)
    held = {"c1": old, "c2": other}
    assert waiting(held, [], []) == held
    assert waiting(held, [old, execution(40)], []) == {"c2": other}
    assert waiting(held, [old, new], [new]) == {"c1": new, "c2": other}


def test_fills_come_before_ends() -> None:
    found = facts(sorted_out([told(C.CANCELED, 40), execution(40)]))
    assert [type(fact) for fact in found] == [Filled, ChildCanceled]


def test_what_was_heard_is_no_news() -> None:
    assert sorted_out([told(C.WORKING), execution(40)], ("e1", 40)).entries == []
    assert sorted_out([told(C.CANCELED)], status=C.CANCELED).entries == []


def test_the_newer_of_two_ends_counts_when_the_older_waits_in_vain() -> None:
    """The broker first spoke of 40, then declared them void."""
    sorting = sorted_out([told(C.CANCELED, 40), told(C.CANCELED, 0)])
    assert [type(fact) for fact in facts(sorting)] == [ChildCanceled]


def test_an_execution_with_other_terms_is_strange() -> None:
    assert sorted_out([execution(41)], ("e1", 40)).strange == [
        (execution(41), "contradicts_booked")
    ]
    twice = sorted_out([execution(40), execution(41)])
    assert twice.strange == [(execution(41), "contradicts_booked")]


def test_a_bust_is_told_once() -> None:
    bust = BustReport("c1", "e1", AT, "clearly erroneous")
    (entry,) = sorted_out([bust, bust], ("e1", 40)).entries
    assert entry.voids == [Void("c1", "e1", AT, "clearly erroneous")]
    have = {"c1": owner(0)}
    booked = {"e1": Term("c1", D(40), D(10), busted=True)}
    assert sort([bust], have, booked, {}).entries == []


def test_a_correction_voids_what_it_replaces() -> None:
    (entry,) = sorted_out([execution(30, "e2", corrects="e1")], ("e1", 40)).entries
    assert [v.execution_id for v in entry.voids] == ["e1"]
    assert [fact.execution_id for fact in entry.facts if isinstance(fact, Filled)] == ["e2"]


def test_a_lost_child_is_told_with_all_its_reports() -> None:
    reports = [execution(40, child=LOST), told(C.WORKING, 40, LOST)]
    (lost,) = sorted_out(reports).lost
    assert (lost.parent, list(lost.reports)) == (PARENT, reports)


def test_a_strangers_bust_is_kept() -> None:
    bust = BustReport("sl00000000009-1", "e7", AT, "error")
    assert sorted_out([bust]).voids == [Void("sl00000000009-1", "e7", AT, "error")]


@pytest.mark.parametrize(("listed", "undead"), [(True, ["c1"]), (False, [])])
def test_only_a_list_or_look_up_raises_the_dead(listed: bool, undead: list[str]) -> None:
    sorting = sorted_out([told(C.WORKING, listed=listed)], status=C.CANCELED)
    assert (sorting.undead, sorting.entries) == (undead, [])


@given(
    st.lists(st.integers(1, 30), max_size=3),
    st.lists(st.integers(1, 30), max_size=3),
    st.data(),
)
def test_an_end_never_frees_what_was_filled(
    before: list[int], fresh: list[int], data: st.DataObject
) -> None:
    """Of all fills there are, some are booked, some told, some repeated, some missing."""
    fills = {f"e{n}": qty for n, qty in enumerate([*before, *fresh], start=1)}
    chosen = data.draw(st.lists(st.sampled_from(sorted(fills)), max_size=6)) if fills else []
    booked = [(f"e{n}", qty) for n, qty in enumerate(before, start=1)]
    known = {name for name, _ in booked} | set(chosen)
    reports = [
        *(execution(fills[name], name) for name in chosen),
        told(C.CANCELED, sum(fills.values())),
    ]
    sorting = sorted_out(data.draw(st.permutations(reports)), *booked)
    assert bool(sorting.held) == (known != set(fills))
