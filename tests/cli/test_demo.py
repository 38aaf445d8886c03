"""The demo, as a newcomer runs it."""

import os
import tempfile
import time
from pathlib import Path

import pytest

from tests.cli.shell import Shell


@pytest.mark.slow
@pytest.mark.xdist_group("command line against a server")
def test_the_demo_runs_through_and_leaves_nothing_behind(tmp_path: Path) -> None:
    begun = time.monotonic()
    # A short path: sockets must have one.
    with tempfile.TemporaryDirectory(prefix="sl-") as temporary:
        said = Shell(tmp_path, tmp_path / "data")("demo", TMPDIR=temporary)
        left = os.listdir(temporary)
    assert said.code == 0, said.err
    assert (left, list(tmp_path.iterdir())) == ([], [])
    assert time.monotonic() - begun < 60
    for words in ("Child orders", "Its fills", "Alerts", "What it cost", "The books are right"):
        assert words in said.out
    assert said.out.count(": filled") == 5
