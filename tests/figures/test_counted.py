"""Instructions can be counted, so that the tool does not rot. None of them is judged."""

import shutil
from pathlib import Path

import pytest

from bench.counted import counted

pytestmark = [
    pytest.mark.campaign,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="needs valgrind: make debian"),
]


async def test_an_order_takes_more_than_a_bare_request(tmp_path: Path) -> None:
    told = await counted(tmp_path, 1.0)
    assert 0 < told["bare"] < told["order"]
