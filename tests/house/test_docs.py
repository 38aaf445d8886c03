"""The documents are true: every command in them runs, every picture is drawn from the tables."""

import asyncio
import os
import re
import subprocess
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import pytest

from app.domain.algorithm import Parameter
from app.domain.algos import BY_NAME
from app.domain.lifecycle import CHILD_MOVES, ORDER_MOVES
from app.domain.risk.limit import LIMITS, Held, Scope
from app.settings import Settings
from app.wiring import open_feed
from tests.server import running_server

ROOT = Path(__file__).parents[2]

# What these start is run by tests of their own, or is the run we are in.
MAKE = {"make demo", "make test", "make run", "make campaigns"}


def blocks(document: str, language: str) -> list[str]:
    text = (ROOT / document).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def picture(moves: Mapping[StrEnum, frozenset[StrEnum]]) -> str:
    """The transition table as a Mermaid state diagram."""
    first = next(iter(moves))
    lines = ["stateDiagram-v2", f"  [*] --> {first}"]
    for status, following in moves.items():
        lines += [f"  {status} --> {later}" for later in sorted(following)]
        if not following:
            lines.append(f"  {status} --> [*]")
    return "\n".join(lines) + "\n"


def test_the_lifecycle_is_drawn_from_the_tables() -> None:
    assert blocks("docs/lifecycle.md", "mermaid") == [picture(ORDER_MOVES), picture(CHILD_MOVES)]


def algorithms_table() -> str:
    """Which algorithm takes which parameter, and what it is unless told."""
    names = sorted(BY_NAME)
    parameters = sorted({p.name for algorithm in BY_NAME.values() for p in algorithm.parameters})
    lines = [f"| parameter | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    for parameter in parameters:
        cells = [cell(BY_NAME[name].parameter(parameter)) for name in names]
        lines.append(f"| {parameter} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def cell(parameter: Parameter | None) -> str:
    if parameter is None:
        return ""
    default = "·" if parameter.default is None else str(parameter.default)
    return default if parameter.mutable else f"{default} *"


def test_the_table_of_parameters_is_that_of_the_algorithms() -> None:
    document = (ROOT / "docs" / "algorithms.md").read_text()
    assert document.endswith(algorithms_table()), algorithms_table()
    for name in BY_NAME:
        assert f"| `{name}` |" in document


@pytest.mark.slow
async def test_every_command_about_algorithms_runs(tmp_path: Path, database_url: str) -> None:
    folder = tmp_path / ".slipstream"
    async with running_server(folder, database_url, SPEED="600", HOLD="false") as server:
        script = "set -euo pipefail\n" + "\n".join(blocks("docs/algorithms.md", "sh"))
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-c", script.replace("http://127.0.0.1:8000", server.url)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout.count('"status":"accepted"') == 2, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("docs/signals.md", ['"decision":"execute"', '"conditions":[{', '"already_there"']),
        ("docs/risk-controls.md", ['"limit":"max_position_qty"', '"changed_by"', '"limit.set"']),
    ],
)
async def test_every_command_about_risk_runs(
    tmp_path: Path, database_url: str, document: str, words: list[str]
) -> None:
    folder = tmp_path / ".slipstream"
    async with running_server(folder, database_url, SPEED="600", HOLD="false") as server:
        script = "set -euo pipefail\n" + "\n".join(blocks(document, "sh")) * 2
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-c", script.replace("http://127.0.0.1:8000", server.url)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert [word for word in words if word not in done.stdout] == [], done.stdout


def limits_table() -> str:
    """The limits there are: what each counts, in which unit, and where it may be set."""
    lines = ["| limit | counts | unit | scopes |", "|---|---|---|---|"]
    for limit in LIMITS.values():
        scopes = "all of them" if limit.scopes == frozenset(Scope) else _named(limit.scopes)
        soft = "" if limit.held in (Held.ORDER, Held.USAGE) else ", hard only"
        lines.append(f"| `{limit.name}` | {limit.counts} | {limit.unit.value}{soft} | {scopes} |")
    return "\n".join(lines) + "\n"


def _named(scopes: frozenset[Scope]) -> str:
    return ", ".join(scope.value for scope in Scope if scope in scopes)


def test_the_table_of_limits_is_that_of_the_catalog() -> None:
    document = (ROOT / "docs" / "risk-controls.md").read_text()
    assert limits_table() in document, limits_table()


def test_what_the_table_of_controls_names_is_there() -> None:
    document = (ROOT / "docs" / "risk-controls.md").read_text()
    rows = [line for line in document.splitlines() if re.match(r"\| C\d+ \|", line)]
    assert len({row.split("|")[1].strip() for row in rows}) == 20
    for row in rows:
        named = re.findall(r"`((?:app|tests)/[^`]+)`", row)
        assert any(name.startswith("app/") for name in named), row
        assert any(name.startswith("tests/") for name in named), row
        for name in named:
            path, _, test = name.partition("::")
            assert (ROOT / path).exists(), path
            assert not test or f"def {test}(" in (ROOT / path).read_text(), name


def test_make_knows_its_targets() -> None:
    for command in MAKE:
        shown = subprocess.run(
            ["make", "-n", *command.split()[1:]], cwd=ROOT, capture_output=True, text=True
        )
        assert shown.returncode == 0, shown.stderr


async def test_the_layout_that_is_shown_can_be_played(tmp_path: Path) -> None:
    (tmp_path / "layout.toml").write_text(blocks("docs/real-data.md", "toml")[0])
    (tmp_path / "xyz.csv").write_text(blocks("docs/real-data.md", "csv")[0])
    settings = Settings(_env_file=None, feed="replay", feed_path=tmp_path / "layout.toml")
    feed = open_feed(settings)
    assert feed.starts_at is not None
    watched = await feed.watch("XYZ", feed.starts_at)
    assert watched is not None
    traded = feed.tape("XYZ").traded(0, watched.sessions[0].closes_at)
    assert traded.volume == 20_000


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_every_command_of_the_readme_runs(tmp_path: Path, home_url: str | None) -> None:
    """In the README's order, in a folder of its own, against the server it tells to start."""
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    folder = tmp_path / ".slipstream"
    async with running_server(folder, home_url, SPEED="600", HOLD="false") as server:
        # One shell, as a reader has one: variables live from block to block.
        commands = [b for b in blocks("README.md", "sh") if b.strip() not in MAKE]
        script = "set -euo pipefail\n" + "\n".join(commands)
        script = script.replace("http://127.0.0.1:8000", server.url)
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-c", script],
            cwd=tmp_path,
            env={k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        for word in ("first-1", '"execute"', "fill.booked", "interval_vwap", "envelope", "slip_"):
            assert word in done.stdout, f"no {word} in\n{done.stdout[-3000:]}"
        program = blocks("README.md", "python")[0].replace("127.0.0.1:8000", server.url[7:])
        listening = await asyncio.to_thread(
            subprocess.run,
            ["timeout", "5", str(ROOT / ".venv" / "bin" / "python"), "-u", "-c", program],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert "@" in listening.stdout, listening.stderr[-2000:]
