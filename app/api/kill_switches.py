"""Kill switches: what is thrown, throwing, releasing."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import StringConstraints, model_validator
from starlette.responses import JSONResponse, Response

from app.api.auth import Canceler, Reader, Risk
from app.api.bodies import Strict, parsed
from app.api.openapi import body_of
from app.engine import kill_switches
from app.engine.kill_switches import EVERYTHING, Level, Scope, Target, fully_told, released_told

router = APIRouter(tags=["risk"])

Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,128}$")]
Reason = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")]


class KillSwitchBody(Strict):
    """A switch to throw. `halt`: no new children and no new orders in the scope. `cancel`: open
    orders end as well, their children canceled at once. `flatten`: positions are closed after that,
    by orders that only reduce and pass every halt. The scope `all` needs no name."""

    scope: Scope
    name: Name = EVERYTHING
    level: Level = Level.HALT
    reason: Reason

    @model_validator(mode="after")
    def _named(self) -> "KillSwitchBody":
        if (self.scope is Scope.ALL) != (self.name == EVERYTHING):
            raise ValueError("give the name of an account, strategy or symbol; `all` has only *")
        return self


class ReleaseQuery(Strict):
    reason: Reason = "released"


_EXAMPLES: dict[str, dict[str, Any]] = {
    "symbol": {
        "summary": "No new children and orders in one symbol",
        "value": {"scope": "symbol", "name": "ACME", "reason": "news pending"},
    },
    "all": {
        "summary": "Everything stops, and what is open is canceled",
        "value": {"scope": "all", "level": "cancel", "reason": "prices look wrong"},
    },
    "strategy": {
        "summary": "What a strategy has open is canceled, and what it holds is closed",
        "value": {
            "scope": "strategy",
            "name": "momentum",
            "level": "flatten",
            "reason": "runs away",
        },
    },
}


@router.get("/risk/kill-switches")
async def list_kill_switches(visit: Reader) -> Response:
    """The kill switches in force that bear on the caller's accounts, and how far each has got.

    `open_orders` have not ended yet; `expected_seconds` is what the cancels of their children take
    at the rate that their brokers state (null: none states one). `known` false: no symbol or
    strategy bears the switch's name by now. `standing`, of a switch that flattens, are the
    positions that it has still to close, and what each waits for.
    """
    found = await kill_switches.switches(visit.service, visit.caller)
    return JSONResponse({"items": [fully_told(thrown) for thrown in found]})


@router.post("/risk/kill-switches", openapi_extra=body_of(KillSwitchBody, _EXAMPLES))
async def throw_kill_switch(request: Request, visit: Canceler) -> Response:
    """Throw a kill switch; it holds until it is released, whatever restarts meanwhile.

    Once this is answered, no child in its scope is intended any more. Thrown again, it may rise
    from halt to cancel to flatten, and never falls. A key bound to accounts or symbols may throw
    those of its own; to flatten takes `trade` or `risk`, and a key that is not bound to symbols.
    """
    body = await parsed(request, KillSwitchBody)
    thrown = await kill_switches.throw(
        visit.service, visit.caller, Target(body.scope, body.name), body.level, body.reason
    )
    return JSONResponse(fully_told(thrown))


@router.delete("/risk/kill-switches/{scope}/{name:path}")
async def release_kill_switch(
    scope: Scope, name: Name, visit: Risk, query: Annotated[ReleaseQuery, Query()]
) -> Response:
    """Release a kill switch. Orders that were only halted go on; canceled ones stay canceled. Of a
    switch that flattens, open orders that close positions are canceled; what they filled stays.
    `causes` are those that still stand: for each of them the switch is thrown again at once."""
    released = await kill_switches.release(
        visit.service, visit.caller, Target(scope, name), query.reason
    )
    return JSONResponse(released_told(released))
