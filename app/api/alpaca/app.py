"""The surface as an app of its own, with its own words for failures and its own page."""

from fastapi import FastAPI

from app.api import docs_page
from app.api.alpaca import account, activities, errors, market_data, orders, positions, stream
from app.api.alpaca.bodies import OrderBody, ReplaceBody
from app.api.alpaca.surface import Surface
from app.api.alpaca.updates import Telling
from app.api.openapi import document

PREFIX = "/alpaca"

_ROOMS = (orders, positions, activities, account)
_KEY_PAIR = {
    "id": {"type": "apiKey", "in": "header", "name": "APCA-API-KEY-ID"},
    "secret": {"type": "apiKey", "in": "header", "name": "APCA-API-SECRET-KEY"},
}


def create_alpaca(house: FastAPI, surface: Surface) -> FastAPI:
    """The app to be mounted at PREFIX of `house`, with which it shares service and keys."""
    api = FastAPI(
        title="Slipstream for Alpaca's clients",
        summary="Orders, positions, market hours and updates in Alpaca's words.",
        version=house.version,
        redirect_slashes=False,  # A client that is redirected takes the empty answer for an order.
        docs_url=None,
        redoc_url=None,
    )
    api.state.service = house.state.service
    api.state.reception = house.state.reception
    api.state.streams = house.state.streams
    api.state.surface = surface
    api.state.telling = Telling(api.state.service)
    for room in _ROOMS:
        api.include_router(room.router, prefix="/v2")
    api.include_router(market_data.router)
    api.include_router(stream.router)
    errors.install(api)
    document(api, (OrderBody, ReplaceBody), (), _KEY_PAIR, told=errors.TOLD)
    docs_page.install(api, PREFIX)
    return api
