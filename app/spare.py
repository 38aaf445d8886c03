"""A process that has imported everything and waits to be a worker.

Most of a take-over is Python reading its own code: seconds on a busy machine. One process that has
done so beforehand, and knows nothing and holds nothing, is told its mark when a worker has died.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping

import structlog

from app.settings import Settings
from app.wiring import check_plugins

log = structlog.get_logger()

AGAIN_SECONDS = 60.0
"""Between two tries to have one: who cannot live is no help, and must not be a burden."""


class Spare:
    """The supervisor's side: at most one process that waits, on the same settings as a worker."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._tried_at = -AGAIN_SECONDS

    def keep(self) -> None:
        """See that there is one."""
        if self._process is not None and self._process.poll() is not None:
            self.end()
        now = time.monotonic()
        if self._process is None and now - self._tried_at >= AGAIN_SECONDS:
            self._tried_at = now
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.main", "worker", "--wait"],
                env=self._environment,
                stdin=subprocess.PIPE,
            )

    def take(self, mark: str) -> "subprocess.Popen[bytes] | None":
        """Have the one that waits be the worker `mark`. None: nobody waits."""
        process, self._process = self._process, None
        if process is None:
            return None
        if _told(process, mark) and process.poll() is None:
            self._tried_at = -AGAIN_SECONDS
            return process
        # Dead already: whoever is needed is started cold.
        _bury(process)
        return None

    def end(self) -> None:
        """Nobody needs it any more."""
        process, self._process = self._process, None
        if process is not None:
            _bury(process)


def _told(process: "subprocess.Popen[bytes]", mark: str) -> bool:
    """Tell it who it is; whether that reached it."""
    assert process.stdin is not None, "it is a pipe"
    try:
        with process.stdin as line:
            line.write(mark.encode())
    except BrokenPipeError:
        return False
    return True


def _bury(process: "subprocess.Popen[bytes]") -> None:
    """It holds nothing and has begun nothing."""
    assert process.stdin is not None, "it is a pipe"
    process.stdin.close()
    process.kill()
    process.wait()


def awaited_mark(settings: Settings) -> str | None:
    """The waiting side: import what a worker needs, and wait. None: whoever might have told us is
    gone, or has no need of us. Raises plugins.PluginError."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # Until it is somebody, it has nothing to put in order.
        signal.signal(number, signal.SIG_DFL)
    # Reads every feed and broker there is, as opening one does.
    check_plugins(settings)
    log.info("spare worker waits")
    return sys.stdin.readline().strip() or None
