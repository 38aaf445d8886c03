"""Where a round is played: a server under fire, and somebody to compare its books with."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from tests.chaos.books import Books
from tests.chaos.terms import Terms


class Scene(Protocol):
    """The client's server (`url` is its database's), and what is known at its broker."""

    folder: Path
    terms: Terms
    url: str
    key: str
    accounts: Sequence[str]
    own_deaths: Counter[str]
    restarts: Counter[str]

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def whole(self) -> None: ...
    def apis(self) -> list[str]: ...
    async def compare(self) -> Books: ...
    async def quiet(self) -> bool: ...
    async def fate(self, account: str, child_id: str) -> str | None: ...
    async def audits(self) -> list[dict[str, Any]]: ...
    async def tally(self) -> tuple[Counter[str], Counter[str]]: ...
