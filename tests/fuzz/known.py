"""What the house holds now, learned from its answers: ids, names, versions, cursors."""

from collections import defaultdict, deque
from collections.abc import Iterator
from random import Random
from typing import Any

from pydantic_core import from_json

from tests.fuzz.answered import Answered
from tests.fuzz.keeping import ACCOUNTS, SYMBOLS

KEPT = 300
"""Of each kind, the newest."""

_PLACES = {
    "orders": "order_id",
    "signals": "signal_id",
    "keys": "key_id",
    "hooks": "hook_id",
    "alerts": "alert_id",
    "backtests": "backtest_id",
}
_SYMBOL_PLACES = (("symbol",), ("symbol_or_id",))
_CURSORS = ("next_cursor", "next", "next_after")


class Known:
    """`spared` are ids of keys that the fuzzer itself lives by."""

    def __init__(self, chance: Random, spared: frozenset[str]) -> None:
        self._chance = chance
        self._spared = spared
        self._places: dict[tuple[str, ...], deque[tuple[str, ...]]] = defaultdict(
            lambda: deque(maxlen=KEPT)
        )
        self._values: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._versions: dict[str, int] = {}
        for names in _SYMBOL_PLACES:
            self._places[names].extend((symbol,) for symbol in SYMBOLS)
        self._values["account"].extend(ACCOUNTS)
        for name in ("symbol", "market", "symbols"):
            self._values[name].extend(SYMBOLS)

    def places(self, names: tuple[str, ...]) -> dict[str, str] | None:
        """Something that fills these places of a path."""
        there = self._places.get(names)
        return dict(zip(names, self._chance.choice(there), strict=True)) if there else None

    def value(self, name: str) -> str | None:
        there = self._values.get(name)
        return self._chance.choice(there) if there else None

    def version(self, order_id: str) -> int | None:
        return self._versions.get(order_id)

    def learn(self, label: str, answered: Answered) -> None:
        """Take ids out of an answer; one that names nothing teaches nothing."""
        if answered.status >= 300 or answered.kind != "application/json":
            return
        body = from_json(answered.content)
        segments = [part for part in label.partition(" ")[2].split("/") if part]
        for row in _rows(body):
            self._row(segments, row)
        for name in _CURSORS:
            if isinstance(body, dict) and body.get(name) is not None:
                for cursor in ("cursor", "after", "before", "page_token"):
                    self._values[cursor].append(str(body[name]))

    def _row(self, segments: list[str], row: dict[str, Any]) -> None:
        if segments[-1] == "children" and "order_id" in row:
            self._places["order_id", "child_id"].append((row["order_id"], row["id"]))
            return
        for names in (("scope", "limit", "name"), ("scope", "name")):
            if all(isinstance(row.get(name), str) for name in names) and segments[0] == "risk":
                self._places[names].append(tuple(row[name] for name in names))
        if segments[0] == "strategies" and isinstance(row.get("name"), str):
            self._places["name",].append((row["name"],))
            self._values["strategy"].append(row["name"])
        if isinstance(row.get("token"), str):
            self._places["token",].append((row["token"],))
        kind = _PLACES.get("orders" if "client_order_id" in row else segments[0])
        name = row.get("id")
        if kind is not None and isinstance(name, str) and name not in self._spared:
            self._places[kind,].append((name,))
            self._named(row, name)

    def _named(self, row: dict[str, Any], name: str) -> None:
        for field in ("client_order_id", "signal_id", "source", "strategy"):
            if isinstance(row.get(field), str):
                self._values[field].append(row[field])
        if isinstance(row.get("version"), int):
            if len(self._versions) > 10 * KEPT:
                self._versions.clear()
            self._versions[name] = row["version"]


def _rows(body: Any) -> Iterator[dict[str, Any]]:
    """The records of an answer: itself, its items, the orders of a batch."""
    if isinstance(body, list):
        yield from (one for one in body[:50] if isinstance(one, dict))
    elif isinstance(body, dict):
        items = body.get("items")
        if isinstance(items, list):
            yield from (one for one in items[-50:] if isinstance(one, dict))
        elif isinstance(body.get("results"), list):
            yield from (one["order"] for one in body["results"] if "order" in one)
        else:
            yield body
