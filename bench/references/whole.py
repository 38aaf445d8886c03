"""The bare endpoint that answers as much as ours: a whole order, though it knows none."""

import json
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi import FastAPI

from app.api.order_bodies import OrderBody
from bench.references.serving import serve

ORDER: dict[str, Any] = json.loads(Path(__file__).with_name("order.json").read_text())
"""An answer of ours."""

api = FastAPI()


@api.get("/")
async def alive() -> str:
    return "ok"


@api.post("/orders", status_code=202)
async def enter(body: OrderBody) -> dict[str, Any]:
    return {**ORDER, "id": str(uuid4()), "client_order_id": body.client_order_id}


if __name__ == "__main__":
    serve(api, int(sys.argv[1]))
