"""Commands in processes that have loaded the libraries already: forks of one that did.

What is forked has none of our own modules but those that every command loads, so each command still
finds its own by itself; spared is the second that numpy, polars and the like take to be read.
"""

import atexit
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

LIBRARIES = (
    "alembic.command", "asyncpg", "exchange_calendars", "httpx", "matplotlib.figure", "numpy",
    "polars", "pydantic_settings", "rich.console", "rich.progress", "rich.table", "rich.text",
    "sqlalchemy.dialects.postgresql", "sqlalchemy.ext.asyncio", "structlog", "uvicorn",
    "websockets.sync.client", "app.cli.program",
)  # fmt: skip
ROOT = Path(__file__).parents[2]


class Slow(Exception):
    """A command did not end in time; it was killed."""


def command(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: float
) -> tuple[int, str, str]:
    """Run one; its exit code, what it wrote, and its complaints. Raises Slow."""
    with (
        tempfile.NamedTemporaryFile() as out,
        tempfile.NamedTemporaryFile() as err,
        socket.socket(socket.AF_UNIX) as line,
    ):
        line.connect(_nursery())
        asked = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": str(folder),
            "out": out.name,
            "err": err.name,
        }
        line.sendall(json.dumps(asked).encode() + b"\n")
        line.settimeout(seconds)
        with line.makefile() as answers:
            pid = int(answers.readline())
            try:
                code = answers.readline()
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise Slow(f"{arguments}: {err.read().decode()}") from None
        told = out.read().decode(), err.read().decode()
        assert code, f"{arguments} died: {told}"
        return int(code), *told


@cache
def _nursery() -> str:
    """Where the one of this process listens; it ends with us."""
    folder = tempfile.mkdtemp(prefix="sl-")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.warm", f"{folder}/socket"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.stdout.close()
    atexit.register(_end, process, folder)
    return f"{folder}/socket"


def _end(process: "subprocess.Popen[bytes]", folder: str) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait(10)
    os.rmdir(folder)


def main(path: str) -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen()
        # Nobody waits for the dead: they have told their code themselves.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.write(1, b"ready\n")
        while 0 not in (ready := select.select([0, door], [], [])[0]):
            assert ready == [door]
            line, _ = door.accept()
            if not os.fork():
                door.close()
                live(line)
            line.close()
    os.unlink(path)


def live(line: socket.socket) -> NoReturn:
    """Be the command that was asked for."""
    line.sendall(f"{os.getpid()}\n".encode())
    asked = json.loads(line.makefile().readline())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = 1
    try:
        _become(asked)
        code = _run()
    except BaseException:  # As Python ends by itself.
        traceback.print_exc()
    finally:
        for last in threading._shutdown, atexit._run_exitfuncs:
            try:
                last()
            except BaseException:  # As Python ends: it tells, and goes on.
                traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        line.sendall(f"{code}\n".encode())
        os._exit(code)


def _become(asked: Mapping[str, Any]) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    out, err = (os.open(asked[name], os.O_WRONLY | os.O_APPEND) for name in ("out", "err"))
    for old, new in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(old, new)
        os.close(old)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, errors="backslashreplace")  # noqa: SIM115
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.argv = ["slipstream", *asked["arguments"]]
    # The program's name in its messages comes from the first argument, as in the installed script.
    sys.modules["__main__"].__package__ = None


def _run() -> int:
    from app.cli import main as slipstream

    try:
        slipstream()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


if __name__ == "__main__":
    main(sys.argv[1])
