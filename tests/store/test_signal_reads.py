"""However many signals were kept, those that are asked for are found by index."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from app.domain.mode import Mode
from app.domain.strategy import Strategy
from app.engine import housekeeping
from app.engine.housekeeping import Housekeeping, Keeping
from app.store import signals, strategies, views
from app.store.database import Database
from tests.domain.tasks import OPEN
from tests.store.seeds import ACCOUNT, fetch, value

ROWS = 50_000

GROW = f"""
INSERT INTO signals (account, id, source, signal_id, body_sha256, body, decision, reason, verdicts,
    strategy, symbol, mode, at, made_at, received_at)
SELECT '{ACCOUNT}', gen_random_uuid(), 'http', 's' || n, '',
    jsonb_build_object('note', repeat('x', 300)),
    CASE WHEN n % 10 < 5 THEN 'execute' ELSE 'reject' END,
    CASE n % 10 WHEN 0 THEN 'freshness' ELSE 'confidence' END,
    jsonb_build_array(repeat('v', 900)),
    CASE WHEN n % 2 = 0 THEN 'momentum' END, 'ACME', 'shadow', clock_timestamp(),
    '2026-01-05 15:00Z'::timestamptz + n * interval '1 s',
    clock_timestamp() - (50000 - n) * interval '1 s'
FROM generate_series(1, {ROWS}) n
"""


@pytest.fixture
async def grown(own_url: str) -> AsyncIterator[Database]:
    database = await Database.open(own_url, connections=1)
    await fetch(database, GROW)
    await fetch(database, "VACUUM ANALYZE signals")
    yield database
    await database.close()


class Explaining:
    """A connection that notes how each statement is carried out, with what it was given."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.plans: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        asked = getattr(self._connection, name)

        async def ask(query: str, *arguments: Any) -> Any:
            lines = await self._connection.fetch(f"EXPLAIN {query}", *arguments)
            self.plans.append("\n".join(line[0] for line in lines))
            return await asked(query, *arguments)

        return ask


def listed(**asked: Any) -> Any:
    given = dict.fromkeys(("accounts", "symbol", "strategy", "decision", "before")) | {"most": 1}
    return lambda connection: views.signals(connection, **(given | asked))


def latest(strategy: str | None) -> Any:
    return lambda connection: signals.latest(
        connection, account=ACCOUNT, symbol="ACME", strategy=strategy, ahead=2_000_000
    )


def record_of(name: str, since: int | None) -> Any:
    strategy = Strategy(ACCOUNT, name, Mode.SHADOW, mode_since=since)
    return lambda connection: strategies.record(connection, strategy)


READS = {
    "latest": latest("momentum"),
    "latest without a strategy": latest(None),
    "list": listed(),
    "list of an account": listed(accounts=[ACCOUNT]),
    "list of accounts": listed(accounts=[ACCOUNT, "other"]),
    "list of a strategy": listed(strategy="momentum"),
    "list of a strategy nobody has": listed(strategy="none", accounts=[ACCOUNT]),
    "record": record_of("momentum", None),
    "record since": record_of("momentum", OPEN),
}


async def test_they_are_read_by_index(grown: Database) -> None:
    some = await value(grown, "SELECT id FROM signals WHERE signal_id = 's77'")
    reads = READS | {
        "one by its id": lambda connection: views.signal(connection, some, None),
        "list from one on": listed(before=some),
    }
    async with grown.connection() as connection:
        assert await connection.fetchval("SHOW enable_seqscan") == "on"
        for name, read in reads.items():
            explaining = Explaining(connection)
            await read(explaining)
            [plan] = explaining.plans
            assert "Seq Scan on signals" not in plan, f"{name}: {plan}"
            assert "ix_signals_" in plan, f"{name}: {plan}"
            assert "Sort" not in plan, f"{name}: {plan}"


async def test_what_they_find(grown: Database) -> None:
    """The last of each that was followed."""
    async with grown.connection() as connection:
        named = await latest("momentum")(connection)
        unnamed = await latest(None)(connection)
        nobody = await latest("none")(connection)
        [first] = await listed()(connection)
        record = await record_of("momentum", None)(connection)
        everybody = await record_of("*", None)(connection)
    assert (nobody, first["signal_id"]) == (None, f"s{ROWS}")
    assert named == await value(grown, f"SELECT made_at FROM signals WHERE signal_id = 's{ROWS}'")
    assert unnamed == await value(
        grown, f"SELECT made_at FROM signals WHERE signal_id = 's{ROWS - 7}'"
    )
    assert (record.signals, everybody.signals) == (10_000, 10_000)
    assert record.time > 49_000 * 1_000_000


async def test_signals_that_became_no_order_go_when_they_are_old(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "BREATH_SECONDS", 0)
    await fetch(database, GROW.replace(f"(1, {ROWS})", "(47001, 50000)"))
    await fetch(
        database,
        "UPDATE signals SET order_id = gen_random_uuid() WHERE signal_id IN ('s47010', 's49990')",
    )
    old = "received_at < clock_timestamp() - interval '1500 s'"
    assert await value(database, f"SELECT count(*) FROM signals WHERE {old}") > 1_400
    await Housekeeping(database, None).round()
    assert await value(database, "SELECT count(*) FROM signals") == 3_000
    await Housekeeping(database, Keeping(timedelta(seconds=1_500))).round()
    left = await fetch(database, f"SELECT signal_id FROM signals WHERE {old}")
    assert [row["signal_id"] for row in left] == ["s47010"]
    assert 1_400 < await value(database, "SELECT count(*) FROM signals") < 1_600
