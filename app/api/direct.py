"""Routes that are called directly, where solving dependencies costs more than the work."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.api.auth import Needs


class Direct(APIRoute):
    """A route of the form `handler(request, visit)`, declared like any other.

    FastAPI walks a route's dependencies anew for every request, a third of the time of entering
    an order; here the one there is, the caller, is known beforehand.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = self.endpoint
        (needs,) = (d.call for d in self.dependant.dependencies if isinstance(d.call, Needs))

        async def handle(request: Request) -> Response:
            answer: Response = await handler(request, await needs(request))
            return answer

        return handle
