"""Accounts and the broker that each belongs to."""

from collections.abc import Sequence

from app.store.database import Connection
from app.store.journal import OPEN


class OtherBroker(Exception):
    """The account is at another broker: an account never changes its broker."""


async def ensure(connection: Connection, *, account: str, broker: str) -> None:
    """Make the account if it is new. Raises OtherBroker."""
    await connection.execute(
        "INSERT INTO accounts (account, broker) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        account,
        broker,
    )
    there = await connection.fetchval("SELECT broker FROM accounts WHERE account = $1", account)
    if there != broker:
        raise OtherBroker(
            f"account {account!r} belongs to the broker {there!r}, not {broker!r}:"
            " choose another SLIPSTREAM_ACCOUNT"
        )


async def deserted(
    connection: Connection, *, served: Sequence[str], free_seconds: float
) -> dict[str, int]:
    """Open orders of each account that is not `served` and whose desk nobody owned for that
    long: nobody works them."""
    found = await connection.fetch(
        "SELECT account, count(*) AS orders FROM orders"
        f" WHERE {OPEN} AND account <> ALL($1) AND NOT EXISTS (SELECT 1 FROM leases"
        " WHERE name = 'desk:' || account AND coalesce(until, free_since)"
        " > clock_timestamp() - make_interval(secs => $2)) GROUP BY account",
        list(served),
        free_seconds,
    )
    return {row["account"]: row["orders"] for row in found}


async def exists(connection: Connection, account: str) -> bool:
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM accounts WHERE account = $1)", account
    )
    return found


async def tell_cancels(connection: Connection, *, account: str, per_second: int | None) -> None:
    """Remember how many cancels the account's broker lets through."""
    await connection.execute(
        "UPDATE accounts SET cancels_per_second = $2"
        " WHERE account = $1 AND cancels_per_second IS DISTINCT FROM $2",
        account,
        per_second,
    )


async def names(connection: Connection) -> list[str]:
    """All accounts there are."""
    found = await connection.fetch("SELECT account FROM accounts ORDER BY account")
    return [row["account"] for row in found]
