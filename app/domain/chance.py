"""Chance without a generator: the same seed and place always give the same number."""

import hashlib


def unit(seed: str, *place: int | str) -> float:
    """A number in [0, 1), uniform over seeds and places, equal on every machine and version."""
    text = ":".join((seed, *map(str, place)))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    # As many bits as a float holds: one more could round up to 1.
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


def digest(seed: str, *place: int | str) -> str:
    """32 hexadecimal digits: the same for the same seed and place, else different."""
    text = ":".join((seed, *map(str, place)))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def symmetric(seed: str, *place: int | str) -> float:
    """A number in [−1, 1) with mean zero."""
    return 2 * unit(seed, *place) - 1
