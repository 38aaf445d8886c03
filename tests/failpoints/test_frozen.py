"""A worker that sleeps between the lease check and the socket, and wakes when all is over."""

from pathlib import Path

import pytest

from tests.failpoints.frozen import CASES, QTY, Case, measure

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(90)]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_no_more_than_what_was_on_the_way_arrives(
    case: Case, tmp_path: Path, database_url: str
) -> None:
    bound = await measure(case, tmp_path, database_url)
    assert bound.on_the_way > 0, bound
    assert bound.duplicate_ids == 0, bound
    assert bound.faults == (), bound
    assert bound.overfilled == bound.arrived * QTY or case.id_scope == "none", bound
    assert bound.arrived + bound.too_late <= bound.on_the_way, bound
    if case.deadline_ms is not None:
        assert (bound.arrived, bound.overfilled) == (0, 0), bound
        assert bound.too_late > 0, bound
    if bound.overfilled:
        assert bound.critical_alarms >= bound.arrived, bound
