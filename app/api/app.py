"""The API as one ASGI app, handed everything it works with."""

from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version as installed
from typing import Any

from fastapi import FastAPI

from app.api import (
    account,
    algorithms,
    clock,
    docs_page,
    errors,
    events,
    health,
    keys,
    kill_switches,
    operator,
    order_commands,
    order_details,
    order_entry,
    orders,
    signals,
    statistics,
    stream,
)
from app.api.metrics import Metrics
from app.api.openapi import document
from app.api.order_bodies import AmendBody, BatchBody, OrderBody
from app.api.shell import Shell
from app.api.streams import Pace, Streams
from app.engine.access import Keyring
from app.engine.service import Service

Ready = Callable[[], Awaitable[Mapping[str, Mapping[str, Any]]]]

_ROOMS = (
    statistics,  # Before the orders: its name is no order's id.
    order_entry,
    orders,
    order_commands,
    order_details,
    operator,
    kill_switches,
    signals,
    algorithms,
    account,
    events,
    stream,
    clock,
    keys,
    health,
)
_BODIES = (
    OrderBody,
    BatchBody,
    AmendBody,
    signals.SignalBody,
    clock.PaceBody,
    keys.KeyBody,
    kill_switches.KillSwitchBody,
    operator.ResolveBody,
)


def create_api(
    service: Service,
    *,
    version: str | None = None,
    ready: Ready | None = None,
    pace: Pace | None = None,
) -> FastAPI:
    """The app. `ready` adds checks to /readyz: name → {"ok": bool, "detail": str}.

    Before the server stops, call `app.state.streams.close()`: open streams end, else they hold
    it up.
    """
    api = FastAPI(
        title="Slipstream",
        summary="A self-hosted execution server.",
        version=version or installed("slipstream"),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    api.state.service = service
    api.state.ready = ready
    api.state.metrics = Metrics()
    api.state.keyring = Keyring(service.database)
    api.state.streams = Streams(api.state.keyring, pace or Pace())
    for room in _ROOMS:
        api.include_router(room.router)
    errors.install(api)
    api.add_middleware(Shell, metrics=api.state.metrics)
    document(api, _BODIES, health.PUBLIC)
    docs_page.install(api)
    return api
