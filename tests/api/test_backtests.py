"""Backtests over the API: asked for, worked in processes of their own, told, stopped, restarted."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from app.api.app import create_api
from app.domain.refusal import Missing, Unavailable
from app.engine.service import Service
from app.research.backtest.service import STOPPED, Backtests
from app.settings import Settings
from app.store import backtests
from app.wiring import House
from app.wiring.past import open_backtests, prepared_backtest
from tests.api.conftest import MakeKey, client_for
from tests.tapes.made import bars, stored

pytestmark = [pytest.mark.timeout(240)]

BODY: dict[str, Any] = {
    "tape": "made",
    "algos": [{"algo": "twap"}, {"label": "crossing", "algo": "twap", "params": {"slices": 5}}],
    "parents": 6,
    "participation": ["0.0005", "0.001"],
    "window": "10m",
    "seed": "s",
}
LONG = BODY | {"parents": 4_000}
"""More than any test waits for."""


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backtests")
    stored(folder, bars())
    return folder / "store"


def settings_of(tapes: Path, **more: Any) -> Settings:
    return Settings(_env_file=None, data_dir=tapes.parent, tapes=tapes, **more)


@asynccontextmanager
async def opened(
    service: Service, key: str, tapes: Path, **more: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, Backtests]]:
    house = House(settings_of(tapes, **more), service.database, service.doorbell)
    async with (
        open_backtests(house) as made,
        client_for(create_api(service, backtests=made), key) as client,
    ):
        yield client, made


async def until(client: httpx.AsyncClient, id: str, *states: str, done: int = 0) -> Any:
    async with asyncio.timeout(120):
        while True:
            found = (await client.get(f"/backtests/{id}")).json()
            if found["state"] in states and found["progress"]["done"] >= done:
                return found
            assert found["state"] in ("queued", "running"), found
            await asyncio.sleep(0.1)


async def ask(client: httpx.AsyncClient, body: dict[str, Any]) -> str:
    answer = await client.post("/backtests", json=body)
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert answer.headers["location"] == f"/backtests/{told['id']}"
    assert told["state"] in ("queued", "running")
    assert told["progress"]["total"] == body["parents"]
    id: str = told["id"]
    return id


async def test_from_asking_to_the_report(service: Service, admin_key: str, tapes: Path) -> None:
    async with opened(service, admin_key, tapes) as (client, _):
        id = await ask(client, BODY)
        early = await client.get(f"/backtests/{id}/report")
        assert (early.status_code, early.json()["code"]) == (409, "backtest_not_done")
        found = await until(client, id, "done")
        assert found["progress"] == {"done": 6, "total": 6, "fraction": 1.0}
        # The same as without a server.
        made = prepared_backtest(settings_of(tapes), _plan(found))
        here = made.outcome([row for some in made.rows() for row in some])
        assert found["result"] == json.loads(json.dumps(here))
        report = await client.get(f"/backtests/{id}/report")
        assert report.headers["content-type"].startswith("text/html")
        assert report.text.count("<svg") == 5
        first = (await client.get(f"/backtests/{id}/parents", params={"limit": 4})).json()
        assert [row["parent"] for row in first["items"]] == [0, 1, 2, 3]
        last = (await client.get(f"/backtests/{id}/parents", params={"after": 3})).json()
        assert ([row["parent"] for row in last["items"]], last["next_after"]) == ([4, 5], None)
        table = (await client.get(f"/backtests/{id}/parents", params={"format": "csv"})).text
        assert len(table.splitlines()) == 1 + 6 * 2
        listed = (await client.get("/backtests")).json()["items"]
        assert [item["id"] for item in listed] == [id]
        assert "result" not in listed[0]
        again = await client.post(f"/backtests/{id}/restart")
        assert (again.status_code, again.json()["code"]) == (409, "backtest_not_over")
        assert (await client.delete(f"/backtests/{id}")).status_code == 204
        assert (await client.get(f"/backtests/{id}")).status_code == 404


def _plan(found: dict[str, Any]) -> Any:
    from app.research.backtest.plan_json import plan_from_json

    return plan_from_json(found["plan"])


async def test_one_that_is_canceled_stops(service: Service, admin_key: str, tapes: Path) -> None:
    async with opened(service, admin_key, tapes) as (client, made):
        id, waits = await ask(client, LONG), await ask(client, BODY)
        await until(client, id, "running", done=1)
        assert (await client.get(f"/backtests/{waits}")).json()["state"] == "queued"
        assert (await client.delete(f"/backtests/{waits}")).status_code == 204
        assert (await client.delete(f"/backtests/{id}")).status_code == 204
        found = (await client.get(f"/backtests/{id}")).json()
        assert (found["state"], found["reason"], found["result"]) == ("canceled", "asked for", None)
        # What is done stays readable; its process ends by itself.
        rows = (await client.get(f"/backtests/{id}/parents")).json()["items"]
        assert len(rows) >= 1
        async with asyncio.timeout(30):
            await asyncio.gather(*made._running.values())


async def test_a_killed_process_is_told_and_can_be_begun_anew(
    service: Service, admin_key: str, tapes: Path
) -> None:
    async with opened(service, admin_key, tapes) as (client, _):
        id = await ask(client, BODY | {"parents": 30})
        await until(client, id, "running", done=1)
        pid = await _pid(id)
        # Beside live orders it steps back.
        assert os.getpriority(os.PRIO_PROCESS, pid) >= 10
        os.kill(pid, signal.SIGKILL)
        found = await until(client, id, "interrupted")
        assert found["reason"].startswith("its process was ended by SIGKILL")
        again = await client.post(f"/backtests/{id}/restart")
        assert (again.status_code, again.json()["state"]) == (202, "queued")
        done = await until(client, id, "done")
        assert (done["attempt"], done["progress"]["done"]) == (2, 30)
        rows = (await client.get(f"/backtests/{id}/parents")).json()["items"]
        assert [row["parent"] for row in rows] == list(range(30))


async def _pid(id: str) -> int:
    """The process that works a backtest, by its command line."""
    async with asyncio.timeout(60):
        while True:
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    words = (folder / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if id.encode() in words:
                    return int(folder.name)
            await asyncio.sleep(0.05)


async def test_a_server_that_stops_says_so(service: Service, admin_key: str, tapes: Path) -> None:
    async with opened(service, admin_key, tapes) as (client, _):
        id = await ask(client, LONG)
        await until(client, id, "running")
    async with opened(service, admin_key, tapes, backtests_at_once=0) as (client, _):
        found = (await client.get(f"/backtests/{id}")).json()
        assert (found["state"], found["reason"]) == ("interrupted", STOPPED)
        refused = await client.post("/backtests", json=BODY)
        assert (refused.status_code, refused.json()["code"]) == (409, "no_backtests")


async def test_one_whose_server_was_killed_is_found_silent(
    service: Service, admin_key: str, tapes: Path
) -> None:
    async with opened(service, admin_key, tapes, backtests_at_once=0) as (client, _):
        async with service.database.transaction() as connection:
            plan = {"any": "plan"}
            id = "019b8e6c-5f00-7a3e-8f00-000000000009"
            await backtests.add(connection, id=id, key_id="k", plan=plan, total=5)
            claimed = await backtests.claim(connection)
            assert claimed is not None
            await connection.execute("UPDATE backtests SET seen_at = seen_at - interval '1 minute'")
        found = await until(client, id, "interrupted")
        assert "is gone; start it again" in found["reason"]
        async with service.database.connection() as connection:
            assert not await backtests.seen(connection, claimed, 3)
            assert not await backtests.finish(connection, claimed, {})


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"algos": []}, "algos", ""),
        ({"algos": [{"algo": "best"}]}, "algos", "no algorithm 'best'"),
        ({"algos": [{"algo": "twap", "params": {"x": 1}}]}, "params.x", "no parameter 'x'"),
        ({"tape": "../secrets"}, "tape", ""),
        ({"tape": "/etc/passwd"}, "tape", ""),
        ({"tape": "other"}, "tape", "no dataset 'other'; there are: made"),
        ({"symbols": ["ABC"]}, "symbols", "there are: XYZ"),
        ({"parents": 5_001}, "parents", "at most 5000"),
        ({"parents": 0}, "parents", ""),
        ({"participation": None}, "qty", "exactly one"),
        ({"participation": "1.5"}, "participation", "fraction"),
        ({"first_day": "2024-03-04"}, "last_day", "both days"),
        ({"window": "a while"}, "window", ""),
        ({"seed": ""}, "seed", ""),
        ({"colour": "red"}, "colour", ""),
    ],
)
async def test_what_cannot_be_run_is_refused(
    service: Service, admin_key: str, tapes: Path, changes: dict[str, Any], field: str, words: str
) -> None:
    body = {name: value for name, value in (BODY | changes).items() if value is not None}
    async with opened(service, admin_key, tapes) as (client, _):
        answer = await client.post("/backtests", json=body)
        problem = answer.json()
        assert answer.status_code == 422, problem
        assert field.split(".")[-1] in [str(part) for part in problem["errors"][0]["loc"]]
        assert words in problem["message"]
        assert (await client.get("/backtests")).json()["items"] == []


async def test_who_may_ask_and_see(service: Service, make_key: MakeKey, tapes: Path) -> None:
    bound, other = (
        await make_key("read", "trade", accounts=["main"]),
        await make_key("read", accounts=["main"]),
    )
    async with opened(service, bound, tapes) as (client, made):
        id = await ask(client, BODY)
        async with client_for(create_api(service, backtests=made), other) as stranger:
            assert (await stranger.post("/backtests", json=BODY)).status_code == 403
            assert (await stranger.get(f"/backtests/{id}")).status_code == 404
            assert (await stranger.get("/backtests")).json()["items"] == []
            assert (await stranger.delete(f"/backtests/{id}")).status_code == 403
        assert (await client.delete(f"/backtests/{id}")).status_code == 204
    unknown = "019b8e6c-5f00-7a3e-8f00-000000000001"
    async with client_for(create_api(service), bound) as client:
        answer = await client.post("/backtests", json=BODY)
        assert (answer.status_code, answer.json()["code"]) == (409, "no_backtests")
        assert (await client.get(f"/backtests/{unknown}")).status_code == 404
        assert (await client.post(f"/orders/{unknown}/what-if", json={})).status_code == 404


async def test_a_replay_that_takes_too_long_is_given_up(
    service: Service, admin_key: str, tapes: Path
) -> None:
    unknown = "019b8e6c-5f00-7a3e-8f00-000000000001"
    async with opened(service, admin_key, tapes, what_if_seconds=0.05) as (_, made):
        with pytest.raises(Unavailable, match=r"no answer in 0\.05 seconds"):
            await made.what_if(unknown, {}, "feed")
    async with opened(service, admin_key, tapes, what_if_seconds=100) as (_, made):
        with pytest.raises(Missing, match=unknown):
            await made.what_if(unknown, {}, "feed")


async def test_the_examples_of_the_page_are_good(service: Service, admin_key: str) -> None:
    async with client_for(create_api(service), admin_key) as client:
        page = (await client.get("/openapi.json")).json()
    for path in ("/backtests", "/orders/{order_id}/what-if"):
        body = page["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        schema = {**body["schema"], "components": page["components"]}
        for example in body["examples"].values():
            Draft202012Validator(schema).validate(example["value"])
