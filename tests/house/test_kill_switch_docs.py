"""Every command of docs/kill-switches.md runs, in its order, against a real server."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from tests.house.test_docs import ROOT, blocks
from tests.server import running_server

DOCUMENT = "docs/kill-switches.md"


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_every_command_runs_and_leaves_nothing_thrown(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    folder = tmp_path / ".slipstream"
    async with running_server(folder, None, SPEED="600", HOLD="false") as server:
        script = "set -euo pipefail\n" + "\n".join(blocks(DOCUMENT, "sh"))
        script = script.replace("http://127.0.0.1:8000", server.url)
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-c", script.replace("curl -s ", "curl -sf ")],
            cwd=tmp_path,
            env={k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        for words in (
            "symbol:GLOBEX is thrown (halt) through the server",
            "news pending",
            "symbol:GLOBEX is released",
            '"open_orders":0',
            "strategy:momentum is thrown (cancel) through the database",
            '"group_by":"symbol"',
        ):
            assert words in done.stdout, f"no {words} in\n{done.stdout[-3000:]}"
        assert await server.get("/risk/kill-switches") == {"items": []}
