"""Live market time: passed time, drawn slowly to the wall clock, and deaf to whoever sets it."""

import time
from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest

from app.domain.instant import HOUR, SECOND
from app.engine.clock import SLEW, LiveClock
from app.engine.steady import steady

START = 1_767_623_400.0


class Machine:
    """A machine whose wall clock can be set, and may run fast or slow."""

    def __init__(self, rate: float = 1.0) -> None:
        self.wall, self.passed, self.rate = START, 7.0, rate

    def wait(self, seconds: float) -> None:
        self.passed += seconds
        self.wall += seconds * self.rate

    def clock(self) -> LiveClock:
        return LiveClock(lambda: self.wall, lambda: self.passed)


def off(clock: LiveClock, machine: Machine) -> float:
    """Seconds that market time is ahead of the wall clock."""
    return clock.now() / SECOND - machine.wall


@pytest.mark.parametrize("hours", [1, -1])
def test_a_step_of_the_wall_clock_is_not_followed(hours: int) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wait(10)
    before = clock.now()
    machine.wall += hours * 3600
    machine.wait(0.05)
    assert clock.now() - before == pytest.approx(50_000, abs=1)
    assert clock.step == pytest.approx(hours * HOUR, abs=SECOND)
    for _ in range(1_000):
        machine.wait(1)
        clock.now()
    assert clock.now() - before == pytest.approx(1_000.05 * SECOND, abs=2)
    machine.wall -= hours * 3600
    clock.now()
    assert clock.step is None


def test_a_clock_that_is_disciplined_is_followed_without_a_jump() -> None:
    machine = Machine(rate=1 + 400e-6)
    clock, last = machine.clock(), 0
    for _ in range(10_000):
        machine.wait(1)
        assert clock.now() - last > 0
        last = clock.now()
    assert clock.step is None
    assert abs(off(clock, machine)) < 0.001


@pytest.mark.parametrize("seconds", [0.9, -0.9])
def test_a_small_step_is_made_up_slowly_and_never_backwards(seconds: float) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += seconds
    random, last, began = Random(3), clock.now(), machine.passed
    while abs(off(clock, machine)) > 0.001:
        length = random.choice([0.0, 0.001, 5.0, 60.0])
        machine.wait(length)
        now = clock.now()
        assert abs(now - last - length * SECOND) <= length * SLEW * SECOND + 2
        assert now >= last
        last = now
    assert machine.passed - began >= 0.89 / SLEW


def test_what_the_machine_slept_has_passed() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wait(8 * 3600)
    assert off(clock, machine) == pytest.approx(0, abs=1e-6)
    assert clock.step is None
    # The steady clock of this machine counts sleep where the usual one does not.
    assert steady() >= time.monotonic() - 1


def test_a_wrong_clock_makes_no_order_hurry_or_end() -> None:
    """What a TWAP must have done follows from market time alone: an hour's step moves nothing."""
    machine = Machine()
    clock = machine.clock()
    start = clock.now()
    end = start + 10 * 60 * SECOND
    done = []
    for second in range(600):
        if second == 200:
            machine.wall += 3600
        if second == 400:
            machine.wall -= 7200
        machine.wait(1)
        now = clock.now()
        done.append(Decimal(now - start) / (end - start))
    steps = {round(b - a, 6) for a, b in pairwise(done)}
    assert steps == {Decimal("0.001667")} | (steps & {Decimal("0.001666"), Decimal("0.001668")})
    assert done[-1] == pytest.approx(Decimal(1), abs=Decimal("0.001"))
