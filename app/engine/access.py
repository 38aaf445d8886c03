"""API keys as the doors use them: who is asking, and who may ask."""

import hashlib
import time
from collections.abc import Sequence

from app.domain.refusal import Forbidden, Missing, Refusal
from app.engine.service import Caller, Service
from app.store import keys
from app.store.database import Database
from app.store.keys import SCOPES, Key

__all__ = ["SCOPES", "Key", "Keyring", "create_key", "list_keys", "revoke_key"]

REMEMBER_SECONDS = 2.0
"""A revoked key stops within this; a stream, which looks on a timer, within twice this."""

_REMEMBERED_MAX = 1_000


class Keyring:
    """Finds keys, and remembers those it found for a moment, to spare the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: dict[bytes, tuple[Key, float]] = {}

    async def find(self, text: str) -> Key | None:
        """The living key that `text` is; what is no key is never remembered."""
        if not (text.isascii() and text.isprintable()):
            return None
        digest = hashlib.sha256(text.encode()).digest()
        key, until = self._remembered.get(digest, (None, 0.0))
        if key is not None and time.monotonic() < until:
            return key
        # From before it is asked: a revocation that crosses the answer must not outlive it.
        until = time.monotonic() + REMEMBER_SECONDS
        async with self._database.connection() as connection:
            key = await keys.find(connection, text)
        self._remembered.pop(digest, None)
        if key is not None:
            if len(self._remembered) >= _REMEMBERED_MAX:
                self._remembered.clear()
            self._remembered[digest] = (key, until)
        return key


async def create_key(
    service: Service,
    caller: Caller,
    *,
    name: str,
    scopes: Sequence[str],
    accounts: Sequence[str] | None,
) -> tuple[str, Key]:
    """A new key: its text, shown once, and its record.

    Raises Refusal for an account that is not there, Forbidden where it would reach further
    than the caller's own.
    """
    unknown = sorted(set(accounts or ()) - set(service.broker_of))
    if unknown:
        raise Refusal("unknown_account", f"no account {unknown[0]!r}", field="accounts")
    if not _within(accounts, caller):
        raise Forbidden(
            "account_not_allowed",
            "a key cannot reach accounts that yours does not",
            field="accounts",
        )
    async with service.database.transaction() as connection:
        text = await keys.create(
            connection,
            name=name,
            scopes=sorted(set(scopes)),
            accounts=sorted(set(accounts)) if accounts is not None else None,
        )
        key = await keys.find(connection, text)
    assert key is not None, "the key was created in this transaction"
    return text, key


async def list_keys(service: Service, caller: Caller) -> list[Key]:
    """The keys that reach no further than the caller's own, revoked ones too."""
    async with service.database.connection() as connection:
        listed = await keys.listed(connection)
    return [key for key in listed if _within(key.accounts, caller)]


async def revoke_key(service: Service, caller: Caller, key_id: str) -> None:
    """End a key. Raises Missing for one that is not there, ended, or not the caller's to end."""
    known = {key.id for key in await list_keys(service, caller)}
    async with service.database.connection() as connection:
        if key_id not in known or not await keys.revoke(connection, key_id):
            raise Missing("unknown_key", "no living key of that id")


def _within(accounts: Sequence[str] | frozenset[str] | None, caller: Caller) -> bool:
    if caller.accounts is None:
        return True
    return accounts is not None and set(accounts) <= set(caller.accounts)
