"""Every command of docs/backtests.md runs, in its order, against a real server."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import pytest

from app.cli.backtest.execution import execution
from app.settings import PREFIX, Settings
from app.store.backtests import STATES
from tests.house.test_docs import ROOT, blocks
from tests.server import running_server
from tests.tapes.made import bars, write

DOCUMENT = "docs/backtests.md"


@pytest.mark.campaign
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_every_command_runs(tmp_path: Path, database_url: str) -> None:
    write(tmp_path / "XYZ_1min.csv", bars())
    async with running_server(
        tmp_path / ".slipstream", database_url, SPEED="60", HOLD="false"
    ) as it:
        script = "set -euo pipefail\n" + "\n".join(blocks(DOCUMENT, "sh"))
        environment = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
        environment["PATH"] = f"{ROOT / '.venv' / 'bin'}:{environment['PATH']}"
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-c", script.replace("http://127.0.0.1:8000", it.url)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
        )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for words in (
        "20 parents of XYZ on 4 days",
        "crossing − twap",
        '"progress":{',
        "The replay as it was has the children and fills that really happened.",
    ):
        assert words in done.stdout, f"no {words} in\n{done.stdout[-3000:]}"
    assert (tmp_path / "backtest.html").read_text().count("<svg") == 5
    assert len((tmp_path / "backtest.csv").read_text().splitlines()) == 1 + 20 * 3


def test_options_settings_and_states_are_named() -> None:
    text = (ROOT / DOCUMENT).read_text()
    named = set(re.findall(rf"{PREFIX}(\w+)", text))
    assert named <= {name.upper() for name in Settings.model_fields}
    for state in STATES:
        assert f"`{state}`" in text
    options = {name.replace("_", "-") for name in execution.__annotations__}
    told = set(re.findall(r"--([a-z-]+)", text))
    assert options - told <= {"return", "feed-root", "tapes", "as-json"}, options - told
