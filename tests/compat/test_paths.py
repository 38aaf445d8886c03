"""A path that nobody would write is answered in Alpaca's words too."""

import pytest

from tests.compat.conftest import House


@pytest.mark.parametrize("path", ["/orders/a%0Ab", "/orders/%0A", "/assets/a%0Ab", "/%0A", "/a/b"])
async def test_a_strange_path_is_not_found_in_alpacas_words(house: House, path: str) -> None:
    async with house.raw() as raw:
        answer = await raw.get(path)
    assert (answer.status_code, answer.json()["code"] // 10_000) == (404, 4041)
    assert answer.json()["reason"]
