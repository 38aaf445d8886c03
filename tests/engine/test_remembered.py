"""One reading for all who ask, believed for a moment."""

import asyncio

import pytest

from app.engine.remembered import Remembered


class Source:
    """Counts how often it is read; a reading ends when it is let."""

    def __init__(self) -> None:
        self.read = 0
        self.gate = asyncio.Event()
        self.failing = False

    async def __call__(self) -> int:
        self.read += 1
        mine = self.read
        await self.gate.wait()
        if self.failing:
            raise ConnectionError("away")
        return mine


async def test_who_asks_meanwhile_waits_for_the_same_reading() -> None:
    source = Source()
    remembered = Remembered(source, 60)
    asking = [asyncio.create_task(remembered.look()) for _ in range(32)]
    await asyncio.sleep(0)
    source.gate.set()
    assert await asyncio.gather(*asking) == [1] * 32
    assert await remembered.look() == 1
    assert source.read == 1


async def test_it_is_read_again_when_it_is_too_old() -> None:
    source = Source()
    source.gate.set()
    remembered = Remembered(source, 0.02)
    assert await remembered.look() == 1
    await asyncio.sleep(0.03)
    assert await remembered.look() == 2


async def test_the_age_counts_from_before_it_was_read() -> None:
    source = Source()
    remembered = Remembered(source, 0.05)
    first = asyncio.create_task(remembered.look())
    await asyncio.sleep(0.06)
    source.gate.set()
    assert await first == 1
    assert await remembered.look() == 2


async def test_one_who_goes_away_takes_it_from_nobody() -> None:
    source = Source()
    remembered = Remembered(source, 60)
    gone, stays = (asyncio.create_task(remembered.look()) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    source.gate.set()
    assert await stays == 1


async def test_a_failure_is_told_to_all_and_remembered_by_none() -> None:
    source = Source()
    source.failing = True
    source.gate.set()
    remembered = Remembered(source, 60)
    told = await asyncio.gather(*(remembered.look() for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in told] == [ConnectionError] * 3
    source.failing = False
    assert await remembered.look() == 2


async def test_what_is_forgotten_while_it_is_read_is_not_believed_afterwards() -> None:
    """Whoever changed it sees the change, though somebody's older reading comes home later."""
    source = Source()
    remembered = Remembered(source, 60)
    before = asyncio.create_task(remembered.look())
    await asyncio.sleep(0)
    remembered.forget()
    after = asyncio.create_task(remembered.look())
    await asyncio.sleep(0)
    source.gate.set()
    assert (await before, await after) == (1, 2)
    assert await remembered.look() == 2


@pytest.mark.filterwarnings("error")
async def test_a_failure_that_was_forgotten_troubles_nobody() -> None:
    source = Source()
    source.failing = True
    remembered = Remembered(source, 60)
    before = asyncio.create_task(remembered.look())
    await asyncio.sleep(0)
    remembered.forget()
    source.gate.set()
    with pytest.raises(ConnectionError):
        await before
