"""What a batch of reports means for the journal. Pure: what the journal has is handed in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.fact import ChildCanceled, ChildExpired, ChildFact, ChildRejected, Fact
from app.domain.lifecycle import CHILD_DONE, ChildStatus
from app.domain.quantity import ZERO
from app.engine.hearing import facts_of
from app.ports import BustReport, ExecutionReport, OrderReport, Report
from app.store.children import Owner, Parent
from app.store.fill_ledger import Term, Void
from app.store.journal import Entry

Strange = tuple[ExecutionReport, str]
"""An execution that cannot be booked, and why."""

_WORKING = (ChildStatus.WORKING, ChildStatus.PARTIALLY_FILLED)


@dataclass(frozen=True, slots=True)
class Lost:
    """A child that the broker knows and the journal does not, though its parent is there."""

    child_id: str
    parent: Parent
    reports: tuple[Report, ...]

    def joined(self, again: "Lost") -> "Lost":
        """The same child, told of again."""
        reports = tuple(dict.fromkeys((*self.reports, *again.reports)))
        return Lost(again.child_id, again.parent, reports)


BOOKED_AT_ONCE = 500
"""Reports of one transaction: leases are renewed, and others heard, in between."""


def parted(reports: Sequence[Report]) -> Iterator[list[Report]]:
    """Reports in parts that a transaction is soon done with, all of one child in the same part."""
    by_child: dict[str, list[Report]] = {}
    for report in reports:
        by_child.setdefault(report.child_id, []).append(report)
    part: list[Report] = []
    for told in by_child.values():
        part += told
        if len(part) >= BOOKED_AT_ONCE:
            yield part
            part = []
    if part:
        yield part


@dataclass(slots=True)
class Sorting:
    """Reports by what becomes of them. `voids` are of children nobody here has; `undead` are
    children that are over for us and open at the broker."""

    entries: list[Entry] = field(default_factory=list)
    held: list[OrderReport] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    strange: list[Strange] = field(default_factory=list)
    voids: list[Void] = field(default_factory=list)
    undead: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _OfChild:
    """What a batch tells about one child, each thing once."""

    fills: dict[str, ExecutionReport] = field(default_factory=dict)
    voids: dict[str, Void] = field(default_factory=dict)
    states: list[OrderReport] = field(default_factory=list)


def sort(
    reports: Sequence[Report],
    owners: Mapping[str, Owner],
    booked: Mapping[str, Term],
    parents: Mapping[str, Parent],
) -> Sorting:
    """`owners` are the children the journal has, `booked` the executions, `parents` the orders
    of children that it should have."""
    sorting = Sorting()
    mine: dict[str, _OfChild] = {}
    for report in reports:
        owner = owners.get(report.child_id)
        if owner is not None:
            _take(report, owner, booked, mine.setdefault(report.child_id, _OfChild()), sorting)
    by_order: dict[str, tuple[list[ChildFact], list[Void]]] = {}
    for child_id, told in mine.items():
        owner = owners[child_id]
        facts = _facts(told, owner, booked, sorting)
        if facts or told.voids:
            known = by_order.setdefault(owner.order_id, ([], []))
            known[0].extend(facts)
            known[1].extend(told.voids.values())
    sorting.entries = [
        Entry(order_id, sorted(facts, key=_is_end), voids=voids)
        for order_id, (facts, voids) in by_order.items()
    ]
    _place_others([r for r in reports if r.child_id not in owners], parents, sorting)
    return sorting


def waiting(
    held: Mapping[str, OrderReport], heard: Iterable[Report], still: Iterable[OrderReport]
) -> dict[str, OrderReport]:
    """The ends that wait for fills, by child, after a batch was `heard` that left `still`."""
    answered = {report.child_id for report in heard}
    left = {child_id: end for child_id, end in held.items() if child_id not in answered}
    return left | {end.child_id: end for end in still}


def _take(
    report: Report,
    owner: Owner,
    booked: Mapping[str, Term],
    told: _OfChild,
    sorting: Sorting,
) -> None:
    if isinstance(report, OrderReport):
        told.states.append(report)
        return
    void = _void_of(report)
    if void is not None and not _voided_already(void, booked):
        told.voids[void.execution_id] = void
    if isinstance(report, BustReport):
        return
    terms = booked.get(report.execution_id)
    earlier = told.fills.get(report.execution_id)
    if (owner.symbol, owner.side) != (report.symbol, report.side.value):
        sorting.strange.append((report, "unlike_its_child"))
    elif _contradicts(report, terms) or _contradicts(report, earlier):
        sorting.strange.append((report, "contradicts_booked"))
    elif terms is None:
        told.fills[report.execution_id] = report


def _void_of(report: Report) -> Void | None:
    """The execution that a report declares void."""
    if isinstance(report, BustReport):
        return Void(report.child_id, report.execution_id, report.at, report.reason)
    if isinstance(report, ExecutionReport) and report.corrects is not None:
        return Void(report.child_id, report.corrects, report.at, "corrected")
    return None


def _voided_already(void: Void, booked: Mapping[str, Term]) -> bool:
    known = booked.get(void.execution_id)
    return known is not None and known.busted


def _contradicts(report: ExecutionReport, other: Term | ExecutionReport | None) -> bool:
    ours = (report.child_id, report.qty, report.price)
    return other is not None and (other.child_id, other.qty, other.price) != ours


def _facts(
    told: _OfChild, owner: Owner, booked: Mapping[str, Term], sorting: Sorting
) -> list[ChildFact]:
    """Fills first, then states: an end must never free what was filled."""
    fills = sorted(told.fills.values(), key=lambda f: (f.at, f.execution_id))
    facts = [fact for fill in fills for fact in facts_of(fill)]
    filled = owner.filled + sum((fill.qty for fill in fills), ZERO) - _voided(told, booked)
    if owner.status in CHILD_DONE and any(_open_there(state) for state in told.states):
        sorting.undead.append(told.states[0].child_id)
    ended = False
    for state in sorted(told.states, key=lambda s: s.status in CHILD_DONE):
        if not _news(state, owner) or ended:
            continue
        if state.status in CHILD_DONE and state.filled != filled:
            # Fills have not been told yet, or that some of ours are void.
            sorting.held.append(state)
            continue
        ended = state.status in CHILD_DONE
        facts += facts_of(state)
        if state.status is ChildStatus.FILLED and filled < owner.qty:
            # Over with less than it asked for: the rest was filled once, and is void.
            facts.append(ChildCanceled(state.at, state.child_id, "void"))
    return facts


def _open_there(state: OrderReport) -> bool:
    """Whether a look-up or a list says so: a late frame of the stream may be of long ago."""
    return state.status not in CHILD_DONE and state.terms is not None


def _is_end(fact: Fact) -> bool:
    return isinstance(fact, ChildCanceled | ChildExpired | ChildRejected)


def _voided(told: _OfChild, booked: Mapping[str, Term]) -> Decimal:
    """What this batch's voids take away of what is booked, or told in it."""
    voided = ZERO
    for name in told.voids:
        term, fill = booked.get(name), told.fills.get(name)
        if term is not None and not term.busted:
            voided += term.qty
        elif fill is not None:
            voided += fill.qty
    return voided


def _news(state: OrderReport, owner: Owner) -> bool:
    """Whether a state says more than the journal has; most are heard many times."""
    if owner.status in CHILD_DONE:
        return False
    known = owner.broker_order_id == state.broker_order_id
    return not (state.status in _WORKING and owner.status in _WORKING and known)


def _place_others(
    reports: Sequence[Report], parents: Mapping[str, Parent], sorting: Sorting
) -> None:
    by_child: dict[str, list[Report]] = {}
    for report in reports:
        by_child.setdefault(report.child_id, []).append(report)
    for child_id, told in by_child.items():
        parent = parents.get(child_id)
        executions = [r for r in told if isinstance(r, ExecutionReport)]
        if parent is not None and all(_fits(r, parent) for r in executions):
            sorting.lost.append(Lost(child_id, parent, tuple(told)))
            continue
        reason = "unknown_child" if parent is None else "unlike_its_parent"
        sorting.strange += [(report, reason) for report in executions]
        sorting.voids += [void for r in told if (void := _void_of(r)) is not None]


def _fits(report: ExecutionReport, parent: Parent) -> bool:
    return (report.symbol, report.side.value) == (parent.symbol, parent.side)
