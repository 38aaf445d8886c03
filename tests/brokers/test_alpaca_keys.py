"""Keys that cannot be sent: what fails says so, and never quotes them."""

import asyncio

import pytest
from pydantic import SecretStr

from app.brokers.alpaca.line import Line
from app.brokers.alpaca.options import Options
from app.feeds.alpaca.line import Line as Asking
from app.feeds.alpaca.options import Options as FeedOptions
from app.ports import FeedError

BROKEN = "hunter2\n"


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()
    await writer.wait_closed()


async def test_a_header_that_cannot_be_sent_is_not_quoted() -> None:
    """Options let no such key in; whoever makes them otherwise leaks nothing either."""
    server = await asyncio.start_server(_silent, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    line = Line(Options("PK1", SecretStr(BROKEN), url=url))
    asking = Asking(FeedOptions("PK1", BROKEN, trading_url=url, patience_ms=1))
    said = []
    for attempt in (line.ask("account"), line.submit({}), line.cancel("x")):
        with pytest.raises(ConnectionError) as failed:
            await attempt
        said.append(repr(failed.value))
    with pytest.raises(FeedError) as refused:
        await asking.trading("clock")
    said.append(repr(refused.value))
    await line.close()
    await asking.close()
    server.close()
    await asyncio.sleep(0.05)
    assert all("no HTTP" in one for one in said)
    assert "hunter2" not in "".join(said)
