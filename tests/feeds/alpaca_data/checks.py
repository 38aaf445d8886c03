"""What a feed's tape is held against: the market itself."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from app.domain.instant import Instant
from app.domain.tape import Tape
from app.feeds.alpaca.reading import PRICE_SCALE
from tests.feeds.alpaca_data.market import now
from tests.feeds.alpaca_data.running import Driven, Running

Trade = tuple[int, int]


async def until(condition: Callable[[], Any], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def volume(server: Running, start: Instant, end: Instant, source: str = "sip") -> int:
    """What the market itself says was traded in (start, end]."""
    return sum(row["s"] for row in server.market.trades("ACME", start, end, source))


def prints(server: Running, start: Instant, end: Instant, source: str) -> Counter[Trade]:
    rows = server.market.trades("ACME", start, end, source)
    return Counter((round(row["p"] * PRICE_SCALE), row["s"]) for row in rows)


async def told_everything(
    server: Running, driven: Driven, start: Instant, source: str = "sip"
) -> None:
    """Wait until the tape has all that traded from `start` until now, and nothing twice."""
    due = prints(server, start, now(), source)

    def told() -> Counter[Trade]:
        found = driven.feed.tape("ACME").prints(start, now())
        return Counter(zip(found.price.tolist(), found.size.tolist(), strict=True))

    try:
        await until(lambda: due <= told())
    except TimeoutError:
        raise AssertionError(f"not told: {due - told()}") from None
    assert told() <= prints(server, start, now(), source)


def assert_in_order(tape: Tape) -> None:
    for column in (tape.quote_at, tape.bid_at, tape.ask_at, tape.trade_at):
        assert (column[1:] >= column[:-1]).all()
    assert (tape.bid_at <= tape.quote_at).all()
    assert (tape.ask_at <= tape.quote_at).all()
