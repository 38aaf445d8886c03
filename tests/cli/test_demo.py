"""The demo, as a newcomer runs it."""

import os
import signal
import tempfile
from pathlib import Path

import pytest

from app.cli.exits import Exit
from tests.cli.shell import Shell
from tests.fleet import Watch


@pytest.mark.slow
@pytest.mark.embedded
def test_the_demo_runs_through_and_leaves_nothing_behind(tmp_path: Path) -> None:
    watch = Watch()
    # A short path: sockets must have one.
    with tempfile.TemporaryDirectory(prefix="sl-") as temporary:
        said = Shell(tmp_path, tmp_path / "data")("demo", TMPDIR=temporary)
        left = os.listdir(temporary)
    assert said.code == 0, said.err
    assert (left, list(tmp_path.iterdir())) == ([], [])
    assert watch.seconds() < 60
    for words in ("Child orders", "Its fills", "Alerts", "What it cost", "The books are right"):
        assert words in said.out
    assert said.out.count(": filled") == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.campaign)]
)
@pytest.mark.embedded
def test_an_interrupted_demo_stops_what_it_started(tmp_path: Path, number: signal.Signals) -> None:
    with tempfile.TemporaryDirectory(prefix="sl-") as temporary:
        shell = Shell(tmp_path, tmp_path / "data")
        with shell.start("demo", TMPDIR=temporary) as demo:
            assert demo.stdout is not None
            url = next(line for line in demo.stdout if line.startswith("Ready at ")).split()[2]
            demo.send_signal(number)
            assert demo.wait(60) == Exit.INTERRUPTED
        left = os.listdir(temporary)
    assert left == []
    assert shell("health", "--url", url).code == Exit.UNREACHABLE
