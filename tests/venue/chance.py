"""What happens by chance: drawn from the seed and from what it happens to, not from when.

The same seed, account and order ids draw the same faults, in whatever order requests come in,
and a venue that was killed goes on drawing where it stood.
"""

from random import Random

from tests.venue.behaviour import Behaviour, Span
from tests.venue.ledger import Ledger


class Chance:
    def __init__(self, ledger: Ledger, seed: int) -> None:
        self._ledger, self._seed = ledger, seed

    def fault(self, account: str, behaviour: Behaviour, kind: str, subject: str) -> bool:
        """Whether this fault happens to `subject`; written down when it does."""
        likely = behaviour.chances.get(kind, 0.0)
        if not likely or self.draw(account, kind, subject) >= likely:
            return False
        self._ledger.add(
            "faults", account=account, kind=kind, subject=subject, at=self._ledger.now()
        )
        return True

    def draw(self, *about: object) -> float:
        """Evenly from [0, 1)."""
        return Random("/".join(map(str, (self._seed, *about)))).random()

    def span(self, span: Span, *about: object) -> int:
        """A length of time in microseconds."""
        low, high = span
        return int((low + (high - low) * self.draw("span", *about)) * 1_000)
