"""A house on a PostgreSQL that we did not bring; `make external` runs the rest on it, too."""

import ast
import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import run_sql, with_database
from tests.postgres import VARIABLE, Debian, installed
from tests.server import running_server

ROOT = Path(__file__).parents[2]

NEEDS_DEBIAN = pytest.mark.skipif(not installed(), reason="needs Debian's PostgreSQL (make debian)")


@pytest.fixture
def external_url(tmp_path: Path) -> Iterator[str]:
    """A database of the oldest Debian PostgreSQL here."""
    server = Debian(tmp_path / "server", installed()[0])
    asyncio.run(run_sql(server.url, "CREATE DATABASE slipstream"))
    yield with_database(server.url, "slipstream")
    server.stop()


@NEEDS_DEBIAN
@pytest.mark.external
@pytest.mark.slow
async def test_an_order_is_worked_on_it(external_url: str, tmp_path: Path) -> None:
    async with running_server(tmp_path / "d", external_url) as server:
        order = await server.post(
            "/orders",
            {"symbol": "ACME", "side": "buy", "qty": "2000", "algo": "vwap", "duration": "30m"},
        )
        await server.clock(held=False)
        assert (await server.done(order["id"]))["status"] == "filled"
        told = {"SLIPSTREAM_DATA_DIR": str(tmp_path / "d"), "DATABASE_URL": external_url}
        await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "app.cli", "audit"],
            env=os.environ | told,
            check=True,
            capture_output=True,
        )


def test_a_version_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__],
        env=os.environ | {VARIABLE: "7"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "Debian's PostgreSQL 7 is not in /usr/lib/postgresql/7" in done.stderr


STARTS_IT = re.compile(r"""running_server\([^()]*\bNone\b|\b(Embedded|Bundled)\(|\('demo'""")


def test_only_what_is_about_the_embedded_server_is_left_out_of_make_external() -> None:
    """A house that starts the embedded server of itself is no house that works on any."""
    unmarked = [
        f"{path.name}::{function.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if "pytest.mark.embedded," not in path.read_text()  # Said of the whole file.
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        if STARTS_IT.search(ast.unparse(function))
        if "embedded" not in " ".join(map(ast.unparse, function.decorator_list))
    ]
    assert unmarked == []
