"""Who asks with a key is looked up with every request."""

from dataclasses import replace

import pytest

from app.engine import access
from app.engine.access import Keyring
from app.store.database import Database
from app.store.keys import Key

KEY = Key("k1", "desk", frozenset({"trade"}), None, created_at=0)


def test_no_version_of_a_key_lies_in_the_way_of_another() -> None:
    """A key in use is another version of itself every minute. With one hash for all of them who
    looks for one compares it with each."""
    versions = [replace(KEY, last_used_at=minute) for minute in range(1_000)]
    assert len({hash(version) for version in versions}) == len(versions)
    assert hash(replace(versions[-1])) == hash(versions[-1])


async def test_a_key_that_says_the_same_stays_the_same_one(
    database: Database, admin_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who remembers something by key finds it without comparing all that keys say."""
    monkeypatch.setattr(access, "REMEMBER_SECONDS", 0.0)
    keyring = Keyring(database)
    await keyring.find(admin_key)  # Which notes that it is used.
    first, again = await keyring.find(admin_key), await keyring.find(admin_key)
    assert first is not None
    assert again is first
    async with database.connection() as connection:
        await connection.execute("UPDATE api_keys SET name = 'another' WHERE id = $1", first.id)
    changed = await keyring.find(admin_key)
    assert changed is not None
    assert changed.name == "another"
