"""The kill switch on the command line: with a server, with a dead one, with nothing at all."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from app.cli import kill
from app.cli.exits import Exit
from app.engine import kill_switches
from tests.cli.shell import Said, Shell
from tests.server import Server, running_server

pytestmark = pytest.mark.slow

LIMIT = {"symbol": "ACME", "side": "buy", "qty": "300", "algo": "limit", "limit_price": "97.00"}


async def run(shell: Shell, *arguments: str) -> Said:
    return await asyncio.to_thread(shell, *arguments)


async def thrown(shell: Shell, *how: str) -> list[tuple[str, str, str]]:
    listed = await run(shell, "kill", "--list", "--json", *how)
    assert listed.code == Exit.OK, listed.err
    return [(s["scope"], s["name"], s["level"]) for s in listed.json]


async def entered(server: Server) -> str:
    order = await server.post("/orders", LIMIT)
    order_id: str = order["id"]
    await server.until(order_id, lambda order: order["working"] == "300")
    return order_id


@pytest.mark.campaign
@pytest.mark.timeout(180)
async def test_from_a_living_server_to_none_at_all(tmp_path: Path, home_url: str | None) -> None:
    """One story on one database: each stage finds what the one before has thrown."""
    data = tmp_path / "data"
    shell = Shell(tmp_path, data)
    async with running_server(data, home_url, SPEED="60", HOLD="false") as server:
        first = await entered(server)
        said = await run(shell, "kill", "--symbol", "ACME", "--reason", "news", "--level", "cancel")
        assert (said.code, said.err) == (Exit.OK, "")
        assert said.out == "symbol:ACME is thrown (cancel) through the server;" + (
            " it bears on 1 open orders\n"
        )
        assert (await server.done(first))["reason"] == "kill_switch:symbol:ACME"
        assert await thrown(shell) == [("symbol", "ACME", "cancel")]
        assert (await server.client.post("/orders", json=LIMIT)).status_code == 409
        assert (await run(shell, "release", "--symbol", "ACME", "--reason", "over")).code == Exit.OK
        again = await run(shell, "release", "--symbol", "ACME")
        assert (again.code, "unknown_kill_switch" in again.err) == (Exit.REFUSED, True)
        slip = await run(shell, "kill", "--symbol", "acme", "--reason", "slip")
        assert (slip.code, "nothing here is called symbol 'acme'" in slip.err) == (Exit.OK, True)
        assert (await run(shell, "release", "--symbol", "acme")).code == Exit.OK

        # The API hangs: the switch goes to the database, and the worker obeys it.
        second = await entered(server)
        server.kill("api", signal.SIGSTOP)
        try:
            said = await run(shell, "kill", "--level", "cancel", "--reason", "hangs", "--json")
        finally:
            server.kill("api", signal.SIGCONT)
        assert said.code == Exit.OK, said.err
        assert "throwing the switch in the database" in said.err
        assert said.json["changed_by"].startswith("direct")
        assert (await server.done(second))["reason"] == "kill_switch:all:*"

        # A server elsewhere that does not answer is not ours to replace.
        other = await run(
            shell, "kill", "--url", "http://127.0.0.1:1", "--key", "k", "--reason", "x"
        )
        assert other.code == Exit.UNREACHABLE
        assert await thrown(shell, "--direct") == [("all", "*", "cancel")]
    # Everything is stopped, the embedded PostgreSQL too; server.json still says where it was.
    for command in ("kill", "--list"), ("release", "--all"):
        away = await run(shell, *command)
        assert (away.code, "cannot reach http" in away.err) == (Exit.UNREACHABLE, True)
        assert "--direct goes straight to its database" in away.err
        elsewhere = await run(shell, *command, "--url", "http://127.0.0.1:1", "--key", "k")
        assert (elsewhere.code, "--direct" in elsewhere.err) == (Exit.UNREACHABLE, False)
    assert await thrown(shell, "--direct") == [("all", "*", "cancel")]
    released = await run(shell, "release", "--all", "--direct")
    assert (released.code, released.out) == (Exit.OK, "all:* is released\n")
    said = await run(shell, "kill", "--account", "main", "--reason", "before the start")
    assert "through the database" in said.out, said.err
    typo = await run(shell, "kill", "--account", "mian", "--reason", "x", "--direct")
    assert (typo.code, "unknown_account" in typo.err) == (Exit.REFUSED, True)
    async with running_server(data, home_url, SPEED="60", HOLD="false") as server:
        refused = await server.client.post("/orders", json=LIMIT)
        while refused.status_code == 503:  # A worker that is slow to tell the time.
            await asyncio.sleep(0.5)
            refused = await server.client.post("/orders", json=LIMIT)
        assert refused.status_code == 409, refused.text
        assert refused.json()["name"] == "main", refused.text
        statistics = await run(shell, "statistics", "--json")
        assert statistics.json["total"]["by_status"] == {"canceled": 2}
        assert (await run(shell, "statistics", "--group-by", "algo")).code == Exit.OK
        nobody = await run(
            shell, "resolve", second, "x-1", "--outcome", "absent", "--reason", "phone"
        )
        assert (nobody.code, "unknown_child" in nobody.err) == (Exit.REFUSED, True)


@pytest.mark.timeout(180)
async def test_what_is_held_is_closed(tmp_path: Path, database_url: str) -> None:
    data = tmp_path / "data"
    shell = Shell(tmp_path, data)
    async with running_server(data, database_url, SPEED="60", HOLD="false") as server:
        bought = {"symbol": "ACME", "side": "buy", "qty": "200", "algo": "market"}
        order_id = (await server.post("/orders", bought))["id"]
        assert (await server.done(order_id))["filled"] == "200"
        said = await run(shell, "kill", "--level", "flatten", "--reason", "drill")
        assert said.code == Exit.OK, said.err
        assert "all:* is thrown (flatten) through the server" in said.out
        assert "main: 200 ACME stand open: " in said.out
        async with asyncio.timeout(30):
            while (await run(shell, "kill", "--list", "--json")).json[0]["standing"]:
                await asyncio.sleep(0.1)
        told = (await server.get("/orders"))["items"]
        assert [(o["role"], o["side"], o["filled"]) for o in told if o["reduce_only"]] == [
            ("flatten", "sell", "200")
        ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("kill", "--account", "a", "--symbol", "b", "--reason", "x"), "give one of"),
        (("kill", "--level", "burn", "--reason", "x"), "burn"),
        (("release",), "give one of"),
        (("release", "--all", "--symbol", "b"), "give one of"),
        (("resolve", "a", "b", "--outcome", "filled", "--reason", "x"), "filled"),
    ],
)
def test_wrong_usage_throws_nothing(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    said = Shell(tmp_path, tmp_path / "data")(*arguments)
    assert said.code == Exit.USAGE
    assert words in said.err


def test_without_any_database_it_says_so(tmp_path: Path) -> None:
    said = Shell(tmp_path, tmp_path / "data")("kill", "--reason", "x")
    assert said.code == Exit.UNREACHABLE
    assert "there is no database" in said.err
    assert not os.path.exists(tmp_path / "data" / "postgres")


def test_the_command_knows_every_level() -> None:
    assert [level.value for level in kill.Level] == [level.value for level in kill_switches.Level]
