"""Generators that depend on what they are for, never on the order in which they are asked."""

import hashlib

import numpy as np


def generator(seed: str, purpose: str) -> np.random.Generator:
    """The one generator of this seed and purpose, always at its beginning."""
    digest = hashlib.blake2b(f"{seed}:{purpose}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))
