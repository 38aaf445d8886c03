"""Runs a reference the way the API runs: same server, same loop, same options."""

import gc

import uvicorn
import uvloop
from starlette.types import ASGIApp

from app.api.listening import OPTIONS, listen


def serve(app: ASGIApp, port: int) -> None:
    """Until SIGTERM."""
    server = uvicorn.Server(uvicorn.Config(app, **OPTIONS))
    gc.freeze()
    uvloop.run(server.serve(sockets=[listen("127.0.0.1", port)]))
