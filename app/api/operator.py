"""What an operator decides where no evidence does."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.api.amounts import Id
from app.api.auth import Risk
from app.api.bodies import Strict, parsed
from app.api.headers import etag
from app.api.kill_switches import Reason
from app.api.openapi import body_of
from app.api.orders import order_uuid
from app.engine.resolving import Outcome, resolve
from app.store import views

router = APIRouter(tags=["risk"])


class ResolveBody(Strict):
    """`absent`: the child never reached the broker. `canceled`: it did, and is over there."""

    outcome: Outcome
    reason: Reason


_EXAMPLES: dict[str, dict[str, Any]] = {
    "absent": {
        "summary": "The broker's desk has no such order",
        "value": {"outcome": "absent", "reason": "confirmed by phone, ticket 4711"},
    }
}


@router.post(
    "/orders/{order_id}/children/{child_id}/resolve", openapi_extra=body_of(ResolveBody, _EXAMPLES)
)
async def resolve_child(request: Request, order_id: str, child_id: Id, visit: Risk) -> Response:
    """End a child that is unknown, or whose cancel brings no evidence, by decision.

    Its quantity is free again. It is kept who decided and why; a late fill is booked all the same.
    """
    body = await parsed(request, ResolveBody)
    row = await resolve(
        visit.service, visit.caller, order_uuid(order_id), child_id, body.outcome, body.reason
    )
    return JSONResponse(views.order(row), 200, {"ETag": etag(row["version"])})
