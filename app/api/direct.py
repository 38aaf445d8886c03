"""Routes that are called directly, where finding the way costs more than the work."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope

from app.api.auth import Needs

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Direct(APIRoute):
    """A route of the form `handler(request, visit)`, declared like any other. Its answer is whole:
    no stream, and no task after it.

    FastAPI walks a route's dependencies anew for every request, a third of the time of entering
    an order; here the one there is, the caller, is known beforehand.
    """

    def get_route_handler(self) -> Handler:
        handler = self.endpoint
        (needs,) = (d.call for d in self.dependant.dependencies if isinstance(d.call, Needs))

        async def handle(request: Request) -> Response:
            visit = needs.at_hand(request) or await needs.look_up(request)
            answer: Response = await handler(request, visit)
            return answer

        return handle


class Shortcut:
    """Serves direct routes without the app's own way to them, which takes longer than the way
    of an order into the database. What fails is answered by the app's own handlers."""

    def __init__(self, routes: Iterable[BaseRoute], on: Mapping[Any, Callable[..., Any]]) -> None:
        self._routes: dict[tuple[str, str], tuple[Direct, Handler]] = {
            (method, route.path): (route, route.get_route_handler())
            for route in routes
            if isinstance(route, Direct)
            for method in route.methods or ()
        }
        self._on = on
        self.lines: Mapping[tuple[bytes, bytes], tuple[str, str]] = MappingProxyType(
            {(method.encode(), path.encode()): (method, path) for method, path in self._routes}
        )
        """Method and path of each route, by what a request's first line says."""

    def knows(self, scope: Scope) -> bool:
        return scope["type"] == "http" and (scope["method"], scope["path"]) in self._routes

    async def answer(self, scope: Scope, receive: Receive) -> Response:
        """Raises what nobody expected."""
        scope["route"], handle = self._routes[scope["method"], scope["path"]]
        request = Request(scope, receive)
        try:
            return await handle(request)
        except Exception as failure:
            on = next((self._on[kind] for kind in type(failure).__mro__ if kind in self._on), None)
            if on is None:
                raise
            answer: Response = await on(request, failure)
            return answer
