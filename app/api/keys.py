"""API keys: made, listed, ended."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from app.api.amounts import Id, Label
from app.api.auth import Admin
from app.api.bodies import Strict, parsed
from app.api.openapi import body_of
from app.domain.instant import rfc3339
from app.engine.access import Key, create_key, list_keys, revoke_key

router = APIRouter(tags=["keys"])

Scope = Literal["read", "trade", "cancel", "risk", "admin"]


class KeyBody(Strict):
    """A key to make. Without accounts it reaches all of them."""

    name: Label
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=5)]
    accounts: Annotated[tuple[Id, ...], Field(min_length=1, max_length=100)] | None = None


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
        visit.service, visit.caller, name=body.name, scopes=body.scopes, accounts=body.accounts
    )
    return JSONResponse({**_shown(key), "key": text}, 201, {"Cache-Control": "no-store"})


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
        "created_at": rfc3339(key.created_at),
        "revoked_at": rfc3339(key.revoked_at) if key.revoked_at is not None else None,
        "last_used_at": rfc3339(key.last_used_at) if key.last_used_at is not None else None,
    }
