"""What limits have counted so far, read off the orders themselves: no counter can drift, and a
restart resets no window."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from decimal import Decimal

from app.domain.instant import DAY, MINUTE, SECOND, Micros
from app.domain.quantity import ZERO
from app.domain.risk.bound import Bound
from app.domain.risk.limit import Scope, Unit
from app.domain.risk.usage import Holding, Proposal, Usage
from app.domain.risk.values import SPARED, WINDOWS
from app.store.database import Connection
from app.store.journal import OPEN
from app.store.rows import Row

Place = tuple[Scope, str]

_DAY_SECONDS = Decimal(DAY // SECOND)
"""An order of yesterday is no duplicate, whatever was set before this was refused."""

_POSITIONS = frozenset({"no_short", "max_position_qty", "max_position_notional"}) | frozenset(
    {"max_gross_exposure", "max_net_exposure"}
)


async def usages(
    connection: Connection, bounds: Iterable[Bound], accounts: Collection[str]
) -> dict[Place, Usage]:
    """What each bound's scope and name have counted. `accounts` are those of the orders that ask.

    In a transaction that holds the limits (`limits.hold`, counting) it stays true until its end.
    """
    bounds = tuple(bounds)
    places = sorted({(b.scope, b.name) for b in bounds})
    if not places:
        return {}
    names = {b.limit.name for b in bounds}
    wide = any(b.scope is not Scope.ACCOUNT for b in bounds if b.limit.name in _POSITIONS | SPARED)
    own = None if wide else sorted(accounts)
    held = await _holdings(connection, own) if names & (_POSITIONS | SPARED) else ()
    counted = await _counted(connection, places, _longest(names))
    lost = await _lost(connection, own) if names & SPARED else {}
    return {
        place: Usage(
            open_orders=counted[place]["open_orders"],
            entered={w: counted[place][f"entered_{w}"] for w in WINDOWS},
            value={w: counted[place][f"value_{w}"] for w in WINDOWS},
            holdings=_of(held, place),
            loss=_sum(lost, place, 0),
            drawdown=_sum(lost, place, 1),
        )
        for place in places
    }


async def tell_increase(connection: Connection, order_id: str, more: Proposal) -> None:
    """What a change added to an order counts from now on, as an order of so much would; what no
    window reaches back to goes."""
    await connection.execute(
        "DELETE FROM increases WHERE at < statement_timestamp() - $1::interval",
        timedelta(microseconds=2 * DAY),
    )
    await connection.execute(
        "INSERT INTO increases (account, order_id, key_id, strategy, symbol, value)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        more.account,
        order_id,
        more.key,
        more.strategy,
        more.symbol,
        more.value,
    )


async def same_age(connection: Connection, proposal: Proposal, within: Micros) -> Micros | None:
    """Since when there is an order of the same account, symbol, side and quantity, as far as it
    was entered `within` that time."""
    age: Micros | None = await connection.fetchval(
        "SELECT (extract(epoch FROM clock_timestamp() - max(created_at)) * 1000000)::bigint"
        " FROM orders WHERE account = $1 AND symbol = $2 AND side = $3 AND qty = $4"
        " AND created_at > statement_timestamp() - $5::interval",
        proposal.account,
        proposal.symbol,
        proposal.side.value,
        proposal.qty,
        timedelta(microseconds=within),
    )
    return max(age, 0) if age is not None else None


def longest_duplicate(bounds: Iterable[Bound]) -> Micros:
    """How far back an order that looks the same matters to one of these bounds; 0: to none."""
    seconds = [max(b.hard or ZERO, b.soft or ZERO) for b in bounds if b.limit.unit is Unit.SECONDS]
    return int(min(max(seconds, default=ZERO), _DAY_SECONDS) * SECOND)


def _longest(names: Collection[str]) -> Micros:
    """A day of orders is many: it is read only for a limit that counts a day."""
    return DAY if "max_notional_1d" in names else MINUTE


# A key and those that took its place count as one: rotated, it gets no fresh window.
_FAMILY = (
    "kin(name, id) AS (SELECT name, name FROM unnest($1::text[], $2::text[]) AS n(scope, name)"
    " WHERE scope = 'key' UNION SELECT kin.name, CASE k.id WHEN kin.id THEN k.replaces ELSE k.id"
    " END FROM kin JOIN api_keys k ON k.replaces = kin.id"
    " OR (k.id = kin.id AND k.replaces IS NOT NULL)),"
    " named AS MATERIALIZED (SELECT scope, name, ARRAY(SELECT id FROM kin"
    " WHERE kin.name = n.name AND n.scope = 'key') AS family"
    " FROM unnest($1::text[], $2::text[]) AS n(scope, name))"
)


async def _counted(
    connection: Connection, places: Sequence[Place], longest: Micros
) -> dict[Place, Row]:
    counts = ", ".join(
        f"coalesce(sum(one) FILTER (WHERE age <= interval '{w} microseconds'), 0) AS entered_{w},"
        f" coalesce(sum(value) FILTER (WHERE age <= interval '{w} microseconds'), 0) AS value_{w}"
        for w in WINDOWS
    )
    counts_it = (
        "CASE n.scope WHEN 'all' THEN true WHEN 'account' THEN o.account = n.name"
        " WHEN 'key' THEN o.key_id = ANY(n.family) WHEN 'strategy' THEN o.strategy = n.name"
        " ELSE o.symbol = n.name END"
    )
    found = await connection.fetch(
        # The statement's own time: by a clock that moves while it runs no index can be read.
        f"WITH RECURSIVE {_FAMILY}, lately AS MATERIALIZED ("
        "SELECT account, key_id, strategy, symbol, value, 1 AS one,"
        " statement_timestamp() - created_at AS age FROM orders"
        " WHERE created_at > statement_timestamp() - $3::interval"
        " UNION ALL SELECT account, key_id, strategy, symbol, value, 0,"
        " statement_timestamp() - at FROM increases"
        " WHERE at > statement_timestamp() - $3::interval),"
        " still AS MATERIALIZED (SELECT account, key_id, strategy, symbol FROM orders"
        f" WHERE {OPEN})"
        f" SELECT n.scope, n.name, w.*, (SELECT count(*) FROM still o WHERE {counts_it})"
        " AS open_orders FROM named n"
        f" CROSS JOIN LATERAL (SELECT {counts} FROM lately o WHERE {counts_it}) w",
        [scope.value for scope, _ in places],
        [name for _, name in places],
        timedelta(microseconds=longest),
    )
    return {(Scope(row["scope"]), row["name"]): row for row in found}


async def _holdings(connection: Connection, accounts: Sequence[str] | None) -> tuple[Holding, ...]:
    """Positions, what the broker held beside them too, and what open orders may still add to them
    or, where they only reduce, take of them."""
    found = await connection.fetch(
        "SELECT account, symbol, sum(qty) AS qty, sum(buying) AS buying, sum(selling) AS selling,"
        " sum(covering) AS covering, sum(closing) AS closing,"
        " coalesce(max(CASE WHEN bid > 0 AND ask >= bid THEN (bid + ask) / 2 END), max(last),"
        " max(nullif(average, 0))) AS price FROM ("
        "SELECT account, symbol, qty + coalesce(outside, 0) AS qty, 0 AS buying, 0 AS selling,"
        " 0 AS covering, 0 AS closing, average_price AS average FROM positions"
        " UNION ALL SELECT account, symbol, 0,"
        " CASE WHEN side = 'buy' AND NOT reduce_only THEN qty - filled ELSE 0 END,"
        " CASE WHEN side = 'sell' AND NOT reduce_only THEN qty - filled ELSE 0 END,"
        " CASE WHEN side = 'buy' AND reduce_only THEN qty - filled ELSE 0 END,"
        " CASE WHEN side = 'sell' AND reduce_only THEN qty - filled ELSE 0 END,"
        f" NULL FROM orders WHERE {OPEN}) AS held LEFT JOIN watches USING (symbol)"
        " WHERE $1::text[] IS NULL OR account = ANY($1) GROUP BY account, symbol",
        list(accounts) if accounts is not None else None,
    )
    return tuple(Holding(**row) for row in found)


async def _lost(
    connection: Connection, accounts: Sequence[str] | None
) -> dict[str, tuple[Decimal, Decimal]]:
    found = await connection.fetch(
        "SELECT account, opened - latest AS loss, best - latest AS drawdown FROM profits"
        " WHERE $1::text[] IS NULL OR account = ANY($1)",
        list(accounts) if accounts is not None else None,
    )
    return {row["account"]: (row["loss"], row["drawdown"]) for row in found}


def _of(held: Sequence[Holding], place: Place) -> tuple[Holding, ...]:
    scope, name = place
    if scope is Scope.ACCOUNT:
        return tuple(h for h in held if h.account == name)
    if scope is Scope.SYMBOL:
        return tuple(h for h in held if h.symbol == name)
    return tuple(held)


def _sum(lost: dict[str, tuple[Decimal, Decimal]], place: Place, which: int) -> Decimal | None:
    scope, name = place
    if scope is Scope.ACCOUNT:
        return lost[name][which] if name in lost else None
    return sum((numbers[which] for numbers in lost.values()), ZERO) if lost else None
