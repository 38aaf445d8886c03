"""A short campaign of `make chaos CHAIN=1`: both servers and the line between them are hit."""

import sys
from pathlib import Path

import pytest

from tests.chaos.books import rows_at_fault
from tests.chaos.chain import CHAIN, ChainTerms
from tests.chaos.home import prepare
from tests.chaos.round import play
from tests.postgres import PostgresServer

SEED = "test"
KILLS = 10

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(300)]


async def test_nothing_is_sent_twice_or_lost_along_a_chain(
    own_server: PostgresServer, tmp_path: Path
) -> None:
    await prepare(own_server)
    terms = ChainTerms(SEED, KILLS, lease=1.0, duration=(3, 8), stall=5.5)
    outcome = await play(tmp_path / "chain", own_server, terms, CHAIN)
    sys.stdout.write(f"seed {SEED}: {outcome.kills} kills in {outcome.under_fire:.0f} s\n")
    assert not outcome.faults, f"seed {SEED}, {tmp_path}\n{rows_at_fault(outcome.faults)}"
    assert outcome.kills >= KILLS
    # A campaign that nobody worked under proves nothing.
    assert outcome.counts["children at the venue"] >= KILLS
    assert outcome.counts["executions at the venue"] >= KILLS // 2
