"""The process that waits to be a worker: it is told once, and ends with whoever might tell it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.settings import Settings
from app.spare import AGAIN_SECONDS, Spare
from app.supervisor import environment_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


def environment(folder: Path) -> dict[str, str]:
    settings = Settings(_env_file=None, data_dir=folder)
    return os.environ | environment_of(settings, "postgresql://u:p@127.0.0.1:1/nowhere")


def kept(spare: Spare) -> "subprocess.Popen[bytes]":
    spare.keep()
    assert spare._process is not None
    return spare._process


def test_it_becomes_the_worker_it_is_told_to_be_and_another_one_waits(tmp_path: Path) -> None:
    spare = Spare(environment(tmp_path))
    assert spare.take("a") is None
    waiting = kept(spare)
    assert kept(spare) is waiting, "one is enough"
    taken = spare.take("a")
    assert taken is waiting
    # It is a worker now: without a database it does not live.
    assert taken.wait(60) == 1
    another = kept(spare)
    assert another is not waiting
    spare.end()
    assert another.poll() is not None
    spare.end()


def test_one_that_died_is_nobodys_successor_and_is_not_tried_again_at_once(tmp_path: Path) -> None:
    spare = Spare(environment(tmp_path))
    waiting = kept(spare)
    waiting.kill()
    waiting.wait()
    assert spare.take("a") is None
    spare.keep()
    assert spare._process is None, "who cannot live is not started over and over"
    spare._tried_at -= AGAIN_SECONDS
    assert kept(spare).poll() is None
    spare.end()


def test_it_ends_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from app.spare import Spare; s = Spare(os.environ); s.keep();"
        " print(s._process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment(tmp_path), stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
