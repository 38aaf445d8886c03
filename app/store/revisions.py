"""Orders under new names: each replacement of an order has an id of its own."""

from dataclasses import dataclass
from typing import Any

from app.domain.instant import Instant, rfc3339
from app.store.database import Connection
from app.store.rows import Row


@dataclass(frozen=True, slots=True)
class Revision:
    """The name that an order has from its event `seq` on, instead of `replaces`."""

    id: str
    order_id: str
    seq: int
    replaces: str
    client_order_id: str
    at: Instant


async def latest(connection: Connection, account: str, order_id: str) -> str:
    """The name an order has now."""
    found: str | None = await connection.fetchval(
        "SELECT id FROM order_revisions WHERE account = $1 AND order_id = $2"
        " ORDER BY seq DESC LIMIT 1",
        account,
        order_id,
    )
    return found or order_id


async def taken(connection: Connection, account: str, client_order_id: str) -> bool:
    """Whether an order, a replacement or a removed order has this name of the client's."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM orders WHERE account = $1 AND client_order_id = $2)"
            " OR EXISTS (SELECT FROM order_revisions WHERE account = $1 AND client_order_id = $2)"
            " OR EXISTS (SELECT FROM archived_orders WHERE account = $1 AND client_order_id = $2)",
            account,
            client_order_id,
        )
    )


async def insert(connection: Connection, account: str, revision: Revision, before: Row) -> None:
    """Give an order its next name, in the amendment's transaction; `before`: its row as it was."""
    await connection.execute(
        "INSERT INTO order_revisions"
        " (account, id, order_id, seq, replaces, client_order_id, before, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        account,
        revision.id,
        revision.order_id,
        revision.seq,
        revision.replaces,
        revision.client_order_id,
        _kept(before),
        revision.at,
    )


_AMOUNTS = ("qty", "limit_price", "max_participation", "filled", "filled_notional")


def _kept(row: Row) -> dict[str, Any]:
    """What an amendment or time may change of an order, as JSON."""
    amounts = {name: _text(row[name]) for name in _AMOUNTS}
    return amounts | {"end_at": rfc3339(row["end_at"]), "params": row["params"]}


def _text(value: Any) -> str | None:
    return format(value, "f") if value is not None else None
