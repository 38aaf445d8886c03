"""Hooks: made, listed, rotated, ended."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.api.amounts import Id
from app.api.auth import Admin, Risk
from app.api.bodies import parsed
from app.api.hook_bodies import HookBody, HookRotateBody
from app.api.openapi import body_of
from app.domain.hook import Hook
from app.domain.instant import rfc3339
from app.engine.hooks import end_hook, list_hooks, make_hook, rotate_hook

router = APIRouter(tags=["signals"])

DOOR = "/webhooks/tradingview/"

_EXAMPLES: dict[str, dict[str, Any]] = {
    "position": {
        "summary": "Follow the position of a strategy in two symbols",
        "value": {
            "name": "turtle on daily bars",
            "strategy": "turtle",
            "symbols": {"NASDAQ:AAPL": "AAPL", "AAPL": "AAPL"},
            "sizes": "position",
            "max_qty": "200",
            "max_notional": "25000",
            "max_lag": "60s",
            "sources": ["52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7"],
            "reason": "first trial",
        },
    },
    "fixed": {
        "summary": "A hundred each time, in whatever the alert names",
        "value": {
            "name": "momo",
            "strategy": "momentum",
            "symbols": "any",
            "sizes": "fixed",
            "fixed_qty": "100",
            "max_notional": "25000",
        },
    },
}


@router.post("/hooks", status_code=201, openapi_extra=body_of(HookBody, _EXAMPLES))
async def make_a_hook(request: Request, visit: Admin) -> Response:
    """A new hook. This answer is the only time that its token is shown."""
    body = await parsed(request, HookBody)
    wanted = body.hook(visit.account(body.account))
    token, hook = await make_hook(visit.service, visit.caller, wanted, body.passphrase, body.reason)
    return _secret({**_shown(hook), "token": token, "path": DOOR + token}, 201)


@router.get("/hooks")
async def get_hooks(visit: Risk) -> Response:
    """The hooks of the caller's accounts, ended ones too. `last_refused` says why the last alert
    that was turned away was: whoever sent it is not told. Tokens are not known here."""
    found = await list_hooks(visit.service, visit.caller)
    return JSONResponse({"items": [_shown(hook) for hook in found]})


@router.post("/hooks/{hook_id}/rotate", openapi_extra=body_of(HookRotateBody))
async def rotate_a_hook(hook_id: Id, request: Request, visit: Admin) -> Response:
    """Another token, shown this once. Two may work at a time: this one, and for `keep` the one
    before."""
    body = await parsed(request, HookRotateBody)
    token = await rotate_hook(visit.service, visit.caller, hook_id, body.keep or 0)
    return _secret({"id": hook_id, "token": token, "path": DOOR + token}, 200)


@router.delete("/hooks/{hook_id}", status_code=204)
async def end_a_hook(hook_id: Id, visit: Risk) -> Response:
    """End a hook: its tokens are worth nothing from now on. Orders it made go on."""
    await end_hook(visit.service, visit.caller, hook_id)
    return Response(status_code=204)


def _secret(body: dict[str, Any], status: int) -> Response:
    return JSONResponse(body, status, {"Cache-Control": "no-store"})


def _shown(hook: Hook) -> dict[str, Any]:
    moments = {
        name: rfc3339(at) if at is not None else None
        for name, at in (
            ("made_at", hook.made_at),
            ("expires_at", hook.expires_at),
            ("ended_at", hook.ended_at),
            ("last_used_at", hook.used_at),
            ("last_refused_at", hook.refused_at),
        )
    }
    known = {"id": hook.id, "account": hook.account, "source": hook.source, **hook.plain()}
    return {**known, **moments, "made_by": hook.made_by, "last_refused": hook.refused}
