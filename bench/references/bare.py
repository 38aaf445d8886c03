"""A bare FastAPI endpoint with the order's own request model and no database."""

import sys
from uuid import uuid4

from fastapi import FastAPI

from app.api.order_bodies import OrderBody
from bench.references.serving import serve

api = FastAPI()


@api.get("/")
async def alive() -> str:
    return "ok"


@api.post("/orders", status_code=202)
async def enter(body: OrderBody) -> dict[str, str | None]:
    return {"id": str(uuid4()), "client_order_id": body.client_order_id, "status": "accepted"}


if __name__ == "__main__":
    serve(api, int(sys.argv[1]))
