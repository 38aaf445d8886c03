"""Reading the event log: every committed event once, in one order, none skipped.

Sequences are taken before commit, so "id greater than the last" loses late commits. The log is
read in the order of (transaction, id), and only below the oldest transaction still running.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.instant import Instant, rfc3339
from app.domain.refusal import Refusal
from app.store.database import Connection, to_json

_PREFIX_CHANNELS = {
    "order": "orders",
    "child": "children",
    "fill": "fills",
    "alert": "alerts",
    "signal": "signals",
    "control": "controls",
}
CHANNELS = tuple(_PREFIX_CHANNELS.values())


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the log. Written `era-transaction-id`; opaque to clients."""

    era: int
    xid: int
    id: int

    def __str__(self) -> str:
        return f"{self.era}-{self.xid}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises Refusal for what is not a cursor. The word `start` is one: see `START`."""
        if text == "start":
            return START
        parts = text.split("-")
        if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) < 19 for p in parts):
            raise Refusal("bad_cursor", f"{text[:80]!r} is not a cursor", field="after")
        return cls(*map(int, parts))


START = Cursor(0, 0, 0)
"""Before the oldest event that is kept, in whichever database: no era is 0."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, with the frame that every subscriber is sent."""

    cursor: Cursor
    account: str
    order_id: str | None
    symbol: str | None
    type: str
    channel: str
    frame: str


async def era(connection: Connection) -> int:
    return int(await connection.fetchval("SELECT value FROM meta WHERE key = 'era'"))


async def head(connection: Connection) -> Cursor:
    """The place after everything that can be read now."""
    row = await connection.fetchrow(
        # `e.xid`, not `xid`: that would be the converted column, which no index holds.
        "SELECT xid::text::bigint AS xid, id FROM events e"
        " WHERE xid < pg_snapshot_xmin(pg_current_snapshot())"
        " ORDER BY e.xid DESC, e.id DESC LIMIT 1"
    )
    current = await era(connection)
    return Cursor(current, row["xid"], row["id"]) if row else Cursor(current, 0, 0)


async def oldest(connection: Connection) -> Cursor:
    """The place before the oldest event that is still kept."""
    floor = await connection.fetchval("SELECT value FROM meta WHERE key = 'events_floor'")
    current = await era(connection)
    return Cursor.parse(floor) if floor else Cursor(current, 0, 0)


async def place_before(connection: Connection, seconds: float) -> Cursor:
    """The place after all that was recorded more than `seconds` ago."""
    row = await connection.fetchrow(
        "SELECT xid::text::bigint AS xid, id FROM events e"
        " WHERE xid < pg_snapshot_xmin(pg_current_snapshot())"
        " AND recorded_at < clock_timestamp() - make_interval(secs => $1)"
        " ORDER BY e.xid DESC, e.id DESC LIMIT 1",
        seconds,
    )
    earliest = await oldest(connection)
    return max(earliest, Cursor(earliest.era, row["xid"], row["id"])) if row else earliest


PLACE = "xid::text::bigint AS xid, id"
READER_SECONDS = 60.0
"""So long the last word of a reader that has fallen silent is respected."""


async def tell(connection: Connection, *, reader: str, place: Cursor) -> None:
    """Say that `reader` still needs every event after `place`."""
    await connection.execute(
        "INSERT INTO readers (name, cursor) VALUES ($1, $2) ON CONFLICT (name)"
        " DO UPDATE SET cursor = excluded.cursor, told_at = clock_timestamp()",
        reader,
        str(place),
    )


async def forget_silent(connection: Connection) -> None:
    """Drop readers that have not told anything for long."""
    await connection.execute(
        "DELETE FROM readers WHERE told_at < clock_timestamp() - make_interval(secs => $1)",
        2 * READER_SECONDS,
    )


async def lowest(connection: Connection) -> Cursor:
    """The place up to which every reader has read: what is after it must stay."""
    rows = await connection.fetch(
        "SELECT cursor FROM readers WHERE told_at > clock_timestamp() - make_interval(secs => $1)",
        READER_SECONDS,
    )
    # Never beyond the head: an event may yet be committed below one that nobody can read so far.
    places = [await head(connection), *(Cursor.parse(row["cursor"]) for row in rows)]
    current = places[0].era
    return min(place for place in places if place.era == current)


async def raise_floor(connection: Connection, removed: Sequence[tuple[int, int]]) -> None:
    """Write down how far the log has been removed: in the transaction that removes."""
    if not removed:
        return
    floor = max(await oldest(connection), Cursor(await era(connection), *max(removed)))
    await connection.execute(
        "INSERT INTO meta (key, value) VALUES ('events_floor', $1)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        str(floor),
    )


async def read(
    connection: Connection,
    after: Cursor,
    *,
    limit: int,
    upto: Cursor | None = None,
    order_id: str | None = None,
) -> list[Event]:
    """Events after a cursor, oldest first; at most `limit`, none beyond `upto`."""
    records = await connection.fetch(
        "SELECT xid::text::bigint AS xid, id, account, order_id, seq, type, at, recorded_at, data"
        " FROM events e WHERE (xid, id) > ($1::text::xid8, $2)"
        " AND xid < pg_snapshot_xmin(pg_current_snapshot())"
        " AND ($4::uuid IS NULL OR order_id = $4)"
        " AND ($5::text IS NULL OR (xid, id) <= ($5::text::xid8, $6))"
        " ORDER BY e.xid, e.id LIMIT $3",
        str(after.xid),
        after.id,
        limit,
        order_id,
        str(upto.xid) if upto else None,
        upto.id if upto else 0,
    )
    return [_event(after.era, record) for record in records]


def _event(current: int, record: Any) -> Event:
    cursor = Cursor(current, record["xid"], record["id"])
    data = record["data"]
    # Alerts and decisions belong to no order's sequence, but name the order they are about.
    order_id = record["order_id"] or data.get("order_id")
    frame = {
        "cursor": str(cursor),
        "type": record["type"],
        "account": record["account"],
        "order_id": order_id,
        "seq": record["seq"],
        "ts": rfc3339(record["at"]),
        "recorded_at": rfc3339(record["recorded_at"]),
        "data": data,
    }
    return Event(
        cursor=cursor,
        account=record["account"],
        order_id=order_id,
        symbol=data.get("order", data).get("symbol"),
        type=record["type"],
        channel=_PREFIX_CHANNELS[record["type"].partition(".")[0]],
        frame=to_json(frame),
    )


async def time_now(connection: Connection) -> Instant:
    """Market time; the database's own where no worker has told it yet."""
    found: Instant = await connection.fetchval(
        "SELECT coalesce((SELECT now FROM market_clock), clock_timestamp())"
    )
    return found


async def write(
    connection: Connection, *, account: str, type: str, at: Instant, data: dict[str, Any]
) -> None:
    """An event that belongs to no order's sequence (alerts, signals)."""
    await connection.execute(
        "INSERT INTO events (account, type, at, data) VALUES ($1, $2, $3, $4)",
        account,
        type,
        at,
        data,
    )


async def horizon_lag(connection: Connection) -> float:
    """Seconds by which the oldest running transaction holds readers back, in whichever database:
    they share the server's transaction ids."""
    return float(
        await connection.fetchval(
            "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)), 0)::float8"
            " FROM pg_stat_activity WHERE backend_xid IS NOT NULL"
        )
    )
