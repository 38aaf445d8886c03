"""What a reference answers must stay what ours answers, or the comparison is none."""

import httpx

from bench.references import bare, whole
from tests.api.conftest import order_body


async def test_the_whole_reference_answers_like_ours(client: httpx.AsyncClient) -> None:
    ours = await client.post("/orders", json=order_body())
    transport = httpx.ASGITransport(whole.api)
    async with httpx.AsyncClient(transport=transport, base_url="http://reference") as other:
        theirs = await other.post("/orders", json=order_body())
    assert theirs.status_code == ours.status_code == 202
    assert list(theirs.json()) == list(ours.json())
    assert 0.8 < len(theirs.content) / len(ours.content) < 1.25


async def test_the_bare_reference_answers_like_ours_in_short(client: httpx.AsyncClient) -> None:
    ours = await client.post("/orders", json=order_body(), headers={"Prefer": "return=minimal"})
    transport = httpx.ASGITransport(bare.api)
    async with httpx.AsyncClient(transport=transport, base_url="http://reference") as other:
        theirs = await other.post("/orders", json=order_body())
    assert set(ours.json()) == {*theirs.json(), "version"}
