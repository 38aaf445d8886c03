"""A real server with Alpaca as its broker: a stop fires there while none of our workers lives."""

import asyncio
import os
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.house.test_alpaca_house import ACCOUNT, alpaca_house, audited, raised
from tests.server import Server
from tests.venue.running import RunningVenue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SYMBOL, QTY = "GLOBEX", 60
PATIENT = {"rest_ms": [60_000, 60_000], "partial": 0.0}
"""What rests waits for its price: the venue's market is the one it is told."""


def stands(venue: RunningVenue, bid: Decimal, **habits: Any) -> None:
    """The venue's market, a cent wide."""
    venue.change(ACCOUNT, touch={SYMBOL: [str(bid), str(bid + Decimal("0.01"))]}, **habits)


async def entered(server: Server, name: str, **bracket: Any) -> dict[str, Any]:
    body = {"symbol": SYMBOL, "side": "buy", "qty": str(QTY), "algo": "market"}
    return await server.post("/orders", body | {"client_order_id": name} | bracket)


async def resting(server: Server, entry: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The entry's exit, and its child once the broker has it with its stop."""
    for _ in range(300):
        shown = (await server.get(f"/orders/{entry}"))["exits"]
        for exit_order in shown[-1:]:
            children = (await server.get(f"/orders/{exit_order['id']}/children"))["items"]
            for child in children[-1:]:
                if child["status"] == "working" and child["stop_price"] is not None:
                    return exit_order, child
        await asyncio.sleep(0.05)
    raise TimeoutError(server.log()[-3000:])


def sold(venue: RunningVenue) -> int:
    return sum(int(q) for (q,) in venue.rows("SELECT qty FROM executions WHERE side = 'sell'"))


async def until_sold(venue: RunningVenue, qty: int) -> None:
    for _ in range(200):
        if sold(venue) == qty:
            return
        await asyncio.sleep(0.05)
    raise TimeoutError(f"{sold(venue)} of {qty} sold")


async def position(server: Server) -> Decimal:
    held = (await server.get("/positions"))["items"]
    return sum((Decimal(p["qty"]) for p in held if p["symbol"] == SYMBOL), Decimal(0))


async def flat(server: Server) -> None:
    for _ in range(200):
        if await position(server) == 0:
            return
        await asyncio.sleep(0.05)
    raise TimeoutError("a position stays")


class Frozen:
    """Nobody of ours looks at anything: the worker dies, and its supervisor starts no other."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __enter__(self) -> None:
        self._server.process.send_signal(signal.SIGSTOP)
        self._server.kill("worker")

    def __exit__(self, *_: object) -> None:
        self._server.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("quirk", [{}, {"ended": "replaced", "unsaid": True, "unlisted": True}])
async def test_a_stop_fires_while_nobody_of_ours_is_there(
    tmp_path: Path, database_url: str, quirk: dict[str, Any]
) -> None:
    async with alpaca_house(tmp_path, database_url, **PATIENT, **quirk) as (server, venue):
        levels = {"take_profit": {"percent": "8"}, "stop_loss": {"percent": "4"}}
        entry = await entered(server, "guarded", **levels)
        done = await server.done(entry["id"])
        assert done["status"] == "filled"
        exit_order, child = await resting(server, entry["id"])
        stop, target = Decimal(child["stop_price"]), Decimal(child["price"])
        assert stop < Decimal(child["stop_limit_price"]) / Decimal("0.9")
        assert Decimal(child["stop_limit_price"]) < stop < target
        assert child["qty"] == str(QTY)
        with Frozen(server):
            stands(venue, stop - Decimal("0.10"))
            await until_sold(venue, QTY)
        ended = await server.done(exit_order["id"])
        assert (ended["status"], ended["filled"]) == ("filled", str(QTY))
        fills = (await server.get(f"/orders/{exit_order['id']}/fills"))["items"]
        assert {(f["child_id"], Decimal(f["price"])) for f in fills} == {
            (child["id"], stop - Decimal("0.10"))
        }
        await flat(server)
        shown = (await server.get(f"/orders/{entry['id']}"))["exits"]
        assert [(e["status"], e["filled"]) for e in shown] == [("filled", str(QTY))]
        why = await server.get(f"/orders/{exit_order['id']}/why?verify=true")
        assert why["verified"]["different"] == why["verified"]["not_stored"] == 0
        assert why["items"][-1]["stop_price"] == child["stop_price"]
        # Nothing follows: another exit would sell what is not there.
        await asyncio.sleep(2)
        assert sold(venue) == QTY
    names = "SELECT client_id FROM orders o WHERE side = 'sell' AND NOT EXISTS"
    legs = "(SELECT 1 FROM twins t WHERE t.order_seq = o.seq AND t.head_seq <> o.seq)"
    assert len(venue.rows(f"{names} {legs}")) == 1
    audited(database_url, venue)


async def test_both_may_fill_in_a_fast_market(tmp_path: Path, database_url: str) -> None:
    """What Alpaca warns of: booked as it is, and told as more than was asked for."""
    async with alpaca_house(tmp_path, database_url, **PATIENT, both_fill=True) as (server, venue):
        levels = {"take_profit": {"percent": "8"}, "stop_loss": {"percent": "4"}}
        entry = await entered(server, "doubled", **levels)
        await server.done(entry["id"])
        exit_order, child = await resting(server, entry["id"])
        stands(venue, Decimal(child["stop_price"]) - Decimal("0.10"))
        ended = await server.until(exit_order["id"], lambda o: o["excess"] == str(QTY))
        assert ended["filled"] == str(2 * QTY)
        await raised(server, "overfill")
        assert await position(server) == -QTY


async def test_a_refused_stop_leaves_the_target_resting(tmp_path: Path, database_url: str) -> None:
    """The venue's market is beyond the stop, our feed's is not: refused, and sent plainly."""
    async with alpaca_house(tmp_path, database_url, **PATIENT) as (server, venue):
        first = await entered(server, "asks-the-price")
        await server.done(first["id"])
        price = Decimal((await server.get(f"/orders/{first['id']}/fills"))["items"][0]["price"])
        offered = (price * Decimal("0.99")).quantize(Decimal("0.01"))
        venue.change(ACCOUNT, touch={SYMBOL: ["0.50", str(offered)]})
        body = {"take_profit": {"percent": "8"}, "stop_loss": {"percent": "4"}}
        entry = await entered(server, "refused", **body)
        await server.done(entry["id"])
        for _ in range(300):
            shown = (await server.get(f"/orders/{entry['id']}"))["exits"]
            if shown:
                children = (await server.get(f"/orders/{shown[-1]['id']}/children"))["items"]
                if children and children[-1]["status"] == "working":
                    break
            await asyncio.sleep(0.05)
        refused, last = children[0], children[-1]
        assert (refused["status"], refused["reason"]) == ("rejected", "broker.bad_stop")
        assert refused["stop_price"] is not None
        assert (last["stop_price"], last["price"]) == (None, refused["price"])
        assert len(children) == 2
        os.kill(server.pid("worker"), signal.SIGKILL)
        await asyncio.sleep(3)
        again = (await server.get(f"/orders/{shown[-1]['id']}/children"))["items"]
        assert [c["id"] for c in again] == [c["id"] for c in children]
