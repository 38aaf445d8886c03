"""Starts workers and APIs as forks of a process that has imported everything already.

What is killed is as real as any process; only the second it takes Python to import is spared, so
that thousands of kills fit into an hour. It reads a line of JSON for each start, `{"role",
"environment", "log"}`, and answers `started PID`, and later `ended PID CODE`.
"""

import importlib
import json
import os
import select
import signal
import sys
import traceback
from typing import Any


def preload() -> None:
    """Import what a worker and an API import."""
    from app import plugins

    importlib.import_module("app.api.app")
    importlib.import_module("app.main")
    plugins.find("app.feeds", "FEED", "open_feed")
    plugins.find("app.brokers", "BROKER", "open_broker")


def live(start: dict[str, Any]) -> int:
    """Be the process that was asked for; the exit code."""
    from app.main import configure_logging, run_role
    from app.settings import Settings

    log = os.open(start["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for old, new in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(old, new)
    os.environ.clear()
    os.environ.update(start["environment"])
    settings = Settings()
    assert settings.database_url is not None, "the house hands its database over"
    configure_logging(settings)
    return run_role(settings, settings.database_url, start["role"], child=True)


def bear(start: dict[str, Any], woken: tuple[int, int]) -> int:
    """Fork; the child never returns from here."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in woken:
            os.close(descriptor)
        code = live(start)
    except BaseException:  # The last thing this process does is to say why.
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def buried() -> list[str]:
    """A line for every child that has ended."""
    said: list[str] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return said
        if pid == 0:
            return said
        said.append(f"ended {pid} {os.waitstatus_to_exitcode(status)}")


def main() -> None:
    preload()
    woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(woken[1], warn_on_full_buffer=False)
    say("ready")
    read = b""
    while True:
        ready, _, _ = select.select([0, woken[0]], [], [])
        if 0 in ready:
            more = os.read(0, 65_536)
            if not more:
                return
            *lines, read = (read + more).split(b"\n")
            for line in lines:
                say(f"started {bear(json.loads(line), woken)}")
        if woken[0] in ready:
            os.read(woken[0], 4_096)
        for line_of_dead in buried():
            say(line_of_dead)


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main()
