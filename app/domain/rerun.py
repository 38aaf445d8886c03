"""Makes a decision again from what was stored of it: same facts, same inputs, same actions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.domain.actions import Action, Cancel, Decision, Force, Move, Replan, Send, Trip
from app.domain.algos import BY_NAME
from app.domain.decide import decide
from app.domain.desk import Desk
from app.domain.execution import Child, accepted
from app.domain.fact import (
    Adopted,
    ChildCancelRequested,
    ExitForced,
    Fact,
    Intended,
    Moved,
    OrderFact,
    Replanned,
    StopHit,
)
from app.domain.fold import adopted_child, apply, apply_to_child
from app.domain.instant import Instant
from app.domain.market import Market
from app.domain.plan import Trajectory
from app.domain.task import Anchor, Task


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a decision saw beside the order's own state."""

    now: Instant
    desk: Desk
    market: Market


class Past:
    """An order on its way through its own facts, with the children that are over by then: fills
    may come late, and are always counted."""

    def __init__(self, task: Task) -> None:
        self.execution = accepted(task)
        self._children: dict[str, Child] = {}
        self._planned: tuple[Task, Anchor, Trajectory] | None = None

    def add(self, fact: Fact) -> None:
        """Take in the next fact. Raises KeyError for a child that no fact brought."""
        if isinstance(fact, OrderFact):
            self.execution = apply(self.execution, fact)
        elif isinstance(fact, Intended):
            self.execution = apply(self.execution, fact)
            intended = self.execution.child(fact.child_id)
            assert intended is not None, "an intent makes a child"
            self._children[fact.child_id] = intended
        elif isinstance(fact, Adopted):
            self.execution = apply(self.execution, fact)
            self._children[fact.child_id] = adopted_child(fact)
        else:
            child = self._children[fact.child_id]
            self.execution, child = apply_to_child(self.execution, fact, child)
            self._children[fact.child_id] = child

    def reterm(self, task: Task) -> None:
        """Ask for something else from here on, where no fact says it."""
        self.execution = replace(self.execution, task=task)

    def decide(self, inputs: Inputs) -> Decision:
        """What to do at this point, with these inputs."""
        return decide(self.execution, self._plan(), inputs.desk, inputs.market, inputs.now)

    def _plan(self) -> Trajectory:
        task, anchor = self.execution.task, self.execution.anchor
        if self._planned is None or self._planned[:2] != (task, anchor):
            self._planned = (task, anchor, BY_NAME[task.algo].plan(task, anchor))
        return self._planned[2]


def rerun(task: Task, facts: Iterable[Fact], inputs: Inputs) -> Decision:
    """The decision of an order that was accepted as `task`, after `facts`, on `inputs`."""
    past = Past(task)
    for fact in facts:
        past.add(fact)
    return past.decide(inputs)


def actions_of(facts: Sequence[Fact]) -> tuple[Action, ...]:
    """The actions that the facts of one decision stand for. Raises ValueError for a fact that is
    nobody's decision."""
    return tuple(map(_action, facts))


def _action(fact: Fact) -> Action:
    match fact:
        case Moved():
            return Move(fact.status, fact.reason)
        case Replanned():
            return Replan(fact.done, fact.reason)
        case StopHit():
            return Trip(fact.price)
        case ExitForced():
            return Force(fact.reason)
        case ChildCancelRequested():
            return Cancel(fact.child_id, fact.reason)
        case Intended():
            return Send(
                fact.side,
                fact.qty,
                fact.price,
                fact.purpose,
                fact.time_in_force,
                fact.quote_at,
                fact.stop_price,
                fact.stop_limit_price,
            )
        case _:
            raise ValueError(f"{fact.type} is nobody's decision")
