"""The planted faults fit the tree as it is: one that does not fit proves nothing until somebody
runs all of them."""

from pathlib import Path

import pytest

from tests.planted.fault import Fault
from tests.planted.faults import FAULTS

TREE = Path(__file__).parents[2]


@pytest.mark.parametrize("planted", FAULTS, ids=lambda fault: fault.name)
def test_each_patch_fits_once(planted: Fault) -> None:
    for patch in planted.patches:
        assert (TREE / patch.file).read_text().count(patch.old) == 1, patch.file
    for test in planted.tests:
        assert (TREE / test.partition("::")[0]).exists(), test
