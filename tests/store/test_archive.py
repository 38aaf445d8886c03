"""Archive files: an order is in one, whole, before it goes; a crash neither loses nor repeats."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from app.engine import housekeeping
from app.store import archive, retention
from app.store.archive import Archive, NotArchived
from app.store.database import Database
from tests.store.old_orders import age, finished, keeper
from tests.store.seeds import (
    fetch,
    value,
)

TABLES = ("orders", "children", "fills", "events", "idempotency")


@pytest.fixture(autouse=True)
async def _account(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BREATH_SECONDS", 0)
    await fetch(database, "INSERT INTO accounts (account, broker) VALUES ('a1', 'paper')")


def lines_of(folder: Path) -> list[dict[str, object]]:
    return [order for path in sorted(folder.glob("*.gz")) for order in archive.read(path)]


async def test_an_order_is_written_whole_before_it_goes(database: Database, tmp_path: Path) -> None:
    old = await finished(database, key="k1", signal="s1")
    await fetch(
        database, "UPDATE orders o SET signal_id = s.id FROM signals s WHERE s.order_id = o.id"
    )
    await age(database)
    rows = {t: await fetch(database, f"SELECT * FROM {t}") for t in TABLES}
    day = await value(database, "SELECT (updated_at AT TIME ZONE 'UTC')::date::text FROM orders")
    assert await keeper(database, tmp_path).round() == 1
    [path] = tmp_path.iterdir()
    assert (path.name, path.stat().st_mode & 0o777) == (f"orders-{day}.jsonl.gz", 0o600)
    [line] = gzip.decompress(path.read_bytes()).decode().splitlines()
    told = json.loads(line)
    assert told["order"]["id"] == old
    assert (told["order"]["filled"], told["order"]["filled_notional"]) == ("100", "1012.5")
    assert told["order"]["start_at"].endswith("000000Z")
    assert set(told["order"]) == set(rows["orders"][0].keys())
    assert [c["id"] for c in told["children"]] == [r["id"] for r in rows["children"]]
    assert {f["execution_id"]: Decimal(f["price"]) for f in told["fills"]} == {
        r["execution_id"]: r["price"] for r in rows["fills"]
    }
    assert [(e["seq"], e["type"], e["data"]) for e in told["events"]] == [
        (r["seq"], r["type"], r["data"])
        for r in sorted((r for r in rows["events"] if r["seq"]), key=lambda r: r["seq"])
    ]
    assert told["signal"]["body"] == {"market": "XYZ"}
    assert [k["key"] for k in told["idempotency"]] == ["k1"]


async def test_a_crash_between_file_and_removal_neither_loses_nor_repeats(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = {await finished(database) for _ in range(3)}
    await age(database)

    async def dies(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(retention, "remove", dies)
        with pytest.raises(RuntimeError):
            await keeper(database, tmp_path).round()
    assert await value(database, "SELECT count(*) FROM orders") == 3
    assert len(lines_of(tmp_path)) == 3
    # Another process, which has to find out what the file holds; and the end of it is torn.
    [path] = tmp_path.iterdir()
    with path.open("ab") as file:
        file.write(gzip.compress(b'{"order": {"id": "torn"')[:20])
    assert await keeper(database, tmp_path).round() == 3
    orders = [line["order"]["id"] for line in lines_of(tmp_path)]  # type: ignore[index]
    assert len(orders) == 3
    assert set(orders) == ids


async def test_a_file_damaged_within_is_kept_and_another_begun(
    database: Database, tmp_path: Path
) -> None:
    await finished(database)
    await age(database)
    assert await keeper(database, tmp_path).round() == 1
    [path] = tmp_path.iterdir()
    damaged = path.read_bytes()[:40] + b"\0" * 40 + path.read_bytes()[80:]
    path.write_bytes(damaged)
    await finished(database)
    await age(database)
    assert await keeper(database, tmp_path).round() == 1
    assert len(lines_of(tmp_path)) == 1
    [aside] = tmp_path.glob("*.damaged-*")
    assert aside.read_bytes() == damaged


async def test_without_its_file_no_order_goes(database: Database, tmp_path: Path) -> None:
    await finished(database)
    await age(database)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotArchived):
        await keeper(database, tmp_path / "file").round()
    assert await value(database, "SELECT count(*) FROM orders") == 1


def test_two_writers_one_after_the_other_see_each_others_lines(tmp_path: Path) -> None:
    def document(name: str) -> archive.Document:
        line = json.dumps({"order": {"id": name, "version": 1}})
        return archive.Document("2026-01-05", name, 1, line)

    first, second = Archive(tmp_path), Archive(tmp_path)
    first.write([document("a")])
    second.write([document("a"), document("b")])
    first.write([document("b"), document("c")])
    assert [line["order"]["id"] for line in lines_of(tmp_path)] == ["a", "b", "c"]  # type: ignore[index]
