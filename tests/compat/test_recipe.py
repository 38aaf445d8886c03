"""docs/alpaca.md: its program, changed by its one line, runs against a real server."""

import asyncio
import os
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.api.alpaca.shown import State, status_word
from app.domain.lifecycle import OrderStatus
from tests.house.test_docs import ROOT, blocks
from tests.server import Server, running_server

DOCUMENT = "docs/alpaca.md"


def changed(program: str, change: str) -> str:
    """A program after a diff: each `-` line stands in it once, and becomes the `+` lines."""
    groups: list[tuple[str, list[str]]] = []
    for line in change.splitlines():
        if line.startswith("-"):
            groups.append((line[1:], []))
        else:
            assert line.startswith("+"), line
            groups[-1][1].append(line[1:])
    for old, new in groups:
        assert program.splitlines().count(old) == 1, old
        program = program.replace(old, "\n".join(new))
    return program


async def run(server: Server, folder: Path, script: str) -> str:
    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", "set -euo pipefail\n" + script.replace("http://127.0.0.1:8000", server.url)],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_one_line_makes_it_vwap(tmp_path: Path, database_url: str) -> None:
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    [program], [script] = blocks(DOCUMENT, "python"), blocks(DOCUMENT, "sh")
    one_line, instructed = blocks(DOCUMENT, "diff")
    assert one_line.count("\n") == 2
    async with running_server(
        tmp_path / ".slipstream", database_url, SPEED="3000", HOLD="false"
    ) as server:
        program = changed(program, one_line).replace("http://127.0.0.1:8000", server.url)
        (tmp_path / "buy.py").write_text(program)
        printed = await run(server, tmp_path, script)
        first, again, shown = printed.splitlines()
        assert first.split()[0] == again.split()[0]
        assert '"algorithm":"VWAP"' in shown
        order_id = first.split()[0]
        assert (await server.get(f"/orders/{order_id}"))["algo"] == "vwap"
        done = await server.done(order_id)
        assert (done["status"], done["filled"]) == ("filled", "2000")
        # The second change, and the file that is to be copied.
        shutil.copy(ROOT / "docs/examples/algo_orders.py", tmp_path)
        text = changed(program, instructed).replace("buy-acme-1", "buy-acme-2")
        (tmp_path / "buy.py").write_text(text)
        key = "\n".join(script.splitlines()[:3])
        second = (await run(server, tmp_path, key.replace("--default-algo vwap", ""))).split()[0]
        assert (await server.get(f"/orders/{second}"))["max_participation"] == "0.1"


def test_the_table_of_words_is_what_the_code_says() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", (ROOT / DOCUMENT).read_text(), re.MULTILINE)
    told = {ours: words for ours, words in rows if ours in list(OrderStatus)}
    assert set(told) == {status.value for status in OrderStatus}

    def state(status: OrderStatus, **fields: Any) -> State:
        usual: dict[str, Any] = {"filled": Decimal(0), "canceling": False}
        return State(
            status=status, qty=Decimal(9), filled_notional=Decimal(0), at=0, **usual | fields
        )

    for status in OrderStatus:
        if status is OrderStatus.CLOSING:
            assert status_word(state(status, canceling=True)) in told[status]
            continue
        assert told[status].startswith(f"`{status_word(state(status))}`")
        canceling = status_word(state(status, canceling=True))
        assert f"`{canceling}`" in told[status] or status is OrderStatus.WORKING
    assert status_word(state(OrderStatus.WORKING, filled=Decimal(1))) in told["working"]
