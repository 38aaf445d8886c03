"""Who asks with a key is looked up with every request."""

from dataclasses import replace

from app.store.keys import Key

KEY = Key("k1", "desk", frozenset({"trade"}), None, created_at=0)


def test_no_version_of_a_key_lies_in_the_way_of_another() -> None:
    """A key in use is another version of itself every minute. With one hash for all of them who
    looks for one compares it with each."""
    versions = [replace(KEY, last_used_at=minute) for minute in range(1_000)]
    assert len({hash(version) for version in versions}) == len(versions)
    assert hash(replace(versions[-1])) == hash(versions[-1])
