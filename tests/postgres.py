"""The PostgreSQL that a run of tests or a campaign stands on.

The one that comes with the package; or, where SLIPSTREAM_TEST_POSTGRES names a version, Debian's of
that version as a house finds it elsewhere: over TCP, with a password, as a user that may create
databases and nothing more.
"""

import os
import random
import secrets
import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from app.store.embedded import Embedded

VARIABLE = "SLIPSTREAM_TEST_POSTGRES"
DEBIAN = Path("/usr/lib/postgresql")

# Below the ports that clients are given: one that knocks while the server is away must not be
# given this very port and so speak to itself.
PORTS = range(15_000, 30_000)


class Absent(Exception):
    """No such PostgreSQL is installed here."""


class PostgresServer(Protocol):
    """One that runs; houses and rounds lie in `folder`. `url` connects to its default database."""

    folder: Path

    @property
    def url(self) -> str: ...
    async def hurry(self) -> None: ...
    def postmaster(self) -> int: ...
    def alive(self) -> bool: ...
    def revive(self) -> bool: ...
    def stop(self) -> None: ...


class Bundled(Embedded):
    """The embedded one, and who it is."""

    async def hurry(self) -> None:
        """Wait for no disk: a power cut is not what is rehearsed; kill -9 keeps its meaning."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute("ALTER SYSTEM SET fsync = off")
            await connection.execute("SELECT pg_reload_conf()")
        finally:
            await connection.close()

    def postmaster(self) -> int:
        return _pid(self.folder / "postgres")


class Debian:
    """A server of one version, in a temporary folder of its own. Raises Absent."""

    def __init__(self, folder: Path, version: str) -> None:
        self._programs = DEBIAN / version / "bin"
        if not (self._programs / "initdb").is_file():
            raise Absent(absence(version))
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._place = Path(tempfile.mkdtemp(prefix="slipstream-debian-pg-"))
        self._data, self._port = self._place / "data", free_port()
        self._user: list[str] = []
        if os.geteuid() == 0:
            # It refuses to run as root.
            shutil.chown(self._place, "nobody", "nogroup")
            self._user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        password = secrets.token_hex(8)
        self.url = f"postgresql://slipstream:{password}@127.0.0.1:{self._port}/postgres"
        self._make()
        self._start()
        self._admit(password)

    async def hurry(self) -> None:
        """It was started so."""

    def postmaster(self) -> int:
        return _pid(self._data)

    def alive(self) -> bool:
        with suppress(OSError, ValueError, IndexError):
            pid = self.postmaster()
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            return not _dead(pid)
        return False

    def revive(self) -> bool:
        """Try to start a server that died; whether it is there again."""
        with suppress(subprocess.SubprocessError):
            self._start()
            return self.alive()
        return False

    def stop(self) -> None:
        """Stop the server and remove its data."""
        with suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-D", self._data, "-w", "-m", "fast", "stop")
        shutil.rmtree(self._place)

    def _make(self) -> None:
        options = ("--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=utf8")
        self._run("initdb", "-D", self._data, "-U", "postgres", *options)

    def _start(self) -> None:
        told = {
            "listen_addresses": "127.0.0.1",
            "port": self._port,
            "unix_socket_directories": self._place,
            "max_connections": 300,
            "fsync": "off",
        }
        options = " ".join(f"-c {name}={value}" for name, value in told.items())
        log = self._place / "log"
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "30", "-o", options, "-l", log, "start")

    def _admit(self, password: str) -> None:
        role = f"CREATE ROLE slipstream LOGIN CREATEDB NOSUPERUSER PASSWORD '{password}'"
        # No more than a user's own role may, but for tests that empty what nobody may delete from.
        more = "GRANT SET ON PARAMETER session_replication_role TO slipstream"
        asked = ("-c", role, "-c", more)
        self._run("psql", "-h", self._place, "-p", self._port, "-U", "postgres", *asked)

    def _run(self, program: str, *arguments: Any) -> None:
        # Its output into nothing, not a pipe: the server keeps it open and would be waited for.
        subprocess.run(
            [*self._user, self._programs / program, *map(str, arguments)],
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )


def start_server(folder: Path) -> PostgresServer:
    """The server that this run is about. Raises Absent."""
    version = os.environ.get(VARIABLE)
    return Debian(folder, version) if version else Bundled(folder)


def installed() -> list[str]:
    """Versions of Debian's PostgreSQL here, oldest first."""
    found = (path.parts[-3] for path in DEBIAN.glob("*/bin/initdb"))
    return sorted(found, key=int)


def absence(version: str) -> str:
    """What is missing, and what helps."""
    there = ", ".join(installed()) or "none"
    return (
        f"Debian's PostgreSQL {version} is not in {DEBIAN / version} (found: {there})."
        " Install it with `make debian` as root, or name another version: make external VERSION=n"
    )


def _pid(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().splitlines()[0])


def _dead(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return True
    return state == "Z"


def free_port() -> int:
    """A port nobody listens on right now, and none that a client is given before somebody does."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
