"""Starts the database, then an API and a worker process, and keeps them alive."""

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType

import structlog
from pydantic import SecretStr

from app.settings import NONE, Settings
from app.spare import Spare
from app.store.embedded import Embedded
from app.store.leases import owner_name
from app.succession import free_leases
from app.wiring import check_plugins, ensure_admin_key

log = structlog.get_logger()

LOOK_SECONDS = 0.05
RESTART_SECONDS = 0.5
"""Between an early death and the next try; who has lived is replaced at once."""

STOP_SECONDS = 10.0
FREE_SECONDS = 1.0
"""Waited at our own end for the leases of a process that did not give them back."""

DATABASE_LOOK_SECONDS = 1.0
EARLY_SECONDS = 10.0
"""Who dies younger never really lived; a busy machine takes seconds to start one."""

SETTLED_SECONDS = 20.0
"""After the last start: from then on a spare worker is made ready."""

KILLED = (-signal.SIGKILL, -signal.SIGTERM)
"""Ended by somebody else, not by itself: starting again helps."""

WORKER = "worker"

LIVE_FEEDS = ("synthetic-live", "alpaca")

EARLY_DEATHS = 5
"""So many in a row, and starting again does not help."""


@dataclass(frozen=True)
class Prepared:
    """A migrated database; `server` is the embedded one, which is ours to keep alive."""

    url: str
    server: Embedded | None = None


@dataclass(frozen=True)
class Child:
    """A process that was started, after so many early deaths of its predecessors. `owner` is the
    name a worker's leases are under, which no other process ever had or will have."""

    process: subprocess.Popen[bytes]
    started: float
    early_deaths: int
    owner: str | None = None

    def early(self, now: float) -> bool:
        return now - self.started < EARLY_SECONDS

    def deaths(self, now: float) -> int:
        """Early deaths in a row, with this one's."""
        failed = self.early(now) and self.process.returncode not in KILLED
        return self.early_deaths + 1 if failed else 0


class Supervisor:
    """A database server and two child processes; one that dies is started again."""

    def __init__(self, settings: Settings) -> None:
        port = settings.port or free_port(settings.host)
        self._settings = settings.model_copy(update={"port": port})
        self._children: dict[str, Child] = {}
        self._spare: Spare | None = None
        self._looked = -DATABASE_LOOK_SECONDS
        self._database_lives = True
        self._stopping = False
        self._code = 0

    def run(self) -> int:
        """Until SIGTERM or SIGINT; the exit code, 1 when a child cannot be kept alive."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        # A name that nobody has must not restart a worker for ever.
        check_plugins(self._settings)
        with prepare_database(self._settings) as database:
            key = admin_key(self._settings, database.url)
            announce(self._settings, database.url)
            for name in process_names(self._settings.workers):
                self._start(name, database.url)
            _greet(self._settings, key)
            if self._settings.spare_worker:
                self._spare = Spare(self._environment(database.url))
            while not self._stopping:
                self._revive(database)
                self._keep_spare()
                time.sleep(LOOK_SECONDS)
            self._end(database.url)
        return self._code

    def _start(self, name: str, url: str, early_deaths: int = 0) -> None:
        role, mark = name.partition(" ")[0], secrets.token_hex(8)
        process = self._spare.take(mark) if role == WORKER and self._spare is not None else None
        if process is None:
            command = [sys.executable, "-m", "app.main", role, "--mark", mark]
            process = subprocess.Popen(command, env=self._environment(url))
        # The process id alone may be somebody else's by the time this one is found dead.
        owner = owner_name(socket.gethostname(), process.pid, mark) if role == WORKER else None
        self._children[name] = Child(process, time.monotonic(), early_deaths, owner)
        log.info("started", role=name, pid=process.pid)

    def _environment(self, url: str) -> dict[str, str]:
        return os.environ | environment_of(self._settings, url)

    def _keep_spare(self) -> None:
        """Not while somebody starts, or dies again and again: those need the machine more."""
        last = max(child.started for child in self._children.values())
        if self._spare is not None and time.monotonic() - last > SETTLED_SECONDS:
            self._spare.keep()

    def _revive(self, database: Prepared) -> None:
        dead = {n: c for n, c in self._children.items() if c.process.poll() is not None}
        for name, child in dead.items():
            self._free(name, child, database.url)
        self._revive_database(database.server)
        # Without a database a new child would only die again, and be counted for it.
        if self._database_lives:
            for name, child in dead.items():
                if not self._stopping:
                    self._replace(name, child, database.url)

    def _free(self, name: str, child: Child, url: str) -> "threading.Thread | None":
        """Its process was reaped, so it sends nothing more: nobody has to wait for its leases."""
        if child.owner is None:
            return None
        self._children[name] = replace(child, owner=None)
        return free_leases(url, child.owner, float(self._settings.lease_seconds))

    def _revive_database(self, server: Embedded | None) -> None:
        if server is None or time.monotonic() < self._looked + DATABASE_LOOK_SECONDS:
            return
        if not server.alive():
            log.error("database server is gone, starting it again")
            self._database_lives = server.revive()
            if self._database_lives:
                log.info("database server is back")
        self._looked = time.monotonic()

    def _replace(self, role: str, child: Child, url: str) -> None:
        log.error("process ended", role=role, code=child.process.returncode)
        deaths = child.deaths(time.monotonic())
        if deaths >= EARLY_DEATHS:
            # Whoever started us should see it, not find it in a log that grows for ever.
            log.error("process dies again and again, giving up", role=role, times=deaths)
            self._code, self._stopping = 1, True
            return
        if child.early(time.monotonic()):
            time.sleep(RESTART_SECONDS)
        self._start(role, url, deaths)

    def _end(self, url: str) -> None:
        if self._spare is not None:
            self._spare.end()
        for child in self._children.values():
            child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for role, child in list(self._children.items()):
            try:
                child.process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                log.warning("process did not stop, killing it", role=role)
                child.process.kill()
                child.process.wait()
            freeing = self._free(role, child, url) if child.process.returncode else None
            if freeing is not None:
                freeing.join(FREE_SECONDS)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True


def process_names(workers: int) -> list[str]:
    """The processes of one server, each by its role; workers after the first have a number."""
    return [WORKER, *(f"{WORKER} {n}" for n in range(2, workers + 1)), "api"]


@contextmanager
def prepare_database(settings: Settings) -> Iterator[Prepared]:
    """A migrated database: the external one that settings name, else the embedded one."""
    # A third of the time it takes to start, and no worker that is started again needs it.
    from app.store.migrate import migrate

    if settings.database_url is not None:
        asyncio.run(migrate(settings.database_url))
        yield Prepared(settings.database_url)
        return
    server = Embedded(settings.data_dir.resolve())
    try:
        asyncio.run(server.answers())
        asyncio.run(server.tune())
        asyncio.run(migrate(server.url))
        yield Prepared(server.url, server)
    finally:
        server.stop()


def admin_key(settings: Settings, url: str) -> str:
    """The admin key of this data directory; the first start makes it."""
    path = settings.data_dir / "admin.key"
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = path.read_text().strip() if path.exists() else None
    key = asyncio.run(ensure_admin_key(url, key))
    _write_private(settings, "admin.key", key + "\n")
    return key


def announce(settings: Settings, url: str) -> None:
    """Tell the command line where the server is."""
    told = {"url": base_url(settings), "pid": os.getpid(), "database_url": url}
    _write_private(settings, "server.json", json.dumps(told) + "\n")


def environment_of(settings: Settings, url: str) -> dict[str, str]:
    """What a child process needs to read the same settings."""
    told = {
        f"SLIPSTREAM_{name.upper()}": _as_variable(value)
        for name, value in settings.model_dump(exclude={"database_url"}).items()
    }
    return told | {"DATABASE_URL": url}


def _as_variable(value: object) -> str:
    if value is None:
        return NONE
    if isinstance(value, SecretStr):
        # Masked, it would reach nobody; who may read this environment may read ours.
        return value.get_secret_value()
    return ",".join(value) if isinstance(value, tuple) else str(value)


def base_url(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    return f"http://{host}:{settings.port}"


def free_port(host: str) -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _write_private(settings: Settings, name: str, text: str) -> None:
    path = settings.data_dir / name
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)  # The mode above is for a new file only.
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _greet(settings: Settings, key: str) -> None:
    """The first thing a user pastes. The key itself is in a file only its owner reads."""
    url, path = base_url(settings), settings.data_dir / "admin.key"
    symbol = "AAPL" if settings.feed == "alpaca" else "ACME"
    pace = "now" if settings.feed in LIVE_FEEDS else f"at {settings.speed} times real time"
    sys.stdout.write(
        f"\nSlipstream is at {url}: {settings.feed} market {pace}, {settings.broker} broker."
        f"\nThe API page is at {url}/docs. A first order:\n\n"
        f'  curl {url}/orders -H "Authorization: Bearer $(cat {path})" \\\n'
        f'    --json \'{{"symbol": "{symbol}", "side": "buy", "qty": "500",'
        ' "algo": "twap", "duration": "10m", "params": {"slices": 5}}\'\n'
    )
    sys.stdout.flush()
