"""The first stage: rounds of requests that schemathesis makes up, good and bad, each alone and one
after the other."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx
import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode, Response
from schemathesis.schemas import APIOperation, BaseSchema

from tests.fuzz.answered import of_schemathesis
from tests.fuzz.checks import drifts
from tests.fuzz.haste import hasty
from tests.fuzz.keeping import EVERY, led, tidy
from tests.fuzz.page import NEVER_ENDS
from tests.fuzz.pages import ALPACA, Pages
from tests.fuzz.shots import Shot, of_case
from tests.fuzz.tally import Tally

STEPS = 12
_SMALL = 5_000
_PAUSE = 30.0
MOVED_ON = (hypothesis.errors.Flaky,)
"""What Hypothesis says of a world that answers the same request otherwise the second time."""


@dataclass
class Campaign:
    """One server, one key, one seed. `hand_on` gets every case, for the storm."""

    url: str
    key: str
    seed: int
    tally: Tally
    say: Callable[[str], None] = lambda line: None
    hand_on: Callable[[Shot], None] = lambda shot: None

    def __post_init__(self) -> None:
        self._chance = Random(self.seed)
        self._headers = {"Authorization": f"Bearer {self.key}"}
        self._client = httpx.Client(base_url=self.url, headers=self._headers, timeout=_PAUSE)
        self._session = requests.Session()
        self._tidied = 0
        self._barren: set[tuple[str, GenerationMode]] = set()

    def run(self, *, until: float = float("inf")) -> Tally:
        """Until the tally is full, or the monotonic moment `until`."""
        with self._client, self._session, hasty():
            self._pages = Pages.of(self._client)
            schemas = [self._schema(prefix) for prefix in ("", ALPACA)]
            operations = [one.ok() for schema in schemas for one in schema.get_all_operations()]
            number = 0
            self._until = until
            while not self._over:
                self._round(schemas[0], operations, number)
                number += 1
                self.say(f"schemathesis: {self.tally.asked} requests, {self._found} faults")
            tidy(self._client)
        return self.tally

    @property
    def _over(self) -> bool:
        return self.tally.full or time.monotonic() > self._until

    @property
    def _found(self) -> int:
        return len(self.tally.faults)

    def _schema(self, prefix: str) -> BaseSchema:
        schema: BaseSchema = schemathesis.openapi.from_url(
            f"{self.url}{prefix}/openapi.json", config=quiet_config(self.url + prefix)
        )
        return schema.exclude(path=NEVER_ENDS)

    def _round(self, schema: BaseSchema, operations: list[APIOperation], number: int) -> None:
        each = 1 if self.tally.most < _SMALL else 10
        order = list(operations)
        self._chance.shuffle(order)
        for operation in order:
            for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
                self._alone(operation, mode, each * _often(operation, mode), number)
        self._in_turn(schema, number)

    def _alone(self, operation: APIOperation, mode: GenerationMode, each: int, number: int) -> None:
        name = self._label(operation)
        if self._over or (name, mode) in self._barren or not _can_be(operation, mode):
            return
        before = self.tally.asked
        strategy = operation.as_strategy(generation_mode=mode)

        @hypothesis.seed(self._seed(number))
        @_quiet(each)
        @given(case=strategy)
        def ask(case: Case) -> None:
            if not self._over:
                self._judge(case, self._call(case))

        with suppress(hypothesis.errors.Unsatisfiable, *MOVED_ON):
            ask()
        if self.tally.asked == before:
            # Nothing that it takes can be wrong: finding that out again takes seconds.
            self._barren.add((name, mode))

    def _in_turn(self, schema: BaseSchema, number: int) -> None:
        campaign = self

        class Machine(schema.as_state_machine()):  # type: ignore[misc]
            def call(self, case: Case, **_: Any) -> Response:
                return campaign._call(case)

            def validate_response(self, response: Response, case: Case, **_: Any) -> None:
                campaign._judge(case, response)

        left = self.tally.most - self.tally.asked
        chains = max(min(left // STEPS, 5 if self.tally.most < _SMALL else 60), 0)
        if chains and not self._over:
            machine = hypothesis.seed(self._seed(number))(Machine)
            with suppress(*MOVED_ON):
                machine.run(settings=_quiet(chains, STEPS))

    def _call(self, case: Case) -> Response:
        if self.tally.asked >= self._tidied + EVERY:
            tidy(self._client)
            self._tidied = self.tally.asked
        label = self._label(case.operation)
        led(label, case, self._chance, self.key.split("_")[1])
        self.hand_on(of_case(label, case))
        response = case.call(session=self._session, headers=self._headers, timeout=_PAUSE)
        self.tally.took(label, response.status_code, response.elapsed)
        return response

    def _judge(self, case: Case, response: Response) -> None:
        label = self._label(case.operation)
        faults = dict(self._pages.faults(label, of_schemathesis(response)))
        if not label.partition(" ")[2].startswith(ALPACA):
            faults |= dict(drifts(case, response))
        for kind, detail in faults.items():
            curl = case.as_curl_command(headers={"Authorization": "Bearer $KEY"})
            self.tally.wrong(label, kind, detail, curl)

    def _label(self, operation: APIOperation) -> str:
        method, _, path = str(operation.label).partition(" ")
        return f"{method} {self._prefix(operation)}{path}"

    def _prefix(self, operation: APIOperation) -> str:
        return ALPACA if operation.schema.get_base_url().rstrip("/").endswith(ALPACA) else ""

    def _seed(self, number: int) -> int:
        return self.seed * 1_000_003 + number


_OFTEN = {"POST /orders": 12, "POST /signals": 6, "POST /orders/batch": 3}


def _often(operation: APIOperation, mode: GenerationMode) -> int:
    """Orders have to live for what is behind them to be tried."""
    return _OFTEN.get(operation.label, 1) if mode is GenerationMode.POSITIVE else 1


def _can_be(operation: APIOperation, mode: GenerationMode) -> bool:
    """A request without any field cannot be wrong."""
    takes = [*operation.query, *operation.path_parameters, *operation.body]
    return mode is GenerationMode.POSITIVE or bool(takes)


def quiet_config(base_url: str | None = None) -> schemathesis.Config:
    """Every request bears the campaign's own key: who may what is the matrix's affair."""
    config = schemathesis.Config()
    config.projects.override.generation.with_security_parameters = False
    if base_url is not None:
        config.projects.override.update(base_url=base_url)
    return config


def _quiet(examples: int, steps: int = STEPS) -> settings:
    """Nothing is shrunk or replayed: the server has moved on meanwhile."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
