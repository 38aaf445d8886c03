"""A server whose broker is another server: the two, and the line between them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from tests.chain.books import Ends, both, named_alike
from tests.chain.servers import CHILDREN_AS_THEY_ARE, broker_behind
from tests.chain.wire import Wire
from tests.chaos.auditing import audited
from tests.chaos.books import OVER, Books, see_status
from tests.chaos.home import Home
from tests.chaos.line_killer import LineKiller
from tests.chaos.round import Stage
from tests.chaos.terms import Terms
from tests.postgres import PostgresServer

MARKET = {"FEED": "synthetic-live"}
"""Made of seed and machine time: both see the same, however often they die."""


@dataclass(frozen=True, slots=True)
class ChainTerms(Terms):
    """One round on a chain. `stall` is how long the line is held up at most, in seconds."""

    open_orders: int = 16
    gap: float = 0.6
    closing: int = 24
    stall: float = 12.0

    @property
    def quarantine(self) -> int:
        """Longer than any request is under way."""
        return int(self.stall) + 4


class Back(Home):
    """The broker: one worker and one API, the paper venue behind them."""

    def settings(self) -> dict[str, str]:
        return MARKET | CHILDREN_AS_THEY_ARE


class Chain(Home):
    """The client's server: two workers and an API. `back` is its broker, over `wire`."""

    accounts = ("main",)

    def __init__(self, folder: Path, server: PostgresServer, terms: Terms) -> None:
        names = ("worker-0", "worker-1", "api-0")
        super().__init__(folder / "front", server, terms, names=names, database=folder.name)
        behind = ("worker-0", "api-0")
        self.back = Back(
            folder / "back", server, terms, names=behind, database=f"{folder.name}-back"
        )
        self.wire = Wire(lambda: self.back.ports["api-0"])

    async def open(self) -> None:
        await self.back.open()
        await self.wire.open()
        await super().open()

    async def close(self) -> None:
        await super().close()
        await self.wire.close()
        await self.back.close()

    async def whole(self) -> None:
        await super().whole()
        await self.back.whole()

    async def compare(self) -> Books:
        """The front's books beside the back's."""
        ends = await both(self.url, self.back.url)
        books = books_of(ends)
        if not books.faults:
            try:
                books.invented_fills = await named_alike(
                    self.url, self.back.url, self.back.apis()[0], self.back.key
                )
            except httpx.HTTPError as away:
                books.not_at_rest.append(f"the back's API: {away!r}")
        return books

    async def quiet(self) -> bool:
        """Whoever is at rest in both is quiet."""
        return True

    async def fate(self, account: str, child_id: str) -> str | None:
        """What became of a child at the back; None: it is open."""
        taken = (await both(self.url, self.back.url)).taken
        found = [row["status"] for row in taken if row["client_order_id"] == child_id]
        if not found:
            return "absent"
        return "canceled" if found[0] in OVER else None

    async def audits(self) -> list[dict[str, Any]]:
        ledgers = sorted(self.back.folder.glob("paper*.sqlite3"))
        return [
            await audited(self.url, self.folder),
            await audited(self.back.url, self.back.folder, *ledgers),
        ]

    async def tally(self) -> tuple[Counter[str], Counter[str]]:
        """What the back took and executed; it draws no faults."""
        ends = await both(self.url, self.back.url)
        counts = {
            "children": len(ends.children),
            "children at the venue": len(ends.taken),
            "executions at the venue": ends.executed.total(),
            "children without an answer": len(ends.unanswered),
            "of them taken at the venue": len(
                ends.unanswered & {row["client_order_id"] for row in ends.taken}
            ),
            "connections over the line": self.wire.passed,
        }
        counts |= {f"the back started its {role}": n for role, n in self.back.restarts.items()}
        self.own_deaths += Counter({f"back {how}": n for how, n in self.back.own_deaths.items()})
        return Counter(counts), Counter()

    def settings(self) -> dict[str, str]:
        return MARKET | broker_behind(f"http://127.0.0.1:{self.wire.port}", self.back.key)


def books_of(ends: Ends) -> Books:
    """What is wrong with the two, seen together."""
    books = Books(duplicate_children=ends.twice)
    books.lost_fills = sorted(map(str, ends.lost.elements()))
    books.invented_fills = sorted(map(str, ends.invented.elements()))
    parent = {row["id"]: row["order_id"] for row in ends.children}
    taken = {row["client_order_id"] for row in ends.taken}
    books.unknown_to_us = sorted(map(str, taken - parent.keys()))
    refused = {row["client_order_id"] for row in ends.taken if row["status"] == "rejected"}
    books.wrongly_absent = sorted(ends.rejected & (taken - refused))
    held: Counter[Any] = Counter()
    for (child, qty, _), times in ends.executed.items():
        held[parent.get(child)] += times * qty
    for row in ends.orders:
        if held[row["id"]] > row["qty"]:
            books.overbought.append(f"{row['id']}: {held[row['id']]} of {row['qty']}")
        see_status(books, f"front/{row['id']}", row)
    _see_children(books, ends)
    for row in ends.taken:
        see_status(books, f"back/{row['id']}", row)
    return books


def _see_children(books: Books, ends: Ends) -> None:
    """Every child's sum is what the back says of it."""
    there: dict[str, Decimal] = {row["client_order_id"]: row["filled"] for row in ends.taken}
    rows: Iterable[Any] = ends.children
    for row in rows:
        if row["filled"] != there.get(row["id"], 0):
            books.lost_fills.append(
                f"{row['id']}: {row['filled']} here, {there.get(row['id'])} there"
            )


CHAIN = Stage(Chain, LineKiller)
