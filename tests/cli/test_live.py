"""The command line against a real server: its processes, its PostgreSQL, its stream."""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli.client import Client
from app.cli.demo.server import DemoServer
from app.cli.exits import Exit
from tests.cli.served import served
from tests.cli.shell import Shell
from tests.databases import run_sql

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(
    home_server: str | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DemoServer]:
    settings = {"SPEED": "600", "FEED_SEED": "7", "SYMBOLS": "COINX"}
    with served(tmp_path_factory.mktemp("server"), home_server, settings) as started:
        yield started


@pytest.fixture
def shell(server: DemoServer, tmp_path: Path) -> Shell:
    return Shell(tmp_path, server.ledger.parent)


def coin(*more: str, side: str = "buy", qty: str = "0.2") -> tuple[str, ...]:
    """An order for what trades round the clock."""
    return ("order", "--symbol", "COINX", "--side", side, "--qty", qty, *more)


def resting(shell: Shell) -> str:
    """The id of an order that rests far from the market."""
    entered = shell(*coin("--algo", "limit", "--limit-price", "58000", "--json"))
    order_id: str = entered.json["id"]
    return order_id


def until_status(shell: Shell, order_id: str, status: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        listed = {o["id"]: o["status"] for o in shell("orders", "--json").json}
        if listed[order_id] == status:
            return
        time.sleep(0.1)
    raise AssertionError(f"order {order_id} never became {status}")


def until_subscribed(shell: Shell) -> None:
    deadline = time.monotonic() + 20
    while shell("status", "--json").json["streams"]["subscribers"] == 0:
        assert time.monotonic() < deadline, "the watcher never subscribed"
        time.sleep(0.1)


def test_health_and_status(shell: Shell) -> None:
    assert shell("health").code == Exit.OK
    assert shell("health", "--json").json["ready"] is True
    assert shell("status").code == Exit.OK
    assert shell("status", "--json").json["clock"]["feed"] == "synthetic"


def test_an_order_is_followed_to_its_end(shell: Shell) -> None:
    said = shell(*coin("--algo", "twap", "--duration", "10m", "--param", "slices=3", "--wait"))
    assert said.code == Exit.OK, said.err
    assert "order  buy 0.2 COINX twap: filled" in said.out
    assert "fill   buy" in said.out


def test_waiting_with_json_gives_the_order_and_then_its_events(shell: Shell) -> None:
    said = shell(*coin("--algo", "market", "--tag", "a", "--strategy", "s", "--wait", "--json"))
    assert said.code == Exit.OK, said.err
    entered, *frames = said.lines
    assert (entered["tags"], entered["strategy"]) == (["a"], "s")
    numbers = [frame["seq"] for frame in frames]
    assert numbers == list(range(1, len(numbers) + 1))
    assert frames[-1]["type"] == "order.filled"


def test_a_preview_enters_nothing(shell: Shell) -> None:
    before = len(shell("orders", "--json").json)
    said = shell(*coin("--preview"))
    assert said.json["would_be_accepted"] is True
    assert len(shell("orders", "--json").json) == before


def test_an_order_that_ends_unfilled_is_code_4(shell: Shell) -> None:
    order_id = resting(shell)
    with shell.start("watch", order_id) as watching:
        until_status(shell, order_id, "working")
        until_subscribed(shell)
        canceled = shell("cancel", order_id)
        assert (canceled.code, canceled.out) == (Exit.OK, f"canceling {order_id}\n")
        out, err = watching.communicate(timeout=30)
    assert watching.returncode == Exit.UNFILLED
    assert "canceled (requested)" in out
    assert err.startswith(f"slipstream: order {order_id} is canceled")


def test_pause_and_resume(shell: Shell) -> None:
    order_id = resting(shell)
    assert shell("pause", order_id).code == Exit.OK
    until_status(shell, order_id, "paused")
    assert shell("resume", order_id, "--json").json["id"] == order_id
    until_status(shell, order_id, "working")
    assert shell("cancel", order_id, "--json").json["canceling"] == [order_id]


def test_watch_shows_all_open_orders_until_interrupted(shell: Shell) -> None:
    with shell.start("watch", "--json") as watching:
        events = _events_until(shell, watching, "order.filled")
        watching.send_signal(signal.SIGINT)
        assert watching.wait(60) == Exit.OK
    assert {"order.accepted", "child.intended", "fill.booked"} <= {e["type"] for e in events}


def _events_until(
    shell: Shell, watching: "subprocess.Popen[str]", kind: str
) -> list[dict[str, Any]]:
    """The events of a market order, entered once the watcher is there."""
    until_subscribed(shell)
    assert watching.stdout is not None
    shell(*coin("--algo", "market"))
    events: list[dict[str, Any]] = []
    for line in watching.stdout:
        events.append(json.loads(line))
        if events[-1]["type"] == kind:
            break
    return events


def test_cancel_all(shell: Shell) -> None:
    ids = {resting(shell), resting(shell)}
    assert ids <= set(shell("cancel", "--all", "--json").json["canceling"])
    for order_id in ids:
        until_status(shell, order_id, "canceled")
    assert shell("orders", "--status", "open", "--json").json == []
    assert shell("cancel", "--all").out == "nothing to cancel\n"


def test_lists_page_by_page(shell: Shell, server: DemoServer) -> None:
    with Client(server.place) as client:
        for _ in range(3):
            client.post(
                "/orders", {"symbol": "COINX", "side": "buy", "qty": "0.001", "algo": "market"}
            )
    assert len(shell("orders", "--limit", "2", "--json").json) == 2
    assert shell("orders", "--symbol", "NONE").out == "No orders.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (coin(qty="0.00001"), "qty"),
        (coin("--algo", "nonsense"), "algo"),
        (coin("--algo", "twap", "--param", "sliced=2"), "params.sliced"),
        (("pause", "no-such-order"), "unknown_order"),
        (("watch", "no-such-order"), "unknown_order"),
        (("cancel", "no-such-order"), "unknown_order"),
        (("orders", "--status", "no-such"), "status"),
        (("keys", "revoke", "no-such"), "unknown_key"),
        (("hooks", "end", "no-such"), "unknown_hook"),
        (("hooks", "make", "x", "--strategy", "s", "--symbol", "any"), "max_qty"),
    ],
)
def test_a_refusal_is_one_line_that_names_the_field(
    shell: Shell, arguments: tuple[str, ...], words: str
) -> None:
    said = shell(*arguments)
    assert said.code == Exit.REFUSED, said.out
    assert said.err.count("\n") == 1
    assert words in said.err


def test_keys_are_printed_once(shell: Shell) -> None:
    key = shell("keys", "create", "auditor", "--scope", "read").out.strip()
    assert key.startswith("slip_")
    listed = shell("keys", "list", "--json")
    assert key not in listed.out
    assert key.split("_", 2)[2] not in shell("keys", "list").out
    assert shell("orders", SLIPSTREAM_KEY=key).code == Exit.OK
    refused = shell(*coin(), SLIPSTREAM_KEY=key)
    assert refused.code == Exit.REFUSED
    assert key not in refused.err
    key_id = next(k["id"] for k in listed.json if k["name"] == "auditor")
    assert shell("keys", "revoke", key_id).code == Exit.OK
    time.sleep(2.5)
    assert shell("orders", SLIPSTREAM_KEY=key).code == Exit.REFUSED


def test_a_hook_is_printed_once_rotated_and_ended(shell: Shell) -> None:
    bounds = ("--strategy", "turtle", "--symbol", "NASDAQ:ACME=ACME", "--max-qty", "50")
    made = shell("hooks", "make", "turtle", *bounds, "--max-lag", "60s")
    assert made.code == Exit.OK, made.err
    path = made.out.strip()
    assert path.startswith("/webhooks/tradingview/hook_")
    listed = shell("hooks", "list", "--json")
    [hook] = listed.json
    assert (hook["symbols"], hook["max_lag"]) == ({"NASDAQ:ACME": "ACME"}, 60.0)
    token = path.rpartition("/")[2]
    assert token not in listed.out + shell("hooks", "list").out
    rotated = shell("hooks", "rotate", hook["id"], "--keep", "1h").out.strip()
    assert rotated.startswith("/webhooks/tradingview/hook_")
    assert rotated != path
    assert shell("hooks", "end", hook["id"]).code == Exit.OK
    assert shell("hooks", "end", hook["id"]).code == Exit.REFUSED


def test_the_audit_of_a_working_server_finds_nothing(shell: Shell) -> None:
    order_id = shell(*coin("--algo", "twap", "--duration", "1h", "--json")).json["id"]
    for _ in range(3):
        said = shell("audit", "--json")
        assert said.code == Exit.OK, said.out
        assert said.json["notes"] == []
    shell("cancel", order_id)
    assert "The books are right" in shell("audit").out


def test_an_order_says_why(shell: Shell, server: DemoServer) -> None:
    entered = shell(*coin("--algo", "twap", "--duration", "5m", "--wait", "--json"))
    order_id = entered.out.splitlines()[0].partition('"id":"')[2].partition('"')[0]
    said = shell("why", order_id, "--verify")
    assert said.code == Exit.OK
    assert "goes to working" in said.out
    assert "envelope  must " in said.out
    assert " traded by others" in said.out
    assert "different, 0 not stored" in said.out
    told = shell("why", order_id, "--verify", "--json").json
    assert told["verified"]["equal"] >= len(told["items"]) + 2
    assert told["verified"]["different"] == 0
    assert [v["seq"] for v in told["verdicts"]] == sorted(
        part["seq"] for part in (*told["items"], *told["decisions"])
    )
    child = told["items"][0]
    halted = json.dumps({"desk": {"halt": "drill"}})
    _sql(server, f"UPDATE children SET why = why || '{halted}' WHERE id = '{child['id']}'")
    said = shell("why", order_id, "--verify")
    assert said.code == Exit.FAILED
    assert "1 different" in said.out
    assert f"event {child['seq']}: another decision comes out" in said.out
    assert "come out differently: 1" in said.err
    _sql(server, f"UPDATE children SET why = '{{}}' WHERE id = '{child['id']}'")
    said = shell("why", order_id, "--verify")
    assert said.code == Exit.OK
    assert "what the decision saw is not stored" in said.out
    assert f"event {child['seq']}: not stored" in said.out
    said = shell("why", "0198f3a0-5f0e-7c1a-9d55-2b7c1f6f0a11")
    assert (said.code, "unknown_order" in said.err) == (Exit.REFUSED, True)


def _sql(server: DemoServer, statement: str) -> None:
    asyncio.run(run_sql(server.database_url, statement))
