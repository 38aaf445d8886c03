"""The command that certifies a paper account works, tried on the venue with Alpaca's face."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.certification.__main__ import CHECKS, options_from
from tests.certification.rows import ROWS
from tests.venue.running import RunningVenue, running_venue

ROOT = Path(__file__).parents[2]
MARKET = {"symbols": ["F"], "touch": {"F": ["12.29", "12.31"]}}
ACCOUNT = "paper"


def certified(venue: RunningVenue, **environment: str) -> "subprocess.CompletedProcess[str]":
    told = {
        "SLIPSTREAM_ALPACA_URL": f"{venue.url}/alpaca/{ACCOUNT}",
        "SLIPSTREAM_ALPACA_KEY_ID": f"key-{ACCOUNT}",
        "SLIPSTREAM_ALPACA_SECRET_KEY": f"secret-{ACCOUNT}",
    } | environment
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")}
    command = [sys.executable, "-m", "tests.certification", "alpaca", "--price", "12.30"]
    return subprocess.run(
        command, cwd=ROOT, env=clean | told, capture_output=True, text=True, check=False, timeout=90
    )


@pytest.mark.timeout(120)
def test_an_account_that_behaves_is_certified(tmp_path: Path) -> None:
    with running_venue(tmp_path) as venue:
        # Slower than the first answers are waited for.
        slow = {"chances": {"ack_delay": 1.0}, "delay_ms": [40, 90]}
        venue.behave(ACCOUNT, ids="uuid", **MARKET, **slow)
        told = certified(venue)
        assert told.returncode == 0, told.stdout + told.stderr
        marks = [line[0] for line in told.stdout.splitlines() if line[0] in "✔✘–"]
        assert len(marks) == len(ROWS)
        assert marks.count("✔") == len(CHECKS)
        assert "execution ids are the list's" in told.stdout
        assert "secret" not in told.stdout + told.stderr
        # Nothing of it is left.
        assert venue.rows("SELECT count(*) FROM orders WHERE code = 'accepted'")[0][0] >= 8
        open_now = (
            "SELECT count(*) FROM orders o WHERE code = 'accepted'"
            " AND NOT EXISTS (SELECT 1 FROM ends x WHERE x.order_seq = o.seq)"
        )
        assert venue.rows(open_now) == [(0,)]


@pytest.mark.timeout(120)
def test_an_account_that_does_not_is_not(tmp_path: Path) -> None:
    """Ids that can be used again, and other ids in the list: the first is a failure."""
    with running_venue(tmp_path) as venue:
        odd = {"id_scope": "open_only", "activity_ids": "own"}
        venue.behave(ACCOUNT, ids="uuid", **MARKET, **odd)
        told = certified(venue)
        assert told.returncode == 1, told.stdout + told.stderr
        assert "the id of a canceled order was taken again" in told.stdout
        assert "execution ids differ from the list's" in told.stdout


def test_real_money_is_never_certified() -> None:
    keys = {"SLIPSTREAM_ALPACA_KEY_ID": "k", "SLIPSTREAM_ALPACA_SECRET_KEY": "s"}
    with pytest.raises(SystemExit, match="only a paper account"):
        options_from(keys | {"SLIPSTREAM_ALPACA_URL": "https://api.alpaca.markets"})
    with pytest.raises(SystemExit, match="SECRET_KEY must be set"):
        options_from({"SLIPSTREAM_ALPACA_KEY_ID": "k"})
