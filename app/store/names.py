"""Whether a name that a limit or a kill switch is set for stands for anything here."""

from app.store.database import Connection
from app.store.journal import OPEN

_HOOK = "hook:"

# A strategy needs no setting to trade: its name on an order is enough. One that has nothing open
# and entered nothing for a day may well be a slip.
_KNOWN = {
    "all": "SELECT $1 = '*'",
    "account": "SELECT EXISTS (SELECT FROM accounts WHERE account = $1)",
    "key": "SELECT EXISTS (SELECT FROM api_keys WHERE id = $1)",
    "symbol": "SELECT EXISTS (SELECT FROM instruments WHERE symbol = $1)"
    " OR EXISTS (SELECT FROM positions WHERE symbol = $1)",
    "strategy": "SELECT EXISTS (SELECT FROM strategies WHERE name = $1)"
    f" OR EXISTS (SELECT FROM orders WHERE strategy = $1 AND {OPEN})"
    " OR EXISTS (SELECT FROM orders WHERE strategy = $1"
    " AND created_at > statement_timestamp() - interval '1 day')",
}


async def is_known(connection: Connection, scope: str, name: str) -> bool:
    """Whether there is an account, key, hook (`hook:<id>`), symbol or strategy of that name."""
    if scope == "key" and name.startswith(_HOOK):
        found: bool = await connection.fetchval(
            "SELECT EXISTS (SELECT FROM hooks WHERE id = $1)", name.removeprefix(_HOOK)
        )
        return found
    known: bool = await connection.fetchval(_KNOWN[scope], name)
    return known
