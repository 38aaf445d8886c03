"""`slipstream audit --settled`, as its own process."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

AUDIT_SECONDS = 180.0


async def audited(url: str, folder: Path, *ledgers: Path) -> dict[str, Any]:
    """Its report on a database and its ledgers, and `code`."""
    command = [sys.executable, "-m", "app.cli", "audit", "--json", "--settled"]
    command += ["--database", url]
    for ledger in ledgers:
        command += ["--ledger", str(ledger)]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")}
    process = await asyncio.create_subprocess_exec(
        *command,
        env=clean | {"SLIPSTREAM_DATA_DIR": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(AUDIT_SECONDS):
        said, complaint = await process.communicate()
    try:
        report: dict[str, Any] = json.loads(said)
    except json.JSONDecodeError:
        report = {"ok": False, "said": (said + complaint).decode()[-2_000:]}
    return report | {"code": process.returncode}
