"""API keys. Only a SHA-256 is stored: the secret is random, so a fast hash is right."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from app.domain.instant import Instant
from app.store.database import Connection
from app.store.rows import Row

SCOPES = ("read", "trade", "cancel", "risk", "admin")
_PREFIX = "slip"


@dataclass(frozen=True, slots=True)
class Key:
    """Who is asking. `accounts` None means every account.

    `default_algo` works plain orders of Alpaca's clients; None: what the house does. From
    `expires_at` on it opens nothing. `symbols` are what may be traded with it (None: all);
    `replaces` is the key whose place it takes.
    """

    id: str
    name: str
    scopes: frozenset[str]
    accounts: frozenset[str] | None
    created_at: Instant
    revoked_at: Instant | None = None
    last_used_at: Instant | None = None
    default_algo: str | None = None
    expires_at: Instant | None = None
    symbols: frozenset[str] | None = None
    replaces: str | None = None

    def __hash__(self) -> int:
        # Asked for with every request. What changes by itself is in it: versions of one key must
        # not meet in one place of whatever remembers by key.
        return hash((self.id, self.last_used_at))

    def may(self, scope: str) -> bool:
        """Whether the key has `scope`; admin has all, and whoever may trade or steer risk may
        cancel: what makes risk smaller never needs more."""
        return (
            scope in self.scopes
            or "admin" in self.scopes
            or (scope == "cancel" and not self.scopes.isdisjoint(("trade", "risk")))
        )

    def sees(self, account: str) -> bool:
        return self.accounts is None or account in self.accounts


async def create(
    connection: Connection,
    *,
    name: str,
    scopes: list[str],
    accounts: list[str] | None,
    default_algo: str | None = None,
    expires_at: Instant | None = None,
    symbols: list[str] | None = None,
    replaces: str | None = None,
) -> str:
    """A new key, whole: shown once, never again."""
    key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    await connection.execute(
        "INSERT INTO api_keys (id, secret_sha256, name, scopes, accounts, default_algo, expires_at,"
        " symbols, replaces) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        key_id,
        hashlib.sha256(secret.encode()).digest(),
        name,
        scopes,
        accounts,
        default_algo,
        expires_at,
        symbols,
        replaces,
    )
    return f"{_PREFIX}_{key_id}_{secret}"


async def find(connection: Connection, text: str) -> Key | None:
    """The living key that `text` is, None for anything else."""
    if len(text) > 200 or not (text.isascii() and text.isprintable()):
        return None
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != _PREFIX or not key_id or not secret:
        return None
    row = await connection.fetchrow(
        "SELECT *, coalesce(last_used_at < clock_timestamp() - interval '1 minute', true) AS stale"
        " FROM api_keys WHERE id = $1 AND revoked_at IS NULL"
        " AND (expires_at IS NULL OR expires_at > clock_timestamp())",
        key_id,
    )
    given = hashlib.sha256(secret.encode()).digest()
    if row is None or not hmac.compare_digest(given, row["secret_sha256"]):
        return None
    if row["stale"]:
        await connection.execute(
            "UPDATE api_keys SET last_used_at = clock_timestamp() WHERE id = $1", key_id
        )
    return _key(row)


async def listed(connection: Connection) -> list[Key]:
    return [_key(r) for r in await connection.fetch("SELECT * FROM api_keys ORDER BY created_at")]


async def revoke(connection: Connection, key_id: str) -> bool:
    """Whether there was a living key of that id."""
    done: str | None = await connection.fetchval(
        "UPDATE api_keys SET revoked_at = clock_timestamp()"
        " WHERE id = $1 AND revoked_at IS NULL RETURNING id",
        key_id,
    )
    return done is not None


async def living(connection: Connection, key_id: str) -> Key | None:
    """The key of that id, locked, if it still opens something."""
    row = await connection.fetchrow(
        "SELECT * FROM api_keys WHERE id = $1 AND revoked_at IS NULL"
        " AND (expires_at IS NULL OR expires_at > clock_timestamp()) FOR UPDATE",
        key_id,
    )
    return _key(row) if row is not None else None


async def expire(connection: Connection, key_id: str, seconds: float) -> Instant:
    """Let a key end in so many seconds, or when it would have anyway, if that is sooner."""
    at: Instant = await connection.fetchval(
        "UPDATE api_keys SET expires_at = least(expires_at, clock_timestamp()"
        " + make_interval(secs => $2)) WHERE id = $1 RETURNING expires_at",
        key_id,
        seconds,
    )
    return at


def _key(row: Row) -> Key:
    return Key(
        id=row["id"],
        name=row["name"],
        scopes=frozenset(row["scopes"]),
        accounts=frozenset(row["accounts"]) if row["accounts"] is not None else None,
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
        default_algo=row["default_algo"],
        expires_at=row["expires_at"],
        symbols=frozenset(row["symbols"]) if row["symbols"] is not None else None,
        replaces=row["replaces"],
    )
