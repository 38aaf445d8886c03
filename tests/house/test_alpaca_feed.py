"""A server on Alpaca's market data (a simulated data server) and the paper broker works orders."""

import asyncio
import json
import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.instant import SECOND, from_datetime
from app.settings import Settings
from tests.cli.shell import Shell
from tests.feeds.alpaca_data.checks import until
from tests.feeds.alpaca_data.rest import KEY, SECRET
from tests.feeds.alpaca_data.running import Running, data_server
from tests.server import Server, running_server

DOCUMENT = Path(__file__).parents[2] / "docs" / "feeds.md"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(autouse=True)
def enough_of_the_day() -> None:
    """The simulated market is open from midnight to midnight in New York, in real time."""
    now = datetime.now(NEW_YORK)
    if now.hour == 23 and now.minute >= 25:
        pytest.skip("the day in New York is nearly over: the document's order takes half an hour")


def variables(data: Running, feed: str) -> dict[str, str]:
    return {
        "FEED": "alpaca",
        "ALPACA_KEY_ID": KEY,
        "ALPACA_SECRET_KEY": SECRET,
        "ALPACA_FEED": feed,
        "ALPACA_URL": data.rest_url,
        "ALPACA_DATA_URL": data.rest_url,
        "ALPACA_DATA_STREAM_URL": data.stream_url,
    }


def vwap(qty: str, seconds: int, **more: str) -> dict[str, Any]:
    order = {"symbol": "GLOBEX", "side": "buy", "qty": qty, "algo": "vwap"}
    return {**order, "duration": f"{seconds}s", **more}


def instant(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text))


def seen(data: Running, start: int, end: int) -> int:
    """What IEX traded in (start, end]."""
    return sum(row["s"] for row in data.market.trades("GLOBEX", start, end, "iex"))


async def assert_the_books_are_right(server: Server, tmp_path: Path) -> None:
    told = await asyncio.to_thread(Shell(tmp_path, server.folder), "audit", "--json")
    assert told.code == 0, told.out


@pytest.mark.campaign
async def test_a_vwap_order_is_worked_on_alpaca_s_market(tmp_path: Path, database_url: str) -> None:
    async with (
        data_server() as data,
        running_server(tmp_path / "house", database_url, **variables(data, "sip")) as server,
    ):
        order = await server.post("/orders", vwap("300", 30))
        # The line breaks in the middle of it, and then the worker dies.
        await server.until(order["id"], lambda o: Decimal(o["filled"]) > 0)
        data.stream.cut()
        await until(lambda: data.stream.seen == 2)
        server.kill("worker")
        done = await server.done(order["id"])
        assert (done["status"], done["filled"]) == ("filled", "300"), done
        # The line again, and the next worker's; one that was slow to answer is tried once more.
        assert data.stream.seen >= 3
        fills = await server.get(f"/orders/{order['id']}/fills")
        assert sum(Decimal(fill["qty"]) for fill in fills["items"]) == 300
        for fill in fills["items"]:
            at = instant(fill["at"])
            quotes = [
                (Decimal(str(q["bp"])), Decimal(str(q["ap"])))
                for q in data.market.quotes("GLOBEX", at - 5 * SECOND, at + SECOND)
            ]
            low, high = min(bid for bid, _ in quotes), max(ask for _, ask in quotes)
            assert low <= Decimal(fill["price"]) <= high
        await assert_the_books_are_right(server, tmp_path)
        assert SECRET not in server.log()
        assert KEY not in server.log()


@pytest.mark.campaign
async def test_on_the_free_feed_participation_is_of_the_whole_market(
    tmp_path: Path, database_url: str
) -> None:
    """A fifth of the volume is seen: each child was held against five times of it."""
    async with (
        data_server() as data,
        running_server(tmp_path / "house", database_url, **variables(data, "iex")) as server,
    ):
        cap = {"algo": "market", "max_participation": "0.3"}
        order = await server.post("/orders", vwap("300", 30) | cap)
        done = await server.done(order["id"])
        start = instant(done["start_time"])
        children = (await server.get(f"/orders/{order['id']}/why"))["items"]
        assert children
        for child in children:
            why = child["why"]
            judged = Decimal(why["market_volume"]) + Decimal(why["filled"])
            at = instant(why["now"])
            # The newest trades may have been on their way.
            least, most = (seen(data, start, at - late) for late in (SECOND, 0))
            assert Decimal("4.99") * least <= judged <= Decimal("5.01") * most, (
                least,
                judged,
                most,
            )
            assert judged > most
        cost = await server.get(f"/orders/{order['id']}/tca")
        assert Decimal(cost["market_volume"]) >= Decimal(children[-1]["why"]["market_volume"])
        await assert_the_books_are_right(server, tmp_path)


def test_the_variables_of_the_document_are_settings() -> None:
    named = set(re.findall(r"SLIPSTREAM_(ALPACA_\w+)", DOCUMENT.read_text()))
    fields = {name.upper() for name in Settings.model_fields if name.startswith("alpaca_")}
    assert named <= fields
    assert {name for name in fields if "DATA" in name} <= named


async def test_the_document_s_preview_and_a_symbol_that_alpaca_does_not_have(
    tmp_path: Path, database_url: str
) -> None:
    async with (
        data_server() as data,
        running_server(tmp_path / "house", database_url, **variables(data, "iex")) as server,
    ):
        [command] = re.findall(r"^slipstream (order .*)$", DOCUMENT.read_text(), re.MULTILINE)
        words = command.replace("AAPL", "ACME").split()
        said = await asyncio.to_thread(Shell(tmp_path, server.folder), *words)
        assert said.code == 0, said.err
        assert "history:20d" in said.out
        assert (said.json["would_be_accepted"], said.json["algo"]) == (True, "vwap")
        answer = await server.client.post("/orders", json=vwap("1", 9) | {"symbol": "NOBODY"})
        assert answer.status_code == 422, answer.text
        assert answer.json()["code"] == "unknown_symbol"
        data.market.names["INITECH"] = "inactive"
        answer = await server.client.post("/orders", json=vwap("1", 9) | {"symbol": "INITECH"})
        assert "does not trade INITECH" in json.dumps(answer.json())
