"""Which process runs which tests: those that wait beside those that work, a file in one piece.

Half of the processes take from the front, where tests of processes stand, which mostly wait; half
from the back, where tests stand that only compute. What is short and many is left for the end, in
the middle. A file's tests stay together, for what they share is then made once; only files of long
tests that share nothing are dealt out test by test.

Not by marks: the groups of pytest-xdist 3.8 are no groups under pytest 9.2, where no plugin changes
the name of a test any more, and without them each process made everything that tests share.
"""

from collections.abc import Iterable
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

FOLDERS = (
    "house", "chain", "cli", "feeds", "compat", "brokers", "certification", "api", "failpoints",
    "venue", "reports", "", "store", "engine", "studies", "tapes", "research", "domain", "figures",
    "fuzz", "simulation",
)  # fmt: skip
"""From those that wait to those that work."""

APART = ("tests/house/", "tests/simulation/", "tests/cli/test_demo", "tests/cli/test_kill")
TOGETHER = ("tests/house/test_backup.py",)
"""Shares a drill of half a minute."""


def unit(nodeid: str) -> str:
    """What is run in one piece by one process."""
    path = nodeid.partition("::")[0]
    return nodeid if path.startswith(APART) and path not in TOGETHER else path


def in_order(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """From those that wait to those that work; a folder that is not named is in the middle."""
    middle = FOLDERS.index("store")
    rank = {folder: place for place, folder in enumerate(FOLDERS)}
    return sorted(items, key=lambda item: rank.get(_folder(item.nodeid), middle))


def _folder(nodeid: str) -> str:
    folders = nodeid.partition("::")[0].split("/")[1:-1]
    return folders[0] if folders else ""


class Lanes(LoadScopeScheduling):  # type: ignore[misc]  # No types are shipped.
    """Deals out from both ends."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        # The order is ours, not by the number of tests.
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        number = int(node.gateway.id.removeprefix("gw"))
        if number % 2 == 1:
            # What stands first is what is given.
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)
