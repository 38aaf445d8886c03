"""Accounts and the broker that each belongs to."""

from app.store.database import Connection


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


async def exists(connection: Connection, account: str) -> bool:
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM accounts WHERE account = $1)", account
    )
    return found
