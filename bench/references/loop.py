"""A bare loop over WebSockets that sends the same prepared text to each; and an echo."""

import sys

from fastapi import FastAPI, Request, WebSocket
from starlette.websockets import WebSocketDisconnect

from bench.references.serving import serve

api = FastAPI()
api.state.sockets = []


@api.get("/")
async def alive() -> str:
    return "ok"


@api.websocket("/stream")
async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.receive_text()
    await socket.send_text('{"type":"subscribed"}')
    api.state.sockets.append(socket)
    try:
        await socket.receive_text()
    except WebSocketDisconnect:
        api.state.sockets.remove(socket)


@api.post("/send")
async def send(request: Request, times: int) -> None:
    text = (await request.body()).decode()
    sockets = list(api.state.sockets)
    for _ in range(times):
        for socket in sockets:
            await socket.send_text(text)


@api.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return


if __name__ == "__main__":
    serve(api, int(sys.argv[1]))
