"""A short campaign of `make chaos`: real kills and freezes mid-order, and then the books."""

import sys
from pathlib import Path

import pytest

from tests.chaos.books import rows_at_fault
from tests.chaos.home import prepare
from tests.chaos.round import play
from tests.chaos.terms import Terms
from tests.postgres import PostgresServer

SEED = "test"
KILLS = 30

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(400)]


async def test_nothing_is_sent_twice_or_lost_under_fire(
    own_server: PostgresServer, tmp_path: Path
) -> None:
    await prepare(own_server)
    terms = Terms(SEED, KILLS, lease=1.0, duration=(3, 10))
    outcome = await play(tmp_path / "round", own_server, terms)
    sys.stdout.write(f"seed {SEED}: {outcome.kills} kills in {outcome.under_fire:.0f} s\n")
    assert not outcome.faults, f"seed {SEED}, {tmp_path}\n{rows_at_fault(outcome.faults)}"
    assert outcome.kills >= KILLS
    # A campaign that nobody worked under proves nothing.
    assert outcome.counts["children at the venue"] >= KILLS // 2
    assert outcome.counts["executions at the venue"] >= KILLS // 2
    assert sum(outcome.drawn.values()) >= KILLS // 2
