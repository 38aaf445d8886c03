"""Whether an execution has the same id in the stream as in the list of activities.

It is counted by its id, so the two must never differ, and Alpaca documents neither that they agree
nor that they do not. Until one execution was seen in both, only the list is believed; what the
stream told waits. Where they agree the stream is believed from then on; where they do not, it only
says when to look. Pairs and stocks are asked apart: other machines book them.
"""

import time
from collections.abc import Sequence

import structlog

from app.brokers.alpaca.reading import Told
from app.ports import BustReport, ExecutionReport

log = structlog.get_logger()

PATIENCE_SECONDS = 60.0
"""How long an execution of the stream waits to be listed; then reconciliation has to find it."""

Report = ExecutionReport | BustReport


class Agreement:
    """What both sources told so far, in this process."""

    def __init__(self) -> None:
        self._same: dict[bool, bool] = {}
        self._waiting: list[tuple[float, Told]] = []

    @property
    def waiting(self) -> Sequence[Told]:
        """What the stream told and the list has not yet."""
        return [told for _, told in self._waiting]

    def heard(self, told: Told) -> list[Report]:
        """The stream told something: what may be believed now."""
        if self._same.get(told.pair, False):
            return [told.report]
        self._waiting.append((time.monotonic(), told))
        return []

    def listed(self, rows: Sequence[Told]) -> list[Report]:
        """The list told something: what the stream had told and may be believed now, beyond it."""
        names = {_name(row) for row in rows}
        places = {(row.order_id, row.filled) for row in rows if row.filled is not None}
        for _, told in self._waiting:
            if _name(told) in names:
                self._settle(told, same=True)
            elif (told.order_id, told.filled) in places and _first(told):
                self._settle(told, same=False)
        believed: list[Report] = []
        known = {(type(row.report), row.report.execution_id) for row in rows}
        waiting, now = self._waiting, time.monotonic()
        self._waiting = []
        for since, told in waiting:
            if self._same.get(told.pair, False):
                if (type(told.report), told.report.execution_id) not in known:
                    believed.append(told.report)
            elif (told.order_id, told.filled) in places:
                continue  # Told by the list, under the id that counts.
            elif now - since > PATIENCE_SECONDS:
                log.error("execution of the stream is not listed", execution=repr(told.report))
            else:
                self._waiting.append((since, told))
        return believed

    def _settle(self, told: Told, *, same: bool) -> None:
        if told.pair in self._same:
            return
        self._same[told.pair] = same
        if not same:
            log.warning("executions have other ids in the stream; the list is believed")


def _name(told: Told) -> str:
    """The id of an execution, or of the one that it corrects or voids."""
    report = told.report
    corrects = report.corrects if isinstance(report, ExecutionReport) else None
    return corrects or report.execution_id


def _first(told: Told) -> bool:
    return isinstance(told.report, ExecutionReport) and told.report.corrects is None
