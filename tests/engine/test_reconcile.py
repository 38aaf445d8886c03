"""What a broker is asked, and what a desk asks for itself at a restart."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.instant import SECOND
from app.domain.lifecycle import ChildStatus
from app.engine import reconcile
from app.engine.reconcile import OVERLAP, Found
from app.ports import Capabilities, ExecutionReport, IdScope, Lookup, OrderReport
from tests.domain.tasks import OPEN

EVER = Capabilities(IdScope.EVER, Lookup.ALL, 0, 0)
NOW = OPEN + 3_600 * SECOND


def state(child: str, status: ChildStatus = ChildStatus.WORKING) -> OrderReport:
    return OrderReport(child, f"b-{child}", status, OPEN, Decimal(0))


class Knowing:
    """A broker that lists some orders and finds some others, and remembers what it was asked."""

    name = "knowing"

    def __init__(
        self, listed: Sequence[str] = (), found: Sequence[str] = (), lookup: Lookup = Lookup.ALL
    ) -> None:
        self.capabilities = replace(EVER, lookup=lookup)
        self.listed, self.found = listed, found
        self.asked: list[str] = []
        self.since: list[int] = []

    async def open_orders(self) -> Sequence[OrderReport]:
        return [state(child) for child in self.listed]

    async def lookup(self, child_id: str) -> OrderReport | None:
        self.asked.append(child_id)
        return state(child_id, ChildStatus.CANCELED) if child_id in self.found else None

    async def executions(self, since: int) -> Sequence[ExecutionReport]:
        self.since.append(since)
        return []

    async def positions(self) -> dict[str, Decimal]:
        return {"XYZ": Decimal(5)}


async def ask(broker: Knowing, *children: str, doubted: Sequence[str] = ()) -> Found:
    return await reconcile.ask(broker, children, since=NOW, doubted=doubted)  # type: ignore[arg-type]


async def test_what_is_listed_needs_no_look_up() -> None:
    broker = Knowing(listed=["a", "b"], found=["c"])
    found = await ask(broker, "a", "b", "c", "d")
    assert broker.asked == ["c", "d"]
    assert list(found.missing) == ["d"]
    assert {(r.child_id, r.status) for r in found.reports if isinstance(r, OrderReport)} == {
        ("a", "working"),
        ("b", "working"),
        ("c", "canceled"),
    }


async def test_a_doubted_child_is_looked_up_though_it_is_listed() -> None:
    """A list that lies hides an end; a look-up that finds nothing is no proof against it."""
    broker = Knowing(listed=["a", "b"], found=["a"])
    found = await ask(broker, "a", "b", doubted=["a", "b"])
    assert broker.asked == ["a", "b"]
    assert not found.missing
    assert state("a", ChildStatus.CANCELED) in found.reports


async def test_a_stranger_in_the_list_is_told() -> None:
    found = await ask(Knowing(listed=["lost"]))
    assert [r.child_id for r in found.reports] == ["lost"]


async def test_without_look_up_what_is_not_listed_is_missing() -> None:
    broker = Knowing(listed=["a"], found=["b"], lookup=Lookup.NONE)
    found = await ask(broker, "a", "b", doubted=["a"])
    assert (broker.asked, list(found.missing)) == ([], ["b"])


async def test_executions_are_asked_with_an_overlap() -> None:
    broker = Knowing()
    await ask(broker)
    assert broker.since == [NOW - OVERLAP]


@pytest.mark.parametrize("positions", [False, True])
async def test_positions_are_asked_when_wanted(positions: bool) -> None:
    found = await reconcile.ask(Knowing(), [], since=NOW, positions=positions)  # type: ignore[arg-type]
    assert found.positions == ({"XYZ": Decimal(5)} if positions else None)
