"""API keys: made once, found by their secret alone, and the secret is nowhere."""

import asyncio

import pytest

from app.store import keys
from app.store.database import Database
from app.store.keys import SCOPES, Key
from tests.store.seeds import fetch, value


async def make(
    database: Database, scopes: list[str] | None = None, accounts: list[str] | None = None
) -> str:
    async with database.connection() as connection:
        return await keys.create(connection, name="k", scopes=scopes or ["read"], accounts=accounts)


async def find(database: Database, text: str) -> Key | None:
    async with database.connection() as connection:
        return await keys.find(connection, text)


async def test_a_key_is_found_whole(database: Database) -> None:
    text = await make(database, ["read", "trade"], ["a1", "a2"])
    found = await find(database, text)
    assert found is not None
    assert text.split("_")[:2] == ["slip", found.id]
    assert found.scopes == {"read", "trade"}
    assert found.accounts == {"a1", "a2"}
    assert (found.sees("a1"), found.sees("a3")) == (True, False)
    everywhere = await find(database, await make(database))
    assert everywhere is not None
    assert everywhere.sees("anything")


async def test_no_two_keys_are_alike(database: Database) -> None:
    made = [await make(database) for _ in range(20)]
    assert len({text.partition("_")[2][:8] for text in made}) == 20
    assert min(len(text.split("_", 2)[2]) for text in made) >= 43, "32 random bytes"


async def test_what_is_not_the_key_is_nobody(database: Database) -> None:
    text, other = await make(database), await make(database)
    prefix, key_id, secret = text.split("_", 2)
    _, other_id, other_secret = other.split("_", 2)
    wrong = [
        f"{prefix}_{key_id}_{other_secret}",
        f"{prefix}_{other_id}_{secret}",
        f"{prefix}_{key_id}_{secret[:-1]}",
        f"{prefix}_{key_id}_{secret}x",
        f"{prefix}_{key_id}_{secret.swapcase()}",
        f"{prefix}_{key_id}_",
        f"{prefix}_{key_id}",
        f"{prefix}__{secret}",
        f"{prefix}_00000000_{secret}",
        f"slop_{key_id}_{secret}",
        f" {text}",
        f"{text} ",
        f"{text}\n",
        text.upper(),
        "",
        "_",
        "slip",
        "slip__",
        "Bearer " + text,
        f"{prefix}_{key_id}_{secret}" + "x" * 200,
        # What a JSON frame may carry and neither the driver nor the hash can take.
        f"{prefix}_{key_id}\0_{secret}",
        f"{prefix}_{key_id}_{secret}\0",
        f"{prefix}_\ud800_{secret}",
        f"{prefix}_{key_id}_\ud800",
        f"{prefix}_{key_id}_{secret[:-1]}\u0661",
    ]
    for text_ in wrong:
        assert await find(database, text_) is None, text_
    assert await find(database, text) is not None


async def test_a_revoked_key_is_nobody_for_ever(database: Database) -> None:
    text, other = await make(database), await make(database)
    found = await find(database, text)
    assert found is not None

    async def revoke(key_id: str) -> bool:
        async with database.connection() as connection:
            return await keys.revoke(connection, key_id)

    outcomes = await asyncio.gather(*(revoke(found.id) for _ in range(4)))
    assert sorted(outcomes) == [False, False, False, True]
    assert await find(database, text) is None
    assert await find(database, other) is not None
    assert not await revoke("00000000")
    async with database.connection() as connection:
        listed = {key.id: key for key in await keys.listed(connection)}
    assert listed[found.id].revoked_at is not None
    assert len(listed) == 2


async def test_only_the_hash_is_stored(database: Database) -> None:
    """The secret, and the whole key, are in no column of any table, in any coding."""
    text = await make(database)
    secret = text.split("_", 2)[2]
    assert await find(database, text) is not None
    found = 0
    tables = await fetch(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for (table,) in tables:
        for (row,) in await fetch(database, f"SELECT t::text FROM {table} t"):
            found += 1
            for needle in (secret, text, secret.encode().hex()):
                assert needle not in row, table
    assert found > 2
    assert await value(database, "SELECT length(secret_sha256) FROM api_keys") == 32


async def test_the_last_use_is_kept_to_the_minute(database: Database) -> None:
    """Not at every request: that would be a write for each read."""
    text = await make(database)
    first = await find(database, text)
    assert first is not None
    assert first.last_used_at is None
    used = await value(database, "SELECT last_used_at FROM api_keys")
    assert used is not None
    await find(database, text)
    assert await value(database, "SELECT last_used_at FROM api_keys") == used
    await fetch(database, "UPDATE api_keys SET last_used_at = last_used_at - interval '2 min'")
    await find(database, text)
    assert await value(database, "SELECT last_used_at FROM api_keys") > used


def key(*scopes: str) -> Key:
    return Key("1", "k", frozenset(scopes), None, 0)


@pytest.mark.parametrize("scope", SCOPES)
def test_scopes(scope: str) -> None:
    assert key(scope).may(scope)
    assert key("admin").may(scope)
    assert not key().may(scope)
    others = {other for other in SCOPES if other != scope and key(scope).may(other)}
    assert others == {
        "admin": set(SCOPES) - {"admin"},
        "trade": {"cancel"},
        "risk": {"cancel"},
    }.get(scope, set())
