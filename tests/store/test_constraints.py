"""What must never happen is refused by the database itself, whoever asks, in whatever words."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from app.domain.alert import Alert, Severity
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.store.alerts import raise_alerts
from app.store.database import Database, connect
from tests.databases import Databases
from tests.domain.tasks import OPEN
from tests.store.seeds import (
    ACCOUNT,
    fill,
    intent,
    record,
    working,
)


@pytest.fixture(scope="module")
def seeded_url(databases: Databases, template: str) -> Iterator[str]:
    """One order (1000: 100 filled, 200 working), two children, one fill, one alert."""
    with databases.fresh("store", template) as url:
        asyncio.run(_seed(url))
        yield url


async def _seed(url: str) -> None:
    database = await Database.open(url)
    order_id = await working(database)
    first, second = intent(order_id, 1, 100), intent(order_id, 2, 200)
    await record(database, order_id, first, second)
    await record(database, order_id, fill(first.child_id, "e1", 100))
    alert = Alert("stalled_order", "s1", Severity.ERROR, "m", {}, order_id)
    async with database.transaction() as connection:
        await raise_alerts(connection, account=ACCOUNT, alerts=[alert], at=OPEN)
        await connection.execute(
            "INSERT INTO signals (account, id, source, signal_id, body_sha256, body, decision,"
            " verdicts, at) VALUES ('a1', gen_random_uuid(), 'test', 's1', '', '{}', 'reject',"
            " '[]', clock_timestamp())"
        )
        await connection.execute(
            "INSERT INTO idempotency (key_id, key, body_sha256, account, order_id)"
            " VALUES ('k1', 'one', '', 'a1', $1)",
            order_id,
        )
        await connection.execute(
            "INSERT INTO market_clock (feed, now, stepped, speed) VALUES"
            " ('f', clock_timestamp(), true, 1)"
        )
        await connection.execute("INSERT INTO accounts (account, broker) VALUES ('a1', 'paper')")
    await database.close()


def copy(table: str, **changed: str) -> str:
    """An INSERT of the rows that are there, some columns changed to SQL expressions."""
    return f"{table}|" + "|".join(f"{name}={text}" for name, text in changed.items())


NEW_CHILD = {"id": "'slnew-1'", "number": "9"}
NEW_FILL = {"execution_id": "'e2'"}

FORBIDDEN: list[tuple[str, str]] = [
    # Quantities of an order. 1000 asked, 100 filled, 200 working.
    ("UPDATE orders SET working = 901", "ck_orders_quantities"),
    ("UPDATE orders SET unknown = 701", "ck_orders_quantities"),
    ("UPDATE orders SET filled = 801", "ck_orders_quantities"),
    ("UPDATE orders SET qty = 299.999999", "ck_orders_quantities"),
    ("UPDATE orders SET excess = 1, working = 901.000000000001", "ck_orders_quantities"),
    ("UPDATE orders SET canceled = 701", "ck_orders_quantities"),
    ("UPDATE orders SET filled = -1", "ck_orders_quantities"),
    ("UPDATE orders SET working = -0.000000000001", "ck_orders_quantities"),
    ("UPDATE orders SET unknown = -1", "ck_orders_quantities"),
    ("UPDATE orders SET canceled = -1", "ck_orders_quantities"),
    ("UPDATE orders SET excess = -1", "ck_orders_quantities"),
    ("UPDATE orders SET qty = 0, filled = 0, working = 0", "ck_orders_quantities"),
    ("UPDATE orders SET qty = NULL", "qty"),
    # An end needs evidence.
    ("UPDATE orders SET status = 'filled'", "ck_orders_evidence"),
    ("UPDATE orders SET status = 'canceled'", "ck_orders_evidence"),
    ("UPDATE orders SET status = 'expired', working = 0, unknown = 1", "ck_orders_evidence"),
    ("UPDATE orders SET status = 'rejected'", "ck_orders_evidence"),
    # Words and windows.
    ("UPDATE orders SET status = 'done'", "ck_orders_status"),
    ("UPDATE orders SET side = 'BUY'", "ck_orders_side"),
    ("UPDATE orders SET on_restart = 'forget'", "ck_orders_on_restart"),
    ("UPDATE orders SET end_at = start_at", "ck_orders_window"),
    # Names that stand once and for ever.
    (copy("orders", id="gen_random_uuid()", key="'k'"), "uq_orders_account_client_order_id"),
    (copy("orders", id="gen_random_uuid()", client_order_id="'c'"), "uq_orders_key"),
    (copy("orders", client_order_id="'c'", key="'k'"), "pk_orders"),
    (copy("orders", account="'a2'"), "uq_orders_key"),
    # Children.
    (copy("children", **(NEW_CHILD | {"id": "'slABC-1'"})), "ck_children_id"),
    (copy("children", **(NEW_CHILD | {"id": "'sl_abc'"})), "ck_children_id"),
    (copy("children", **(NEW_CHILD | {"id": "'sl abc'"})), "ck_children_id"),
    (copy("children", **(NEW_CHILD | {"id": "'slé'"})), "ck_children_id"),
    (copy("children", **(NEW_CHILD | {"id": "''"})), "ck_children_id"),
    (copy("children", **(NEW_CHILD | {"id": "E'slabc\\n'"})), "ck_children_id"),
    (copy("children", **(NEW_CHILD | {"id": "repeat('a', 19)"})), "ck_children_id"),
    (copy("children", number="9"), "pk_children"),
    (copy("children", id="'slnew-1'"), "uq_children_account_order_id_number"),
    (copy("children", **NEW_CHILD, order_id="gen_random_uuid()"), "fk_children_account"),
    (copy("children", **NEW_CHILD, account="'a2'"), "fk_children_account"),
    (copy("children", **NEW_CHILD, qty="0"), "ck_children_quantities"),
    (copy("children", **NEW_CHILD, price="0"), "ck_children_quantities"),
    (copy("children", **NEW_CHILD, filled="-1"), "ck_children_quantities"),
    (copy("children", **NEW_CHILD, status="'lost'"), "ck_children_status"),
    (copy("children", **NEW_CHILD, time_in_force="'gtc'"), "ck_children_time_in_force"),
    # Fills.
    (copy("fills"), "pk_fills"),
    (copy("fills", qty="7", price="8", child_id="child_id"), "pk_fills"),
    (copy("fills", **NEW_FILL, child_id="'ghost'"), "fk_fills_account"),
    (copy("fills", **NEW_FILL, qty="0"), "ck_fills_quantities"),
    (copy("fills", **NEW_FILL, qty="-5"), "ck_fills_quantities"),
    (copy("fills", **NEW_FILL, price="-1"), "ck_fills_quantities"),
    ("DELETE FROM children", "fk_fills_account"),
    ("DELETE FROM orders", "fk_children_account"),
    # Events.
    (
        "INSERT INTO events (account, order_id, seq, type, at, data)"
        " SELECT account, order_id, seq, type, at, data FROM events WHERE seq = 2",
        "uq_events_account_order_id_seq",
    ),
    ("UPDATE events SET seq = NULL", "ck_events_seq"),
    (
        "INSERT INTO events (account, seq, type, at, data)"
        " VALUES ('a1', 1, 'x', clock_timestamp(), '{}')",
        "ck_events_seq",
    ),
    # Alerts, signals, keys, controls, clock.
    (copy("alerts", id="gen_random_uuid()"), "uq_alerts_open"),
    ("UPDATE alerts SET severity = 'bad'", "ck_alerts_severity"),
    (copy("signals", id="gen_random_uuid()"), "uq_signals_account_source_signal_id"),
    ("UPDATE signals SET decision = 'maybe'", "ck_signals_decision"),
    (copy("idempotency", order_id="gen_random_uuid()"), "pk_idempotency"),
    ("INSERT INTO controls (scope, name) VALUES ('order', 'x')", "ck_controls_scope"),
    ("INSERT INTO controls (scope, name) VALUES ('all', '*')", "pk_controls"),
    (copy("market_clock"), "pk_market_clock"),
    (copy("market_clock", one="false"), "ck_market_clock_one"),
    ("UPDATE instruments SET tick = 0", "ck_instruments_grid"),
    ("UPDATE instruments SET lot = -1", "ck_instruments_grid"),
    (copy("accounts"), "pk_accounts"),
]


async def statement(connection: "asyncpg.Connection[asyncpg.Record]", text: str) -> str:
    table, bar, changes = text.partition("|")
    if not bar:
        return text
    changed = dict(change.split("=", 1) for change in changes.split("|") if change)
    names = [
        row[0]
        for row in await connection.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = $1"
            " AND is_identity = 'NO'",
            table,
        )
    ]
    values = ", ".join(changed.get(name, f'"{name}"') for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    return f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} LIMIT 1"


@pytest.mark.parametrize(("sql", "constraint"), FORBIDDEN)
async def test_the_database_refuses(seeded_url: str, sql: str, constraint: str) -> None:
    connection = await connect(seeded_url)
    try:
        text = await statement(connection, sql)
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await connection.execute(text)
        assert (refused.value.constraint_name or refused.value.column_name) == constraint
    finally:
        await connection.close()


OVER = [
    "working = 901",
    "unknown = 701",
    "filled = 801",
    "qty = 299.999999",
    "excess = 1, working = 901.000000000001",
]


@pytest.mark.parametrize("change", OVER)
async def test_over_reservation_has_a_check_of_its_own(seeded_url: str, change: str) -> None:
    """`quantities` says more and speaks first; `reserved` holds even without it."""
    connection = await connect(seeded_url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("ALTER TABLE orders DROP CONSTRAINT ck_orders_quantities")
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await connection.execute(f"UPDATE orders SET {change}")
        assert refused.value.constraint_name == "ck_orders_reserved"
        await transaction.rollback()
    finally:
        await connection.close()


ALLOWED = [
    "UPDATE orders SET working = 900",
    "UPDATE orders SET qty = 300",
    "UPDATE orders SET excess = 5, working = 905",
    "UPDATE orders SET status = 'canceled', working = 0, canceled = 900",
    copy("orders", account="'a2'", key="'otherkey000'"),
    copy("children", **(NEW_CHILD | {"id": "repeat('-', 18)"})),
    copy("fills", broker="'other'"),
    copy("fills", **NEW_FILL, price="0.000000000001"),
    copy("alerts", id="gen_random_uuid()", subject="'another'"),
    copy("alerts", id="gen_random_uuid()", acknowledged_at="clock_timestamp()"),
    copy("signals", id="gen_random_uuid()", source="'other'"),
    copy("idempotency", key_id="'k2'"),
    "INSERT INTO events (account, type, at, data) VALUES ('a1', 'x', clock_timestamp(), '{}')",
]


@pytest.mark.parametrize("sql", ALLOWED)
async def test_and_its_neighbour_is_allowed(seeded_url: str, sql: str) -> None:
    """Each refusal above is about one thing: what lies just inside the bound passes."""
    connection = await connect(seeded_url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        assert await connection.execute(await statement(connection, sql)) != "INSERT 0 0"
        await transaction.rollback()
    finally:
        await connection.close()


async def test_every_word_of_the_domain_is_known(seeded_url: str) -> None:
    connection = await connect(seeded_url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("UPDATE orders SET working = 0, unknown = 0")
        for order_status in OrderStatus:
            await connection.execute("UPDATE orders SET status = $1", order_status.value)
        for child_status in ChildStatus:
            await connection.execute("UPDATE children SET status = $1", child_status.value)
        await transaction.rollback()
    finally:
        await connection.close()
