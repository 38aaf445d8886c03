"""A server that has just started is still busy: its supervisor has a spare worker made ready twenty
seconds after the last start of a process, a second of work beside whatever is measured."""

import asyncio
import time
from pathlib import Path

from bench.figure import Setting
from bench.machine import cpu_seconds
from bench.servers import Server

PATIENCE_SECONDS = 90.0
_QUIET_SECONDS = 2.0
_QUIET_LOAD = 0.05


async def settled(server: Server, setting: Setting) -> None:
    """Wait until the server's spare worker waits. Raises TimeoutError. A trial of a small size
    judges no times, and waits for nothing."""
    if setting.size < 1:
        return
    supervisor = _parent(server.pids["api"])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        before = _spent_by_spare(supervisor)
        await asyncio.sleep(_QUIET_SECONDS)
        after = _spent_by_spare(supervisor)
        if before and after and after - before <= _QUIET_LOAD * _QUIET_SECONDS:
            return
    raise TimeoutError("the server made no spare worker ready")


def _spent_by_spare(supervisor: int) -> float | None:
    """Processor seconds of the spare worker so far; None where there is none."""
    for found in Path("/proc").glob("[0-9]*"):
        pid = int(found.name)
        try:
            command = (found / "cmdline").read_bytes().split(b"\0")
            if b"--wait" in command and _parent(pid) == supervisor:
                return cpu_seconds(pid)
        except OSError:
            continue  # Gone meanwhile.
    return None


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
