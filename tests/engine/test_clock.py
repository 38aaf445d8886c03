"""Market time: stepped, it stops at every due moment at any speed; live, it is the machine's.

Bounds that machine time sets are measured around each call, so a slow machine only widens them.
"""

import asyncio
import time
from collections.abc import Awaitable
from decimal import Decimal
from random import Random

import pytest

from app.domain.instant import DAY, HOUR, SECOND, Instant, rfc3339
from app.engine.clock import TURN_SECONDS, Clock, LiveClock, SteppedClock

START: Instant = 1_767_623_400_000_000
D = Decimal


def stepped(speed: str | int = 1, *, held: bool = False) -> SteppedClock:
    return SteppedClock(START, speed=D(speed), held=held)


def asleep() -> asyncio.Event:
    return asyncio.Event()


def rung() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def took(waiting: Awaitable[None]) -> float:
    begun = time.monotonic()
    await waiting
    return time.monotonic() - begun


@pytest.mark.parametrize("speed", ["0", "50", "3600", "1000000", "1E+15"])
async def test_no_due_moment_is_ever_passed(speed: str) -> None:
    clock, random = stepped(speed), Random(speed)
    for _ in range(40):
        until = clock.now() + random.choice([0, 1, random.randint(1, SECOND), 20 * SECOND])
        before = clock.now()
        await clock.wait(until, random.choice([asleep(), rung(), rung(), rung()]))
        assert before <= clock.now() <= until


@pytest.mark.parametrize("speed", ["0", "100000"])
async def test_a_due_moment_is_reached_exactly(speed: str) -> None:
    clock = stepped(speed)
    for until in (START + 1, START + 17, START + 2 * SECOND):
        async with asyncio.timeout(5):
            while clock.now() < until:
                await clock.wait(until, asleep())
        assert clock.now() == until


@pytest.fixture
def long_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that nobody mistakes for a busy machine."""
    monkeypatch.setattr("app.engine.clock.TURN_SECONDS", 5.0)


@pytest.mark.usefixtures("long_turns")
@pytest.mark.parametrize("clock", [stepped(0), stepped(1), LiveClock()])
async def test_a_moment_that_is_over_costs_no_time(clock: Clock) -> None:
    before = clock.now()
    assert await took(clock.wait(before - SECOND, asleep())) < 20
    assert clock.now() >= before


@pytest.mark.parametrize("speed", [1, 60, 2000])
async def test_the_pace_is_market_seconds_a_second(speed: int) -> None:
    before = time.monotonic()
    clock = stepped(speed)
    after = time.monotonic()
    for until in (None, START + HOUR):
        called = time.monotonic()
        await clock.wait(until, asleep())
        passed, now = (clock.now() - START) / SECOND, time.monotonic()
        assert (called + TURN_SECONDS - after) * speed * 0.98 <= passed <= (now - before) * speed


async def test_what_the_engine_took_is_caught_up_but_not_what_a_jump_took() -> None:
    clock = stepped(100)
    time.sleep(0.1)  # The engine works.
    await clock.wait(None, asleep())
    assert clock.now() - START >= (0.1 + TURN_SECONDS * 0.98) * 100 * SECOND
    begun = time.monotonic()
    clock.jump(START + HOUR)
    await clock.wait(START + 2 * HOUR, asleep())
    assert clock.now() - START - HOUR <= (time.monotonic() - begun) * 100 * SECOND


@pytest.mark.parametrize("speed", ["0", "1000"])
async def test_held_market_time_stands_still_and_makes_nothing_up_afterwards(speed: str) -> None:
    clock = stepped(speed, held=True)
    assert clock.held
    for until in (None, START + SECOND):
        assert await took(clock.wait(until, asleep())) >= TURN_SECONDS * 0.9
        assert clock.now() == START
    begun = time.monotonic()
    clock.pace(speed=D(1000), held=False)
    assert not clock.held
    await clock.wait(START + DAY, asleep())
    assert START < clock.now() <= START + (time.monotonic() - begun) * 1000 * SECOND


async def test_a_new_speed_holds_from_now_on() -> None:
    clock = stepped(1)
    await clock.wait(None, asleep())
    slow = clock.now()
    assert slow < START + SECOND
    begun = time.monotonic()
    clock.pace(speed=D(10_000), held=False)
    await clock.wait(None, asleep())
    passed = (clock.now() - slow) / SECOND
    assert TURN_SECONDS * 9_800 <= passed <= (time.monotonic() - begun) * 10_000


async def test_telling_the_same_pace_again_does_not_lose_time() -> None:
    clock = stepped(1000)
    for _ in range(5):
        time.sleep(0.01)
        clock.pace(speed=D(1000), held=False)
    await clock.wait(None, asleep())
    assert clock.now() - START >= (0.05 + TURN_SECONDS * 0.98) * 1000 * SECOND


async def test_a_jump_never_goes_back() -> None:
    clock = stepped(0)
    clock.jump(START + HOUR)
    assert clock.now() == START + HOUR
    clock.jump(START)
    assert clock.now() == START + HOUR
    await clock.wait(START, asleep())
    assert clock.now() == START + HOUR


async def test_as_fast_as_possible_stands_still_while_nothing_is_due() -> None:
    clock = stepped(0)
    assert clock.idle(None)
    assert not clock.idle(START + 1)
    assert not stepped(1).idle(None)
    assert await took(clock.wait(None, asleep())) >= TURN_SECONDS * 0.9
    assert clock.now() == START


async def test_no_speed_runs_off_the_calendar() -> None:
    clock = stepped("9E+15")
    for _ in range(3):
        await clock.wait(None, asleep())
    assert START < clock.now() < START + 300 * DAY
    assert rfc3339(clock.now()).startswith("2026-")
    clock.pace(speed=D("1E+400"), held=False)
    await clock.wait(None, asleep())
    assert rfc3339(clock.now()).startswith("2026-")


@pytest.mark.usefixtures("long_turns")
@pytest.mark.parametrize(
    ("clock", "until"),
    [
        (stepped(1), None),
        (stepped(1), START + DAY),
        (stepped(0), None),
        (stepped(1, held=True), START + DAY),
        (LiveClock(), None),
        (LiveClock(), 2 * START),
    ],
)
async def test_a_bell_ends_the_wait_early(clock: Clock, until: Instant | None) -> None:
    wake = asyncio.Event()
    asyncio.get_running_loop().call_later(0.005, wake.set)
    assert 0.003 < await took(clock.wait(until, wake)) < 20
    assert await took(clock.wait(until, wake)) < 20


async def test_live_market_time_is_machine_time() -> None:
    clock = LiveClock()
    assert not clock.stepped
    low = time.time_ns() // 1_000
    assert low - 1_000 <= clock.now() <= time.time_ns() // 1_000 + 1_000
    until = clock.now() + 20_000
    await clock.wait(until, asleep())
    assert until - 1_000 <= clock.now()
    for far in (None, clock.now() + DAY):
        assert await took(clock.wait(far, asleep())) >= TURN_SECONDS * 0.9
