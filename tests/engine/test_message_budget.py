"""Many orders that follow the touch, at a broker that takes ten cancels a second."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.instant import MINUTE, SECOND, Instant
from app.domain.message_rate import SHARE
from app.engine.commands import cancel
from app.feeds.synthetic.profile import SYMBOLS
from app.feeds.synthetic_live import LiveSynthetic
from app.ports import Broker
from tests.engine.test_ills import revived, with_broker
from tests.engine.test_recovery import Flaky
from tests.reruns import equal, history, saw, watched
from tests.world import CALLER, World, open_world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

RATE = 10
ENDED = 10


class Counting(Flaky):
    """The paper venue behind a rate limit; it keeps what it was asked to cancel, and when."""

    def __init__(self, inner: Broker, canceled: list[tuple[float, str]]) -> None:
        super().__init__(inner, [])
        self.capabilities = replace(inner.capabilities, cancels_per_second=RATE)
        self.canceled = canceled

    async def cancel(self, child_id: str, at: Instant) -> None:
        self.canceled.append((time.monotonic(), child_id))
        await super().cancel(child_id, at)


async def side_that_follows(pause: int) -> str:
    """Who trails the market in the next minutes: it is the same for whoever looks at it, and in
    one that falls buyers wait where they are."""
    feed, now = LiveSynthetic(1, SYMBOLS), time.time_ns() // 1_000
    await feed.watch("ACME", now + 120 * SECOND, since=now)
    tape = feed.tape("ACME")
    begins = tape.quote(now)
    later = [tape.quote(now + second * SECOND) for second in range(pause, 120)]
    assert begins is not None
    rising = sum(quote is not None and quote.bid > begins.bid for quote in later)
    falling = sum(quote is not None and quote.ask < begins.ask for quote in later)
    return "buy" if rising > falling else "sell"


async def following(world: World, count: int, side: str) -> list[str]:
    params = {"slices": 1, "jitter": 0, "placement": "peg", "reprice_pause": 0, "patience": 3600}
    return [
        await world.order(side=side, qty="80000", algo="twap", duration=60 * MINUTE, params=params)
        for _ in range(count)
    ]


def most_within_a_second(moments: Sequence[float]) -> int:
    return max(sum(at <= later < at + 1 for later in moments) for at in moments)


@pytest.mark.campaign
@pytest.mark.parametrize(("orders", "pause"), [(50, 16), (200, 64)])
async def test_they_keep_within_the_rate_and_an_end_does_not_wait_behind_them(
    database_url: str, tmp_path: Path, orders: int, pause: int
) -> None:
    canceled: list[tuple[float, str]] = []

    def counted(inner: Broker) -> Broker:
        return Counting(inner, canceled)

    async with open_world(database_url, tmp_path, feed="synthetic-live") as world:
        await revived(world, lambda worker: with_broker(worker, counted))
        await watched(world)
        begun = time.monotonic()
        ids = await following(world, orders, await side_that_follows(pause))
        for order_id in ids:
            await world.until(lambda row: row["working"] > 0, order_id)
        ending = ids[-ENDED:]
        # The market has to move first, and some hours are calm.
        async with asyncio.timeout(max(8 * pause, 200)):
            # In the middle of the moves.
            while len(canceled) < orders // 4:
                await asyncio.sleep(0.05)
        children = {c["id"] for o in ending for c in await world.children(o)}
        before, asked = len(canceled), time.monotonic()
        for order_id in ending:
            await cancel(world.service, CALLER, order_id)
        for order_id in ending:
            assert (await world.done(order_id))["status"] == "canceled"
        took = time.monotonic() - asked
        await asyncio.sleep(2)

        moments = [at for at, _ in canceled]
        assert moments[0] - begun >= pause / 2, "nobody was in a hurry"
        # Counted as they arrive: one that a busy machine held up arrives beside those after it.
        assert most_within_a_second(moments) <= RATE + 1
        moves = [at for at, child in canceled if child not in children]
        assert most_within_a_second(moves) <= RATE // SHARE + 1
        since = [child for _, child in canceled[before:]]
        last = max(since.index(child) for child in since if child in children)
        assert last < ENDED + 3, "a few may have left while they were asked for"
        # Behind the moves it would be eight seconds.
        assert took < (ENDED + 3) / RATE + 4
        moved = [o for o in ids if saw(await history(world, o), "child.cancel_requested")]
        done = await equal(world, *moved[:10])
        assert done["child.cancel_requested"] >= 10
        told = saw(await history(world, moved[0]), "child.cancel_requested")[0]
        assert told.why["desk"]["pause_us"] == pause * SECOND
