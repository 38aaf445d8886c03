"""The shared suites explain their failures like tests do; the sandbox tests share one venue."""

from collections.abc import AsyncIterator, Iterator

import pytest

pytest.register_assert_rewrite(
    "tests.brokers.contract",
    "tests.brokers.promises",
    "tests.brokers.rehearsal",
    "tests.brokers.alpaca_rehearsal",
)

from tests.brokers.alpaca_rehearsal import AlpacaRehearsal  # noqa: E402 — after the rewrite
from tests.brokers.rehearsal import Rehearsal  # noqa: E402 — after what it depends on
from tests.venue.running import RunningVenue, running_venue  # noqa: E402


@pytest.fixture(scope="session")
def adversary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVenue]:
    """The adversarial venue, a process of its own with an account for each test."""
    with running_venue(tmp_path_factory.mktemp("venue")) as venue:
        yield venue


@pytest.fixture
async def rehearsal(adversary: RunningVenue) -> AsyncIterator[Rehearsal]:
    rehearsal = Rehearsal(adversary)
    yield rehearsal
    await rehearsal.close()


@pytest.fixture
async def alpaca(adversary: RunningVenue) -> AsyncIterator[AlpacaRehearsal]:
    rehearsal = AlpacaRehearsal(adversary)
    yield rehearsal
    await rehearsal.close()
