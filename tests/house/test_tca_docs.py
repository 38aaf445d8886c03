"""Every command of docs/tca.md runs, in its order, against a real server; its tables are whole."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import pytest

from app.domain.alerts import RULES
from app.engine.marking import AFTER_CLOSE, NO_QUOTE
from app.settings import PREFIX, Settings
from tests.house.test_docs import ROOT, blocks
from tests.server import running_server

DOCUMENT = "docs/tca.md"


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_every_command_runs(tmp_path: Path, database_url: str) -> None:
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    folder = tmp_path / ".slipstream"
    async with running_server(folder, database_url, SPEED="600", HOLD="false") as server:
        script = "set -euo pipefail\n" + "\n".join(blocks(DOCUMENT, "sh"))
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-c", script.replace("http://127.0.0.1:8000", server.url)],
            cwd=tmp_path,
            env={k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for words in ("opportunity", '"group_by":"symbol"', "ordered_notional", '"step_seconds":60'):
        assert words in done.stdout, f"no {words} in\n{done.stdout[-3000:]}"
    order, day = (tmp_path / "order.html").read_text(), (tmp_path / "day.html").read_text()
    assert order.count("<svg") == 3
    assert "buy 1,200 ACME" in order
    assert "Executions of" in day


def test_rules_settings_and_reasons_are_named() -> None:
    text = (ROOT / DOCUMENT).read_text()
    named = set(re.findall(rf"{PREFIX}(\w+)", text))
    assert named <= {name.upper() for name in Settings.model_fields}
    documented = set(re.findall(r"`(\w+)`", text))
    assert {"failed_orders", "slow_execution", AFTER_CLOSE, NO_QUOTE} <= documented
    assert {"failed_orders", "slow_execution"} <= {rule.name for rule in RULES}
