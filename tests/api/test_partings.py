"""Many connections that end at once do not hold up who stays."""

import asyncio

from app.api.partings import Partings


async def test_a_thousand_ends_leave_room_for_others_in_between() -> None:
    partings, ended = Partings(), list[int]()
    for number in range(1000):
        partings.add(lambda number=number: ended.append(number))  # type: ignore[misc]
    most, before = 0, 0
    while len(ended) < 1000:
        await asyncio.sleep(0)
        most, before = max(most, len(ended) - before), len(ended)
    assert ended == list(range(1000))
    assert most <= 8


async def test_one_that_fails_keeps_none_of_the_others_and_is_reported() -> None:
    partings, ended, told = Partings(), list[int](), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    def failing() -> None:
        raise ValueError("unwound badly")

    for number in range(3):
        partings.add(failing)
        partings.add(lambda number=number: ended.append(number))  # type: ignore[misc]
    await asyncio.sleep(0.05)
    partings.add(lambda: ended.append(3))
    await asyncio.sleep(0.05)
    assert ended == [0, 1, 2, 3]
    assert len(told) == 3
