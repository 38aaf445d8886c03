"""Hooks, their tokens, and which alerts came lately. Of secrets only a SHA-256 is stored."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Any

from app.domain.hook import Hook, Sizes
from app.domain.instant import Micros
from app.store.database import Connection
from app.store.rows import Row

PREFIX = "hook_"
RESEND_SECONDS = 30
"""TradingView sends four times at most: four waits of 3 s and three pauses of 5 s are 27 s."""


async def make(connection: Connection, hook: Hook, passphrase: str | None) -> tuple[str, Hook]:
    """A new hook and its token, which is shown once. `hook` has no id yet."""
    hook_id, salt = secrets.token_hex(4), secrets.token_bytes(16)
    row = await connection.fetchrow(
        "INSERT INTO hooks (account, id, name, strategy, symbols, sizes, fixed_qty, max_qty,"
        " max_notional, per_minute, max_lag_us, sources, expires_at, made_by, salt,"
        " passphrase_sha256)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        " RETURNING *",
        hook.account,
        hook_id,
        hook.name,
        hook.strategy,
        dict(hook.symbols) if hook.symbols is not None else None,
        hook.sizes.value,
        hook.fixed_qty,
        hook.max_qty,
        hook.max_notional,
        hook.per_minute,
        hook.max_lag,
        list(hook.sources) if hook.sources is not None else None,
        hook.expires_at,
        hook.made_by,
        salt if passphrase is not None else None,
        _hashed(salt, passphrase) if passphrase is not None else None,
    )
    assert row is not None, "the insert returns its row"
    return await _new_token(connection, hook.account, hook_id), _hook(row)


async def rotate(connection: Connection, hook: Hook, keep: Micros) -> str:
    """Another token; the newest of those before lives on for `keep`, older ones end."""
    await connection.execute(
        "DELETE FROM hook_tokens WHERE account = $1 AND hook_id = $2 AND token_sha256 <>"
        " (SELECT token_sha256 FROM hook_tokens WHERE account = $1 AND hook_id = $2"
        " ORDER BY made_at DESC LIMIT 1)",
        hook.account,
        hook.id,
    )
    await connection.execute(
        "UPDATE hook_tokens SET until = clock_timestamp() + $3 * interval '1 microsecond'"
        " WHERE account = $1 AND hook_id = $2",
        hook.account,
        hook.id,
        keep,
    )
    return await _new_token(connection, hook.account, hook.id)


async def _new_token(connection: Connection, account: str, hook_id: str) -> str:
    token = PREFIX + secrets.token_urlsafe(32)
    await connection.execute(
        "INSERT INTO hook_tokens (token_sha256, account, hook_id) VALUES ($1, $2, $3)",
        hashlib.sha256(token.encode()).digest(),
        account,
        hook_id,
    )
    return token


async def living(connection: Connection, token: str) -> Hook | None:
    """The hook that answers to `token`; None for anything else, and for one that has ended."""
    digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
    row = await connection.fetchrow(
        "SELECT h.* FROM hook_tokens t JOIN hooks h ON h.account = t.account AND h.id = t.hook_id"
        " WHERE t.token_sha256 = $1 AND (t.until IS NULL OR t.until > clock_timestamp())"
        " AND h.ended_at IS NULL AND (h.expires_at IS NULL OR h.expires_at > clock_timestamp())",
        digest,
    )
    return _hook(row) if row is not None else None


def opens(hook: Hook, passphrase: str | None) -> bool:
    """Whether an alert brings what the hook asks for, told in constant time."""
    if hook.passphrase_sha256 is None or hook.salt is None:
        return True
    given = _hashed(hook.salt, passphrase or "")
    return hmac.compare_digest(given, hook.passphrase_sha256)


def _hashed(salt: bytes, passphrase: str) -> bytes:
    return hmac.new(salt, passphrase.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


async def listed(connection: Connection, accounts: Sequence[str] | None) -> list[Hook]:
    found = await connection.fetch(
        "SELECT * FROM hooks WHERE $1::text[] IS NULL OR account = ANY($1) ORDER BY made_at, id",
        list(accounts) if accounts is not None else None,
    )
    return [_hook(row) for row in found]


async def hold(connection: Connection, hook_id: str, accounts: Sequence[str] | None) -> Hook | None:
    """A hook that has not ended, locked until the transaction ends."""
    row = await connection.fetchrow(
        "SELECT * FROM hooks WHERE id = $1 AND ended_at IS NULL"
        " AND ($2::text[] IS NULL OR account = ANY($2)) FOR UPDATE",
        hook_id,
        list(accounts) if accounts is not None else None,
    )
    return _hook(row) if row is not None else None


async def end(connection: Connection, hook: Hook) -> None:
    await connection.execute(
        "UPDATE hooks SET ended_at = clock_timestamp() WHERE account = $1 AND id = $2",
        hook.account,
        hook.id,
    )
    await connection.execute(
        "DELETE FROM hook_tokens WHERE account = $1 AND hook_id = $2", hook.account, hook.id
    )


async def claimed(
    connection: Connection, hook: Hook, fingerprint: str, *, timed: bool
) -> str | None:
    """The id of the signal that an alert became before, if this one is a resend of it.

    One without a time is that of an equal one for half a minute, and a new one afterwards.
    """
    found: str | None = await connection.fetchval(
        "SELECT signal_id FROM hook_sends WHERE account = $1 AND hook_id = $2 AND fingerprint = $3"
        " AND ($4 OR at > clock_timestamp() - $5 * interval '1 second')",
        hook.account,
        hook.id,
        fingerprint,
        timed,
        RESEND_SECONDS,
    )
    return found


async def claim(connection: Connection, hook: Hook, fingerprint: str, signal_id: str) -> bool:
    """Count another signal; whether the hook may have one more in this minute. The caller holds
    the hook."""
    await connection.execute(
        "DELETE FROM hook_sends WHERE account = $1 AND hook_id = $2"
        " AND at < clock_timestamp() - interval '1 day'",
        hook.account,
        hook.id,
    )
    done: str | None = await connection.fetchval(
        "INSERT INTO hook_sends (account, hook_id, fingerprint, signal_id)"
        " SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM hook_sends WHERE account = $1"
        " AND hook_id = $2 AND at > clock_timestamp() - interval '1 minute') < $5"
        " ON CONFLICT (account, hook_id, fingerprint)"
        " DO UPDATE SET signal_id = $4, at = clock_timestamp() RETURNING signal_id",
        hook.account,
        hook.id,
        fingerprint,
        signal_id,
        hook.per_minute,
    )
    if done is not None:
        await connection.execute(
            "UPDATE hooks SET used_at = clock_timestamp() WHERE account = $1 AND id = $2",
            hook.account,
            hook.id,
        )
    return done is not None


async def seconds_until_room(connection: Connection, hook: Hook) -> int:
    """In how many whole seconds `claim` lets one more in; one at least."""
    found: int | None = await connection.fetchval(
        "SELECT ceil(extract(epoch FROM at + interval '1 minute' - clock_timestamp()))::int"
        # Once this one is a minute old, there are too few others.
        " FROM hook_sends WHERE account = $1 AND hook_id = $2 ORDER BY at DESC OFFSET $3 LIMIT 1",
        hook.account,
        hook.id,
        hook.per_minute - 1,
    )
    return max(found or 1, 1)


async def note_refusal(connection: Connection, hook: Hook, why: str) -> None:
    """Keep why an alert was refused, for the hook's owner."""
    await connection.execute(
        "UPDATE hooks SET refused_at = clock_timestamp(), refused = $3"
        " WHERE account = $1 AND id = $2",
        hook.account,
        hook.id,
        why,
    )


def _hook(row: Row) -> Hook:
    return Hook(
        **{name: row[name] for name in _AS_STORED},
        sizes=Sizes(row["sizes"]),
        max_lag=row["max_lag_us"],
        sources=tuple(row["sources"]) if row["sources"] is not None else None,
        has_passphrase=row["passphrase_sha256"] is not None,
    )


_AS_STORED: Sequence[Any] = (
    "account", "id", "name", "strategy", "symbols", "fixed_qty", "max_qty", "max_notional",
    "per_minute", "expires_at", "made_at", "made_by", "ended_at", "used_at", "refused_at",
    "refused", "salt", "passphrase_sha256",
)  # fmt: skip
