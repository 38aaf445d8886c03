"""One parent order in virtual time: the engine's desk without clock, database and line.

What happens at one moment comes in the engine's order: reports are heard, the order decides, its
cancels and children leave, their answers are booked, until nothing is left to do; then time jumps
to the next moment at which the order wants to look, a trigger fires or the venue has something.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.actions import Decision
from app.domain.algos import BY_NAME
from app.domain.consequence import facts_of
from app.domain.decide import decide
from app.domain.desk import Desk
from app.domain.execution import accepted
from app.domain.fact import (
    ChildCancelRequested,
    ChildFact,
    Fact,
    Filled,
    Intended,
    Rested,
)
from app.domain.fold import apply
from app.domain.instant import Instant, Micros
from app.domain.market import Market
from app.domain.message_rate import following_of, pause_of
from app.domain.seen import View, seen
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.task import Anchor, Task
from app.domain.trigger import Trigger
from app.research.line import Line
from app.research.options import MarketOptions, VenueOptions
from app.research.result import Decided, Run

ROUNDS_MAX = 1_000
"""More rounds than this at one moment means that something never comes to rest."""

ALONE = Desk()
MARKET = MarketOptions()
VENUE = VenueOptions()


class NeverQuiet(Exception):
    """Decisions at one moment did not come to rest."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What an order meets: the market's record, when it is open, and how it is told."""

    tape: Tape
    sessions: Sequence[Session]
    market: MarketOptions = MARKET
    venue: VenueOptions = VENUE


def run(
    task: Task,
    scene: Scene,
    *,
    seed: str = "",
    begins: Instant | None = None,
    desk: Desk = ALONE,
    explain: bool = False,
) -> Run:
    """Work `task` to its end. The same arguments always give the same children and fills.

    `begins` is when the order was entered (default: its start), `desk` what its account
    contributes all the while; `explain` keeps each decision that acted. An order that waits for
    something that never comes is returned as it stands: `execution.done` is False.
    """
    return _Runner(task, scene, seed, desk, explain).run(task.start if begins is None else begins)


class _Runner:
    def __init__(self, task: Task, scene: Scene, seed: str, desk: Desk, explain: bool) -> None:
        self._scene, self._desk, self._explain = scene, desk, explain
        self._line = Line(task.instrument, scene.tape, scene.sessions, scene.venue, seed)
        self._view = View(scene.sessions, scene.market.volume_coverage)
        self._execution = accepted(task)
        self._plan = BY_NAME[task.algo].plan(task, self._execution.anchor)
        self._look_at: Instant | None = None
        self._seen: tuple[tuple[Instant, Anchor], Market] | None = None
        self._answers: list[ChildFact] = []
        self._children: list[Intended] = []
        self._fills: list[Filled] = []
        self._decisions: list[Decided] = []
        self._looks = 0
        self._pause: Micros = 0
        self._decision = Decision()

    def run(self, begins: Instant) -> Run:
        arrival, now = self._scene.tape.quote(begins), begins
        self._look_at = now
        self._settle(now)
        while not self._execution.done and (upcoming := self._next_at()) is not None:
            now = upcoming
            self._settle(now)
        task = self._execution.task
        to = min(max(now, task.start), task.end)
        return Run(
            task=task,
            begun=begins,
            over=now,
            execution=self._execution,
            children=self._children,
            fills=self._fills,
            decisions=self._decisions,
            looks=self._looks,
            arrival=arrival,
            traded=self._line.tape.traded(task.start, to).scaled(
                self._scene.market.volume_coverage
            ),
            tape=self._line.tape,
        )

    def _next_at(self) -> Instant | None:
        reported, look_at = self._line.next_at(), self._look_at
        if reported is None or look_at is None:
            return look_at if reported is None else reported
        return min(reported, look_at)

    def _settle(self, now: Instant) -> None:
        for _ in range(ROUNDS_MAX):
            busy = self._hear(now)
            if self._look_at is not None and self._look_at <= now:
                busy |= self._decide(now)
            busy |= self._book_answers(now)
            if not busy or self._execution.done:
                return
        raise NeverQuiet(f"order {self._execution.task.order_id} at {now}")

    def _hear(self, now: Instant) -> bool:
        tape = self._line.tape
        facts = self._line.heard(now)
        if self._line.tape is not tape and self._waits_beyond(now):
            # Our own fill moved the market: what was found on the old tape is not what will be.
            self._look_at = self._wait(self._decision, now)
        return self._book(facts, now)

    def _waits_beyond(self, now: Instant) -> bool:
        return self._look_at is None or self._look_at > now

    def _book_answers(self, now: Instant) -> bool:
        if not self._answers:
            return False
        answers, self._answers = self._answers, []
        return self._book(answers, now)

    def _book(self, facts: Sequence[Fact], now: Instant) -> bool:
        for fact in facts:
            self._apply(fact)
        if facts:
            self._look_at = now
        return bool(facts)

    def _apply(self, fact: Fact) -> None:
        before = self._execution
        if isinstance(fact, Rested) and before.child(fact.child_id) is None:
            return  # It filled before it was heard that it rests.
        after = self._execution = apply(before, fact)
        if isinstance(fact, Filled):
            self._fills.append(fact)
        if after.task is not before.task or after.anchor is not before.anchor:
            self._plan = BY_NAME[after.task.algo].plan(after.task, after.anchor)

    def _decide(self, now: Instant) -> bool:
        """Whether the order did something."""
        market = self._market(now)
        execution = self._execution
        decision = decide(execution, self._plan, self._desk_now(), market, now)
        self._looks += 1
        self._decision = decision
        if not decision.actions:
            self._look_at = self._wait(decision, now)
            return False
        if self._explain:
            self._decisions.append(Decided(now, execution, market, decision))
        facts = facts_of(execution, decision, now)
        self._book(facts, now)
        # Cancels wait for nothing; children leave when they are written down.
        for fact in facts:
            if isinstance(fact, ChildCancelRequested):
                self._line.cancel(fact.child_id, now)
        for fact in facts:
            if isinstance(fact, Intended):
                self._children.append(fact)
                self._answers.append(self._line.submit(fact, now))
        return True

    def _desk_now(self) -> Desk:
        """With the pause that the desk's orders leave this one."""
        venue = self._scene.venue
        if venue.cancels_per_second is None:
            return self._desk
        following = venue.others_following + following_of(self._execution)
        self._pause = pause_of(self._execution, self._pause, following, venue.cancels_per_second)
        return replace(self._desk, pause=max(self._desk.pause, self._pause))

    def _market(self, now: Instant) -> Market:
        # At one moment the market stands still, however often we decide.
        key = now, self._execution.anchor
        if self._seen is None or self._seen[0] != key:
            self._seen = key, seen(self._line.tape, self._view, self._execution, now)
        return self._seen[1]

    def _wait(self, decision: Decision, now: Instant) -> Instant | None:
        look_at = decision.look_at
        if decision.triggers:
            until = look_at or self._execution.task.end
            fires = self._first(decision.triggers, now, until)
            look_at = fires if fires is not None else look_at
        return look_at if look_at is not None and look_at > now else None

    def _first(self, triggers: Sequence[Trigger], after: Instant, until: Instant) -> Instant | None:
        """The first of `triggers`; each is searched for only up to the one found before it."""
        tape, found = self._line.tape, None
        known = min(until, tape.until) if tape.until > after else until
        for trigger in triggers:
            at = tape.first(trigger, after, known if found is None else found)
            found = at if at is not None else found
        return found if found is not None else (known if known < until else None)
