"""The command line without a server: help, usage, exit codes, and how quickly it starts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.exits import MEANINGS, Exit
from tests.cli.shell import Shell

NOWHERE = "http://127.0.0.1:1"
COMMANDS = (
    "serve", "demo", "order", "orders", "watch", "cancel", "pause", "resume", "keys", "audit",
    "health", "status", "kill", "release", "resolve", "statistics", "data", "report", "why",
    "hooks",
)  # fmt: skip


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, tmp_path / "data")


def test_help_names_every_command_and_every_exit_code(shell: Shell) -> None:
    said = shell("--help", COLUMNS="200")
    assert said.code == 0
    assert all(f" {command} " in said.out for command in COMMANDS)
    words = " ".join(said.out.split())
    assert all(f"{code.value} {says}" in words for code, says in MEANINGS.items())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(shell: Shell, command: str) -> None:
    assert shell(command, "--help").code == 0


def test_help_is_there_at_once(shell: Shell) -> None:
    """Seconds of a processor: what others do on the machine does not count."""
    took = []
    for _ in range(3):
        before = os.times()
        shell.cold("--help")
        after = os.times()
        took.append(sum(after[2:4]) - sum(before[2:4]))
    assert min(took) < 0.5


def test_nothing_heavy_is_loaded_for_client_commands() -> None:
    heavy = {"polars", "pandas", "numpy", "exchange_calendars", "fastapi", "sqlalchemy", "asyncpg"}
    code = (
        "import sys; from app.cli.program import run;"
        f" run(['health', '--url', '{NOWHERE}']); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "httpx" in done.stdout.split()
    assert heavy.isdisjoint(done.stdout.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["orders", "--colour", "red"],
        ["order", "--symbol", "ACME", "--side", "up", "--qty", "1"],
        ["order", "--symbol", "ACME", "--side", "buy"],
        ["order", "--symbol", "ACME", "--side", "buy", "--qty", "1", "--notional", "1"],
        ["order", "--symbol", "ACME", "--side", "buy", "--qty", "1", "--param", "slices"],
        ["cancel"],
        ["cancel", "--all", "x"],
        ["serve", "--role", "king"],
        ["orders", "--url", "not an address"],
        ["orders", "--url", "http://example.org:1"],
    ],
)
def test_wrong_usage_is_one_line_and_code_2(shell: Shell, arguments: list[str]) -> None:
    said = shell(*arguments)
    assert (said.code, said.out) == (Exit.USAGE, "")
    assert said.err.startswith("slipstream: ")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [["orders"], ["watch"], ["cancel", "--all"], ["pause", "x"], ["status"], ["keys", "list"]],
)
def test_a_server_that_is_not_there_is_code_3(shell: Shell, arguments: list[str]) -> None:
    said = shell(*arguments, "--url", NOWHERE, "--key", "slip_a_b")
    assert (said.code, said.out, said.err.count("\n")) == (Exit.UNREACHABLE, "", 1)
    assert NOWHERE in said.err


@pytest.mark.parametrize("arguments", [["orders"], ["health"], ["audit"]])
def test_where_no_server_was_started_is_code_3(shell: Shell, arguments: list[str]) -> None:
    said = shell(*arguments)
    assert (said.code, said.err.count("\n")) == (Exit.UNREACHABLE, 1)


def test_settings_that_cannot_be_are_named_without_their_value(shell: Shell) -> None:
    said = shell("serve", SLIPSTREAM_PORT="a-secret")
    assert said.code == Exit.USAGE
    assert "SLIPSTREAM_PORT" in said.err
    assert "a-secret" not in said.err


def test_the_key_of_this_machine_is_not_shown_to_others(shell: Shell) -> None:
    shell.data.mkdir()
    (shell.data / "admin.key").write_text("slip_a_secret\n")
    (shell.data / "server.json").write_text(json.dumps({"url": NOWHERE}))
    assert shell("orders").code == Exit.UNREACHABLE
    refused = shell("orders", "--url", "http://example.org:1")
    assert refused.code == Exit.USAGE
    assert "SLIPSTREAM_KEY" in refused.err
