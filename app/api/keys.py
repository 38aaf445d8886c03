"""API keys: made, listed, replaced, ended."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from app.api.amounts import Duration, Id, Label, Moment, Symbol
from app.api.auth import Admin
from app.api.bodies import Strict, parsed
from app.api.openapi import body_of
from app.api.order_bodies import Algo
from app.domain.instant import DAY, rfc3339
from app.engine.access import End, Key, Wanted, create_key, list_keys, revoke_key, rotate_key

router = APIRouter(tags=["keys"])

Scope = Literal["read", "trade", "cancel", "risk", "admin"]


class KeyBody(Strict):
    """A key to make. Without accounts it reaches all of them, without symbols it trades all."""

    name: Label
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=5)]
    accounts: Annotated[tuple[Id, ...], Field(min_length=1, max_length=100)] | None = None
    default_algo: Algo | None = Field(
        None, description="Works plain orders of Alpaca's clients; auto, or an algorithm's name."
    )
    expires_at: Moment | None = Field(None, description="From then on it opens nothing.")
    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="All that may be traded with it; what it may read and cancel is not less."
    )


class RotateBody(Strict):
    """How long the old key goes on opening: time to hand the new one round. Without `expires_at`
    the new one ends when the old one was to end; null: it does not end by itself."""

    overlap: Duration = DAY
    expires_at: Moment | None = Field(None, description="Never later than your own key's.")


@router.get("/keys")
async def get_keys(visit: Admin) -> Response:
    """All keys, ended ones too. Their secrets are not known here."""
    keys = await list_keys(visit.service, visit.caller)
    return JSONResponse({"items": [_shown(key) for key in keys]})


@router.post("/keys", status_code=201, openapi_extra=body_of(KeyBody))
async def make_key(request: Request, visit: Admin) -> Response:
    """A new key. This answer is the only time it is shown."""
    body = await parsed(request, KeyBody)
    text, key = await create_key(
        visit.service,
        visit.caller,
        Wanted(
            body.name, body.scopes, body.accounts, body.default_algo, body.expires_at, body.symbols
        ),
    )
    return JSONResponse({**_shown(key), "key": text}, 201, _SHOWN_ONCE)


@router.post("/keys/{key_id}/rotate", status_code=201, openapi_extra=body_of(RotateBody))
async def replace_key(key_id: Id, request: Request, visit: Admin) -> Response:
    """A new key that may do what the old one does, under the same limits. Both open until
    `old_key_ends_at`."""
    body = await parsed(request, RotateBody)
    end = End(body.expires_at) if "expires_at" in body.model_fields_set else None
    done = await rotate_key(visit.service, visit.caller, key_id, body.overlap, end)
    told = {**_shown(done.key), "key": done.text, "old_key_ends_at": rfc3339(done.old_ends)}
    return JSONResponse(told, 201, _SHOWN_ONCE)


_SHOWN_ONCE = {"Cache-Control": "no-store"}


@router.delete("/keys/{key_id}", status_code=204)
async def end_key(key_id: Id, visit: Admin) -> Response:
    """End a key. It is refused within seconds, on open streams too."""
    await revoke_key(visit.service, visit.caller, key_id)
    return Response(status_code=204)


def _shown(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "accounts": sorted(key.accounts) if key.accounts is not None else None,
        "symbols": sorted(key.symbols) if key.symbols is not None else None,
        "default_algo": key.default_algo,
        "replaces": key.replaces,
        "created_at": rfc3339(key.created_at),
        "expires_at": rfc3339(key.expires_at) if key.expires_at is not None else None,
        "revoked_at": rfc3339(key.revoked_at) if key.revoked_at is not None else None,
        "last_used_at": rfc3339(key.last_used_at) if key.last_used_at is not None else None,
    }
