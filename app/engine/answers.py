"""What the broker answers to what was sent, until it is booked."""

from collections.abc import Awaitable, Callable, Sequence

from app.domain.fact import ChildFact, Fact
from app.failpoints import reach
from app.store.journal import Entry

Book = Callable[[Sequence[Entry]], Awaitable[bool]]
"""Books entries; whether there was anything."""


class Answers:
    """Answers of one desk. `stir` is called for each: it wants to be booked."""

    def __init__(self, stir: Callable[[], None]) -> None:
        self._stir = stir
        self._waiting: list[tuple[str, ChildFact]] = []

    def note(self, order_id: str, fact: ChildFact) -> None:
        self._waiting.append((order_id, fact))
        self._stir()

    async def booked(self, book: Book, on_the_wire: set[str]) -> bool:
        """Have all that wait booked by `book`; their children are not on the wire any more."""
        taken, self._waiting = self._waiting, []
        by_order: dict[str, list[Fact]] = {}
        for order_id, fact in taken:
            by_order.setdefault(order_id, []).append(fact)
        try:
            done = await book([Entry(order_id, facts) for order_id, facts in by_order.items()])
        except BaseException:
            # Not booked, as far as we know; a fact that is booked twice changes nothing.
            self._waiting[:0] = taken
            raise
        if taken:
            reach("answer.recorded")
        on_the_wire.difference_update(fact.child_id for _, fact in taken)
        return done
