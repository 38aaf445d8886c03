"""Processes that have imported everything already: forks of one that did.

What is killed is as real as any process; only the second it takes Python to import is spared.
"""

import importlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

ENDS_SECONDS = 20.0

Target = Callable[[Mapping[str, str], str, str], None]


def forks() -> ForkServerContext:
    """Where `Process` comes from; the first start takes a second, those after it none."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.failpoints.preload"])
    return context


def become(environment: Mapping[str, str], log: str, role: str) -> None:
    """Be the worker or the API that the environment asks for."""
    settings_of(environment, log)
    from app.main import configure_logging, run_role
    from app.settings import Settings

    settings = Settings(_env_file=None)
    assert settings.database_url is not None, "the house hands its database over"
    configure_logging(settings)
    run_role(settings, settings.database_url, role, child=True)


def settings_of(environment: Mapping[str, str], log: str) -> None:
    """Take the environment and the log over, as a process does that was just started."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ.clear()
    os.environ.update(environment)
    from app import failpoints

    # It is read once, at import: which was before this process was born.
    importlib.reload(failpoints)


class Process:
    """One that was started."""

    def __init__(
        self, target: Target, environment: Mapping[str, str], log: Path, role: str
    ) -> None:
        self._process: ForkServerProcess = forks().Process(
            target=target, args=(dict(environment), str(log), role), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def killed(self) -> bool:
        """Whether it ended by SIGKILL."""
        return self._process.exitcode == -signal.SIGKILL

    def stopped(self) -> bool:
        """Whether it stands still."""
        state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "T"

    def send(self, number: int) -> None:
        if self.alive:
            os.kill(self.pid, number)

    def end(self, number: int = signal.SIGTERM) -> None:
        """Signal it and wait until it is gone."""
        self.send(number)
        self._process.join(ENDS_SECONDS)
        assert not self.alive, f"process {self.pid} does not end"

    def wait_killed(self, seconds: float) -> bool:
        """Whether it has ended by SIGKILL within so long."""
        deadline = time.monotonic() + seconds
        self._process.join(max(0.0, deadline - time.monotonic()))
        return self.killed
