"""The API as one ASGI app, handed everything it works with."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from importlib.metadata import version as installed
from typing import Any

from fastapi import FastAPI
from starlette.routing import Mount

from app.api import (
    account,
    algorithms,
    backtests,
    clock,
    costs,
    daily,
    docs_page,
    errors,
    events,
    execution,
    health,
    hook_bodies,
    hooks,
    keys,
    kill_switches,
    limits,
    operator,
    order_commands,
    order_details,
    order_entry,
    orders,
    signals,
    statistics,
    strategies,
    stream,
    tradingview,
    trail,
    what_if,
    why,
)
from app.api.alpaca.app import PREFIX, create_alpaca
from app.api.alpaca.surface import Surface
from app.api.answers import ANSWERS
from app.api.auth import Reception
from app.api.backtest_bodies import BacktestBody, WhatIfBody
from app.api.contents import DESCRIPTION, TAGS
from app.api.direct import Shortcut
from app.api.metrics import Metrics
from app.api.openapi import document
from app.api.order_bodies import AmendBody, BatchBody, OrderBody
from app.api.rates import RateRules, Rates
from app.api.shell import Shell
from app.api.side_door import Api, SideDoor
from app.api.signal_bodies import SignalBody
from app.api.streams import Pace, Streams
from app.engine.access import Keyring
from app.engine.service import Service
from app.research.backtest.service import Backtests

Ready = Callable[[], Awaitable[Mapping[str, Mapping[str, Any]]]]

_ROOMS = (
    statistics,  # Before the orders: its name is no order's id.
    order_entry,
    orders,
    order_commands,
    order_details,
    costs,
    backtests,
    what_if,
    daily,
    execution,
    why,
    operator,
    kill_switches,
    limits,
    strategies,
    trail,
    signals,
    hooks,
    tradingview,
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
    BacktestBody,
    WhatIfBody,
    SignalBody,
    strategies.StrategyBody,
    clock.PaceBody,
    keys.KeyBody,
    hook_bodies.HookBody,
    hook_bodies.HookRotateBody,
    keys.RotateBody,
    kill_switches.KillSwitchBody,
    limits.LimitBody,
    operator.ResolveBody,
)


def create_api(
    service: Service,
    *,
    version: str | None = None,
    ready: Ready | None = None,
    pace: Pace | None = None,
    alpaca: Surface | None = None,
    backtests: Backtests | None = None,
    proxies: Collection[str] = (),
    rates: RateRules | None = None,
) -> FastAPI:
    """The app. `ready` adds checks to /readyz: name → {"ok": bool, "detail": str}. `proxies` are
    addresses that are believed when they say for whom they ask.

    Before the server stops, call `app.state.streams.close()`: open streams end, else they hold
    it up.
    """
    api = Api(
        title="Slipstream",
        summary="A self-hosted execution server.",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        version=version or installed("slipstream"),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    api.state.service = service
    api.state.ready = ready
    api.state.backtests = backtests
    api.state.proxies = frozenset(proxies)
    api.state.metrics = Metrics()
    keyring, limiting = Keyring(service.database), Rates(rates or RateRules())
    api.state.reception = Reception(service, keyring, limiting)
    api.state.streams = Streams(keyring, pace or Pace(), rates=limiting)
    for room in _ROOMS:
        api.include_router(room.router)
    errors.install(api)
    api.add_middleware(Shell, metrics=api.state.metrics)
    shortcut = Shortcut(order_entry.router.routes, api.exception_handlers)
    api.side_door = SideDoor(shortcut, api.state.metrics)
    public = health.PUBLIC | tradingview.PUBLIC
    document(api, _BODIES, public, answers=ANSWERS)
    docs_page.install(api)
    mounted = Mount(PREFIX, create_alpaca(api, alpaca or Surface()))
    # Starlette's own does not reach past a line feed: the 404 would be ours, not Alpaca's.
    mounted.path_regex = re.compile(mounted.path_regex.pattern, re.DOTALL)
    api.routes.append(mounted)
    return api
