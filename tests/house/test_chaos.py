"""A short campaign of `make chaos`: real kills and freezes mid-order, and then the books."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.embedded import Embedded
from tests.chaos.books import rows_at_fault
from tests.chaos.round import play
from tests.chaos.terms import Terms
from tests.conftest import run_sql

SEED = "test"
KILLS = 30

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def server() -> Iterator[Embedded]:
    """A server of its own: this one is killed."""
    folder = Path(tempfile.mkdtemp(prefix="slipstream-chaos-"))
    embedded = Embedded(folder)
    yield embedded
    embedded.stop()
    shutil.rmtree(folder, ignore_errors=True)


async def test_nothing_is_sent_twice_or_lost_under_fire(server: Embedded, tmp_path: Path) -> None:
    await run_sql(server.url, "ALTER SYSTEM SET fsync = off")
    await run_sql(server.url, "SELECT pg_reload_conf()")
    terms = Terms(SEED, KILLS, lease=1.0, duration=(3, 10))
    outcome = await play(tmp_path / "round", server, terms)
    sys.stdout.write(f"seed {SEED}: {outcome.kills} kills in {outcome.under_fire:.0f} s\n")
    assert not outcome.faults, f"seed {SEED}, {tmp_path}\n{rows_at_fault(outcome.faults)}"
    assert outcome.kills >= KILLS
    # A campaign that nobody worked under proves nothing.
    assert outcome.counts["children at the venue"] >= KILLS
    assert outcome.counts["executions at the venue"] >= KILLS
    assert sum(outcome.drawn.values()) >= KILLS
