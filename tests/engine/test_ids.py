"""Ids are unique whoever draws them, and their order is the order of time."""

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor

from app.engine.ids import new_id

MANY = 20_000
SHAPE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def test_threads_never_draw_alike() -> None:
    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(lambda _: [new_id() for _ in range(MANY // 4)], range(4)))
    found = [one for some in drawn for one in some]
    assert len({one.split("-", 2)[2] for one in found}) == MANY, "by their chance alone"
    assert all(SHAPE.fullmatch(one) for one in found)


def test_a_forked_process_does_not_go_on_with_the_chance_of_its_parent() -> None:
    new_id()
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, "\n".join(new_id() for _ in range(50)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = {one.split("-", 2)[2] for one in os.read(reading, 10_000).decode().split()}
    ours = {new_id().split("-", 2)[2] for _ in range(50)}
    os.close(reading)
    os.close(writing)
    assert len(theirs) == 50
    assert not theirs & ours


def test_a_later_one_sorts_behind() -> None:
    first = new_id()
    time.sleep(0.002)
    assert first < new_id()
