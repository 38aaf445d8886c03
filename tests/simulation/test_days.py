"""Five hundred days of faults, and 1,500 more among the campaigns, without one violation;
`make simulate` runs as many as asked for."""

import os
import subprocess
import sys

import pytest

from tests.simulation.campaign import Total, days
from tests.simulation.day import run
from tests.simulation.faults import PLACES, Kind

SEED = 2026
PART = 250
PARTS = [*range(2), *(pytest.param(part, marks=pytest.mark.campaign) for part in range(2, 8))]


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_no_day_breaks_an_invariant(part: int) -> None:
    total, failed = days(SEED, range(part * PART, (part + 1) * PART))
    assert failed is None, str(failed)
    assert total.days == PART
    assert total.parents >= 10 * PART
    assert total.fewest_faults >= 10
    _everything_happened(total)


def _everything_happened(total: Total) -> None:
    """A campaign in which some fault never found its chance would prove less than it says."""
    kinds = {kind.value for kind in Kind} - {Kind.CRASH}
    assert kinds | set(PLACES) == set(total.faults)
    assert {"filled", "canceled", "expired", "needs_operator"} == set(total.ends)
    assert total.children > 20 * PART
    assert total.fills > 20 * PART


def test_the_same_seed_is_the_same_day_in_any_process() -> None:
    ours = run(SEED, 7)[0].hash
    assert run(SEED, 7)[0].hash == ours
    assert run(SEED, 8)[0].hash != ours
    assert run(SEED + 1, 7)[0].hash != ours
    for salt in ("1", "2"):
        command = [sys.executable, "-m", "tests.simulation", "--seed", str(SEED), "--day", "7"]
        told = subprocess.run(
            command,
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"log hash {ours:08x}" in told.stdout


def test_a_campaign_is_the_same_however_many_share_it() -> None:
    whole, _ = days(SEED, range(6))
    halves = Total()
    for start in (0, 1):
        half, _ = days(SEED, range(start, 6, 2))
        halves.merge(half)
    whole.cpu = halves.cpu = 0
    assert halves == whole
