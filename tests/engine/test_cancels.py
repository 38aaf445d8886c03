"""Cancels leave within the broker's rate, and what ends an order before what moves a child."""

import asyncio
import time
from dataclasses import replace

from app.domain.actions import Cancel, Decision
from app.domain.execution import Execution, accepted
from app.domain.fact import CancelRequested, ChildCancelRequested, Moved, Purpose, Sent
from app.domain.fold import apply
from app.domain.instant import SECOND, Instant
from app.domain.lifecycle import OrderStatus
from app.engine.acting import Moves
from app.engine.cancels import Cancels, Haste, Room, haste_of
from app.engine.kill_file import KillFile
from app.engine.sending import Sender
from tests.domain.tasks import OPEN, a_task
from tests.engine.test_sending import Line
from tests.store.seeds import intent

RATE = 50


class Ear:
    """What left, and when."""

    def __init__(self, rate: int | None = RATE) -> None:
        self.left: list[tuple[float, str]] = []
        self.cancels = Cancels(rate, self.hear)

    def hear(self, child_id: str, at: Instant) -> None:
        self.left.append((time.monotonic(), child_id))

    @property
    def names(self) -> list[str]:
        return [name for _, name in self.left]


async def test_without_a_rate_everything_leaves_at_once() -> None:
    ear = Ear(None)
    for n in range(300):
        ear.cancels.ask(f"c{n}", OPEN, Haste.MOVE)
    assert ear.names == [f"c{n}" for n in range(300)]
    assert ear.cancels.room_for_moves() is None


async def test_what_ends_goes_before_what_crosses_and_that_before_what_moves() -> None:
    ear = Ear()
    for haste in (Haste.MOVE, Haste.CROSS, Haste.END):
        for n in range(3):
            ear.cancels.ask(f"{haste.name}{n}", OPEN, haste)
    begun = time.monotonic()
    await ear.cancels.gone()
    order = [f"{haste.name}{n}" for haste in (Haste.END, Haste.CROSS, Haste.MOVE) for n in range(3)]
    assert ear.names == order
    # Six at 50 a second, then three at half of it.
    assert time.monotonic() - begun >= 6 / RATE + 2 * 2 / RATE - 0.001


async def test_an_end_waits_for_no_move() -> None:
    ear = Ear()
    for n in range(40):
        ear.cancels.ask(f"m{n}", OPEN, Haste.MOVE)
    begun = time.monotonic()
    await asyncio.sleep(0.1)
    moved = len(ear.left)
    assert 1 <= moved <= (time.monotonic() - begun) * RATE / 2 + 2, "half of the rate"
    asked = time.monotonic()
    ear.cancels.ask("end", OPEN)
    async with asyncio.timeout(30):
        while "end" not in ear.names:
            await asyncio.sleep(0.001)
    assert ear.names.index("end") == moved
    assert ear.left[moved][0] - asked < 1, "behind the moves it would be 1.4 s"
    ear.cancels.forget_moves()
    await asyncio.wait_for(ear.cancels.gone(), 30)
    assert len(ear.left) < moved + 5


async def test_a_move_becomes_an_end_and_leaves_once() -> None:
    ear = Ear()
    for n in range(20):
        ear.cancels.ask(f"m{n}", OPEN, Haste.MOVE)
    ear.cancels.ask("m19", OPEN)
    ear.cancels.ask("m19", OPEN, Haste.MOVE)
    assert ear.cancels.waits("m19")
    await ear.cancels.gone()
    assert ear.names[0] == "m19"
    assert sorted(ear.names) == sorted({f"m{n}" for n in range(20)})
    assert not ear.cancels.waits("m19")


async def test_room_is_what_leaves_within_a_second() -> None:
    ear = Ear(10)
    assert ear.cancels.room_for_moves() == Room(5, 5)
    for n in range(4):
        ear.cancels.ask(f"m{n}", OPEN, Haste.MOVE)
    assert ear.cancels.room_for_moves() == Room(1, 5)
    ear.cancels.forget_moves()
    assert Ear(1).cancels.room_for_moves() == Room(1, 1), "never none at all"


def test_who_finds_no_room_comes_later_one_after_the_other() -> None:
    moves = Moves(Room(2, 5))
    move = Decision((Cancel("c", "moved"),))
    crossing = Decision((Cancel("c", "patience_ended"),))
    told = [moves.later(decision) for decision in (move, crossing, Decision(), move, move, move)]
    assert told == [None, None, None, None, SECOND + SECOND // 5, SECOND + 2 * SECOND // 5]
    assert moves.later(crossing) is None
    assert Moves(None).later(move) is None


def test_what_a_cancel_is_for() -> None:
    assert haste_of("moved") is Haste.MOVE
    assert haste_of("patience_ended") is Haste.CROSS
    assert {haste_of(r) for r in ("user", "paused", "limit_price", "window_ended")} == {Haste.END}


def leaving(order_id: str, canceled: bool) -> Execution:
    """An order with a child that is asked to move, and maybe to end."""
    begun = intent(order_id, 1, 100)
    rests = replace(begun, purpose=Purpose.REST)
    found = accepted(a_task("twap", 1000)._replace(order_id=order_id))
    for fact in (
        Moved(OPEN, OrderStatus.WORKING),
        rests,
        Sent(OPEN, rests.child_id, "b"),
        ChildCancelRequested(OPEN, rests.child_id, "moved"),
    ):
        found = apply(found, fact)
    return apply(found, CancelRequested(OPEN, "user")) if canceled else found


async def test_the_end_of_an_order_overtakes_the_moves_it_waits_among() -> None:
    """Its child is on the way out already: no decision asks again, whoever retries does."""
    line = Line()
    line.capabilities = replace(Line.capabilities, cancels_per_second=20)
    sender = Sender(line, lambda *_: None, lambda: True, lambda: OPEN, KillFile(None))
    ids = [f"01938f2c-7b1e-7c3a-9d4e-8f1a2b3c4d{n:02x}" for n in range(30)]
    executions = [leaving(order_id, canceled=order_id == ids[-1]) for order_id in ids]
    children = [e.children[0].id for e in executions]
    for child_id in children:
        sender.cancel(child_id, OPEN, Haste.MOVE)
    for _ in range(3):
        sender.retry_cancels(executions, OPEN)
        await asyncio.sleep(0.06)
    asked = [child_id for child_id, _ in line.canceled]
    assert asked[0] == children[-1]
    assert len(asked) == len(set(asked)) <= 4
    await sender.close()
    assert len(line.canceled) <= 5
