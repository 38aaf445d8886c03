"""The same store on a PostgreSQL that we did not bring: Debian's, started for this run."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import run_sql, with_database
from tests.server import running_server

ROOT = Path(__file__).parents[2]
VERSIONS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4]))

pytestmark = [
    pytest.mark.external,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("external"),
    pytest.mark.skipif(
        not VERSIONS or os.geteuid() != 0,
        reason="needs Debian's PostgreSQL (make debian), and root to run it as another user",
    ),
]


@pytest.fixture(scope="module")
def external_url() -> Iterator[str]:
    """A server of the newest Debian PostgreSQL here, on a socket in a folder of its own."""
    bin_ = VERSIONS[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="slipstream-external-pg-"))
    shutil.chown(folder, "nobody", "nogroup")
    data = folder / "data"
    as_nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    subprocess.run(
        [*as_nobody, bin_ / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "utf8"],
        check=True,
        capture_output=True,
    )
    options = f"-c listen_addresses='' -k {folder} -c fsync=off"
    control = [*as_nobody, bin_ / "pg_ctl", "-D", data, "-w"]
    subprocess.run(
        [*control, "-o", options, "-l", folder / "log", "start"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    yield f"postgresql://postgres@/postgres?host={folder}"
    subprocess.run([*control, "-m", "fast", "stop"], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder)


AGAIN = ("tests/store", "tests/house/test_upgrades.py", "tests/house/test_schemas.py")


def test_the_store_passes_on_it(external_url: str) -> None:
    """Every test of the store, of group commit, of backups and schemas, once more."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-m", "not slow", *AGAIN),
        ],
        cwd=ROOT,
        env=os.environ | {"SLIPSTREAM_TEST_DATABASE_URL": external_url},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "passed" in done.stdout


async def test_an_order_is_worked_on_it(external_url: str, tmp_path: Path) -> None:
    await run_sql(external_url, "CREATE DATABASE slipstream")
    url = with_database(external_url, "slipstream")
    async with running_server(tmp_path / "d", url) as server:
        order = await server.post(
            "/orders",
            {"symbol": "ACME", "side": "buy", "qty": "2000", "algo": "vwap", "duration": "30m"},
        )
        await server.clock(held=False)
        assert (await server.done(order["id"]))["status"] == "filled"
        await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "app.cli", "audit"],
            env=os.environ | {"SLIPSTREAM_DATA_DIR": str(tmp_path / "d"), "DATABASE_URL": url},
            check=True,
            capture_output=True,
        )
