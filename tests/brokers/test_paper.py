"""The paper broker keeps the contract, and its ledger keeps everything."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.brokers.paper import BROKER, open_broker
from app.brokers.paper import broker as paper
from app.domain.instrument import Instrument
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import Side
from app.domain.session import Session
from app.domain.tape import Tape
from app.ports import Broker, Capabilities, Report
from tests.brokers.contract import BrokerContract
from tests.brokers.market import INSTRUMENT, SESSION, SYMBOL, at, market, ticket
from tests.brokers.promises import CALM, IOC, acknowledged, fills, not_again, states

LATENCY = 5_000


def options(path: Path, **more: Any) -> dict[str, Any]:
    def instrument(symbol: str) -> Instrument:
        return {SYMBOL: INSTRUMENT}[symbol]

    def sessions(symbol: str) -> tuple[Session, ...]:
        return {SYMBOL: (SESSION,)}[symbol]

    return {"ledger_path": path, "instrument": instrument, "sessions": sessions} | more


def open_paper(path: Path, tape: Tape, **more: Any) -> Broker:
    return open_broker("acc", lambda symbol: {SYMBOL: tape}[symbol], options(path, **more))


class PaperHarness:
    line = 2 * LATENCY

    def __init__(self, path: Path) -> None:
        self.path = path
        self.opened: list[Broker] = []
        self.tape = market()

    def open(self, tape: Tape) -> Broker:
        self.tape = tape
        return self.crash()

    def open_calm(self) -> Broker:
        return self.open(market(CALM))

    async def hear(self, broker: Broker, seconds: float) -> Sequence[Report]:
        return await broker.reports(at(seconds))

    async def reopen(self) -> Broker:
        await self.opened[-1].close()
        return self.crash()

    def crash(self) -> Broker:
        self.opened.append(open_paper(self.path, self.tape))
        return self.opened[-1]


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[PaperHarness]:
    harness = PaperHarness(tmp_path / "paper" / "ledger.db")
    yield harness
    for broker in harness.opened:
        asyncio.run(broker.close())


class TestPaperBroker(BrokerContract):
    @pytest.fixture
    def venue(self, tmp_path: Path) -> Iterator[PaperHarness]:
        harness = PaperHarness(tmp_path / "paper" / "ledger.db")
        yield harness
        for broker in harness.opened:
            asyncio.run(broker.close())


def test_names_itself(venue: PaperHarness) -> None:
    broker = venue.open(market())
    assert BROKER == broker.name == "paper"
    assert isinstance(broker.capabilities, Capabilities)


async def test_long_answers_come_in_parts_and_are_the_same(
    venue: PaperHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    buys = venue.open(market(CALM))
    for n in range(7):
        await acknowledged(buys, ticket(f"b{n}", qty=20, limit="10.01", time_in_force=IOC))
    for n in range(5):
        sell = ticket(f"s{n}", Side.SELL, qty=30, limit="9.99", time_in_force=IOC)
        await acknowledged(buys, sell)
    for n in range(3):
        await acknowledged(buys, ticket(f"r{n}", limit="9.95", moment=at(1)))
    await buys.reports(at(2))
    whole = [await buys.executions(0), await buys.open_orders(), await buys.positions()]
    assert [len(answer) for answer in whole] == [12, 3, 1]
    assert whole[2] == {SYMBOL: Decimal(7 * 20 - 5 * 30)}
    for at_once in (1, 3, 4):
        monkeypatch.setattr(paper, "_READ_AT_ONCE", at_once)
        monkeypatch.setattr(paper, "_COUNTED_AT_ONCE", at_once)
        again = venue.crash()
        assert [await again.executions(0), await again.open_orders()] == whole[:2]
        # Two who ask at once count nothing twice.
        assert await asyncio.gather(again.positions(), again.positions()) == [whole[2]] * 2


async def test_orders_travel(venue: PaperHarness) -> None:
    """The tape counts as it is on arrival, and news needs its way back."""
    broker = venue.open(market([*CALM, (1, 999, 300, 1001, 50), (2, 999, 300, 1005, 999)]))
    await acknowledged(broker, ticket("a", qty=80, limit="10.01", moment=at(1) - LATENCY))
    assert broker.next_at(at(1)) == at(1) + LATENCY
    assert await broker.reports(at(1) + LATENCY - 1) == []
    reports = await broker.reports(at(1) + LATENCY)
    assert fills(reports) == [("a", 50, "10.01", "taker")]
    assert states(reports) == [("a", ChildStatus.PARTIALLY_FILLED, 50, None)]
    assert reports[0].at == at(1)


async def test_nothing_arrives_in_the_past(venue: PaperHarness) -> None:
    """An engine that comes back with an older clock finds the venue where it stood."""
    broker = venue.open(market(CALM))
    await broker.reports(at(10))
    await acknowledged(broker, ticket("a", limit="10.01", moment=at(5)))
    await broker.reports(at(11))
    (execution,) = await broker.executions(0)
    assert execution.at == at(10) - LATENCY


async def test_a_cancel_never_overtakes_its_order(venue: PaperHarness) -> None:
    broker = venue.open(market(CALM))
    await acknowledged(broker, ticket("a", limit="9.99", moment=at(5)))
    await broker.cancel("a", at(4))
    assert states(await broker.reports(at(6))) == [
        ("a", ChildStatus.WORKING, 0, None),
        ("a", ChildStatus.CANCELED, 0, "requested"),
    ]


async def test_the_queue_is_the_same_after_a_crash(venue: PaperHarness) -> None:
    """A print that a better order took did not shorten the queue."""
    broker = venue.open(market(CALM, [(3, 999, 100), (5, 999, 300), (7, 999, 10)]))
    await acknowledged(broker, ticket("behind", limit="9.99"))
    await acknowledged(broker, ticket("better", limit="10.00", moment=at(1)))
    assert fills(await broker.reports(at(4))) == [("better", 100, "10.00", "maker")]
    broker = venue.crash()
    assert fills(await broker.reports(at(9))) == [("behind", 10, "9.99", "maker")]


async def test_ids_repeat(tmp_path: Path) -> None:
    def ids(name: str) -> list[tuple[str, str]]:
        broker = open_paper(tmp_path / name, market(CALM))

        async def run() -> list[tuple[str, str]]:
            for n in range(3):
                await broker.submit(ticket(f"c{n}", qty=10, limit="10.01"))
            await broker.reports(at(1))
            told = await broker.executions(0)
            await broker.close()
            return [(e.broker_order_id, e.execution_id) for e in told]

        return asyncio.run(run())

    first = await asyncio.to_thread(ids, "one.db")
    assert first == await asyncio.to_thread(ids, "two.db")
    assert first == [("P-000001", "E-000001"), ("P-000002", "E-000003"), ("P-000003", "E-000005")]


async def test_fees_are_costs(tmp_path: Path) -> None:
    fees = {"fee_per_share": "0.02", "fee_bps": 1, "min_fee": "1.5"}
    broker = open_paper(tmp_path / "l.db", market(CALM, [(5, 999, 330), (6, 999, 200)]), **fees)
    await acknowledged(broker, ticket("a", qty=130, limit="9.99"))
    await broker.reports(at(9))
    first, second = await broker.executions(0)
    await broker.close()
    # 30 × 0.02 + 299.70 / 10,000 is below the minimum of the order, which is charged once.
    assert first.fee == Decimal("1.5")
    assert first.fee + second.fee == Decimal("0.02") * 130 + Decimal("1298.7") / 10_000


async def test_the_ledger_only_grows(venue: PaperHarness) -> None:
    broker = venue.open(market(CALM))
    await acknowledged(broker, ticket("a", qty=300, limit="10.01"))
    await broker.reports(at(1))
    await broker.cancel("a", at(2))
    await not_again(broker, ticket("a", moment=at(2)))
    await broker.reports(at(3))
    before = dump(venue.path)
    assert all(before.values()), "every table has something to lose"
    db = sqlite3.connect(venue.path)
    for table in before:
        for attack in (
            f"UPDATE {table} SET rowid = rowid",
            f"DELETE FROM {table}",
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                db.execute(attack)
    db.close()
    assert dump(venue.path) == before


async def test_an_auditor_reads_while_it_works(venue: PaperHarness) -> None:
    broker = venue.open(market(CALM))
    db = sqlite3.connect(f"file:{venue.path}?mode=ro", uri=True)
    for n in range(5):
        await acknowledged(broker, ticket(f"c{n}"))
        assert db.execute("SELECT count(*) FROM orders").fetchone() == (n + 1,)
    db.close()


async def test_two_lines_to_one_ledger(venue: PaperHarness) -> None:
    """A take-over while the old owner still breathes: both speak of one venue."""
    old = venue.open(market(CALM, [(5, 999, 340), (8, 999, 20)]))
    await acknowledged(old, ticket("a", limit="9.99"))
    new = venue.crash()
    await acknowledged(new, ticket("b", qty=150, limit="10.01", moment=at(1)))
    await acknowledged(old, ticket("c", qty=150, limit="10.01", moment=at(2), time_in_force=IOC))
    assert fills(await new.reports(at(6))) == [
        ("b", 150, "10.01", "taker"),
        ("c", 50, "10.01", "taker"),
        ("a", 40, "9.99", "maker"),
    ]
    # What another line worked out already is told here when its time comes.
    assert fills(await old.reports(at(5))) == [
        ("b", 150, "10.01", "taker"),
        ("c", 50, "10.01", "taker"),
    ]
    assert fills(await old.reports(at(9))) == [
        ("a", 40, "9.99", "maker"),
        ("a", 20, "9.99", "maker"),
    ]
    assert fills(await new.reports(at(9))) == [("a", 20, "9.99", "maker")]
    assert await new.executions(0) == await old.executions(0)


async def test_an_order_waits_for_its_tape(tmp_path: Path) -> None:
    """After a restart nobody may watch the symbol yet; what it lived through counts later."""
    tapes: dict[str, Tape] = {SYMBOL: market(CALM, [(3, 999, 320), (5, 999, 30)])}
    path = tmp_path / "l.db"
    broker = open_broker("acc", tapes.__getitem__, options(path))
    await acknowledged(broker, ticket("a", limit="9.99"))
    await broker.reports(at(4))
    await broker.close()
    tape = tapes.pop(SYMBOL)
    broker = open_broker("acc", tapes.__getitem__, options(path))
    assert await broker.reports(at(6)) == []
    tapes[SYMBOL] = tape
    assert fills(await broker.reports(at(7))) == [("a", 30, "9.99", "maker")]
    await broker.close()


async def test_a_ledger_has_one_account(venue: PaperHarness) -> None:
    venue.open(market())
    with pytest.raises(ValueError, match="of account acc, not of other"):
        open_broker("other", lambda _: market(), options(venue.path))


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a ledger" * 100)
    with pytest.raises(ValueError, match="cannot be used as a ledger"):
        open_paper(path, market())


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"latency": 1}, "no option 'latency'"),
        ({"latency_us": -1}, "latency_us"),
        ({"fee_bps": "much"}, "fee_bps is not a number"),
    ],
)
def test_options_are_checked(tmp_path: Path, given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        open_paper(tmp_path / "l.db", market(), **given)
    with pytest.raises(ValueError, match="needs the option 'ledger_path'"):
        open_broker("acc", lambda _: market(), {"instrument": 0, "sessions": 0})


async def test_no_answer_is_unclear(venue: PaperHarness) -> None:
    broker = venue.open(market(CALM))
    await broker.close()
    assert type(await broker.submit(ticket("a"))).__name__ == "Unclear"
    await broker.cancel("a", at(1))
    with pytest.raises(ConnectionError):
        await broker.lookup("a")
    with pytest.raises(ConnectionError):
        await broker.reports(at(1))


SENDER = """
import asyncio, sys
from pathlib import Path
from tests.brokers.market import market, ticket
from tests.brokers.test_paper import open_paper, CALM, at
async def main():
    broker = open_paper(Path(sys.argv[1]), market(CALM))
    for n in range(100_000):
        order = ticket(f"c{sys.argv[2]}-{n}", qty=1, limit="10.01", moment=at(n / 1000))
        answer = await broker.submit(order)
        print(order.child_id, answer.broker_order_id, flush=True)
        for report in await broker.reports(order.at):
            if hasattr(report, "execution_id"):
                print("fill", report.execution_id, flush=True)
asyncio.run(main())
"""


def told_before_kills(path: Path) -> list[str]:
    told: list[str] = []
    for run in range(4):
        args = [sys.executable, "-c", SENDER, str(path), str(run)]
        with subprocess.Popen(args, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            told += [child.stdout.readline().strip() for _ in range(150 + 7 * run)]
            child.send_signal(signal.SIGKILL)
            # A line cut short was not told.
            told += [line[:-1] for line in child.stdout if line.endswith("\n")]
    return told


@pytest.mark.slow
async def test_kill_loses_nothing_told(venue: PaperHarness) -> None:
    told = await asyncio.to_thread(told_before_kills, venue.path)
    broker = venue.open(market(CALM))
    executions = {e.execution_id for e in await broker.executions(0)}
    for first, second in (line.split() for line in told):
        if first == "fill":
            assert second in executions
        else:
            known = await broker.lookup(first)
            assert known is not None
            assert known.broker_order_id == second
    assert any(line.startswith("fill") for line in told)
    assert sum(e.qty for e in await broker.executions(0)) == 200


def dump(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All that the ledger holds, in order."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    names = [n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    tables = {name: db.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in names}
    db.close()
    return tables


def test_sides_are_mirrored(tmp_path: Path) -> None:
    """What a buy gets, a sell gets in the mirrored market."""

    def run(side: Side) -> list[tuple[str, Decimal, Decimal]]:
        def price(cents: int) -> int:
            return cents if side is Side.BUY else 2000 - cents

        quotes = [(0, 999, 300, 1001, 200), (4, 999, 100, 1002, 200), (9, 998, 50, 1000, 10)]
        if side is Side.SELL:
            quotes = [(t, price(a), n, price(b), m) for t, b, m, a, n in quotes]
        trades = [
            (n, price(p), 60) for n, p in enumerate((999, 1001, 999, 999, 999, 998, 999, 998))
        ]
        broker = open_paper(tmp_path / side, market(quotes, trades))

        async def go() -> list[tuple[str, Decimal, Decimal]]:
            for n, limit in enumerate((999, 998, 1001, 1000)):
                limit_price = str(Decimal(price(limit)) / 100)
                await broker.submit(ticket(f"c{n}", side, 250, limit_price))
            await broker.reports(at(20))
            told = await broker.executions(0)
            await broker.close()
            return [(e.child_id, e.qty, abs(e.price - 10) * 100) for e in told]

        return asyncio.run(go())

    assert run(Side.BUY) == run(Side.SELL) != []
