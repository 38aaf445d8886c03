"""The invariants, held against every transaction and against every move at the venue."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from app.domain.execution import Execution
from app.domain.fact import Adopted, ChildRejected, Fact, Intended, Moved, Purpose, TimeInForce
from app.domain.identity import parse_child
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.domain.quantity import ZERO
from app.domain.task import Task
from app.store.journal import Entry
from tests.simulation.agenda import Agenda
from tests.simulation.journal import Journal, Row
from tests.simulation.ledger import Placed
from tests.simulation.line import Line
from tests.simulation.market import Walk
from tests.simulation.names import order_of

OVER = (
    OrderStatus.FILLED,
    OrderStatus.CANCELED,
    OrderStatus.EXPIRED,
    OrderStatus.REJECTED,
    OrderStatus.NEEDS_OPERATOR,
)
INTERRUPTED = (OrderStatus.PAUSED, OrderStatus.CLOSING, OrderStatus.NEEDS_OPERATOR)


class Violation(AssertionError):
    """An invariant does not hold; the message begins with its number in reliability.md §5."""


def hold(true: bool, what: str, *subject: object) -> None:
    if not true:
        raise Violation(": ".join((what, *map(str, subject))))


class Watch:
    """Knows both sides: the journal, and what really happened at the venue."""

    def __init__(self, agenda: Agenda, walks: dict[str, Walk], most_working: int | None) -> None:
        self.journal: Journal
        self.line: Line
        self.queued: Callable[[], list[str]] = list
        """Orders that wait for a place as their owner knows them."""
        self.ordered = 0
        self.unfinished = 0
        self.children = 0
        self.fills = 0
        self.reconciled: set[int] = {0}
        self._agenda = agenda
        self._walks = walks
        self._most_working = most_working
        self._placed: dict[str, Placed] = {}
        self._out: dict[str, dict[str, Decimal]] = {}
        self._open: dict[str, set[str]] = {}
        self._beyond: dict[str, Decimal] = {}
        self._voided: dict[str, Decimal] = {}

    # The venue

    def placed(self, placed: Placed) -> None:
        child_id = placed.ticket.child_id
        order_id = order_of(child_id)
        hold(child_id not in self._placed, "I7 sent twice", child_id)
        self._placed[child_id] = placed
        child = self.journal.rows[order_id].children.get(child_id)
        hold(child is not None, "I8 at the broker before its intent", child_id)
        hold(child is None or child.reason != "absent", "I18 absent, and accepted", child_id)
        self.moved(placed)

    def moved(self, placed: Placed) -> None:
        order_id = order_of(placed.ticket.child_id)
        out = self._out.setdefault(order_id, {})
        out[placed.broker_id] = placed.filled + placed.leaves
        at_work = self._open.setdefault(order_id, set())
        (at_work.add if placed.open else at_work.discard)(placed.broker_id)
        asked = self.journal.rows[order_id].execution.task.qty
        # An end that tells how much was filled, less what is void by then, may look complete while
        # another fill is missing: as much as is void may be sent anew.
        room = asked + self._beyond.get(order_id, ZERO) + self._voided.get(order_id, ZERO)
        hold(sum(out.values()) <= room, "I3 more at the broker than was asked", order_id)

    def beyond(self, child_id: str, qty: Decimal) -> None:
        """The venue fills what it should not: so much more may be booked."""
        order_id = order_of(child_id)
        self._beyond[order_id] = self._beyond.get(order_id, ZERO) + qty

    def voided(self, child_id: str, qty: Decimal) -> None:
        """The venue takes a fill back: until we hear of it, our books hold so much too much."""
        order_id = order_of(child_id)
        self._voided[order_id] = self._voided.get(order_id, ZERO) + qty

    def count_unfinished(self) -> None:
        """Anew, after the journal went back."""
        over = sum(row.execution.status in OVER for row in self.journal.rows.values())
        self.unfinished = self.ordered - over

    def leaves_house(self, child_id: str, epoch: int) -> None:
        hold(epoch in self.reconciled, "I25 sent before reconciled", child_id)

    def burst(self, before: Execution, after: Execution, allowed: Decimal) -> None:
        out = after.filled + after.reserved - before.filled - before.reserved
        hold(out <= allowed, "I11 a burst to catch up", before.task.order_id, out, allowed)

    # The journal

    def recorded(
        self, before: Row, after: Row, facts: Sequence[Fact], entry: Entry, epoch: int | None
    ) -> None:
        if epoch is not None:
            hold(epoch == self.journal.epoch, "I23 written by a former owner", entry.order_id)
        self._quantities(after)
        for fact in facts:
            match fact:
                case Intended():
                    self._intended(before, after, fact)
                case Adopted():
                    self._adopted(fact)
                case ChildRejected() if fact.absent:
                    self._absent(fact)
                case Moved():
                    self._moved(before, fact, entry.order_id)
                case _:
                    pass
        was, now = before.execution.status in OVER, after.execution.status in OVER
        self.unfinished += was - now

    def _quantities(self, row: Row) -> None:
        e, order_id = row.execution, row.execution.task.order_id
        filled = working = unknown = ZERO
        live = []
        for child in row.children.values():
            filled += child.filled
            if not child.live:
                continue
            live.append(child)
            if child.status is ChildStatus.UNKNOWN:
                unknown += child.leaves
            else:
                working += child.leaves
        hold(e.filled == filled, "I1 filled is not what the children filled", order_id)
        hold(
            (e.working, e.unknown) == (working, unknown), "I2 reserved is not what lives", order_id
        )
        live.sort(key=lambda child: child.number)
        hold(list(e.children) == live, "I2 the live children are others", order_id)
        parts = (e.filled, e.working, e.unknown, e.unsent, e.canceled, e.excess)
        hold(sum(parts[:-1]) == e.task.qty + e.excess, "I2 the parts are not the whole", order_id)
        hold(min(parts) >= 0, "I4 a part is negative", order_id)
        hold(e.filled + e.reserved <= e.task.qty + e.excess, "I3 over-reserved", order_id)
        # A backup may still reserve what a child that it does not know has filled: to its end.
        if e.excess and (e.done or not self.journal.forgotten):
            allowed = self._beyond.get(order_id, ZERO) + self._voided.get(order_id, ZERO)
            hold(e.excess <= allowed, "I3 excess that no broker made", order_id, e.excess)

    def _intended(self, before: Row, after: Row, fact: Intended) -> None:
        self.children += 1
        e, task, now = before.execution, before.execution.task, self._agenda.now
        name = fact.child_id
        hold(e.status is OrderStatus.WORKING, "I13 intended while not working", name)
        hold(e.cancel_reason is None, "I13 intended after a cancel", name)
        hold(not e.pause_requested, "I13 intended while paused", name)
        hold(not self.journal.halted, "I13 intended while halted", name)
        hold(e.excess == 0, "I3 intended while there is excess", name)
        hold(task.start <= now < task.end, "I12 intended outside its window", name)
        hold(task.session.contains(now), "I12 intended outside the session", name)
        hold(0 < fact.qty <= e.unsent, "I3 intended more than is left", name)
        hold(fact.qty % task.instrument.lot == 0, "I4 not whole lots", name)
        limit = task.limit_price
        worse = limit is not None and task.side.sign * (fact.price - limit) > 0
        hold(not worse, "I9 worse than its limit", name)
        ioc = fact.time_in_force is TimeInForce.IOC
        hold(ioc is (fact.purpose is Purpose.CROSS), "I9 wrong time in force", name)
        if task.reduce_only:
            room = self._room_to_reduce(task)
            hold(fact.qty <= room, "I3 taken through zero", name, fact.qty, room)
        cap = task.max_participation
        if cap is not None:
            walk = self._walks[task.instrument.symbol]
            volume = walk.volume_at(now) - walk.volume_at(task.start)
            own = after.execution.filled + after.execution.reserved
            hold(own <= cap * (own + volume), "I10 more than its share of the volume", name)

    def _room_to_reduce(self, task: Task) -> Decimal:
        """What is held beyond all that may still be filled on that side."""
        room = ZERO
        for row in self.journal.rows.values():
            e, other = row.execution, row.execution.task
            if other.instrument.symbol == task.instrument.symbol:
                room -= task.side.sign * other.side.sign * e.filled
                room -= e.reserved if other.side is task.side else ZERO
        return room

    def _adopted(self, fact: Adopted) -> None:
        placed, named = self._placed[fact.child_id], parse_child(fact.child_id)
        asked = placed.ticket
        right = named is not None and fact.number == named[1] and fact.side is asked.side
        if fact.live:
            right &= (fact.qty, fact.price) == (asked.qty, asked.limit_price)
        hold(right, "I7 adopted as what it is not", fact.child_id, fact)

    def _absent(self, fact: ChildRejected) -> None:
        name = fact.child_id
        hold(name not in self._placed, "I18 released, but the broker has it", name)
        hold(not self.line.may_still_arrive(name), "I18 released, but still under way", name)

    def _moved(self, before: Row, fact: Moved, order_id: str) -> None:
        if fact.status in OVER and fact.status is not OrderStatus.NEEDS_OPERATOR:
            # Full by a sum of which a part is void, and not told so yet: it is found in the end.
            worked = self._open.get(order_id) and not self._voided.get(order_id)
            hold(not worked, "I19 over, but the broker works it", order_id)
        if fact.status is OrderStatus.WORKING and not _has_place(before):
            self._begins(before, order_id)

    def _begins(self, row: Row, order_id: str) -> None:
        """C1: never more at work than may be, and never before one that ranks higher."""
        most, rows = self._most_working, self.journal.rows
        if most is None:
            return
        working = sum(map(_has_begun, rows.values()))
        hold(working < most, "C1 more at work than may be", order_id)
        mine = (-row.priority, order_id)
        better = [name for name in self.queued() if (-rows[name].priority, name) < mine]
        hold(working + len(better) < most, "C1 begun before its turn", order_id, *better)

    def free_place(self) -> None:
        """C1: nobody waits for a place while there is one."""
        if self._most_working is None:
            return
        working, queued = sum(map(_has_place, self.journal.rows.values())), self.queued()
        hold(working >= self._most_working or not queued, "C1 a place is free", *queued)


def _has_begun(row: Row) -> bool:
    """Whether an order has surely begun: one that a restore took back to before its first child
    may close without ever having worked."""
    status = row.execution.status
    if status is OrderStatus.WORKING:
        return True
    return status in INTERRUPTED and any(isinstance(fact, Intended) for fact in row.events)


def _has_place(row: Row) -> bool:
    """Whether an order counts among those that work at once: so does one that was interrupted."""
    e = row.execution
    return e.status is OrderStatus.WORKING or (e.status in INTERRUPTED and e.next_child > 1)
