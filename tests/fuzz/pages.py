"""Both surfaces as one: our own, and the one that speaks Alpaca's words."""

from collections.abc import Iterator

import httpx

from tests.fuzz import alpaca
from tests.fuzz.answered import Answered
from tests.fuzz.page import Operation, Page

ALPACA = "/alpaca"


class Pages:
    def __init__(self, *pages: Page) -> None:
        self._page_of = {label: page for page in pages for label in page.operations}

    @classmethod
    def of(cls, client: httpx.Client) -> "Pages":
        """As the server tells them."""
        documents = [client.get(f"{prefix}/openapi.json").json() for prefix in ("", ALPACA)]
        return cls(Page(documents[0]), Page(documents[1], ALPACA))

    @property
    def labels(self) -> list[str]:
        return list(self._page_of)

    @property
    def operations(self) -> list[Operation]:
        return [self.operation(label) for label in self._page_of]

    def operation(self, label: str) -> Operation:
        return self._page_of[label].operations[label]

    def faults(self, label: str, answered: Answered) -> Iterator[tuple[str, str]]:
        """Everything that is wrong with an answer."""
        yield from self._page_of[label].faults(label, answered)
        if self._page_of[label].prefix == ALPACA:
            yield from alpaca.faults(label, answered)
