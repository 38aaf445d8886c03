"""A long harness that is told to end leaves nothing running."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.ending import INTERRUPTED

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.embedded
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("command", "at_work"),
    [
        ("tests.fuzz --requests 20000", "spawn_main"),
        pytest.param("bench accept --rounds 1", "bench.load", marks=pytest.mark.campaign),
        pytest.param("tests.failpoints", "forkserver", marks=pytest.mark.campaign),
        pytest.param(
            "tests.chaos --kills 50 --keep {folder}/kept", "nursery", marks=pytest.mark.campaign
        ),
    ],
)
def test_a_harness_that_is_told_to_end_ends_what_it_started(command: str, at_work: str) -> None:
    # A short path: sockets must have one.
    with tempfile.TemporaryDirectory(prefix="sl-") as folder:
        harness = subprocess.Popen(
            [sys.executable, "-m", *command.format(folder=folder).split()],
            cwd=ROOT,
            env={k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | {"TMPDIR": folder},
            stdout=subprocess.DEVNULL,
        )
        try:
            _until_at_work(folder, at_work)
            harness.send_signal(signal.SIGTERM)
            assert harness.wait(60) == INTERRUPTED
            assert _left_of(folder) == {}
            # The package that starts PostgreSQL leaves its lock, an empty file.
            assert set(os.listdir(folder)) <= {".lockfile", "kept"}
        finally:
            harness.kill()
            harness.wait()
            for pid in _started_with(folder):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _until_at_work(folder: str, word: str) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        commands = _started_with(folder).values()
        if all(any(each in one for one in commands) for each in (word, "postgres")):
            return
        time.sleep(0.1)
    raise TimeoutError(f"no {word} among {commands}")


def _left_of(folder: str, seconds: float = 5) -> dict[int, str]:
    """A server of forks hears of its parent's end a moment later."""
    deadline = time.monotonic() + seconds
    while (left := _started_with(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _started_with(folder: str) -> dict[int, str]:
    """Processes that inherited the folder, by their number: what each was called as."""
    found: dict[int, str] = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"TMPDIR={folder}\0".encode() in (place / "environ").read_bytes():
                command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found[int(place.name)] = command
    return found
