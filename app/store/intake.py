"""Writes accepted orders, many at once: order, idempotency key, signal and first event together.

Two steps a batch, each committed by itself: one statement for orders that come alone, one
transaction for the rest. A verdict a row, given as it is committed: an order that was entered
stays entered, and is told so, whatever becomes of its neighbours.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import asyncpg

from app.failpoints import reach
from app.store import journal, limits
from app.store.arrival import Accepted, Arrival, Clash, Halted, Verdict
from app.store.claims import drop_claims, populate
from app.store.controls import thrown
from app.store.database import Connection, Database, KeptConnection
from app.store.entering import HALTED_SINCE, KNOWN_ONCE, Columns, enter, withdraw_known
from app.store.restraint import Beyond, restrain, tell_confirmed
from app.store.signals import DECIDED, decided, put_aside, put_back

Tell = Callable[[int, Verdict], None]

_ORDER_KEY = ("account", "client_order_id")


async def insert(
    database: Database,
    arrivals: Sequence[Arrival],
    tell: Tell | None = None,
    kept: KeptConnection | None = None,
) -> list[Verdict]:
    """A verdict for each arrival, committed on return.

    `tell` is given the place of an arrival and its verdict as soon as that is committed: what it
    was told holds even if this raises, and nothing is known of what it was not told. Over `kept`
    go those that come alone, else over one of the pool's connections.
    No two arrivals of one batch may share a key (`Arrival.keys`).
    """
    placed: dict[int, Verdict] = {}

    def place(committed: Mapping[int, Verdict]) -> None:
        placed.update(committed)
        for i, verdict in committed.items():
            if tell is not None:
                tell(i, verdict)

    # In key order, table by table, so that two batches never wait for each other in a circle.
    order = sorted(range(len(arrivals)), key=lambda i: arrivals[i].keys)
    alone = {i: arrivals[i] for i in order if _alike(arrivals, i)}
    place(await _enter_alone(kept or database, alone))
    left = [i for i in order if i not in placed]
    if left:
        verdicts = await _enter_rest(database, [arrivals[i] for i in left])
        place(dict(zip(left, verdicts, strict=True)))
    reach("order.committed")
    return [placed[i] for i in range(len(arrivals))]


def _alike(arrivals: Sequence[Arrival], i: int) -> bool:
    """Whether it may go with the first, in one statement: alone, checked against the same."""
    return arrivals[i].alone and arrivals[i].limits_version == arrivals[0].limits_version


async def _enter_rest(database: Database, arrivals: Sequence[Arrival]) -> list[Verdict]:
    """Judge and enter in one transaction; anew where a switch was thrown in its midst."""
    while True:
        try:
            async with database.transaction() as connection:
                verdicts = await _insert(connection, arrivals)
                reach("order.inserted")
            return verdicts
        except asyncpg.PostgresError as failure:
            if failure.sqlstate not in (HALTED_SINCE, limits.DEADLOCK):
                raise


async def _enter_alone(
    source: KeptConnection | Database, arrivals: Mapping[int, Arrival]
) -> dict[int, Verdict]:
    """Enter what nothing speaks against, in one statement, which needs no transaction around it.

    Whatever is left out, for a name that is taken or a kill switch, is for a transaction to
    judge.
    """
    if not arrivals:
        return {}
    try:
        async with source.connection() as connection:
            entered = await enter(
                connection,
                [arrival.order for arrival in arrivals.values()],
                [arrival.market for arrival in arrivals.values()],
                careful=True,
                limits_version=next(iter(arrivals.values())).limits_version,
            )
            reach("order.entered")
    except asyncpg.PostgresError as failure:
        if failure.sqlstate not in (
            KNOWN_ONCE,
            HALTED_SINCE,
            limits.CHANGED_SINCE,
            limits.DEADLOCK,
        ):
            raise
        return {}
    rows = {i: entered.get(arrival.order["id"]) for i, arrival in arrivals.items()}
    return {i: Accepted(row) for i, row in rows.items() if row is not None}


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
    checked = [a.checked for a in arrivals if a.checked is not None]
    if checked:
        await limits.hold(connection, counting=any(one.counted for one in checked))
    await _claim_keys(connection, arrivals, verdicts)
    deferred = await _claim_signals(connection, arrivals, verdicts)
    await _halt(connection, arrivals, verdicts)
    beyond = await _restrain(connection, arrivals, verdicts)
    left = [i for i in range(len(arrivals)) if i not in verdicts]
    inserted = await enter(
        connection,
        [arrivals[i].confirmed(beyond.get(i)) for i in left],
        [arrivals[i].market for i in left],
    )
    known = await withdraw_known(connection, [arrivals[i].order for i in left])
    for i in (i for i in left if arrivals[i].order["id"] in known):
        inserted.pop(arrivals[i].order["id"], None)
        verdicts[i] = Clash("archived", known[arrivals[i].order["id"]])
    left = [i for i in left if i not in verdicts]
    for i in left:
        row = inserted.get(arrivals[i].order["id"])
        verdicts[i] = Accepted(row) if row else await _clash_of_order(connection, arrivals[i])
    for i in (i for i in left if i in beyond and arrivals[i].order["id"] in inserted):
        await _tell_confirmed(connection, arrivals[i], beyond[i])
    unused = [a for i, a in enumerate(arrivals) if _unused(verdicts[i])]
    await drop_claims(
        connection,
        keys=[a.idempotency for a in unused if a.idempotency is not None],
        signals=(dropped := [a.signal for a in unused if a.signal is not None]),
    )
    await put_back(connection, [deferred[s["id"]] for s in dropped if s["id"] in deferred])
    told = [_decision(a.signal) for a in arrivals if a.signal and a.order["id"] in inserted]
    await populate(connection, "events", told, returning="id")
    return [verdicts[i] for i in range(len(arrivals))]


async def _claim_keys(
    connection: Connection, arrivals: Sequence[Arrival], verdicts: dict[int, Verdict]
) -> None:
    claims = [(i, a.idempotency) for i, a in enumerate(arrivals) if a.idempotency is not None]
    claims.sort(key=lambda claim: (claim[1]["key_id"], claim[1]["key"]))
    rows = await populate(connection, "idempotency", [claim for _, claim in claims])
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
) -> dict[str, str]:
    """Those that were deferred before, as they stood."""
    claims = [
        (i, a.signal) for i, a in enumerate(arrivals) if a.signal is not None and i not in verdicts
    ]
    claims.sort(key=lambda claim: (claim[1]["account"], claim[1]["source"], claim[1]["signal_id"]))
    deferred = await put_aside(connection, [claim for _, claim in claims]) if claims else {}
    rows = await populate(connection, "signals", [claim for _, claim in claims])
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
    return deferred


async def _halt(
    connection: Connection, arrivals: Sequence[Arrival], verdicts: dict[int, Verdict]
) -> None:
    """Keep out what a kill switch bears on; what was accepted before it is answered again."""
    switches = await thrown(connection, accounts={a.order["account"] for a in arrivals})
    for i, arrival in enumerate(arrivals if switches else ()):
        order = arrival.order
        names = {name: order[name] for name in ("account", "symbol", "strategy")}
        reduces = bool(order.get("reduce_only"))
        bearing = next((s for s in switches if s.bears_on(**names, reduces=reduces)), None)
        if bearing is not None and i not in verdicts:
            earlier = await _clash_of_order(connection, arrival)
            verdicts[i] = earlier if isinstance(earlier, Accepted) else Halted(bearing)


async def _restrain(
    connection: Connection, arrivals: Sequence[Arrival], verdicts: dict[int, Verdict]
) -> dict[int, Beyond]:
    """Keep out what a limit refuses; what was accepted before it is answered again. Those whose
    confirmation was needed."""
    left = {
        i: checked
        for i, a in enumerate(arrivals)
        if i not in verdicts and (checked := a.checked) is not None
    }
    beyond: dict[int, Beyond] = {}
    for i, said in (await restrain(connection, left)).items():
        if isinstance(said, Beyond):
            beyond[i] = said
            continue
        earlier = await _clash_of_order(connection, arrivals[i])
        verdicts[i] = earlier if isinstance(earlier, Accepted) else said
    return beyond


async def _tell_confirmed(connection: Connection, arrival: Arrival, beyond: Beyond) -> None:
    assert arrival.checked is not None, "it was held against limits"
    await tell_confirmed(
        connection,
        account=arrival.order["account"],
        order_id=arrival.order["id"],
        by=arrival.checked.proposal.key or journal.HOUSE,
        beyond=beyond,
    )


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
