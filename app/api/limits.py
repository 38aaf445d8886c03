"""Limits on orders: what is set, setting, removing, and every change there was."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field, StringConstraints
from starlette.responses import JSONResponse, Response

from app.api.amounts import Amount
from app.api.auth import Reader, Risk, Visit
from app.api.bodies import Strict, parsed
from app.api.kill_switches import Name, Reason
from app.api.openapi import body_of
from app.api.order_bodies import exact
from app.domain.instant import rfc3339
from app.domain.risk.bound import EVERYTHING, Bound
from app.domain.risk.limit import LIMITS, Limit, Scope
from app.engine import limits
from app.engine.limits import Numbers, Target
from app.engine.reading import reading
from app.store import views

router = APIRouter(tags=["risk"])

LimitName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]


class LimitBody(Strict):
    """A limit to set. Beyond `hard` an order is refused, whoever asks; beyond `soft` it has to
    name the limit in `confirm`. What is not given is not limited."""

    scope: Scope
    name: Name = EVERYTHING
    limit: LimitName
    hard: Amount | None = None
    soft: Amount | None = None
    reason: Reason


class RemoveQuery(Strict):
    reason: Reason = "removed"


class ChangesQuery(Strict):
    before: Annotated[int, Field(ge=1, lt=1 << 62)] | None = Field(
        None, description="Only changes numbered below this: `next` of the page before."
    )
    limit: Annotated[int, Field(ge=1, le=500)] = 100


_EXAMPLES: dict[str, dict[str, Any]] = {
    "position": {
        "summary": "No more than 5,000 of ACME, whoever trades it",
        "value": {
            "scope": "symbol",
            "name": "ACME",
            "limit": "max_position_qty",
            "hard": "5000",
            "reason": "illiquid",
        },
    },
    "order": {
        "summary": "Above 100,000 somebody has to confirm; above a million nobody can",
        "value": {
            "scope": "all",
            "limit": "max_order_notional",
            "soft": "100000",
            "hard": "1000000",
            "reason": "as agreed",
        },
    },
}


@router.get("/risk/limits")
async def list_limits(visit: Reader) -> Response:
    """All limits that are set and concern the caller's accounts; those of settings come first.

    `kinds` says what each name counts, in which unit, and where it may be set.
    """
    known = await visit.service.limits.look()
    seen = [b for b in (*visit.service.limits.house, *known.bounds) if _concerns(visit, b)]
    items, kinds = [_shown(bound) for bound in seen], [_kind(kind) for kind in LIMITS.values()]
    return JSONResponse({"items": items, "version": known.version, "kinds": kinds})


@router.put("/risk/limits", openapi_extra=body_of(LimitBody, _EXAMPLES))
async def set_limit(request: Request, visit: Risk) -> Response:
    """Set a limit. Once this is answered, no order that breaks it is entered any more; orders
    that are open already go on. Of hard and soft, what is left out stays as it is; null removes it.
    `known` false: no symbol or strategy bears that name by now. `tighter`: the limit of settings
    that a number set here lies beyond, without effect there; null where all have their effect."""
    body = await parsed(request, LimitBody)
    if body.hard is None and body.soft is None:
        raise limits.nothing_given()
    target = Target(body.scope, body.name, body.limit)
    kept = frozenset({"hard", "soft"} - body.model_fields_set)
    numbers = Numbers(body.hard, body.soft, kept=kept, reason=body.reason)
    bound = await limits.put(visit.service, visit.caller, target, numbers)
    known = await limits.is_known(visit.service, target)
    house = limits.tighter(visit.service, bound)
    told = _shown(house) if house is not None else None
    return JSONResponse({**_shown(bound), "known": known, "tighter": told})


@router.delete("/risk/limits/{scope}/{limit}/{name:path}", status_code=204)
async def remove_limit(
    scope: Scope, limit: LimitName, name: Name, visit: Risk, query: Annotated[RemoveQuery, Query()]
) -> Response:
    """Remove a limit that was set here. Those of settings stay as they are."""
    target = Target(scope, name, limit)
    removed = await limits.change(visit.service, visit.caller, target, Numbers(reason=query.reason))
    if removed is None:
        raise limits.unknown(target)
    return Response(status_code=204)


@router.get("/risk/limits/changes")
async def list_limit_changes(visit: Risk, query: Annotated[ChangesQuery, Query()]) -> Response:
    """Every change of a limit, the latest first: numbered from one, without gaps."""
    visit.check_unbound()
    async with reading(visit.service) as connection:
        found = await views.limit_changes(connection, before=query.before, most=query.limit)
    full = len(found) == query.limit and found[-1]["version"] > 1
    return JSONResponse(
        {
            "items": [_told(change) for change in found],
            "next": found[-1]["version"] if full else None,
        }
    )


def _kind(kind: Limit) -> dict[str, Any]:
    return {
        "limit": kind.name,
        "unit": kind.unit.value,
        "held_against": kind.held.value,
        "counts": kind.counts,
        "scopes": sorted(scope.value for scope in kind.scopes),
    }


def _concerns(visit: Visit, bound: Bound) -> bool:
    own = visit.caller.accounts
    if own is None or bound.scope in (Scope.ALL, Scope.SYMBOL, Scope.STRATEGY):
        return True
    return bound.name in own if bound.scope is Scope.ACCOUNT else bound.name == visit.caller.key_id


def _shown(bound: Bound) -> dict[str, Any]:
    return {
        "scope": bound.scope.value,
        "name": bound.name,
        "limit": bound.limit.name,
        "unit": bound.limit.unit.value,
        "hard": exact(bound.hard) if bound.hard is not None else None,
        "soft": exact(bound.soft) if bound.soft is not None else None,
        "version": bound.version or None,
        "source": "set" if bound.version else "settings",
    }


def _told(change: Any) -> dict[str, Any]:
    hard, soft = change["hard"], change["soft"]
    return {
        "version": change["version"],
        "scope": change["scope"],
        "name": change["name"],
        "limit": change["limit_name"],
        "hard": exact(hard) if hard is not None else None,
        "soft": exact(soft) if soft is not None else None,
        "reason": change["reason"],
        "changed_at": rfc3339(change["changed_at"]),
        "changed_by": change["changed_by"],
    }
