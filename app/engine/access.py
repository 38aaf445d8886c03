"""API keys as the doors use them: who is asking, and who may ask."""

import hashlib
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.domain.algorithm import Placement
from app.domain.algos import BY_NAME
from app.domain.instant import SECOND, Instant, Micros, rfc3339
from app.domain.refusal import Forbidden, Missing, Refusal
from app.domain.request import AUTO
from app.engine.service import Caller, Service
from app.store import keys, limits, trail
from app.store.database import Connection, Database
from app.store.keys import SCOPES, Key

__all__ = [
    "SCOPES",
    "End",
    "Key",
    "Keyring",
    "Rotated",
    "Wanted",
    "create_key",
    "list_keys",
    "revoke_key",
    "rotate_key",
]

REMEMBER_SECONDS = 2.0
"""A revoked key stops within this; a stream, which looks on a timer, within twice this."""

_REMEMBERED_MAX = 1_000


class Keyring:
    """Finds keys, and remembers those it found for a moment, to spare the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: dict[bytes, tuple[Key, float]] = {}

    def remembers(self, text: str) -> bool:
        """Whether this was a living key when it was last looked for."""
        return hashlib.sha256(text.encode(errors="replace")).digest() in self._remembered

    def at_hand(self, text: str) -> Key | None:
        """The living key that `text` is, where it was looked for a moment ago."""
        if not (text.isascii() and text.isprintable()):
            return None
        key, until = self._remembered.get(hashlib.sha256(text.encode()).digest(), (None, 0.0))
        return key if time.monotonic() < until else None

    async def find(self, text: str) -> Key | None:
        """The living key that `text` is; what is no key is never remembered."""
        key = self.at_hand(text)
        if key is not None or not (text.isascii() and text.isprintable()):
            return key
        digest = hashlib.sha256(text.encode()).digest()
        # From before it is asked: a revocation that crosses the answer must not outlive it.
        until = time.monotonic() + REMEMBER_SECONDS
        async with self._database.connection() as connection:
            key = await keys.find(connection, text)
        earlier, _ = self._remembered.pop(digest, (None, 0.0))
        if key is not None:
            # The same one as long as it says the same: who remembers by key finds it at once.
            key = earlier if earlier is not None and earlier == key else key
            if len(self._remembered) >= _REMEMBERED_MAX:
                self._remembered.clear()
            self._remembered[digest] = (key, until)
        return key


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new key is to be. `accounts` and `symbols` None: all of them; `expires_at` None: it
    does not end by itself."""

    name: str
    scopes: Sequence[str]
    accounts: Sequence[str] | None = None
    default_algo: str | None = None
    expires_at: Instant | None = None
    symbols: Sequence[str] | None = None


async def create_key(service: Service, caller: Caller, wanted: Wanted) -> tuple[str, Key]:
    """A new key: its text, shown once, and its record.

    Raises Refusal for an account or algorithm that is not there or an end that is past, Forbidden
    where it would reach further than the caller's own.
    """
    _check(service, caller, wanted)
    async with service.database.transaction() as connection:
        return await _made(connection, caller, wanted)


@dataclass(frozen=True, slots=True)
class End:
    """When a key ends by itself. `at` None: it does not."""

    at: Instant | None


@dataclass(frozen=True, slots=True)
class Rotated:
    """The new key's text and record, and when the old one ends."""

    text: str
    key: Key
    old_ends: Instant


async def rotate_key(
    service: Service, caller: Caller, key_id: str, overlap: Micros, end: End | None = None
) -> Rotated:
    """A new key that may do what the old one does, under the limits that are set for it, and ends
    when that would have (or at `end`). The old one goes on opening for `overlap`.

    Raises Missing, Refusal for an end that is past, Forbidden where it would reach further than
    the caller's own.
    """
    known = {key.id for key in await list_keys(service, caller)}
    if key_id not in known:
        raise no_such_key()

    async def rotated(connection: Connection) -> Rotated:
        old = await keys.living(connection, key_id)
        if old is None:
            raise no_such_key()
        return await _rotated(connection, caller, old, overlap, end or End(old.expires_at))

    done = await limits.alone(service.database, rotated)
    service.limits.forget()
    return done


async def _rotated(
    connection: Connection, caller: Caller, old: Key, overlap: Micros, end: End
) -> Rotated:
    wanted = Wanted(
        old.name,
        sorted(old.scopes),
        sorted(old.accounts) if old.accounts is not None else None,
        old.default_algo,
        end.at,
        sorted(old.symbols) if old.symbols is not None else None,
    )
    if not _within(old.symbols, caller.symbols):
        raise Forbidden("symbol_not_allowed", "that key trades symbols that yours does not")
    _check_end(caller, wanted)
    text, key = await _made(connection, caller, wanted, replaces=old.id)
    ends = await keys.expire(connection, old.id, overlap / SECOND)
    await trail.add(
        connection,
        actor=caller.key_id,
        action="key.rotated",
        target=old.id,
        before={"expires_at": _told(old.expires_at)},
        after={"expires_at": rfc3339(ends), "replaced_by": key.id},
    )
    await limits.carry(connection, old.id, key.id, by=caller.key_id)
    return Rotated(text, key, ends)


def _check(service: Service, caller: Caller, wanted: Wanted) -> None:
    algo = wanted.default_algo
    if algo is not None and not works_plain_orders(algo):
        raise Refusal(
            "unknown_algorithm",
            f"no algorithm {algo!r} that works without a limit price",
            field="default_algo",
        )
    unknown = sorted(set(wanted.accounts or ()) - set(service.broker_of))
    if unknown:
        raise Refusal("unknown_account", f"no account {unknown[0]!r}", field="accounts")
    _check_end(caller, wanted)
    if not _within(wanted.accounts, caller.accounts):
        raise Forbidden(
            "account_not_allowed",
            "a key cannot reach accounts that yours does not",
            field="accounts",
        )
    if not _within(wanted.symbols, caller.symbols):
        raise Forbidden(
            "symbol_not_allowed", "a key cannot trade symbols that yours does not", field="symbols"
        )


def _check_end(caller: Caller, wanted: Wanted) -> None:
    end = wanted.expires_at
    if end is not None and end <= time.time_ns() // 1_000:
        raise Refusal("already_over", "a key has to end in the future", field="expires_at")
    if caller.until is not None and (end is None or end > caller.until):
        raise Forbidden(
            "expiry_not_allowed",
            f"a key cannot outlive yours, which ends at {rfc3339(caller.until)}",
            field="expires_at",
        )


async def _made(
    connection: Connection, caller: Caller, wanted: Wanted, *, replaces: str | None = None
) -> tuple[str, Key]:
    scopes = sorted(set(wanted.scopes))
    accounts = sorted(set(wanted.accounts)) if wanted.accounts is not None else None
    symbols = sorted(set(wanted.symbols)) if wanted.symbols is not None else None
    text = await keys.create(
        connection,
        name=wanted.name,
        scopes=scopes,
        accounts=accounts,
        default_algo=wanted.default_algo,
        expires_at=wanted.expires_at,
        symbols=symbols,
        replaces=replaces,
    )
    key = await keys.find(connection, text)
    assert key is not None, "the key was created in this transaction"
    await trail.add(
        connection,
        actor=caller.key_id,
        action="key.made",
        target=key.id,
        after={
            "name": wanted.name,
            "scopes": scopes,
            "accounts": accounts,
            "symbols": symbols,
            "expires_at": _told(wanted.expires_at),
            "replaces": replaces,
        },
    )
    return text, key


def _told(at: Instant | None) -> str | None:
    return rfc3339(at) if at is not None else None


def no_such_key() -> Missing:
    return Missing("unknown_key", "no living key of that id")


async def list_keys(service: Service, caller: Caller) -> list[Key]:
    """The keys that reach no further than the caller's own, revoked ones too."""
    async with service.database.connection() as connection:
        listed = await keys.listed(connection)
    return [key for key in listed if _within(key.accounts, caller.accounts)]


async def revoke_key(service: Service, caller: Caller, key_id: str) -> None:
    """End a key. Raises Missing for one that is not there, ended, or not the caller's to end."""
    known = {key.id for key in await list_keys(service, caller)}
    async with service.database.transaction() as connection:
        if key_id not in known or not await keys.revoke(connection, key_id):
            raise no_such_key()
        await trail.add(connection, actor=caller.key_id, action="key.ended", target=key_id)


def _within(part: Collection[str] | None, whole: Collection[str] | None) -> bool:
    """Whether one reach lies in another; None is everything."""
    if whole is None:
        return True
    return part is not None and set(part) <= set(whole)


def works_plain_orders(algo: str) -> bool:
    """Whether orders that say nothing more can be worked by `algo`."""
    return algo == AUTO or (algo in BY_NAME and BY_NAME[algo].placement is not Placement.AT_LIMIT)
