"""The journal goes back to a backup, and meets a broker that has moved on.

As `slipstream restore` leaves it: everybody's lease is void, and a thousand child numbers of every
open order are left out, after the last that the backup or what it replaces knows. Only brokers
without a lag: others may hide what was lost for a while, and then nobody knows of it before the
next send.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.domain.fact import Amended, Filled
from app.domain.instant import SECOND
from app.store.fill_ledger import Term, Void
from tests.simulation.faults import Kind
from tests.simulation.journal import Row

if TYPE_CHECKING:
    from tests.simulation.house import House

LEFT_OUT = 1_000
TRIES = 6


@dataclass(frozen=True, slots=True)
class Backup:
    """The journal as it was."""

    rows: dict[str, Row]
    fills: dict[str, Filled]
    terms: dict[str, Term]
    voids: dict[str, Void]


class Restoring:
    """Takes backups and puts them back. `under_way` until an owner has reconciled again."""

    def __init__(self, house: "House") -> None:
        self._house = house
        self.under_way = False

    def begin(self, size: float, tries: int = TRIES) -> None:
        """Back up now; the restore comes some time later."""
        house = self._house
        if tries:
            later = house.agenda.now + 2 * SECOND + int(size * 40 * SECOND)
            house.agenda.at(later, self._restore, self._backup(), size, tries)

    def _backup(self) -> Backup:
        journal = self._house.journal
        rows = {
            order_id: Row(row.execution, row.version, row.children, [*row.events], row.priority)
            for order_id, row in journal.rows.items()
        }
        return Backup(rows, {**journal.fills}, {**journal.terms}, {**journal.voids})

    def _restore(self, backup: Backup, size: float, tries: int) -> None:
        house, journal = self._house, self._house.journal
        lost = self._lost(backup)
        if not lost or not self._may_go_back(backup):
            self.begin(size, tries - 1)
            return
        house.log("restored", *lost)
        house.mischief.happened[Kind.RESTORED] += 1
        house.mischief.armed.pop(Kind.LIST_LIES, None)
        self.under_way = True
        numbers = {key: row.execution.next_child for key, row in journal.rows.items()}
        journal.rows = backup.rows
        journal.fills, journal.terms, journal.voids = backup.fills, backup.terms, backup.voids
        journal.forgotten.update(lost)
        for key, row in journal.rows.items():
            number = max(row.execution.next_child, numbers[key])
            row.execution = replace(row.execution, next_child=number + LEFT_OUT)
        house.watch.count_unfinished()
        if house.worker is not None:
            house.lost(house.worker)

    def _lost(self, backup: Backup) -> list[str]:
        """Children that the backup does not know."""
        rows = self._house.journal.rows
        return [
            child_id
            for order_id, before in backup.rows.items()
            for child_id in rows[order_id].children
            if child_id not in before.children
        ]

    def _may_go_back(self, backup: Backup) -> bool:
        """No order is lost whole, no larger quantity, and nothing is on its way to the broker."""
        house, rows = self._house, self._house.journal.rows
        if backup.rows.keys() != rows.keys() or any(house.line.flying.values()):
            return False
        amended = any(
            isinstance(fact, Amended)
            for order_id, before in backup.rows.items()
            for fact in rows[order_id].events[len(before.events) :]
        )
        return not amended
