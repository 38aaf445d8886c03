"""Frames made once: any WebSocket client must read them as uvicorn's own."""

import asyncio
import json

import pytest
from fastapi import FastAPI, WebSocket
from websockets.asyncio.client import connect

from app.api.frames import Blocked, chunks, prepared, text_frame
from tests.api.conftest import serve

LENGTHS = (0, 1, 125, 126, 127, 65_535, 65_536, 70_000)


async def test_a_client_reads_prepared_frames_of_every_length(api: FastAPI) -> None:
    texts = ["ü" + "x" * max(length - 2, 0) for length in LENGTHS]

    @api.websocket("/frames")
    async def frames(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send(prepared(b"".join(map(text_frame, texts)), 1))
        await socket.send_text("after")

    async with (
        serve(api) as served,
        connect(f"ws://127.0.0.1:{served.port}/frames", max_size=None) as socket,
    ):
        assert [await socket.recv() for _ in texts] == texts
        assert await socket.recv() == "after"


async def test_a_socket_that_takes_nothing_is_told_by_its_own_name(api: FastAPI) -> None:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @api.websocket("/blocked")
    async def blocked(socket: WebSocket) -> None:
        await socket.accept()
        try:
            while True:
                await socket.send(prepared(text_frame("x" * 60_000), 0.2))
        except Blocked:
            ended.set_result("blocked")

    async with (
        serve(api) as served,
        connect(f"ws://127.0.0.1:{served.port}/blocked", max_queue=1, close_timeout=0.1),
    ):
        assert await asyncio.wait_for(ended, 10) == "blocked"


@pytest.mark.parametrize("count", [0, 1, 20, 500])
def test_chunks_lose_nothing_and_stay_small(count: int) -> None:
    texts = [json.dumps({"n": n, "pad": "x" * 700}) for n in range(count)]
    written = list(chunks(texts))
    assert b"".join(data for data, _ in written) == b"".join(map(text_frame, texts))
    assert all(len(data) <= 16 * 1024 for data, _ in written)
    out = [number for _, number in written]
    assert out == sorted(set(out))
    assert out[-1:] == ([count] if count else [])
