"""The ring against the plainest thing that could take its place: a queue for each subscriber."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from app.engine.ring import KEPT_MAX, FellBehind, Ring, Subscriber
from app.store.event_log import Cursor, Event


def place(number: int) -> Cursor:
    return Cursor(1, number, number)


def events(first: int, count: int) -> list[Event]:
    return [
        Event(place(n), "main", None, None, "alert.raised", "alerts", f"{n}")
        for n in range(first, first + count)
    ]


class Plain:
    """One subscriber, and the queue that says what it has to be handed."""

    def __init__(self, ring: Ring, head: int, told: int) -> None:
        self.subscriber = Subscriber(ring, place(told), place(head), ring.end)
        self.told = told
        self.queue: list[int] = []
        self.in_hand: list[int] = []

    def wanted(self) -> list[int]:
        return [n for n in self.queue if n > self.told]

    def take(self) -> list[int]:
        return [event.cursor.id for event in self.subscriber.take()]


class Subscribers(RuleBasedStateMachine):
    living = Bundle("living")

    def __init__(self) -> None:
        super().__init__()
        self.ring, self.head, self.all = Ring(), 0, list[Plain]()

    @rule(count=st.integers(1, 3_000))
    def put(self, count: int) -> None:
        self.ring.put(events(self.head + 1, count))
        for one in self.all:
            one.queue += range(self.head + 1, self.head + 1 + count)
        self.head += count

    @rule(count=st.integers(1, 100))
    def come_for_others(self, count: int) -> None:
        """Events that this wish holds back."""
        self.head += count

    @rule(target=living, ahead=st.integers(0, 150))
    def join(self, ahead: int) -> Plain:
        self.all.append(Plain(self.ring, self.head, self.head + ahead))
        return self.all[-1]

    @rule(one=living)
    def take(self, one: Plain) -> None:
        if one not in self.all:
            return
        wanted = one.wanted()
        if len(one.queue) > KEPT_MAX:
            with pytest.raises(FellBehind) as behind:
                one.take()
            # It comes back from there: nothing it needs lies before, nothing it was told after.
            assert one.told <= behind.value.cursor.id < wanted[0]
            self.all.remove(one)
            return
        one.in_hand = some = one.take()
        assert some == wanted[: len(some)]
        assert bool(some) == bool(wanted)
        assert len(some) <= 100
        one.queue = [n for n in one.queue if some and n > some[-1]]

    @rule(one=consumes(living))
    def leave(self, one: Plain) -> None:
        if one in self.all:
            self.all.remove(one)

    @rule()
    def forget(self) -> None:
        self.ring.forget(min((one.subscriber.at for one in self.all), default=0))

    @invariant()
    def the_ring_is_bounded(self) -> None:
        assert self.ring.end - self.ring.first <= KEPT_MAX

    @invariant()
    def what_is_needed_is_named(self) -> None:
        for one in self.all:
            needs = one.subscriber.needs_after(place(self.head)).id
            # What it was handed may not have left yet.
            assert needs < min([*one.in_hand, *one.wanted()], default=self.head + 1)
            if not one.in_hand and not one.queue:
                assert needs == self.head, "and nothing is kept for nobody"


TestSubscribers = Subscribers.TestCase
TestSubscribers.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_ring_keeps_no_more_than_the_slowest_needs() -> None:
    ring = Ring()
    quick, slow = (Subscriber(ring, None, place(0), ring.end) for _ in range(2))
    ring.put(events(1, 300))
    while quick.take():
        pass
    assert quick.needs_after(place(300)).id == 300
    slow.take()
    assert slow.needs_after(place(300)).id == 0, "the first hundred may not have left"
    ring.forget(min(quick.at, slow.at))
    assert (ring.first, ring.end) == (100, 300)
    assert slow.take()[0].cursor.id == 101
    assert slow.needs_after(place(300)).id == 100


def test_what_is_in_hand_may_not_have_left_yet() -> None:
    ring = Ring()
    one = Subscriber(ring, None, place(0), ring.end)
    ring.put(events(1, 50))
    assert len(one.take()) == 50
    assert one.needs_after(place(50)).id == 0
    assert one.take() == []
    assert one.needs_after(place(50)).id == 50


def test_who_replays_needs_what_the_replay_has_not_read() -> None:
    ring = Ring()
    late = Subscriber(ring, place(40), place(90), ring.end)
    late.replaying = place(40)
    assert late.needs_after(place(90)).id == 40
    late.replaying = None
    assert late.needs_after(place(90)).id == 90


def test_who_falls_too_far_behind_is_told_where_it_stood() -> None:
    ring = Ring()
    slow = Subscriber(ring, None, place(0), ring.end)
    ring.put(events(1, 100))
    slow.take()
    ring.put(events(101, KEPT_MAX + 1))
    with pytest.raises(FellBehind) as behind:
        slow.take()
    assert behind.value.cursor == place(100)
