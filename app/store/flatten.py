"""What kill switches that flatten have still to close, and the orders they entered for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.instant import Instant
from app.domain.quantity import ZERO
from app.store import numbered, positions
from app.store.controls import Level, Scope, Switch
from app.store.database import Connection
from app.store.entering import Columns
from app.store.journal import OPEN
from app.store.rows import Row

ROLE = "flatten"


@dataclass(frozen=True, slots=True)
class Standing:
    """A position that a switch wants closed: `qty` of it, signed.

    `strategy` is whose, where the switch is a strategy's: never more than the account holds.
    `ending` are open orders in the scope, to be over first; `order_id` is the open order that
    closes it. `tries` orders for it are over, the last `fruitless` without a fill, at `tried_at`.
    """

    switch: Switch
    symbol: str
    qty: Decimal
    strategy: str | None = None
    ending: int = 0
    order_id: str | None = None
    tries: int = 0
    fruitless: int = 0
    tried_at: Instant | None = None

    @property
    def prefix(self) -> str:
        """Of the client ids of the orders that close it, each with its number."""
        return f"{_prefix(self.switch)}{self.symbol}-"


def _prefix(switch: Switch) -> str:
    return f"{ROLE}-{switch.version}-"


async def standing(
    connection: Connection, *, account: str, switches: Sequence[Switch]
) -> list[Standing]:
    """What is left to close in an account under those of the switches that flatten, by symbol."""
    flattening = [s for s in switches if s.level is Level.FLATTEN]
    if not flattening:
        return []
    held = await positions.held(connection, account=account)
    open_now = {symbol: found.qty for symbol, found in held.items() if found.qty}
    if not open_now:
        return []
    nets = await _nets(connection, account, flattening, list(open_now))
    wanted = [_wanted(account, symbol, qty, flattening, nets) for symbol, qty in open_now.items()]
    stands = sorted((one for one in wanted if one is not None), key=lambda one: one.symbol)
    orders = await _orders(connection, account, [one.symbol for one in stands], flattening)
    return [_with_orders(account, one, flattening, orders.get(one.symbol, ())) for one in stands]


def _wanted(
    account: str,
    symbol: str,
    qty: Decimal,
    switches: Sequence[Switch],
    nets: dict[tuple[str, str], Decimal],
) -> Standing | None:
    """The whole position, for a switch that bears on all of it; else a strategy's part."""
    for switch in switches:
        if switch.bears_on(account=account, symbol=symbol, strategy=None):
            return Standing(switch, symbol, qty)
    for switch in switches:
        net = nets.get((switch.name, symbol), ZERO) if switch.scope is Scope.STRATEGY else ZERO
        if net * qty > 0:
            return Standing(switch, symbol, min(net, qty, key=abs), switch.name)
    return None


async def _nets(
    connection: Connection, account: str, switches: Sequence[Switch], symbols: list[str]
) -> dict[tuple[str, str], Decimal]:
    """What the fills of strategies make of them, by strategy and symbol."""
    strategies = [s.name for s in switches if s.scope is Scope.STRATEGY]
    if not strategies:
        return {}
    found = await connection.fetch(
        "SELECT strategy, symbol, sum(CASE side WHEN 'buy' THEN filled ELSE -filled END) AS net"
        " FROM orders WHERE account = $1 AND strategy = ANY($2) AND symbol = ANY($3) GROUP BY 1, 2",
        account,
        strategies,
        symbols,
    )
    return {(row["strategy"], row["symbol"]): row["net"] for row in found}


async def _orders(
    connection: Connection, account: str, symbols: Sequence[str], switches: Sequence[Switch]
) -> dict[str, list[Row]]:
    """By symbol: its open orders, and those of these switches that are over, the last one first."""
    # Two statements in one: each has an index of its own, and one condition for both has none.
    found = await connection.fetch(
        f"SELECT {_SEEN}, false AS over FROM orders WHERE account = $1 AND symbol = ANY($2)"
        f" AND {OPEN} UNION ALL SELECT {_SEEN}, true FROM orders WHERE account = $1"
        f" AND symbol = ANY($2) AND role = '{ROLE}' AND NOT ({OPEN})"
        " AND client_order_id ^@ ANY($3) ORDER BY finished_at DESC, id",
        account,
        symbols,
        [_prefix(switch) for switch in switches],
    )
    orders: dict[str, list[Row]] = {}
    for row in found:
        orders.setdefault(row["symbol"], []).append(row)
    return orders


_SEEN = "id, symbol, role, strategy, client_order_id, filled, finished_at"


def _with_orders(
    account: str, wanted: Standing, switches: Sequence[Switch], orders: Sequence[Row]
) -> Standing:
    unfinished = [row for row in orders if not row["over"]]
    closing = [row["id"] for row in unfinished if row["role"] == ROLE]
    ending = [
        row["id"]
        for row in unfinished
        if row["role"] != ROLE
        and any(
            s.bears_on(account=account, symbol=wanted.symbol, strategy=row["strategy"])
            for s in switches
        )
    ]
    tried = [
        row for row in orders if row["over"] and row["client_order_id"].startswith(wanted.prefix)
    ]
    filled = [n for n, row in enumerate(tried) if row["filled"] > 0]
    return replace(
        wanted,
        ending=len(ending),
        order_id=closing[0] if closing else None,
        tries=len(tried),
        fruitless=filled[0] if filled else len(tried),
        tried_at=tried[0]["finished_at"] if tried else None,
    )


async def enter_numbered(
    connection: Connection, order: Columns, market: Columns, wanted: Standing
) -> str | None:
    """Enter an order under the next name of its switch and symbol; its id, None where it is there.

    A name that a client took before us, or that an order had which is archived, is passed over.
    """
    return await numbered.enter_numbered(
        connection, order, market, prefix=wanted.prefix, after=wanted.tries
    )
