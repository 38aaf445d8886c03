"""Writes accepted orders, many at once: order, idempotency key, signal and first event together.

One transaction a batch, a verdict a row: a bad row never fails its neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.failpoints import reach
from app.store.controls import Switch, thrown
from app.store.database import Connection, Database, to_json
from app.store.entering import Columns, enter
from app.store.retention import archived
from app.store.signals import DECIDED, decided


@dataclass(frozen=True, slots=True)
class Arrival:
    """One order on its way in: its row, and what comes with it."""

    order: Columns
    event: Columns
    idempotency: Columns | None = None
    signal: Columns | None = None

    @property
    def keys(self) -> tuple[tuple[Any, ...], ...]:
        """What must not meet its like within one batch."""
        own: list[tuple[Any, ...]] = [
            ("order", self.order["account"], self.order["client_order_id"])
        ]
        if self.idempotency is not None:
            own.append(("key", self.idempotency["key_id"], self.idempotency["key"]))
        if self.signal is not None:
            signal = self.signal
            own.append(("signal", signal["account"], signal["source"], signal["signal_id"]))
        return tuple(own)

    @property
    def alone(self) -> bool:
        """Whether nothing comes with the order but its event."""
        return self.idempotency is None and self.signal is None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The order's row. `replayed`: it was there before, with the same body."""

    row: Any
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Clash:
    """Something else stands under this name: `what` is order, key, signal or archived (an order
    that has been removed, `order_id`)."""

    what: str
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Halted:
    """A kill switch bears on the order, and it was not there before the switch was thrown."""

    switch: Switch


Verdict = Accepted | Clash | Halted

_ORDER_KEY = ("account", "client_order_id")


async def insert(database: Database, arrivals: Sequence[Arrival]) -> list[Verdict]:
    """A verdict for each arrival, committed on return.

    No two arrivals of one batch may share a key (`Arrival.keys`).
    """
    # In key order, table by table, so that two batches never wait for each other in a circle.
    order = sorted(range(len(arrivals)), key=lambda i: arrivals[i].keys)
    alone = all(arrival.alone for arrival in arrivals)
    # An order and its event are one statement, which needs no transaction around it.
    opened = database.connection() if alone else database.transaction()
    async with opened as connection:
        verdicts = await _insert(connection, [arrivals[i] for i in order])
        reach("order.inserted")
    reach("order.committed")
    placed: dict[int, Verdict] = dict(zip(order, verdicts, strict=True))
    return [placed[i] for i in range(len(arrivals))]


async def find_earlier(
    connection: Connection,
    *,
    key_id: str,
    key: str | None,
    account: str,
    client_order_id: str | None,
    body_sha256: str,
) -> Accepted | None:
    """The order that this very request, same key or client id and same body, made before."""
    row = await connection.fetchrow(
        "SELECT o.* FROM orders o"
        " WHERE o.account = $3 AND o.client_order_id = $4 AND o.body_sha256 = $5"
        " UNION ALL SELECT o.* FROM idempotency k"
        " JOIN orders o ON o.account = k.account AND o.id = k.order_id"
        " WHERE k.key_id = $1 AND k.key = $2 AND o.body_sha256 = $5 LIMIT 1",
        key_id,
        key,
        account,
        client_order_id,
        _digest(body_sha256),
    )
    return Accepted(row, replayed=True) if row is not None else None


async def _insert(connection: Connection, arrivals: Sequence[Arrival]) -> list[Verdict]:
    verdicts: dict[int, Verdict] = {}
    await _claim_keys(connection, arrivals, verdicts)
    await _claim_signals(connection, arrivals, verdicts)
    await _halt(connection, arrivals, verdicts)
    left = [i for i in range(len(arrivals)) if i not in verdicts]
    inserted = await enter(
        connection, [arrivals[i].order for i in left], [arrivals[i].event for i in left]
    )
    for i, gone in (await _known_once(connection, arrivals, left)).items():
        inserted.pop(arrivals[i].order["id"], None)
        verdicts[i] = Clash("archived", gone)
    left = [i for i in left if i not in verdicts]
    for i in left:
        row = inserted.get(arrivals[i].order["id"])
        verdicts[i] = Accepted(row) if row else await _clash_of_order(connection, arrivals[i])
    await _drop_claims(connection, [a for i, a in enumerate(arrivals) if _unused(verdicts[i])])
    told = [_decision(a.signal) for a in arrivals if a.signal and a.order["id"] in inserted]
    await _populate(connection, "events", told, returning="id")
    return [verdicts[i] for i in range(len(arrivals))]


async def _known_once(
    connection: Connection, arrivals: Sequence[Arrival], left: Sequence[int]
) -> dict[int, str]:
    """Which of the orders just inserted bear the name of one that was removed: they go again.

    Asked after the insert, which waits for whoever is removing an order of that name.
    """
    names = {i: (arrivals[i].order["account"], arrivals[i].order["client_order_id"]) for i in left}
    gone = await archived(connection, list(names.values()))
    if gone:
        again = [arrivals[i].order for i in left if names[i] in gone]
        for table, name in (("events", "order_id"), ("orders", "id")):
            await connection.execute(
                f"DELETE FROM {table} t USING unnest($1::text[], $2::uuid[]) AS mine(account, id)"
                f" WHERE t.account = mine.account AND t.{name} = mine.id",
                [order["account"] for order in again],
                [order["id"] for order in again],
            )
    return {i: gone[name] for i, name in names.items() if name in gone}


async def _claim_keys(
    connection: Connection, arrivals: Sequence[Arrival], verdicts: dict[int, Verdict]
) -> None:
    claims = [(i, a.idempotency) for i, a in enumerate(arrivals) if a.idempotency is not None]
    claims.sort(key=lambda claim: (claim[1]["key_id"], claim[1]["key"]))
    rows = await _populate(connection, "idempotency", [claim for _, claim in claims])
    ours = {(row["key_id"], row["key"]) for row in rows}
    for i, claim in claims:
        if (claim["key_id"], claim["key"]) not in ours:
            verdicts[i] = await _verdict(
                connection,
                "SELECT o.*, k.body_sha256 AS told FROM idempotency k JOIN orders o"
                " ON o.account = k.account AND o.id = k.order_id"
                " WHERE k.key_id = $1 AND k.key = $2",
                (claim["key_id"], claim["key"]),
                claim["body_sha256"],
                "key",
            )


async def _claim_signals(
    connection: Connection, arrivals: Sequence[Arrival], verdicts: dict[int, Verdict]
) -> None:
    claims = [
        (i, a.signal) for i, a in enumerate(arrivals) if a.signal is not None and i not in verdicts
    ]
    claims.sort(key=lambda claim: (claim[1]["account"], claim[1]["source"], claim[1]["signal_id"]))
    rows = await _populate(connection, "signals", [claim for _, claim in claims])
    ours = {row["id"] for row in rows}
    for i, claim in claims:
        if claim["id"] not in ours:
            verdicts[i] = await _verdict(
                connection,
                "SELECT o.*, s.body_sha256 AS told FROM signals s LEFT JOIN orders o"
                " ON o.account = s.account AND o.id = s.order_id"
                " WHERE s.account = $1 AND s.source = $2 AND s.signal_id = $3",
                (claim["account"], claim["source"], claim["signal_id"]),
                claim["body_sha256"],
                "signal",
            )


async def _halt(
    connection: Connection, arrivals: Sequence[Arrival], verdicts: dict[int, Verdict]
) -> None:
    """Keep out what a kill switch bears on; what was accepted before it is answered again."""
    switches = await thrown(connection, accounts={a.order["account"] for a in arrivals})
    for i, arrival in enumerate(arrivals if switches else ()):
        order = arrival.order
        names = {name: order[name] for name in ("account", "symbol", "strategy")}
        bearing = next((s for s in switches if s.bears_on(**names)), None)
        if bearing is not None and i not in verdicts:
            earlier = await _clash_of_order(connection, arrival)
            verdicts[i] = earlier if isinstance(earlier, Accepted) else Halted(bearing)


async def _clash_of_order(connection: Connection, arrival: Arrival) -> Verdict:
    return await _verdict(
        connection,
        "SELECT *, body_sha256 AS told FROM orders WHERE account = $1 AND client_order_id = $2",
        (arrival.order["account"], arrival.order["client_order_id"]),
        arrival.order["body_sha256"],
        "order",
    )


async def _verdict(
    connection: Connection, query: str, key: tuple[Any, ...], body: bytes | str, what: str
) -> Verdict:
    row = await connection.fetchrow(query, *key)
    # No row: the order key of another order met ours, which a new id mends; never a replay.
    same = row is not None and row["told"] == _digest(body)
    return Accepted(row, replayed=True) if same else Clash(what)


def _digest(body: bytes | str) -> bytes:
    """A fingerprint as the database returns it, out of PostgreSQL's own spelling too."""
    return body if isinstance(body, bytes) else bytes.fromhex(body.removeprefix("\\x"))


def _decision(signal: Columns) -> Columns:
    return {
        "account": signal["account"],
        "type": DECIDED,
        "at": signal["at"],
        "data": decided(signal),
    }


def _unused(verdict: Verdict) -> bool:
    return not isinstance(verdict, Accepted) or verdict.replayed


async def _drop_claims(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    """A key or signal whose order was not inserted must not name it."""
    keys = [a.idempotency for a in arrivals if a.idempotency is not None]
    if keys:
        await connection.execute(
            "DELETE FROM idempotency k USING unnest($1::text[], $2::text[], $3::uuid[])"
            " AS mine(key_id, key, order_id) WHERE k.key_id = mine.key_id AND k.key = mine.key"
            " AND k.order_id = mine.order_id",
            [key["key_id"] for key in keys],
            [key["key"] for key in keys],
            [key["order_id"] for key in keys],
        )
    signals = [a.signal for a in arrivals if a.signal is not None]
    if signals:
        await connection.execute(
            "DELETE FROM signals s USING unnest($1::text[], $2::uuid[]) AS mine(account, id)"
            " WHERE s.account = mine.account AND s.id = mine.id",
            [signal["account"] for signal in signals],
            [signal["id"] for signal in signals],
        )


async def _populate(
    connection: Connection, table: str, rows: Sequence[Columns], *, returning: str = "*"
) -> Sequence[Any]:
    """Insert rows given as columns; those that meet a unique key are left out."""
    if not rows:
        return []
    names = ", ".join(rows[0])
    records: Sequence[Any] = await connection.fetch(
        f"INSERT INTO {table} ({names})"
        f" SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb)"
        f" ON CONFLICT DO NOTHING RETURNING {returning}",
        to_json([dict(row) for row in rows]),
    )
    return records
