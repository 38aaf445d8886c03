"""docs/tradingview.md is true: its commands run, its messages are understood."""

import re
from pathlib import Path

import pytest

from app.domain.hook import Hook, Sizes
from app.domain.tradingview.decode import said_by
from app.domain.tradingview.reading import read
from app.engine.hook_signal import signal_of
from tests.house.documented import said
from tests.house.test_docs import blocks
from tests.server import running_server

DOCUMENT = "docs/tradingview.md"

FILLED = {
    "ticker": "AAPL",
    "exchange": "NASDAQ",
    "timenow": "2026-01-05T15:30:00Z",
    "strategy.market_position": "short",
    "strategy.market_position_size": "30",
    "strategy.order.action": "sell",
    "strategy.order.contracts": "40",
    "strategy.order.id": "Short",
    "strategy.order.price": "187.25",
}


def hook(sizes: Sizes) -> Hook:
    fixed = 7 if sizes is Sizes.FIXED else None
    return Hook("main", "h", "h", "s", {"NASDAQ:AAPL": "AAPL"}, sizes, fixed, 100, None, 30, None,
                None, None)  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "sizes", "meant"),
    [
        (0, Sizes.POSITION, ("target", None, -30)),
        (1, Sizes.MESSAGE, ("qty", "sell", 40)),
        (2, Sizes.FIXED, ("qty", "buy", 7)),
    ],
)
def test_every_message_to_paste_is_understood(
    number: int, sizes: Sizes, meant: tuple[str, str | None, int]
) -> None:
    text = blocks(DOCUMENT, "json")[number]
    text = re.sub(r"\{\{([a-z_.]+)\}\}", lambda found: FILLED[found.group(1)], text)
    message = read(said_by(text.encode()))
    assert message.made_at is not None
    signal = signal_of(message, hook(sizes), None)
    assert (signal.sizing, signal.side, signal.size) == meant
    assert signal.symbol == "AAPL"


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_every_command_runs(tmp_path: Path, database_url: str) -> None:
    async with running_server(
        tmp_path / ".slipstream", database_url, SPEED="600", HOLD="false"
    ) as server:
        await said(
            DOCUMENT,
            tmp_path,
            server,
            '"size":"30"',
            '"decision":"',
            "turtle on daily bars",
            "ended ",
            '"any"',
        )
        assert len((await server.get("/signals"))["items"]) == 1
