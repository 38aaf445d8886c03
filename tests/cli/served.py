"""A server for the command line: as `slipstream demo` starts it, or on a database given to it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from app.cli.client import Client
from app.cli.demo.server import DemoServer, running
from app.cli.exits import Failure
from app.cli.place import Place
from tests.databases import Databases

READY_SECONDS = 90.0


@contextmanager
def served(folder: Path, server_url: str | None, settings: dict[str, str]) -> Iterator[DemoServer]:
    """`settings` are without their SLIPSTREAM_ prefix; `server_url` is a PostgreSQL, if not the
    embedded one."""
    if server_url is None:
        with running(settings) as started:
            yield started
        return
    with (
        closing(Databases(server_url)) as databases,
        databases.fresh("commands") as url,
        _serving(folder, url, settings) as started,
    ):
        yield started


@contextmanager
def _serving(folder: Path, url: str, settings: Mapping[str, str]) -> Iterator[DemoServer]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")}
    given = {f"SLIPSTREAM_{k}": v for k, v in settings.items()}
    where = {"SLIPSTREAM_DATA_DIR": str(folder), "SLIPSTREAM_PORT": "0", "DATABASE_URL": url}
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve"],
        env=inherited | given | where,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _ready(process, folder)
    finally:
        process.terminate()
        process.wait(60)


def _ready(process: "subprocess.Popen[bytes]", folder: Path) -> DemoServer:
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
        if not (folder / "server.json").exists():
            continue
        told = json.loads((folder / "server.json").read_text())
        place = Place(told["url"], (folder / "admin.key").read_text().strip())
        with Client(place) as client:
            try:
                if client.raw("GET", "/readyz").is_success:
                    return DemoServer(place, told["database_url"], folder / "paper.sqlite3")
            except Failure:
                continue
    raise TimeoutError(f"no server in {folder}, its code is {process.poll()}")
