"""The audit trail: who changed what."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints
from starlette.responses import JSONResponse, Response

from app.api.auth import Risk
from app.api.bodies import Strict
from app.domain.instant import rfc3339
from app.engine.reading import reading
from app.store import views

router = APIRouter(tags=["risk"])


class TrailQuery(Strict):
    before: Annotated[int, Field(ge=1, lt=1 << 62)] | None = Field(
        None, description="Only entries below this id: `next` of the page before."
    )
    action: Annotated[str, StringConstraints(pattern=r"^[a-z_.]{1,60}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


@router.get("/audit-trail")
async def list_audit_trail(visit: Risk, query: Annotated[TrailQuery, Query()]) -> Response:
    """Changes of limits, strategies, modes, keys and kill switches, what an operator settled, and
    which key amended, paused, resumed or canceled an order (`DELETE /orders`: one entry for all of
    them); the latest first. Entries are only ever added."""
    visit.check_unbound()
    async with reading(visit.service) as connection:
        found = await views.audit_trail(
            connection, before=query.before, action=query.action, most=query.limit
        )
    return JSONResponse(
        {
            "items": [_shown(entry) for entry in found],
            "next": found[-1]["id"] if len(found) == query.limit else None,
        }
    )


def _shown(entry: Any) -> dict[str, Any]:
    return {
        "id": entry["id"],
        "at": rfc3339(entry["at"]),
        "actor": entry["actor"],
        "action": entry["action"],
        "target": entry["target"],
        "account": entry["account"],
        "before": entry["before"],
        "after": entry["after"],
        "reason": entry["reason"],
    }
