"""Run one day and hold it against the venue's ledger."""

from collections import Counter
from dataclasses import dataclass, replace

from app.domain.execution import accepted
from app.domain.fact import Adopted, Intended, OrderFact
from app.domain.fold import adopted_child, apply, apply_to_child
from app.domain.instant import MINUTE, Instant, Micros, rfc3339
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import ZERO
from app.domain.recovery import NO_EVIDENCE, provable
from tests.simulation.bugs import NONE, Bugs
from tests.simulation.house import LAST, House
from tests.simulation.ledger import net
from tests.simulation.names import order_of
from tests.simulation.watch import hold

SETTLED_AFTER = 4 * MINUTE
"""Every request and report that is still under way when the last order is over has arrived."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What one day did. `hash` is of all its steps: the same seed gives the same."""

    parents: int
    children: int
    fills: int
    steps: int
    hash: int
    faults: Counter[str]
    ends: Counter[str]


class Failed(Exception):
    """A day that broke an invariant, with all that is needed to see it again."""

    def __init__(self, seed: int, day: int, house: House, why: BaseException) -> None:
        self.seed, self.day, self.why = seed, day, why
        self.means = house.scenario.means
        steps = "\n".join(told(step) for step in house.last)
        super().__init__(
            f"{type(why).__name__}: {why}\n"
            f"  again: python -m tests.simulation --seed {seed} --day {day} --verbose\n{steps}"
        )


def told(step: tuple[object, ...]) -> str:
    at, *what = step
    assert isinstance(at, Instant)
    return f"  {rfc3339(at)[11:23]} {' '.join(map(str, what))}"


def run(
    seed: int, day: int, bugs: Bugs = NONE, keep: int = 60, longest: Micros | None = None
) -> tuple[Summary, House]:
    """One day from its seed. Raises Failed."""
    house = House(f"{seed}:{day}", bugs, keep, longest)
    try:
        _live(house)
        _compare(house)
    except Exception as why:
        raise Failed(seed, day, house, why) from why
    return _summary(house), house


def _live(house: House) -> None:
    house.prepare()
    entered = max(at for at, _ in house.scenario.tasks)
    faults = max(fault.at for fault in house.scenario.faults)
    last = max(entered, faults)
    agenda = house.agenda
    agenda.run(LAST, lambda: not house.watch.unfinished and agenda.now > last)
    hold(not house.watch.unfinished, "I28 not over, and nobody was called")
    house.mischief.armed.clear()
    agenda.run(agenda.now + SETTLED_AFTER, lambda: False)
    if house.worker is None:
        house.take_over()
        agenda.run(agenda.now + MINUTE, lambda: False)
    worker = house.worker
    assert worker is not None
    worker.deliver(worker.asking.reconcile)


def _compare(house: House) -> None:
    """The journal against the venue's ledger, and against its own events."""
    filled = net(house.venue.placed)
    for order_id, row in house.journal.rows.items():
        for child in row.children.values():
            at_venue = filled.pop(child.id, ZERO)
            hold(child.filled == at_venue, "I1 lost or invented fills", child.id, at_venue)
        _replay(house, order_id)
    _justified(house)
    strange = [name for name, qty in filled.items() if qty or name not in house.journal.forgotten]
    hold(not strange, "I7 orders that the journal does not know", *strange)
    for placed in house.venue.placed:
        order = house.journal.rows[order_of(placed.ticket.child_id)].execution
        hold(not (placed.open and order.done), "I19 left at the broker", placed.ticket.child_id)


def _justified(house: House) -> None:
    """Nobody waits for an operator unless the broker cannot tell what is missing."""
    told = provable(house.scenario.means)
    for order_id, row in house.journal.rows.items():
        execution = row.execution
        if execution.status is OrderStatus.NEEDS_OPERATOR:
            named = (execution.reason or "").startswith(NO_EVIDENCE)
            hold(named, "I28 waits for an operator without a reason", order_id)
            hold(not told, "I28 waits for an operator although the broker could tell", order_id)


def _replay(house: House, order_id: str) -> None:
    """I26: the state is the fold of its events."""
    row = house.journal.rows[order_id]
    task = next(t for _, t in house.scenario.tasks if t.order_id == order_id)
    execution, children = accepted(task), {}
    for fact in row.events:
        if isinstance(fact, OrderFact):
            execution = apply(execution, fact)
        elif isinstance(fact, Intended):
            execution = apply(execution, fact)
            children[fact.child_id] = execution.children[-1]
        elif isinstance(fact, Adopted):
            execution = apply(execution, fact)
            children[fact.child_id] = adopted_child(fact)
        else:
            old = children[fact.child_id]
            execution, children[fact.child_id] = apply_to_child(execution, fact, old)
    # A restore leaves out numbers without a word.
    execution = replace(execution, next_child=row.execution.next_child)
    hold(execution == row.execution, "I26 the events say something else", order_id)


def _summary(house: House) -> Summary:
    rows = house.journal.rows.values()
    return Summary(
        parents=len(rows),
        children=house.watch.children,
        fills=house.watch.fills,
        steps=house.agenda.steps,
        hash=house.hash,
        faults=house.mischief.happened,
        ends=Counter(str(row.execution.status) for row in rows),
    )
