"""Ownership: who may plan and send for a desk, by a lease with an epoch.

The database's own clock (`clock_timestamp()`, not the start of a transaction) says when a lease
ends; the holder measures from before it asked, on its monotonic clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.store.database import Connection, Plain

TTL_SECONDS = 5.0

WORKER = "worker:"
"""Every worker holds a lease of its own name: that it is alive."""

HELD = "SELECT 1 FROM leases WHERE name = $1 AND epoch = $2 AND until > clock_timestamp() FOR SHARE"
"""A row if the lease is held, which stays as it is until the transaction ends."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim on `name`. `epoch` fences every intent; `orphaned_seconds` is how long nobody
    had it and attended to it before us."""

    name: str
    epoch: int
    orphaned_seconds: float


class Lost(Exception):
    """The lease is somebody else's now: stop at once."""


async def claim(
    connection: Connection, *, name: str, owner: str, seconds: float = TTL_SECONDS
) -> Lease | None:
    """Take the lease if it is free or has run out. None: somebody else has it."""
    await connection.execute("INSERT INTO leases (name) VALUES ($1) ON CONFLICT DO NOTHING", name)
    row = await connection.fetchrow(
        # Who claimed it and died, or gave it back, before it was attended to, ended nothing.
        "WITH old AS (SELECT CASE WHEN unattended_epoch = epoch THEN unattended_since"
        " ELSE coalesce(until, free_since) END AS since FROM leases WHERE name = $1 FOR UPDATE)"
        " UPDATE leases l SET owner = $2, epoch = l.epoch + 1,"
        " until = clock_timestamp() + make_interval(secs => $3),"
        " unattended_epoch = l.epoch + 1, unattended_since = old.since"
        " FROM old WHERE l.name = $1"
        " AND (l.until IS NULL OR l.until < clock_timestamp())"
        " RETURNING l.epoch, extract(epoch FROM clock_timestamp() - old.since)::float8 AS orphaned",
        name,
        owner,
        seconds,
    )
    return Lease(name, row["epoch"], max(row["orphaned"], 0.0)) if row else None


async def attend(connection: Connection, lease: Lease) -> None:
    """What `orphaned_seconds` asked for is done: from now on nobody is missing."""
    await connection.execute(
        "UPDATE leases SET unattended_epoch = NULL, unattended_since = NULL"
        " WHERE name = $1 AND epoch = $2",
        lease.name,
        lease.epoch,
    )


async def renew(
    connection: Connection,
    leases: Sequence[Lease],
    *,
    owner: str,
    seconds: float = TTL_SECONDS,
) -> set[str]:
    """Extend what is still ours, and not given back; the names that were."""
    rows = await connection.fetch(
        "UPDATE leases l SET until = clock_timestamp() + make_interval(secs => $4)"
        " FROM unnest($1::text[], $2::bigint[]) AS mine(name, epoch)"
        " WHERE l.name = mine.name AND l.epoch = mine.epoch AND l.owner = $3"
        " AND l.until IS NOT NULL"
        " RETURNING l.name",
        [lease.name for lease in leases],
        [lease.epoch for lease in leases],
        owner,
        seconds,
    )
    return {row["name"] for row in rows}


def owner_name(host: str, pid: int, mark: str) -> str:
    """How a worker signs its leases; `mark` tells it from all that had its process id before."""
    return f"{host}:{pid}:{mark}"


async def release(connection: Connection, lease: Lease, *, owner: str) -> None:
    """Give it back at once, so that the next owner need not wait."""
    await connection.execute(
        "UPDATE leases SET until = NULL, free_since = clock_timestamp()"
        " WHERE name = $1 AND epoch = $2 AND owner = $3",
        lease.name,
        lease.epoch,
        owner,
    )


async def release_dead(connection: Plain, *, owner: str) -> list[str]:
    """Free at once whatever `owner` still holds; the names. Only for whoever has proof that this
    owner is dead: it sends nothing more, and its next owner begins an epoch of its own.

    Waits for what the dead began under a lease (`hold`) to be committed or rolled back.
    """
    found = await connection.fetch(
        "UPDATE leases SET until = NULL, free_since = clock_timestamp()"
        " WHERE owner = $1 AND until > clock_timestamp() RETURNING name",
        owner,
    )
    return sorted(row["name"] for row in found)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who is alive, and which of the asked-for leases are free."""

    living: int
    free: tuple[str, ...]


async def ownership(connection: Connection, names: Sequence[str]) -> Ownership:
    """How many workers are alive, and which of `names` nobody owns."""
    row = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM leases WHERE name LIKE $2 AND until > clock_timestamp())"
        " AS living, ARRAY(SELECT asked.name FROM unnest($1::text[]) WITH ORDINALITY"
        " AS asked(name, place) LEFT JOIN leases l ON l.name = asked.name"
        " WHERE l.until IS NULL OR l.until < clock_timestamp() ORDER BY place) AS free",
        list(names),
        f"{WORKER}%",
    )
    assert row is not None, "a count is always there"
    return Ownership(row["living"], tuple(row["free"]))


async def forget_workers(connection: Connection) -> None:
    """Strike the signs of life of workers that ended long ago."""
    await connection.execute(
        "DELETE FROM leases WHERE name LIKE $1"
        " AND coalesce(until, free_since) < clock_timestamp() - interval '5 minutes'",
        f"{WORKER}%",
    )


async def hold(connection: Connection, lease: Lease) -> None:
    """Keep the lease's row still until the transaction ends. Raises Lost when it is not ours."""
    if await connection.fetchrow(HELD, lease.name, lease.epoch) is None:
        raise Lost(lease.name)
