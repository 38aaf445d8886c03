"""Who is asking, in the headers that Alpaca's clients send.

`APCA-API-SECRET-KEY` carries one of our keys, whole, and `APCA-API-KEY-ID` its id: a pair out of
two keys would trade in an account that nobody meant. An `oauth_token` is a key, whole.
"""

import base64
import binascii
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request

from app.api.alpaca.queries import each_once
from app.api.alpaca.surface import Surface
from app.api.auth import bearer, visit_with
from app.api.errors import Problem
from app.api.headers import header
from app.engine.access import Key
from app.engine.service import Caller, Service


@dataclass(frozen=True, slots=True)
class Client:
    """One request's caller. Alpaca knows one account a key: the house's default account, or the
    only one that the key reaches."""

    service: Service
    caller: Caller
    key: Key
    account: str
    surface: Surface


@dataclass(frozen=True, slots=True)
class Needs:
    """Lets in whoever holds a key with `scope`."""

    scope: str

    async def __call__(self, request: Request) -> Client:
        key_id, text = _shown(request)
        visit = await visit_with(text, self.scope, request)
        each_once(request)
        if key_id is not None and not names(key_id, visit.key):
            raise not_its_id()
        account = visit.account(None)
        caller = replace(visit.caller, accounts=(account,))
        return Client(visit.service, caller, visit.key, account, request.app.state.surface)


def names(key_id: str, key: Key) -> bool:
    """Whether what a client calls its key id means this key: its id, with our prefix or not."""
    return key_id.removeprefix("slip_").partition("_")[0] == key.id


def not_its_id() -> Problem:
    return Problem(
        401,
        "not_authenticated",
        "APCA-API-KEY-ID is not the id of the key in APCA-API-SECRET-KEY"
        " (a key is slip_<id>_<secret>)",
    )


def _shown(request: Request) -> tuple[str | None, str | None]:
    """The key's id and text, as far as the request shows them."""
    secret = header(request, "apca-api-secret-key")
    if secret is not None:
        return header(request, "apca-api-key-id") or "", secret.strip()
    authorization = header(request, "authorization")
    if authorization is not None and authorization.lower().startswith("basic "):
        return _basic(authorization)
    return None, bearer(authorization)


def _basic(authorization: str) -> tuple[str | None, str | None]:
    try:
        pair = base64.b64decode(authorization[6:].strip(), validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return None, None
    key_id, _, secret = pair.partition(":")
    return key_id, secret


Reader = Annotated[Client, Depends(Needs("read"))]
Trader = Annotated[Client, Depends(Needs("trade"))]
Canceler = Annotated[Client, Depends(Needs("cancel"))]
