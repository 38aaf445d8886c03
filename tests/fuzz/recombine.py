"""New requests out of parts of old ones: another case's value, an id that exists now, a field less,
a name twice, a header that nobody expects."""

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from tests.fuzz.keeping import lead, spare
from tests.fuzz.known import Known
from tests.fuzz.odd import headers_for, spoiled
from tests.fuzz.page import Operation
from tests.fuzz.seeds import BODIES
from tests.fuzz.shots import Shot

POOL = 200
"""Cases of an operation and mode; the newest are kept."""

_TAKEN = 0.25
_LED = 0.8
_EXISTING = 0.8
_GOOD = 0.75


class Recombiner:
    """Makes one request after another; `locked` are keys that open nothing, `bound` one that opens
    little."""

    def __init__(
        self, operations: Iterable[Operation], known: Known, chance: Random, bound: str
    ) -> None:
        self._operations = {one.label: one for one in operations}
        self._known, self._chance, self._bound = known, chance, bound
        self._pool: dict[tuple[str, bool], deque[Shot]] = defaultdict(lambda: deque(maxlen=POOL))
        self._parts: dict[str, dict[str, deque[Any]]] = defaultdict(dict)
        for one in self._operations.values():
            for body in (*one.examples, *BODIES.get(one.label, ())) or (None,):
                self.add(Shot(one.label, True, dict.fromkeys(one.places, "0"), body=body))

    def add(self, shot: Shot) -> None:
        """Into the pool, and its parts among the parts."""
        if shot.label not in self._operations:
            return
        self._pool[shot.label, shot.good].append(shot)
        for members in (shot.body, shot.query):
            if isinstance(members, Mapping):
                for name, value in members.items():
                    parts = self._parts[shot.label]
                    parts.setdefault(name, deque(maxlen=POOL)).append(value)

    def make(self, label: str) -> Shot:
        """A request of one operation."""
        chance, operation = self._chance, self._operations[label]
        good = chance.random() < _GOOD or not self._pool.get((label, False))
        shot = chance.choice(self._pool[label, good])
        shot = replace(
            shot,
            places=self._places(operation, shot),
            query=self._query(operation, dict(shot.query)),
            body=self._body(label, shot),
        )
        version = self._known.version(shot.places.get("order_id", ""))
        shot = replace(shot, headers={**shot.headers, **headers_for(shot, chance, version)})
        if operation.takes_body and isinstance(shot.body, dict) and chance.random() < 0.05:
            shot = spoiled(shot, chance)
        return self._under_another_key(operation, shot)

    def _places(self, operation: Operation, shot: Shot) -> Mapping[str, str]:
        if operation.places and self._chance.random() < _EXISTING:
            return self._known.places(operation.places) or shot.places
        return shot.places

    def _query(self, operation: Operation, query: dict[str, Any]) -> dict[str, Any]:
        for name in operation.query:
            if self._chance.random() < _TAKEN:
                query |= self._part(operation.label, name)
            elif self._chance.random() < 0.3:
                query.pop(name, None)
        return query

    def _body(self, label: str, shot: Shot) -> Any:
        chance, body = self._chance, shot.body
        if not isinstance(body, dict):
            return body
        body = json.loads(json.dumps(body))
        for name in list(body):
            if chance.random() < _TAKEN:
                body |= self._part(label, name)
            elif chance.random() < 0.04:
                del body[name]
        if chance.random() < 0.05 and (names := list(self._parts[label])):
            body |= self._part(label, chance.choice(names))
        if shot.good and chance.random() < _LED:
            lead(label, body, chance)
        if chance.random() < 0.05 and (known := self._known.value("client_order_id")):
            body["client_order_id"] = known
        spare(label, body)
        return body

    def _part(self, label: str, name: str) -> dict[str, Any]:
        """The member under another value: one that exists now, or that of another case."""
        known = self._known.value(name)
        if known is not None and self._chance.random() < 0.5:
            return {name: known}
        others = self._parts[label].get(name)
        return {name: json.loads(json.dumps(self._chance.choice(others)))} if others else {}

    def _under_another_key(self, operation: Operation, shot: Shot) -> Shot:
        dice = self._chance.random()
        if dice < 0.03:
            return replace(shot, headers={**shot.headers, "Authorization": f"Bearer {self._bound}"})
        if dice < 0.04 and not operation.public:
            wrong = self._chance.choice(("", "Bearer", "Bearer slip_0_0", "Basic !!!", "x" * 300))
            return replace(shot, headers={**shot.headers, "Authorization": wrong}, locked=True)
        return shot
