"""The same history at a venue in machine time, which then voids, corrects, and surprises.

The ledger has the tables of the adversarial venue (`tests/venue`); its rows are those of the
paper venue's. What is added afterwards is done by hand, row by row, as the journal must do it.
"""

import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

SCHEMA = """
CREATE TABLE accounts (account TEXT PRIMARY KEY, behaviour TEXT NOT NULL,
    execution_ids TEXT NOT NULL, changed_at INTEGER NOT NULL);
CREATE TABLE orders (seq INTEGER PRIMARY KEY, account TEXT, client_id TEXT, venue_id TEXT,
    symbol TEXT, side TEXT, qty TEXT, limit_price TEXT, tif TEXT, received_at INTEGER,
    send_by INTEGER, code TEXT);
CREATE TABLE executions (seq INTEGER PRIMARY KEY, account TEXT, execution_id TEXT,
    order_seq INTEGER, venue_id TEXT, client_id TEXT, symbol TEXT, side TEXT, qty TEXT,
    price TEXT, fee TEXT, liquidity TEXT, at INTEGER, corrects TEXT);
CREATE TABLE busts (seq INTEGER PRIMARY KEY, account TEXT, execution_id TEXT, symbol TEXT,
    client_id TEXT, at INTEGER, reason TEXT);
CREATE TABLE ends (seq INTEGER PRIMARY KEY, account TEXT, order_seq INTEGER, venue_id TEXT,
    client_id TEXT, status TEXT, reason TEXT, filled TEXT, at INTEGER);
CREATE TABLE cancels (seq INTEGER PRIMARY KEY, account TEXT, client_id TEXT,
    received_at INTEGER, code TEXT);
"""
CANCELED = "SELECT * FROM orders WHERE status = 'canceled'"


async def move(url: str, paper: Path, ledger: Path) -> None:
    """Tell the history of the paper venue as one of a venue in machine time."""
    connection = await asyncpg.connect(url)
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads
    )
    await connection.execute("UPDATE orders SET broker = 'venue'")
    await connection.execute("UPDATE fills SET broker = 'venue'")
    written = await connection.fetch(
        "SELECT id, (extract(epoch FROM created_at) * 1000000)::bigint AS us FROM children"
    )
    db = sqlite3.connect(ledger)
    db.executescript(SCHEMA)
    db.execute("ATTACH ? AS paper", (str(paper),))
    db.execute("CREATE TEMP TABLE written (id TEXT, us INTEGER)")
    db.executemany("INSERT INTO written VALUES (?, ?)", [(r["id"], r["us"]) for r in written])
    db.execute("INSERT INTO accounts VALUES ('main', '{}', 'account', 0)")
    db.execute(
        "INSERT INTO orders SELECT number, 'main', client_id, venue_id, symbol, side, qty,"
        " limit_price, time_in_force, w.us + 500, w.us + 900, 'accepted'"
        " FROM paper.orders JOIN written w ON w.id = client_id"
    )
    db.execute(
        "INSERT INTO executions SELECT e.seq, 'main', e.execution_id, o.number, o.venue_id,"
        " o.client_id, o.symbol, o.side, e.qty, e.price, e.fee, e.liquidity, e.at, NULL"
        " FROM paper.executions e JOIN paper.orders o ON o.number = e.order_number"
    )
    db.execute(
        "INSERT INTO ends SELECT x.seq, 'main', o.number, o.venue_id, o.client_id, x.status,"
        " x.reason, x.filled, x.at"
        " FROM paper.outcomes x JOIN paper.orders o ON o.number = x.order_number"
    )
    db.commit()
    await _bust(connection, db, await _fill(connection, 0))
    await _correct(connection, db, await _fill(connection, 1))
    await _adopt(connection, db)
    db.commit()
    db.close()
    await connection.close()


async def _fill(connection: Any, place: int) -> Any:
    return await connection.fetchrow(
        "SELECT f.* FROM fills f JOIN orders o ON o.id = f.order_id WHERE o.status = 'filled'"
        " AND o.algo = 'twap' AND o.qty = 1000 ORDER BY f.execution_id OFFSET $1 LIMIT 1",
        place,
    )


async def _bust(connection: Any, db: sqlite3.Connection, fill: Any) -> None:
    db.execute(
        "INSERT INTO busts VALUES (NULL, 'main', ?, ?, ?, 1, 'erroneous')",
        (fill["execution_id"], fill["symbol"], fill["child_id"]),
    )
    await connection.execute(
        "INSERT INTO busts (account, broker, execution_id, reason, at)"
        " VALUES ('main', 'venue', $1, 'erroneous', $2)",
        fill["execution_id"],
        fill["at"],
    )
    await _void(connection, fill)


async def _void(connection: Any, fill: Any) -> None:
    await connection.execute(
        "UPDATE fills SET busted_at = at WHERE execution_id = $1", fill["execution_id"]
    )
    told = {k: str(fill[k]) for k in ("child_id", "execution_id", "qty", "price", "fee")}
    await _count(connection, fill, -1, "fill.busted", told | {"reason": "erroneous"})


async def _correct(connection: Any, db: sqlite3.Connection, fill: Any) -> None:
    await _void(connection, fill)
    price = fill["price"] - Decimal("0.01")
    db.execute(
        "INSERT INTO executions SELECT 9000, account, 'corrected', order_seq, venue_id, client_id,"
        " symbol, side, qty, ?, fee, liquidity, at, execution_id FROM executions"
        " WHERE execution_id = ?",
        (str(price), fill["execution_id"]),
    )
    instead = dict(fill) | {
        "execution_id": "corrected",
        "price": price,
        "corrects": fill["execution_id"],
    }
    await _book(connection, instead)


async def _book(connection: Any, fill: Any) -> None:
    names = [name for name in fill if name not in ("booked_at", "busted_at")]
    places = ", ".join(f"${n}" for n in range(1, len(names) + 1))
    await connection.execute(
        f"INSERT INTO fills ({', '.join(names)}) VALUES ({places})", *(fill[n] for n in names)
    )
    told = {k: str(fill[k]) for k in ("child_id", "execution_id", "qty", "price", "fee")}
    await _count(connection, fill, 1, "fill.booked", told | {"liquidity": "taker"})


async def _count(connection: Any, fill: Any, sign: int, kind: str, data: dict[str, Any]) -> None:
    """One fill more or less, of a child and an order that are over, and of the position."""
    qty, cash = sign * fill["qty"], sign * fill["qty"] * fill["price"]
    await connection.execute(
        "UPDATE children SET filled = filled + $2,"
        " status = CASE WHEN filled + $2 >= qty THEN 'filled' ELSE 'canceled' END WHERE id = $1",
        fill["child_id"],
        qty,
    )
    await connection.execute(
        "UPDATE orders SET filled = filled + $2, canceled = canceled - $2,"
        " filled_notional = filled_notional + $3, fees = fees + $4 WHERE id = $1",
        fill["order_id"],
        qty,
        cash,
        sign * fill["fee"],
    )
    # A buy: what is realised is the cash of all fills and the value of what is held.
    await connection.execute(
        "UPDATE positions SET qty = qty + $2, fees = fees + $3,"
        " realised = realised - $4 + $2 * average_price WHERE symbol = $1",
        fill["symbol"],
        qty,
        sign * fill["fee"],
        cash,
    )
    await _tell(connection, fill["order_id"], kind, data)


async def _tell(connection: Any, order_id: Any, kind: str, data: dict[str, Any]) -> None:
    row = await connection.fetchrow(
        "UPDATE orders SET seq = seq + 1 WHERE id = $1 RETURNING *", order_id
    )
    names = ("qty", "filled", "working", "unknown", "canceled", "excess")
    sums = {name: str(row[name]) for name in names} | {"unsent": "0", "status": row["status"]}
    at = await connection.fetchval("SELECT max(at) FROM events WHERE order_id = $1", row["id"])
    await connection.execute(
        "INSERT INTO events (account, order_id, seq, type, at, data)"
        " VALUES ('main', $1, $2, $3, $4, $5)",
        row["id"],
        row["seq"],
        kind,
        at,
        data | {"order": sums},
    )


async def _adopt(connection: Any, db: sqlite3.Connection) -> None:
    """A child that only the venue knew, over by now; then its fill."""
    order = await connection.fetchrow(CANCELED)
    name = f"sl{order['key']}-99"
    like = await connection.fetchrow(
        "SELECT * FROM children WHERE order_id = $1 ORDER BY number LIMIT 1", order["id"]
    )
    child = dict(like) | {
        "id": name, "number": 99, "qty": Decimal(5), "filled": Decimal(0), "status": "canceled",
        "epoch": 0, "adopted": True, "reason": "adopted", "why": {}, "broker_order_id": "V-99",
        "intended_at": order["end_at"], "cancel_requested_at": None,
    }  # fmt: skip
    places = ", ".join(f"${n}" for n in range(1, len(child) + 1))
    await connection.execute(
        f"INSERT INTO children ({', '.join(child)}) VALUES ({places})", *child.values()
    )
    told = {
        "child_id": name, "number": 99, "qty": "5", "price": str(child["price"]),
        "side": child["side"], "purpose": "rest", "time_in_force": "day", "live": False,
        "broker_order_id": "V-99",
    }  # fmt: skip
    await _tell(connection, order["id"], "child.adopted", told)
    await connection.execute("UPDATE orders SET next_child = 100 WHERE id = $1", order["id"])
    terms = (name, "V-99", child["symbol"], child["side"], "5", str(child["price"]))
    db.execute("INSERT INTO orders VALUES (99, 'main', ?, ?, ?, ?, ?, ?, 'ioc', 1, 2, 'accepted')",
               terms)  # fmt: skip
    db.execute("INSERT INTO ends VALUES (99, 'main', 99, 'V-99', ?, 'filled', NULL, '5', 1)",
               (name,))  # fmt: skip
    fill = dict(await _fill(connection, 0)) | {
        "execution_id": "orphan", "child_id": name, "qty": Decimal(5), "price": child["price"],
        "order_id": order["id"], "symbol": child["symbol"], "side": child["side"],
        "fee": Decimal(0), "corrects": None,
    }  # fmt: skip
    db.execute(
        "INSERT INTO executions VALUES (9001, 'main', 'orphan', 99, 'V-99', ?, ?, ?, '5', ?, '0',"
        " 'taker', 1, NULL)",
        (name, child["symbol"], child["side"], str(child["price"])),
    )
    await _book(connection, fill)
