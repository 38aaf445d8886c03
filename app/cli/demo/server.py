"""A real server of its own for the demo, in a temporary directory, stopped at the end."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.cli.client import Client
from app.cli.exits import Exit, Failure
from app.cli.place import Place

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
_LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class DemoServer:
    """A running server and what it wrote about itself."""

    place: Place
    database_url: str
    ledger: Path


@contextmanager
def running(settings: dict[str, str]) -> Iterator[DemoServer]:
    """Start the server, wait until it is ready, stop it and remove its data afterwards.

    `settings` are without their SLIPSTREAM_ prefix. Raises Failure; the end of the server's log
    goes to stderr then.
    """
    with tempfile.TemporaryDirectory(prefix="slipstream-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with (folder / "server.log").open("wb") as log:
            process = _start(folder, settings, log.fileno())
            try:
                yield _ready(process, folder)
            except Exception:
                _tell_log(folder)
                raise
            finally:
                _stop(process, folder)


def _start(folder: Path, settings: dict[str, str], log: int) -> "subprocess.Popen[bytes]":
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SLIPSTREAM_") and name != "DATABASE_URL"
    }
    # The embedded PostgreSQL keeps a lock file in the temporary directory: there it goes with it.
    inherited["TMPDIR"] = str(folder)
    given = settings | {"DATA_DIR": str(folder / "data"), "HOST": "127.0.0.1", "PORT": "0"}
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve"],
        env=inherited | {f"SLIPSTREAM_{name}": value for name, value in given.items()},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        # Not the user's folder: a .env there is not for the demo. Not the terminal's group
        # either: Ctrl-C reaches us, and we stop the server in order.
        cwd=folder,
        start_new_session=True,
    )


def _ready(process: "subprocess.Popen[bytes]", folder: Path) -> DemoServer:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Failure(Exit.FAILED, f"the server ended at its start, code {process.returncode}")
        server = _told(folder)
        if server is not None and _answers(server.place):
            return server
        time.sleep(0.05)
    raise Failure(Exit.FAILED, f"the server was not ready after {READY_SECONDS:.0f} s")


def _told(folder: Path) -> DemoServer | None:
    data = folder / "data"
    try:
        told = json.loads((data / "server.json").read_text())
        key = (data / "admin.key").read_text().strip()
    except (FileNotFoundError, ValueError):
        return None
    return DemoServer(Place(told["url"], key), told["database_url"], data / "paper.sqlite3")


def _answers(place: Place) -> bool:
    with Client(place) as client, suppress(Failure):
        return client.raw("GET", "/readyz").is_success
    return False


def _stop(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # Its session holds what it started, except for the database.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if (folder / "data" / "postgres" / "postmaster.pid").exists():
        from app.store.embedded import Embedded

        Embedded(folder / "data").stop()


def _tell_log(folder: Path) -> None:
    lines = (folder / "server.log").read_text(errors="replace").splitlines()
    print("\n".join(lines[-_LOG_LINES:]), file=sys.stderr)
